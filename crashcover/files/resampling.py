"""Longer bars from shorter ones, and what is lost inside them."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from crashcover.files.times import bar_length
from pricing.errors import DataError
from pricing.tools.units import Duration, format_duration, parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Falls and closes that longer bars do not show.

    Parameters
    ----------
    deepest : float
        Deepest fall inside a bar, as a fraction of the highest price before it.
    notices : tuple of str
        This fall and how much of it the closes of the longer bars show, and how many bars end early.
    """

    deepest: float
    notices: tuple[str, ...]


def resample_closes(closes: pd.Series, length: Duration, path: Path) -> tuple[pd.Series, Lost]:
    """Return the last close of every longer bar.

    A bar that has no close yet at its end is left out if it is the last one.

    Parameters
    ----------
    closes : Series of float
        Closes on a UTC DatetimeIndex, labelled by the close of the bar.
    length : timedelta or str
        Length of the bars to make, a multiple of that of the closes.
    path : Path
        File, for the error message.

    Returns
    -------
    closes : Series of float
        Labelled by the end of the longer bar.
    lost : Lost
        Falls and closes that they do not show.

    Raises
    ------
    DataError
        If the length is not a multiple of that of the bars in the file.
    """
    known = closes.dropna().sort_index()
    short, long = bar_length(pd.DatetimeIndex(known.index), path), parse_duration(length, "resample")
    if long % short or long < short:
        raise DataError(
            f"{path}: has bars of {format_duration(short)}, which make no bars of {format_duration(long)} "
            "(--resample: write a multiple)"
        )
    ends = pd.DatetimeIndex(known.index).ceil(long)
    last = known.groupby(ends).last()
    complete = last[last.index <= known.index[-1]].rename_axis("time").rename("close")
    return complete, _lost(known, ends, complete, short, long)


def _lost(fine: pd.Series, ends: pd.DatetimeIndex, coarse: pd.Series, short: timedelta, long: timedelta) -> Lost:
    inside = _falls_inside(fine, ends).reindex(coarse.index)
    shown = (1.0 - coarse / coarse.shift()).clip(lower=0.0).fillna(0.0)
    at = coarse.index[int(np.argmax(inside))]
    last = pd.Series(fine.index, index=ends).groupby(level=0).max().reindex(coarse.index)
    early = int((last != coarse.index).sum())
    notice = (
        f"bars of {format_duration(short)} are made into bars of {format_duration(long)}; the deepest fall inside one "
        f"is {inside.max():.1%}, in the bar until {at.isoformat()}, whose close is {shown[at]:.1%} below the one before"
    )
    lacking = (f"{early} bars of {format_duration(long)} lack the close at their end, and have an earlier one",)
    return Lost(deepest=float(inside.max()), notices=(notice, *(lacking if early else ())))


def _falls_inside(fine: pd.Series, ends: pd.DatetimeIndex) -> pd.Series:
    """Return the deepest fall from the highest price in each bar, the close before it included."""
    before = fine.groupby(ends).last().shift()
    peaks = np.maximum(fine.groupby(ends).cummax().to_numpy(), before.reindex(ends).fillna(0.0).to_numpy())
    return pd.Series(1.0 - fine.to_numpy() / peaks, index=ends).groupby(level=0).max()
