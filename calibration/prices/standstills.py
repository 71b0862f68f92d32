"""Stretches in which a close stays the same for long, such as an outage that was filled with the last close."""

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from pricing.tools.arrays import BoolArray, LongArray

#: An unchanged close for half a day, and at least a dozen bars, counts as a standstill.
STALE_TIME, STALE_BARS = timedelta(hours=12), 12


def find_standstills(closes: pd.Series) -> tuple[LongArray, LongArray]:
    """Return the positions of the first and the last close of every standstill.

    Parameters
    ----------
    closes : Series of float
        Closes in order, on a DatetimeIndex.
    """
    starts = np.flatnonzero(np.append(True, np.diff(closes.to_numpy()) != 0.0))
    ends = np.append(starts[1:], len(closes)) - 1
    times = pd.DatetimeIndex(closes.index).tz_convert(None).to_numpy()
    stale = (times[ends] - times[starts] >= np.timedelta64(STALE_TIME)) & (ends - starts >= STALE_BARS)
    return starts[stale], ends[stale]


def without_standstills(log_returns: pd.Series, closes: pd.Series) -> pd.Series:
    """Return the log returns of the bars outside standstills.

    Parameters
    ----------
    log_returns : Series of float
        Log returns, labelled by their later close.
    closes : Series of float
        Closes in order, on a DatetimeIndex.

    Examples
    --------
    >>> hours = pd.date_range("2024-01-01", periods=16, freq="1h", tz="UTC")
    >>> closes = pd.Series([1.0] + 14 * [2.0] + [3.0], index=hours)
    >>> without_standstills(np.log(closes).diff().dropna(), closes).round(2).tolist()
    [0.69, 0.41]
    """
    moves: npt.NDArray[np.bool_] = np.ones(len(closes), dtype=np.bool_)
    for start, end in zip(*find_standstills(closes), strict=True):
        moves[start + 1 : end + 1] = False
    kept: BoolArray = moves[closes.index.get_indexer(log_returns.index)]
    return log_returns[kept]
