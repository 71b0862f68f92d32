"""A small panel whose tokens fall together, and a plan for it."""

import numpy as np
import pandas as pd
import pytest

from backtest import Panel, Plan, make_cells, make_panel

DAYS, TOKENS = 240, 8


def make_closes(seed=5, days=DAYS, tokens=TOKENS):
    """Hourly closes: half of the variance is common to all tokens, and volatility rises from token to token."""
    random = np.random.default_rng(seed)
    shocks = random.standard_t(4, (24 * days, 1)) + random.standard_t(4, (24 * days, tokens))
    volatility = np.linspace(0.003, 0.01, tokens)
    times = pd.date_range("2023-01-01T01:00Z", periods=24 * days, freq="h")
    names = [f"T{number}" for number in range(tokens)]
    return pd.DataFrame(np.exp(np.cumsum(0.5 * volatility * shocks, axis=0)), index=times, columns=names)


@pytest.fixture(scope="session")
def panel() -> Panel:
    return make_panel(make_closes())


@pytest.fixture(scope="session")
def plan() -> Plan:
    return Plan(cells=make_cells(windows=["1h", "24h"], drops=[0.05, 0.15]))
