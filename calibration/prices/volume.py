"""Traded volume in a frame of bars."""

from datetime import timedelta

import numpy as np
import pandas as pd

from calibration.prices.frames import read_closes
from calibration.prices.labels import Label

#: Days of the latest volume that count, and the fewest of them that say anything.
LATEST, FEWEST = 30, 7


def daily_volume(
    prices: pd.Series | pd.DataFrame,
    *,
    label: Label | None = None,
    step: timedelta | None = None,
    as_of: pd.Timestamp | None = None,
) -> float | None:
    """Return the median tokens traded per day in the latest thirty whole days; None if bars do not say so.

    Parameters
    ----------
    prices : Series or DataFrame
        Prices as ``read_closes`` takes them; a frame of bars may have a column ``volume``, in tokens.
    label, step, as_of
        As for ``read_closes``; later bars take no part.
    """
    if not isinstance(prices, pd.DataFrame) or "volume" not in prices:
        return None
    frame, _ = read_closes(prices, label=label, step=step, as_of=as_of)
    traded = pd.to_numeric(prices["volume"], errors="coerce").to_numpy(np.float64)[frame["row"].to_numpy()]
    return median_day(pd.Series(traded, index=frame.index))


def median_day(volumes: pd.Series) -> float | None:
    """Return the median of the latest thirty whole days; None if there are too few, or it is not positive.

    Parameters
    ----------
    volumes : Series of float
        Tokens traded in each bar, labelled by its close.
    """
    by_day = volumes.resample("1D", closed="right", label="right").sum(min_count=1)
    whole = by_day[by_day.index <= volumes.index.max()].iloc[-LATEST:].dropna()
    median = float(whole.median()) if len(whole) >= FEWEST else 0.0
    return median if 0.0 < median < np.inf else None
