"""Recognise tokens that follow another price: a currency (pegged), or another token (wrapped).

The laws of the market say how tokens fall that are traded for their own sake. A token that follows another price falls
if it is no longer kept there, which its own returns do not show. One rule recognises both: the price of a pegged token
hardly moves, and so does the ratio of a wrapped token to the other one. ``python -m docs.studies.pegs`` measures how
often it is wrong.
"""

import math
from collections.abc import Hashable, Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from pricing.tools.arrays import FloatArray

#: Robust volatility per year below which a price, or the ratio of two prices, is pegged.
PEGGED_BELOW = 0.08
#: Robust volatility per year of a ratio below which two columns are one price, up to rounding. The price of a wrapped
#: token is made by other trades and moves more: by one basis point a day, it is 0.3 % a year.
ONE_PRICE_BELOW = 0.001
#: Days that the rule looks back, and the fewest daily returns that it decides on.
DAYS, FEWEST_DAYS = 90, 45

_DAY = timedelta(days=1)
#: A close this much older still is the close of a day.
_SAME_DAY = pd.Timedelta(hours=23)
#: Median of the absolute value of a standard normal variable.
_MEDIAN_OF_NORMAL = 0.6745
_DAYS_A_YEAR = 365.25


def daily_log_prices(closes: pd.Series, end: pd.Timestamp | None = None) -> pd.Series:
    """Return the log closes of the last 91 days, counted back from a time; NaN if a day has none.

    Parameters
    ----------
    closes : Series of float
        Positive closes in order, on a UTC DatetimeIndex without repetition.
    end : Timestamp, optional
        Time of the last day; by default the last close.
    """
    days = pd.date_range(end=closes.index[-1] if end is None else end, periods=DAYS + 1, freq=_DAY)
    known = closes.reindex(days, method="ffill", tolerance=_SAME_DAY)
    return pd.Series(np.log(known.to_numpy()), index=days)


def robust_volatility(daily_log_prices: FloatArray) -> FloatArray:
    """Return volatilities per year that single days cannot move, from the median of absolute daily returns.

    A token that has lost its peg for some days therefore still counts as pegged.

    Parameters
    ----------
    daily_log_prices : ndarray of shape (n_days, n_tokens)
        Log closes, NaN if unknown.

    Returns
    -------
    ndarray of shape (n_tokens,)
        NaN if fewer than 45 returns are known.
    """
    moves = np.sort(np.abs(np.diff(daily_log_prices, axis=0)), axis=0)  # unknown ones come last
    counts = (~np.isnan(moves)).sum(axis=0)
    middle = np.stack([np.maximum(counts - 1, 0) // 2, counts // 2])
    medians = np.take_along_axis(moves, np.minimum(middle, len(moves) - 1), axis=0).mean(axis=0)
    return np.where(counts >= FEWEST_DAYS, medians / _MEDIAN_OF_NORMAL * math.sqrt(_DAYS_A_YEAR), np.nan)


def volatility_of(closes: pd.Series) -> float:
    """Return the robust volatility of one token over its last 90 days; NaN if too few days are known."""
    return float(robust_volatility(daily_log_prices(closes).to_numpy()[:, None])[0])


def find_wrapped(daily_log_prices: pd.DataFrame, begins: Mapping[Hashable, Any]) -> dict[Hashable, str]:
    """Find the tokens of a panel that follow another one, which takes a panel: one price alone cannot show it.

    Of two tokens that follow each other, the one whose closes begin later is wrapped; if they begin together, the one
    with the longer name. A ratio that does not move is one price under two names, and no wrapped token.

    Parameters
    ----------
    daily_log_prices : DataFrame of float
        Log closes of the last 91 days, one column per token, NaN if unknown.
    begins : mapping of name to Timestamp
        Time of each token's first close.

    Returns
    -------
    dict of name to str
        Reason by token, in words.
    """
    values, names = daily_log_prices.to_numpy(), list(daily_log_prices.columns)
    is_free = ~(robust_volatility(values) < PEGGED_BELOW)
    order = sorted(np.flatnonzero(is_free).tolist(), key=lambda at: _seniority(names[at], begins))
    found: dict[Hashable, str] = {}
    for rank, at in enumerate(order[1:], start=1):
        volatilities = robust_volatility(values[:, order[:rank]] - values[:, [at]])
        nearest = int(np.argmin(np.where(volatilities >= ONE_PRICE_BELOW, volatilities, np.inf)))
        if ONE_PRICE_BELOW <= volatilities[nearest] < PEGGED_BELOW:
            found[names[at]] = (
                f"it follows {names[order[nearest]]}: their ratio moves by {volatilities[nearest]:.1%} a year, less "
                f"than {PEGGED_BELOW:.0%} (a wrapped or staked token fails with its issuer, which no price shows)"
            )
    return found


def _seniority(token: Hashable, begins: Mapping[Hashable, Any]) -> tuple[Any, int, str]:
    return begins[token], len(str(token)), str(token)
