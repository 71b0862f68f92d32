"""Signals of a token's market from figures that files and options state."""

from datetime import datetime

import pandas as pd

from calibration import RiskSignals


def market_signals(
    closes: pd.Series, *, as_of: datetime | None, depth: float | None, daily_volume: float | None
) -> RiskSignals | None:
    """Return depth and volume as risk signals; None if neither is known.

    Parameters
    ----------
    closes : Series of float
        Closes, the last of which up to `as_of` is the price that depth refers to.
    as_of : datetime, optional
        Time of the calibration.
    depth : float, optional
        Bids down to 10 % below the price, in the currency of the prices.
    daily_volume : float, optional
        Tokens traded per day on one large venue.
    """
    if depth is None and daily_volume is None:
        return None
    known = (closes if as_of is None else closes[closes.index <= as_of]).dropna()
    price = float(known.iloc[-1]) if len(known) and depth is not None else None
    return RiskSignals(depth_usd=depth if price is not None else None, price_usd=price, daily_volume=daily_volume)
