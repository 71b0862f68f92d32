"""Number of covers priced per second, and how long the obvious way takes: one simulation per policy."""

import numpy as np
import pytest

from pricing import FullPayout, LinearPayout, Reference, TieredPayout, compact, simulate
from pricing.contract.book import Book
from pricing.contract.observation import Observation
from pricing.rates.book_premiums import premium_columns
from pricing.surface.settings import SimulationSettings
from tests.benchmarks import opponents
from tests.benchmarks.works import JUMPS, N_PATHS

N_COVERS = 1_000_000
ASSETS = ("A", "B", "C", "D")
WINDOWS, TERMS = ("1h", "4h", "24h", "72h"), ("7d", "14d", "21d", "30d")
PAYOUTS = {
    "full": FullPayout(),
    "linear": LinearPayout(attachment=0.3, exhaustion=0.9),
    "tiered": TieredPayout({0.3: 0.25, 0.5: 0.6, 0.8: 1.0}),
}
#: Covers a second and core that full payouts are to reach.
REACH = 1_000_000


@pytest.fixture(scope="module")
def surfaces():
    settings = (SimulationSettings(n_paths=100_000, seed=seed) for seed in range(len(ASSETS)))
    return {
        asset: compact(simulate(JUMPS.model, windows=WINDOWS, terms=TERMS, settings=each))
        for asset, each in zip(ASSETS, settings, strict=True)
    }


def book_of(payout):
    draw = np.random.default_rng(1)
    observations = [
        Observation(reference=Reference.ROLLING_HIGH, window=window, term=term) for window in WINDOWS for term in TERMS
    ]
    return Book(
        currency="USD",
        assets=ASSETS,
        observations=observations,
        payouts=[payout],
        asset=draw.integers(0, len(ASSETS), N_COVERS),
        observation=draw.integers(0, len(observations), N_COVERS),
        payout=np.zeros(N_COVERS, dtype=np.intp),
        drop=draw.uniform(0.15, 0.8, N_COVERS),
        limit=draw.lognormal(10.0, 1.0, N_COVERS),
    )


@pytest.mark.parametrize("payout", PAYOUTS)
def test_covers_alone(benchmark, surfaces, payout):
    book = book_of(PAYOUTS[payout])
    benchmark.pedantic(premium_columns, args=(book, surfaces), rounds=3, warmup_rounds=1)
    benchmark.extra_info.update(table="covers", payout=payout, covers=N_COVERS, reach=REACH)


def test_one_simulation_a_policy(benchmark):
    """Price one policy of 30 days on fresh paths in NumPy, as one would write it without a surface."""
    benchmark.pedantic(opponents.numpy_and_scipy, args=(np.random.default_rng(1), N_PATHS), rounds=3, warmup_rounds=1)
    benchmark.extra_info.update(table="covers", payout="one simulation per policy", covers=1, reach=None)
