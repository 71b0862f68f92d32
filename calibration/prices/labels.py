"""The end of a bar that its time labels: an open that is taken for a close looks one bar ahead."""

import warnings
from datetime import timedelta
from typing import Literal

import numpy as np
import pandas as pd

from pricing.errors import DataError, DataWarning

#: End of a bar that a time labels.
Label = Literal["open", "close"]
#: Columns that make a table one of bars, besides the close.
BAR_COLUMNS = ("open", "high", "low")
#: What holds for more than this share of the bars holds for the table.
_MOST = 0.5


def names_opens(name: object) -> bool:
    """Tell whether a name of times, such as open_time, says that they are opens."""
    return "open" in str(name).lower()


def closed_at(labels: pd.DatetimeIndex, label: Label | None, step: timedelta) -> pd.DatetimeIndex:
    """Return the closes of bars whose times may label the open.

    Parameters
    ----------
    labels : DatetimeIndex
        Times of the bars.
    label : {"open", "close"}, optional
        The end that they label; by default the open, with a warning, if their name says so, and else the close.
    step : timedelta
        Length of a bar.

    Raises
    ------
    DataError
        If the label is neither.

    Examples
    --------
    >>> hours = pd.DatetimeIndex(["2025-01-01T00:00Z", "2025-01-01T01:00Z"])
    >>> closed_at(hours, "open", timedelta(hours=1))[0].isoformat()
    '2025-01-01T01:00:00+00:00'
    """
    require_label(label)
    by_name = names_opens(labels.name)
    if label is None and by_name:
        warnings.warn(f"{labels.name} is read as the open of bars (label='close' if it is the close)", DataWarning, 3)
    opens = label == "open" or (label is None and by_name)
    closes = labels + step if opens else labels
    return closes.rename("close_time") if by_name else closes  # nobody may move them twice


def require_label(label: str | None) -> None:
    """Check a label.

    Raises
    ------
    DataError
        If it is neither open nor close.
    """
    if label not in (None, "open", "close"):
        raise DataError(f"label must be 'open' or 'close', got {label!r}")


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
