"""A selling backend in threads and in forked workers, with a hot swap under load; prints the latencies they reach.

Usage: ``python -m docs.studies.quoting_backend [--assets 250] [--paths 100000] [--quotes 5000] [--seconds 2]``
"""

import argparse
import gc
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from pricing import (
    ENGINE_VERSION,
    Anchor,
    CompactSurface,
    Conditions,
    ConstantVolatility,
    Cover,
    DropTrigger,
    FullPayout,
    Jumps,
    LinearPayout,
    NormalSizes,
    Payout,
    PriceModel,
    PricingError,
    RateQuote,
    RateQuoter,
    SalesBump,
    SalesFrozenError,
    SellingRules,
    SimulationSettings,
    StudentT,
    TieredPayout,
    compact,
    simulate,
    verify,
)
from pricing.contract.book import Book
from pricing.rates.publishing import publish
from pricing.rates.store import RateEntry

NOTHING_KNOWN = Conditions()
KEY = b"of this example; a backend reads its own from a vault"
WINDOWS, TERMS = ("1h", "4h", "24h", "72h"), ("7d", "30d", "60d", "90d")
PAYOUTS = {
    "full": FullPayout(),
    "linear": LinearPayout(attachment=0.25, exhaustion=0.9),
    "tiered": TieredPayout({0.3: 0.25, 0.5: 0.6, 0.8: 1.0}),
}


@dataclass
class Backend:
    """Everything that a backend adds to a quoter: the clock, the alerts and the sales of each asset.

    Conditions are immutable and replaced whole, so that a quote needs no lock.
    """

    quoter: RateQuoter
    capacity: float
    conditions: dict[str, Conditions] = field(default_factory=dict)
    sold: set[str] = field(default_factory=set)
    changing: threading.Lock = field(default_factory=threading.Lock)

    def quote(self, cover: Cover) -> RateQuote:
        """Offer a cover now."""
        return self.quoter.quote(cover, at=datetime.now(UTC), conditions=self._conditions(cover.asset))

    def alert(self, asset: str) -> None:
        """Stop sales on an asset for a while: something is going on."""
        with self.changing:
            self.conditions[asset] = replace(self._conditions(asset), alerted_at=datetime.now(UTC))

    def sell(self, quote: RateQuote) -> None:
        """Take up an offer: check it, and let the next one cost more."""
        now, cover = datetime.now(UTC), quote.cover
        verify(quote, KEY, at=now)
        with self.changing:
            if quote.quote_id in self.sold:
                raise PricingError(f"quote {quote.quote_id!r} was accepted before")
            self.sold.add(quote.quote_id)
            known = self._conditions(cover.asset)
            pressure = self.bump.after_sale(known.pressure, limit=cover.limit, capacity=self.capacity, at=now)
            self.conditions[cover.asset] = replace(known, pressure=pressure)

    @property
    def bump(self) -> SalesBump:
        """Return the effect of sales on prices here."""
        assert self.quoter.rules.bump is not None
        return self.quoter.rules.bump

    def _conditions(self, asset: str) -> Conditions:
        return self.conditions.get(asset, NOTHING_KNOWN)


def simulate_surfaces(n_paths: int) -> list[CompactSurface]:
    """Simulate a few tokens; the others of the example share their numbers, not their files."""
    surfaces = []
    for seed, volatility in enumerate((0.7, 0.9, 1.2, 1.5)):
        model = PriceModel(
            volatility=ConstantVolatility(annual=volatility),
            innovations=StudentT(dof=4.0),
            jumps=(Jumps(per_year=1.0, sizes=NormalSizes(mean=-0.3, stdev=0.2)),),
            anchors=(Anchor(window="24h", term="30d", drops=(0.2, 0.3), probabilities=(0.3, 0.08)),),
        )
        settings = SimulationSettings(n_paths=n_paths, seed=seed, n_threads=2)
        surfaces.append(compact(simulate(model, windows=WINDOWS, terms=TERMS, settings=settings)))
    return surfaces


def publish_night(folder: Path, surfaces: list[CompactSurface], n_assets: int, name: str) -> None:
    """Publish rates of that many tokens, of data that end now."""
    now = datetime.now(UTC)

    def rates() -> Iterator[tuple[RateEntry, CompactSurface]]:
        for number, surface in zip(range(n_assets), cycle(surfaces), strict=False):
            yield (
                RateEntry(
                    asset=f"T{number}",
                    surface_id=surface.model_digest[:16],
                    calibration_id=f"{name}-{number}",
                    engine_version=ENGINE_VERSION,
                    as_of=now.isoformat(),
                    valid_until=(now + timedelta(hours=30)).isoformat(),
                ),
                surface,
            )

    publish(folder, rates(), name=name)


def make_covers(payout: Payout, n_assets: int, n_covers: int) -> list[Cover]:
    """Draw covers that insurers would sell."""
    rng = np.random.default_rng(1)
    return [
        Cover(
            cover_id=f"C-{number}",
            asset=f"T{rng.integers(n_assets)}",
            trigger=DropTrigger(drop=float(rng.uniform(0.3, 0.6)), window=str(rng.choice(("1h", "4h", "24h")))),
            payout=payout,
            limit=1e4,
            currency="USD",
            term=str(rng.choice(("7d", "30d"))),
        )
        for number in range(n_covers)
    ]


def microseconds(quote: Callable[[Cover], RateQuote], covers: list[Cover], pause: float = 0.0) -> list[float]:
    """Time every quote, with pauses in between as between requests."""
    times = []
    for cover in covers:
        began = time.perf_counter_ns()
        try:
            quote(cover)
        except PricingError:
            pass  # a refusal is an answer too
        finally:
            times.append((time.perf_counter_ns() - began) / 1e3)
        if pause:
            time.sleep(pause)
    return times


def show(name: str, times: list[float], note: str = "") -> None:
    """Print quantiles."""
    p50, p99, p999 = np.percentile(times, (50.0, 99.0, 99.9))
    print(f"{name:34} {len(times):7,} quotes   p50 {p50:6.1f} us   p99 {p99:7.1f} us   p99.9 {p999:8.1f} us   {note}")


def in_one_thread(backend: Backend, n_assets: int, n_covers: int) -> None:
    """Quote each payout, one after the other."""
    for name, payout in PAYOUTS.items():
        covers = make_covers(payout, n_assets, n_covers)
        microseconds(backend.quote, covers[:500])
        show(f"one thread, {name}", microseconds(backend.quote, covers))


def all_at_once(backend: Backend, n_assets: int, n_covers: int) -> None:
    """Quote a book of a million covers."""
    rng = np.random.default_rng(2)
    some = Book.of_covers(make_covers(PAYOUTS["full"], n_assets, n_covers))
    rows = rng.integers(len(some), size=1_000_000)
    book = Book(
        currency="USD",
        assets=some.assets,
        observations=some.observations,
        payouts=some.payouts,
        asset=some.asset[rows],
        observation=some.observation[rows],
        payout=some.payout[rows],
        drop=rng.uniform(0.3, 0.6, len(rows)),
        limit=some.limit[rows],
    )
    began = time.process_time()
    quotes = backend.quoter.quote_many(book, at=datetime.now(UTC))
    seconds = time.process_time() - began
    print(f"{'one thread, a book of a million':34} {len(rows) / seconds:7,.0f} covers a second and core, "
          f"{np.isnan(quotes.price).mean():.1%} refused")  # fmt: skip


def in_threads(
    backend: Backend, n_assets: int, n_covers: int, n_threads: int, seconds: float, swap: Callable[[], None] | None
) -> None:
    """Quote in threads that pause between requests, while rates are swapped or not."""
    covers = make_covers(PAYOUTS["full"], n_assets, n_covers)
    times: list[float] = []
    versions: Counter[str] = Counter()
    stop = threading.Event()

    def quote(cover: Cover) -> RateQuote:
        offer = backend.quote(cover)
        versions[offer.version] += 1
        return offer

    def serve(first: int) -> None:
        mine = cycle(covers[first:] + covers[:first])
        while not stop.is_set():
            times.extend(microseconds(quote, list(islice(mine, 50)), pause=0.002))

    threads = [threading.Thread(target=serve, args=(300 * number,)) for number in range(n_threads)]
    for thread in threads:
        thread.start()
    time.sleep(0.5 * seconds)
    if swap:
        swap()
    time.sleep(0.5 * seconds)
    stop.set()
    for thread in threads:
        thread.join()
    name = f"{n_threads} threads{', swapped' if swap else ''}"
    show(name, times, ", ".join(f"{count:,} from {version}" for version, count in sorted(versions.items())))


def in_forked_workers(backend: Backend, n_assets: int, n_covers: int, n_workers: int) -> None:
    """Quote in workers that were forked from a process with all rates loaded, as under ``gunicorn --preload``."""
    gc.freeze()  # else the first collection in a worker writes to, and so copies, every page with an object
    covers = make_covers(PAYOUTS["full"], n_assets, n_covers)
    readers = []
    for _ in range(n_workers):
        reader, writer = os.pipe()
        if not os.fork():
            times = microseconds(backend.quote, covers)
            os.write(writer, np.percentile(times, (50.0, 99.0)).tobytes() + np.array(private_megabytes()).tobytes())
            os._exit(0)
        readers.append(reader)
    for number, reader in enumerate(readers):
        p50, p99, private = np.frombuffer(os.read(reader, 24))
        os.wait()
        print(f"{f'forked worker {number + 1} of {n_workers}':34} {len(covers):7,} quotes   p50 {p50:6.1f} us   "
              f"p99 {p99:7.1f} us   {private:.0f} MB of its own")  # fmt: skip


def private_megabytes() -> float:
    """Return the memory that this process shares with no other, on Linux."""
    rollup = Path("/proc/self/smaps_rollup")
    lines = rollup.read_text(encoding="ascii").splitlines() if rollup.exists() else []
    return sum(float(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024.0


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--assets", type=int, default=250)
    parser.add_argument("--paths", type=int, default=100_000)
    parser.add_argument("--quotes", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, surfaces = Path(name), simulate_surfaces(options.paths)
        publish_night(folder, surfaces, options.assets, "monday")
        size = sum(file.stat().st_size for file in folder.rglob("*.surface"))
        began = time.perf_counter()
        quoter = RateQuoter(folder, rules=SellingRules(bump=SalesBump(strength=1.0)), key=KEY)
        seconds = time.perf_counter() - began
        print(f"{options.assets} assets of {len(WINDOWS) * len(TERMS)} signals and {options.paths:,} paths: "
              f"{size / 1e6:,.0f} MB, checked and mapped in {seconds:.2f} s")  # fmt: skip
        backend = Backend(quoter, capacity=1e6)
        in_one_thread(backend, options.assets, options.quotes)
        all_at_once(backend, options.assets, options.quotes)

        def swap() -> None:
            publish_night(folder, surfaces[::-1], options.assets, "tuesday")
            backend.quoter.refresh()

        in_threads(backend, options.assets, options.quotes, 16, options.seconds, None)
        in_threads(backend, options.assets, options.quotes, 16, options.seconds, swap)
        if hasattr(os, "fork"):
            in_forked_workers(backend, options.assets, options.quotes, 2)
        show_sales(backend)


def show_sales(backend: Backend) -> None:
    """Sell the same cover five times: each sale makes the next one dearer, until an alert ends them."""
    cover = make_covers(PAYOUTS["full"], 1, 1)[0]
    prices = []
    for _ in range(5):
        quote = backend.quote(cover)
        backend.sell(quote)
        prices.append(str(quote.price))
    print("five sales of one cover:", ", ".join(prices))
    offer = backend.quote(cover)
    backend.alert(cover.asset)
    backend.sell(offer)  # an offer is an offer
    try:
        backend.quote(cover)
    except SalesFrozenError as error:
        print("after an alert:", str(error).split(" until ")[0])


if __name__ == "__main__":
    main()
