"""A pool of a million covers on 250 tokens, from columns to the report; prints seconds by stage and memory as JSON.

Surfaces are there before the clock starts: those of one model, each token's drops scaled in log price. They hold four
signals of 100,000 paths. Usage: ``python -m tests.benchmarks.pool_work N_THREADS``
"""

import json
import resource
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from calibration import shipped_market
from pool import (
    Book,
    Dependence,
    ExcessOfLoss,
    JointSettings,
    Observation,
    Occurrence,
    PoolTerms,
    QuotaShare,
    TokenRisk,
    compress,
    joint_scenarios,
    marginal_capital,
    pool_losses,
    pool_report,
)
from pricing import Cover, DropTrigger, FullPayout, LinearPayout, SimulationSettings, TieredPayout, simulate
from tests.benchmarks.works import JUMPS

N_COVERS, N_TOKENS, N_SCENARIOS, N_PATHS = 1_000_000, 250, 50_000, 100_000
WINDOWS, TERMS = ("1h", "24h"), ("7d", "30d")
OBSERVATIONS = tuple(Observation(window=window, term=term) for window in WINDOWS for term in TERMS)
PAYOUTS = (FullPayout(), LinearPayout(attachment=0.3, exhaustion=0.9), TieredPayout({0.3: 0.25, 0.5: 0.6, 0.8: 1.0}))
CONTRACTS = (
    QuotaShare(ceded=0.2, commission=0.1),
    ExcessOfLoss(occurrence=Occurrence.PERIOD, retention=4e8, limit=4e8, premium=5e6),
)
COVER = Cover(
    cover_id="C-1", asset="T000", trigger=DropTrigger(drop=0.3), payout=FullPayout(), limit=1e5, currency="USD"
)


def make_surfaces(rng):
    settings = SimulationSettings(n_paths=N_PATHS, seed=1, n_threads=2)
    one = simulate(JUMPS.model, windows=WINDOWS, terms=TERMS, settings=settings)
    logs = np.log1p(-one.worst_drops)
    scaled = [-np.expm1(logs * scale)[:, rng.permutation(N_PATHS)] for scale in rng.uniform(0.6, 1.6, N_TOKENS)]
    return {f"T{number:03}": replace(one, worst_drops=drops) for number, drops in enumerate(scaled)}


def make_book(rng):
    return Book(
        currency="USD",
        assets=tuple(f"T{number:03}" for number in range(N_TOKENS)),
        observations=OBSERVATIONS,
        payouts=PAYOUTS,
        asset=rng.integers(0, N_TOKENS, N_COVERS),
        observation=rng.integers(0, len(OBSERVATIONS), N_COVERS),
        payout=rng.integers(0, len(PAYOUTS), N_COVERS),
        drop=rng.uniform(0.15, 0.7, N_COVERS),  # no two alike, which no real book is
        limit=rng.uniform(100.0, 10_000.0, N_COVERS),
    )


def main(n_threads):
    rng = np.random.default_rng(1)
    surfaces, book = make_surfaces(rng), make_book(rng)
    law = shipped_market(datetime(2025, 7, 1, tzinfo=UTC)).laws[-1]
    tokens = {asset: TokenRisk(centre=rng.uniform(-2.2, -1.6), crash_rate=0.05) for asset in surfaces}
    settings = JointSettings(n_scenarios=N_SCENARIOS, n_threads=n_threads)
    seconds, start = {}, time.perf_counter()

    def lap(stage):
        seconds[stage] = time.perf_counter() - start - sum(seconds.values())

    compressed = compress(book)
    lap("compress")
    scenarios = joint_scenarios(
        surfaces, Dependence.of_law(law), tokens, shape=Observation(window="1h"), settings=settings
    )
    lap("joint scenarios")
    report = pool_report(compressed, scenarios, PoolTerms(capital=1e9, income=6e7, reinsurance=CONTRACTS))
    lap("report")
    total = sum(seconds.values())
    losses = pool_losses(compressed, scenarios).total
    start, quote = time.perf_counter(), {}
    marginal_capital(losses, COVER, scenarios, level=0.995)
    quote["marginal capital of one more cover"] = time.perf_counter() - start
    gap = report.tail_by_cover.sum() / report.net.tail_value_at_risk.value - 1.0
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    figures = {"seconds": seconds, "total": total, "gigabytes": gigabytes, "n_functions": report.n_functions}
    sys.stdout.write(json.dumps({**figures, "allocation_gap": gap, "quote": quote}) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
