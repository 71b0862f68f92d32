"""Time of the engine, by work, build and number of threads."""

from itertools import count

import pytest

from pricing import Cover, DropTrigger, FullPayout, Quoter
from pricing.engine import kernel
from tests.benchmarks.works import JUMPS, N_PATHS, N_STEPS, NORMAL, ROUNDS, WORKS


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
@pytest.mark.parametrize("build", kernel.usable_builds())
def test_build(benchmark, monkeypatch, build, work):
    monkeypatch.setattr("pricing.engine.simulation.simulate_blocks", kernel.load_build(build).simulate_blocks)
    seeds = count()  # fresh paths in every round: a replayed path flatters branch predictors
    benchmark.pedantic(work.run, setup=lambda: ((next(seeds),), {}), rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info.update(
        table="builds", work=work.name, build=build, path_steps=N_PATHS * N_STEPS, reach=work.reach.get(build)
    )


@pytest.mark.parametrize("work", [NORMAL, JUMPS], ids=lambda work: work.name)
def test_two_threads(benchmark, work):
    seeds, alone, n_paths = count(), [], 4 * N_PATHS  # enough batches that the last one weighs little

    def one_thread_first():
        alone.append(work.seconds(next(seeds), 1, n_paths))
        return (next(seeds), 2, n_paths), {}

    benchmark.pedantic(work.run, setup=one_thread_first, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info.update(table="threads", work=work.name, alone=alone, reach=1.8)


def test_quote(benchmark):
    trigger = DropTrigger(drop=0.3)
    cover = Cover(cover_id="C-1", asset="OM", trigger=trigger, payout=FullPayout(), limit=1e5, currency="USD")
    benchmark(Quoter({"OM": JUMPS.run(seed=1)}).quote, cover)
    benchmark.extra_info.update(table="quote")
