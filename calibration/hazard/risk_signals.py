"""Risk signals of one token from markets and chains, apart from its price."""

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from pricing.errors import DataError, InsufficientDataError

#: Time after which a wave of inflow counts half.
INFLOW_HALF_LIFE = timedelta(days=3)
#: Days of history that define the usual inflow, and latest days that are too recent to count as usual.
USUAL_DAYS, FRESH_DAYS = 90, 10

#: Largest plausible value of a field, and the likely slip if it is exceeded.
_LARGEST = {
    "exchange_inflow": (1e3, "tokens or dollars instead of standard deviations: see score_inflow"),
    "unlock_share": (1.0, "a share of the float: 5 % is 0.05; an unlock beyond the whole float counts as 1"),
    "funding_percent": (5.0, "per cent in 8 hours, not in a year"),
    "open_interest_to_float": (10.0, "open interest in dollars over the float in dollars: 5 % is 0.05"),
}
_SIGNED = frozenset({"exchange_inflow", "funding_percent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSignals:
    """Risk signals, each optional; an unknown signal counts as typical.

    Parameters
    ----------
    depth_usd, price_usd : float, optional
        Bids down to 10 % below the price, in dollars, and dollars per token; given together, and only with holders.
    daily_volume : float, optional
        Tokens traded per day on one large venue; only with holders.
    exchange_inflow : float, optional
        Tokens sent to exchanges, in standard deviations above the usual (``score_inflow``).
    days_since_inflow : float
        Age of that figure in days; after three days it counts half.
    unlock_share : float, optional
        Tokens that unlock in the next 30 days, as a share of the float.
    funding_percent : float, optional
        Mean 8-hour funding rate of perpetual futures in per cent; positive if longs pay.
    open_interest_to_float : float, optional
        Ratio of open interest to the market value of the float.
    days_since_listing : float, optional
        Days since the first trade on a large venue.

    Raises
    ------
    DataError
        If a figure is impossible, or two figures describe the same quantity.
    """

    depth_usd: float | None = None
    price_usd: float | None = None
    daily_volume: float | None = None
    exchange_inflow: float | None = None
    days_since_inflow: float = 0.0
    unlock_share: float | None = None
    funding_percent: float | None = None
    open_interest_to_float: float | None = None
    days_since_listing: float | None = None

    def __post_init__(self) -> None:
        for name in self.__slots__:
            _check(name, getattr(self, name))
        for name in ("depth_usd", "price_usd", "daily_volume"):
            if getattr(self, name) == 0.0:
                raise DataError(f"{name} must be positive, got 0 (unknown: leave it out)")
        if (self.depth_usd is None) != (self.price_usd is None):
            raise DataError(f"depth_usd and price_usd go together, got {self.depth_usd} and {self.price_usd}")


def _check(name: str, value: float | None) -> None:
    if value is None:
        return
    if not math.isfinite(value):
        raise DataError(f"{name} must be finite, got {value} (unknown: leave it out)")
    if value < 0.0 and name not in _SIGNED:
        raise DataError(f"{name} must not be negative, got {value}")
    largest, slip = _LARGEST.get(name, (math.inf, ""))
    if abs(value) > largest:
        raise DataError(f"{name} must not exceed {largest:g}, got {value} ({slip})")


def score_inflow(daily_inflow: pd.Series) -> float:
    """Measure today's inflow to exchanges in standard deviations, with a memory of three days' half-life.

    The exponential mean of the days is compared with the usual one; its standard deviation for independent days is that
    of a day times ``sqrt(w / (2 - w))``, where ``w = 1 - 2 ** (-1 / 3)`` is the weight of the last day. The ten latest
    days do not count as usual; otherwise a wave of inflow would raise its own reference.

    Parameters
    ----------
    daily_inflow : Series of float
        Tokens sent to exchanges by day, or their share of the float, oldest first; at least 100 days.

    Raises
    ------
    DataError
        If a day is not finite, or inflow never varied.
    InsufficientDataError
        If there are fewer than 100 days.
    """
    inflow = daily_inflow.to_numpy(dtype=np.float64)
    if len(inflow) < USUAL_DAYS + FRESH_DAYS:
        raise InsufficientDataError(f"daily_inflow must have {USUAL_DAYS + FRESH_DAYS} days, got {len(inflow)}")
    if not np.all(np.isfinite(inflow)):
        raise DataError(
            f"daily_inflow must be finite, got {inflow[~np.isfinite(inflow)][0]} (a day without inflow is 0)"
        )
    usual = inflow[-USUAL_DAYS - FRESH_DAYS : -FRESH_DAYS]
    mean, deviation = float(np.mean(usual)), float(np.std(usual, ddof=1))
    if deviation == 0.0:
        raise DataError(f"daily_inflow must vary in {USUAL_DAYS} days, got {mean:g} on each of them")
    weight = 1.0 - 0.5 ** (timedelta(days=1) / INFLOW_HALF_LIFE)
    recent = float(pd.Series(inflow[-USUAL_DAYS - FRESH_DAYS :] - mean).ewm(alpha=weight, adjust=False).mean().iloc[-1])
    return recent / (deviation * math.sqrt(weight / (2.0 - weight)))
