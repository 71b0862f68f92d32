"""Simulated histories shared by the calibration tests."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest


def as_series(log_returns: np.ndarray, start: str = "2023-01-01", freq: str = "1h") -> pd.Series:
    index = pd.date_range(start, periods=len(log_returns), freq=freq, tz="UTC")
    return pd.Series(log_returns, index=index)


def simulate_gjr(n: int, *, omega: float, alpha: float, gamma: float, beta: float, dof: float, seed: int) -> np.ndarray:
    """Draw GJR-GARCH returns with unit-variance Student-t shocks, started at the long-run variance."""
    shocks = np.random.default_rng(seed).standard_t(dof, n) * np.sqrt((dof - 2.0) / dof)
    returns = np.empty(n)
    variance = omega / (1.0 - alpha - 0.5 * gamma - beta)
    for t in range(n):
        returns[t] = np.sqrt(variance) * shocks[t]
        variance = omega + (alpha + gamma * (returns[t] < 0.0)) * returns[t] ** 2 + beta * variance
    return returns


@pytest.fixture(scope="session")
def gjr_returns() -> Callable[..., pd.Series]:
    """Hourly GJR-GARCH returns as a series: ``gjr_returns(n, omega=..., alpha=..., ...)``."""
    return lambda n, **parameters: as_series(simulate_gjr(n, **parameters))


@pytest.fixture(scope="session")
def hourly_closes(gjr_returns) -> pd.Series:
    """One year of hourly closes of a calm GARCH history (seed 7), with a start at 1."""
    returns = gjr_returns(8760, omega=4e-6, alpha=0.06, gamma=0.04, beta=0.88, dof=6.0, seed=7)
    return np.exp(returns.cumsum())
