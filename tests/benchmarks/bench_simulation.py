"""How long the engine takes, side by side with NumPy and scipy on the same work. Run by ``make bench`` only."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

from pricing import (
    ConstantVolatility,
    Cover,
    DropTrigger,
    FullPayout,
    Garch,
    Jumps,
    Normal,
    NormalSizes,
    PriceModel,
    Quoter,
    SimulationSettings,
    StudentT,
    simulate,
)

N_PATHS, N_STEPS, WINDOW = 20_000, 720, 24
CONSTANT = ConstantVolatility(annual=1.0)
GJR = Garch(omega=1e-6, alpha=0.05, beta=0.9, gamma=0.04, initial_variance=1e-4)
MERTON = Jumps(per_year=24.0, sizes=NormalSizes(mean=-0.1, stdev=0.2))
MODELS = {
    "constant volatility, normal": PriceModel(volatility=CONSTANT, innovations=Normal()),
    "GJR, Student-t": PriceModel(volatility=GJR, innovations=StudentT(dof=4.0)),
    "GJR, Student-t, jumps": PriceModel(volatility=GJR, innovations=StudentT(dof=4.0), jumps=(MERTON,)),
}


@pytest.mark.benchmark(group=f"{N_PATHS} paths, {N_STEPS} steps, rolling high of {WINDOW}")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_simulate(benchmark, name, n_threads):
    seeds = iter(range(1_000_000))  # fresh paths in every round: a replayed path flatters branch predictors

    def run():
        settings = SimulationSettings(n_paths=N_PATHS, seed=next(seeds), n_threads=n_threads)
        return simulate(MODELS[name], settings=settings)

    benchmark(run)


@pytest.mark.benchmark(group=f"{N_PATHS} paths, {N_STEPS} steps, rolling high of {WINDOW}")
def test_numpy_and_scipy(benchmark):
    generator = np.random.default_rng(1)

    def run():
        log_prices = np.zeros((N_PATHS, N_STEPS + 1))
        np.cumsum(generator.standard_normal((N_PATHS, N_STEPS)) * 0.01, axis=1, out=log_prices[:, 1:])
        highs = maximum_filter1d(log_prices, WINDOW + 1, axis=1, origin=WINDOW // 2, mode="nearest")
        return -np.expm1(-(highs - log_prices).max(axis=1))

    benchmark(run)


@pytest.mark.benchmark(group="one quote from 100,000 paths")
def test_quote(benchmark):
    surface = simulate(MODELS["GJR, Student-t, jumps"], settings=SimulationSettings(n_paths=100_000, seed=1))
    cover = Cover(
        cover_id="C-1", asset="OM", trigger=DropTrigger(drop=0.3), payout=FullPayout(), limit=1e5, currency="USD"
    )
    benchmark(Quoter({"OM": surface}).quote, cover)
