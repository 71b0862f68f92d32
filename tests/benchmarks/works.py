"""The measured work, and the time allowed for each piece."""

import time
from dataclasses import dataclass, field

import numpy as np

from pricing import (
    ConstantVolatility,
    DoubleExponentialSizes,
    Empirical,
    Garch,
    GeneralizedParetoFalls,
    Jumps,
    Normal,
    PriceModel,
    SimulationSettings,
    StudentT,
    simulate,
)

N_PATHS, N_STEPS, WINDOW = 100_000, 720, 24
ROUNDS = 7

CONSTANT = ConstantVolatility(annual=1.0)
GJR = Garch(omega=1e-6, alpha=0.05, beta=0.9, gamma=0.04, initial_variance=1e-4)
SYMMETRIC = Garch(omega=1e-6, alpha=0.07, beta=0.9, initial_variance=1e-4)
CRASHES = Jumps(per_year=6.0, sizes=GeneralizedParetoFalls(threshold=0.1, scale=0.1, shape=0.2))
MOVES = Jumps(per_year=24.0, sizes=DoubleExponentialSizes(p_up=0.4, eta_up=20.0, eta_down=15.0))
RESIDUALS = np.random.default_rng(1).standard_t(4.0, 5_000) / np.sqrt(2.0)


@dataclass(frozen=True, kw_only=True)
class Work:
    """One simulation over 720 hourly steps; `reach` is in nanoseconds per path-step, by instruction set."""

    name: str
    model: PriceModel
    windows: tuple[str, ...] = ("24h",)
    terms: tuple[str, ...] = ("30d",)
    reach: dict[str, float] = field(default_factory=dict)

    def run(self, seed, n_threads=1, n_paths=N_PATHS):
        settings = SimulationSettings(n_paths=n_paths, seed=seed, n_threads=n_threads)
        return simulate(self.model, windows=self.windows, terms=self.terms, settings=settings)

    def seconds(self, *args):
        start = time.perf_counter()
        self.run(*args)
        return time.perf_counter() - start


NORMAL = Work(
    name="constant volatility, normal",
    model=PriceModel(volatility=CONSTANT, innovations=Normal()),
    reach={"avx512": 1.5, "avx2": 2.2, "baseline": 3.5},
)
MANY_SIGNALS = Work(
    name="constant volatility, normal, 4 windows × 4 terms",
    model=NORMAL.model,
    windows=("1h", "6h", "24h", "72h"),
    terms=("7d", "14d", "21d", "30d"),
    reach={"avx512": 2.5},
)
STUDENT = Work(
    name="GJR-GARCH, Student-t",
    model=PriceModel(volatility=GJR, innovations=StudentT(dof=4.0)),
    reach={"avx512": 2.5, "avx2": 3.2},
)
JUMPS = Work(
    name="GJR-GARCH, Student-t, two jump sources",
    model=PriceModel(volatility=GJR, innovations=StudentT(dof=4.0), jumps=(CRASHES, MOVES)),
    reach={"avx512": 3.2},
)
BOOTSTRAP = Work(
    name="GARCH, 5,000 residuals",
    model=PriceModel(volatility=SYMMETRIC, innovations=Empirical(values=RESIDUALS)),
    reach={"avx512": 2.5},
)
WORKS = (NORMAL, MANY_SIGNALS, STUDENT, JUMPS, BOOTSTRAP)
