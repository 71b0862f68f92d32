"""The end of a bar that its time labels: an open that is taken for a close looks one bar ahead."""

from typing import Literal

import numpy as np
import pandas as pd

#: End of a bar that a time labels.
Label = Literal["open", "close"]
#: Columns that make a table one of bars, besides the close.
BAR_COLUMNS = ("open", "high", "low")
#: What holds for more than this share of the bars holds for the table.
_MOST = 0.5


def judge_label(times: pd.DatetimeIndex, opens: pd.Series, closes: pd.Series) -> tuple[Label, str]:
    """Judge which end of their bars times label, if neither a name nor a user says so.

    Exchanges label bars by their open. A time just before a whole minute is the last instant of a bar. Everything else
    is taken for an open, because that error delays what is known by a bar, while the other one looks ahead.

    Parameters
    ----------
    times : DatetimeIndex
        Times of the bars, in any order.
    opens, closes : Series of float
        Open and close of every bar, in the order of the times.

    Returns
    -------
    label : {"open", "close"}
        End of the bar.
    reason : str
        Clause for a notice.

    Examples
    --------
    >>> hours = pd.date_range("2025-01-01", periods=4, freq="h", tz="UTC")
    >>> judge_label(hours, pd.Series([1.0, 1.1, 1.2, 1.3]), pd.Series([1.1, 1.2, 1.3, 1.4]))
    ('open', 'the open of most bars is the close of the bar before, as exchanges label them')
    """
    if _are_last_instants(times):
        return "close", "the times are the last instants of bars"
    order = np.argsort(times.asi8, kind="stable")
    before, after = closes.to_numpy()[order][:-1], opens.to_numpy()[order][1:]
    if len(before) and np.mean(before == after) > _MOST:
        return "open", "the open of most bars is the close of the bar before, as exchanges label them"
    return "open", "bars are labelled by their open unless stated otherwise"


def _are_last_instants(times: pd.DatetimeIndex) -> bool:
    soon = (times.as_unit("ns") + pd.Timedelta("1ms")).floor("min")
    return bool(np.mean(soon > times) > _MOST)
