"""Time of a quote from a rate store of 250 tokens, compared with the same quote from all paths.

By themselves: ``python -m pytest -W default tests/benchmarks/bench_quoter.py``
"""

from itertools import cycle

import numpy as np
import pytest

from pricing import DropTrigger, FullPayout, LinearPayout, PricingBasis, Quoter, RateQuoter, TieredPayout, compact
from pricing.contract.book import Book
from pricing.principles import parse_risk_load
from pricing.rates.publishing import publish
from tests.pricing.rates.store_worlds import KEY, NOON, make_cover, make_entry, simulate_surface

N_ASSETS, N_COVERS = 250, 1_000_000
PAYOUTS = {
    "full": FullPayout(),
    "linear": LinearPayout(attachment=0.25, exhaustion=0.9),
    "tiered": TieredPayout({0.3: 0.25, 0.5: 0.6, 0.8: 1.0}),
}
SURFACE = simulate_surface("anchored", n_paths=100_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rates")
    compacted = compact(SURFACE)
    publish(folder, ((make_entry(f"T{asset}"), compacted) for asset in range(N_ASSETS)), name="night")
    return folder


def covers_of(payout):
    rng = np.random.default_rng(4)
    drops = rng.uniform(0.25, 0.5, 5_000)
    return [
        make_cover(asset=f"T{rng.integers(N_ASSETS)}", trigger=DropTrigger(drop=drop), payout=payout) for drop in drops
    ]


@pytest.mark.parametrize("name", PAYOUTS)
def test_quote_from_a_store(benchmark, folder, name):
    quoter, covers = RateQuoter(folder, key=KEY), cycle(covers_of(PAYOUTS[name]))
    benchmark.pedantic(lambda: quoter.quote(next(covers), at=NOON), rounds=20_000, warmup_rounds=1_000)
    benchmark.extra_info.update(table="quote from a store", payout=name, reach=20e-6)


@pytest.mark.parametrize("load", ["standard-deviation:0.25", "wang:0.45", "esscher:1"])
@pytest.mark.parametrize("name", ["full", "linear"])
def test_quote_with_another_load(benchmark, folder, load, name):
    """By sums of moments, by areas under the distorted curve, and by a pass over the law."""
    quoter = RateQuoter(folder, PricingBasis(risk_load=parse_risk_load(load)), key=KEY)
    covers = cycle(covers_of(PAYOUTS[name]))
    benchmark.pedantic(lambda: quoter.quote(next(covers), at=NOON), rounds=2_000, warmup_rounds=500)
    benchmark.extra_info.update(table="quote from a store", payout=f"{name}, {load}")


def test_quote_from_all_paths(benchmark):
    quoter, cover = Quoter({"OM": SURFACE}), make_cover()
    benchmark.pedantic(quoter.quote, (cover,), rounds=100, warmup_rounds=5)
    benchmark.extra_info.update(table="quote from all paths")


@pytest.mark.parametrize("names", [("full",), tuple(PAYOUTS)], ids="-".join)
def test_a_book(benchmark, folder, names):
    rng = np.random.default_rng(5)
    few = Book.of_covers([make_cover(asset=f"T{asset}") for asset in range(N_ASSETS)])
    book = Book(
        currency="USD",
        assets=few.assets,
        observations=few.observations,
        payouts=[PAYOUTS[name] for name in names],
        asset=rng.integers(N_ASSETS, size=N_COVERS),
        observation=np.zeros(N_COVERS, dtype=np.intp),
        payout=rng.integers(len(names), size=N_COVERS),
        drop=rng.uniform(0.25, 0.5, N_COVERS),
        limit=rng.uniform(1e3, 1e6, N_COVERS),
    )
    quoter = RateQuoter(folder)
    benchmark.pedantic(quoter.quote_many, (book,), {"at": NOON}, rounds=5, warmup_rounds=1)
    benchmark.extra_info.update(table="book", payouts=names, covers=N_COVERS, reach=1.0)
