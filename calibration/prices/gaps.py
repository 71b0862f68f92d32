"""Missing bars, and the falls across them that each window of the laws counts or misses."""

from datetime import timedelta

import numpy as np
import pandas as pd

from pricing.tools.units import format_duration

#: Windows with a law of their own.
LAW_WINDOWS = (timedelta(hours=1), timedelta(hours=24))


def describe_gaps(closes: pd.Series, step: timedelta) -> tuple[int, str] | None:
    """Return the position of the close after the longest gap, and the facts; None if no bar is missing.

    A fall across a gap is in no return. A window that spans the gap counts it, a shorter one does not.

    Parameters
    ----------
    closes : Series of float
        Closes in order, on the grid of the bars.
    step : timedelta
        Length of a bar.

    Examples
    --------
    >>> hours = pd.date_range("2024-01-01", periods=9, freq="1h", tz="UTC")[[0, 1, 6, 7, 8]]
    >>> describe_gaps(pd.Series([1.0, 1.0, 0.4, 0.4, 0.4], index=hours), timedelta(hours=1))[1].split("; ")[1]
    'the deepest fall across gaps that is not counted is 60.0% in windows of 1h, 0.0% in windows of 24h'
    """
    times = pd.DatetimeIndex(closes.index).tz_convert(None).to_numpy()
    spacings, length = np.diff(times), np.timedelta64(step)
    wide = spacings > length
    if not wide.any():
        return None
    longest = int(np.argmax(spacings))
    values = closes.to_numpy()
    falls = np.maximum(0.0, 1.0 - values[1:] / values[:-1])
    missed = (
        f"{np.max(falls, where=spacings > np.timedelta64(window), initial=0.0):.1%} in windows of "
        f"{format_duration(window)}"
        for window in LAW_WINDOWS
        if window >= step
    )
    return longest + 1, (
        f"{wide.sum()} gaps, {int((spacings[wide] // length - 1).sum())} bars missing, the longest spacing is "
        f"{pd.Timedelta(spacings[longest])}; the deepest fall across gaps that is not counted is {', '.join(missed)}"
    )
