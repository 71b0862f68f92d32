"""Months of BTC and ETH before any panel: the market of 2017 to 2020, and its link to later months.

Both pairs have traded since 2017, so they cover 2018 and March 2020. Each row is dated by the start of its month, and
only months that ended by ``as_of`` are used. ``docs/studies/market_defaults.py`` makes the file.
"""

from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pandas as pd

from calibration.law.drop_law import TERM, MarketState
from pricing.tools.arrays import FloatArray

#: A month of the two majors counts for half a month of a panel.
WEIGHT = 0.5
#: Slope of a panel's month on theirs: the regression of 2021 and 2022 gives 0.61 (BTC) and 0.63 (ETH). A judgement
#: for the years before.
SLOPE = 0.62
#: Slope of a panel's log volatility on theirs. A judgement.
VOLATILITY_SLOPE = 0.8
#: Elasticity of a worst drop to volatility within their own history; the regression of the level uses the result.
ELASTICITY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LongMemory:
    """Months before a panel, translated to its tokens.

    Parameters
    ----------
    effects : ndarray of shape (n_months,)
        Level of each month's log worst drop, on the panel's scale.
    states : list of MarketState
        State of the market before each.
    """

    effects: FloatArray
    states: list[MarketState]


def months_before(
    window: str, *, starts: pd.DatetimeIndex, effects: FloatArray, log_volatilities: FloatArray, as_of: pd.Timestamp
) -> LongMemory:
    """Translate the months of BTC and ETH before a panel, using those months that both cover.

    Parameters
    ----------
    window : str
        ``"1h"`` or ``"24h"``.
    starts : DatetimeIndex
        Starts of the panel's months.
    effects : ndarray of shape (n_starts,)
        Level of each of the panel's months.
    log_volatilities : ndarray of shape (n_starts,)
        Mean log volatility of the panel at each start.
    as_of : Timestamp
        Months that end later are not used.
    """
    months = _shipped()
    months = months[months.index <= as_of - TERM]
    volatility = months["log_volatility"].to_numpy()
    shock = months[f"log_worst_{window}"].to_numpy() - ELASTICITY * volatility
    common = np.asarray((months.index >= starts[0]) & (months.index <= starts[-1]))
    before = np.asarray(months.index < starts[0])
    if not common.any() or not before.any():
        return LongMemory(effects=np.empty(0), states=[])
    shared = np.asarray(starts <= months.index[-1])
    panel_volatility = log_volatilities[shared].mean()
    moved = panel_volatility + VOLATILITY_SLOPE * (volatility[before] - volatility[common].mean())
    level = (effects - ELASTICITY * log_volatilities)[shared].mean()
    translated = level + SLOPE * (shock[before] - shock[common].mean()) + ELASTICITY * moved
    run_ups = months["run_up"].to_numpy()[before]
    states = [MarketState(log_volatility=v, run_up=r) for v, r in zip(moved.tolist(), run_ups.tolist(), strict=True)]
    return LongMemory(effects=translated, states=states)


def _shipped() -> pd.DataFrame:
    """Read the means over BTC and ETH of each month."""
    with (files("calibration") / "data" / "long_memory.csv").open(encoding="utf-8") as file:
        rows = pd.read_csv(file, comment="#", parse_dates=["start"])
    return rows.drop(columns="asset").groupby("start").mean()
