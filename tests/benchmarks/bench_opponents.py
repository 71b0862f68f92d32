"""Times of other tools. Before timing, each must agree with the engine on the probabilities of drops."""

from dataclasses import replace
from functools import partial
from itertools import count

import numba
import numpy as np
import pytest

from pricing import Empirical, PriceModel, Reference, SimulationSettings, StudentT, simulate
from tests.benchmarks import opponents
from tests.benchmarks.works import BOOTSTRAP, GJR, N_PATHS, N_STEPS, NORMAL, RESIDUALS, ROUNDS, STUDENT, SYMMETRIC

FAST_GENERATOR = partial(np.random.SFC64, 1)  # the fastest of NumPy


def assert_same_probability(theirs, n_theirs, ours, n_ours=N_PATHS):
    pooled = (theirs * n_theirs + ours * n_ours) / (n_theirs + n_ours)
    assert abs(theirs - ours) < 4.0 * np.sqrt(pooled * (1.0 - pooled) * (1.0 / n_theirs + 1.0 / n_ours))


def assert_same_law(theirs, ours):
    for drop in np.quantile(ours, [0.2, 0.5, 0.9, 0.98]):
        assert_same_probability(np.mean(theirs >= drop), theirs.size, np.mean(ours >= drop), ours.size)


def race(benchmark, opponent, work, *, against, n_paths, reach=None):
    """Time an opponent, and the engine on one thread before each of its rounds."""
    seeds, engine = count(1), []

    def engine_first():
        seed = next(seeds)
        engine.append(work.seconds(seed))
        return (seed,), {}

    benchmark.pedantic(opponent, setup=engine_first, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info.update(
        table="opponents", work=work.name, against=against, path_steps=n_paths * N_STEPS, reach=reach,
        engine=engine, engine_path_steps=N_PATHS * N_STEPS,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("function", "against", "reach"),
    [
        (opponents.numpy_and_scipy, "NumPy, scipy maximum_filter1d", 22.0),
        (opponents.numpy_by_doubling, "NumPy, window maxima by doubling", None),
    ],
)
def test_numpy(benchmark, function, against, reach):
    generator, n_paths = np.random.Generator(FAST_GENERATOR()), 20_000
    assert_same_law(function(generator, n_paths), NORMAL.run(seed=0).worst_drops[0])
    race(benchmark, lambda _: function(generator, n_paths), NORMAL, against=against, n_paths=n_paths, reach=reach)


@pytest.mark.parametrize(
    ("function", "against"), [(opponents.van_herk, "numba, van Herk"), (opponents.deque, "numba, monotonic deque")]
)
def test_numba(benchmark, function, against):
    generator, compiled, worst_drops = np.random.Generator(FAST_GENERATOR()), numba.njit(function), np.empty(40_000)
    compiled(generator, worst_drops)
    assert_same_law(worst_drops, NORMAL.run(seed=0).worst_drops[0])
    run = partial(compiled, generator)
    race(benchmark, lambda _: run(worst_drops), NORMAL, against=against, n_paths=worst_drops.size, reach=15.0)


def test_quantlib(benchmark):
    drop, n_paths = 0.2, 5_000
    option, process = opponents.one_touch(drop)
    model = replace(NORMAL.model, annual_drift=-0.5)  # no drift of the price itself
    surface = simulate(model, references=(Reference.INCEPTION,), settings=SimulationSettings(n_paths=N_PATHS, seed=0))
    run = partial(opponents.quantlib_touch_probability, option, process, n_paths=n_paths)
    assert_same_probability(run(seed=99), n_paths, np.mean(surface.worst_drops[0] >= drop))
    race(benchmark, run, NORMAL, against="QuantLib MCBarrierEngine, fixed barrier", n_paths=n_paths, reach=80.0)


@pytest.mark.parametrize("n_paths", [1_000, 10_000])
@pytest.mark.parametrize(
    ("method", "work", "law", "reach"),
    [("simulation", STUDENT, GJR, 150.0), ("bootstrap", BOOTSTRAP, SYMMETRIC, 120.0)],
)
def test_arch(benchmark, method, work, law, reach, n_paths):
    result = opponents.arch_result(law, 4.0, RESIDUALS)
    random_state = np.random.RandomState(1)  # arch takes no other
    forecast = partial(result.forecast, horizon=N_STEPS, method=method, random_state=random_state)
    assert_same_law(*both_worst_drops(forecast(simulations=10_000), law, result.std_resid, method))
    against = f"arch forecast, {method}, {n_paths:,} paths a call"
    race(benchmark, lambda _: forecast(simulations=n_paths), work, against=against, n_paths=n_paths, reach=reach)


def both_worst_drops(forecast, law, residuals, method):
    """Return arch's worst drops and the engine's from the same variance on."""
    innovations = StudentT(dof=4.0) if method == "simulation" else Empirical(values=residuals)
    start = replace(law, initial_variance=1e-4 * forecast.variance.iloc[-1, 0])
    model = PriceModel(volatility=start, innovations=innovations)
    ours = simulate(model, settings=SimulationSettings(n_paths=N_PATHS, seed=0)).worst_drops[0]
    return opponents.worst_drops_of_returns(forecast.simulations.residuals[-1]), ours
