"""The times at which the bars of a price file close."""

from pathlib import Path

import numpy as np
import pandas as pd

from calibration.prices.labels import Label, judge_label
from crashcover.files.price_formats.recognise import PriceTable
from crashcover.files.tables import numbers
from crashcover.files.times import bar_length, labels_open, read_times, whole_ends
from pricing.tools.units import format_duration


def close_times(
    found: PriceTable, rows: pd.DataFrame, prices: pd.Series | None, label: Label | None, path: Path
) -> tuple[pd.DatetimeIndex, Label, tuple[str, ...]]:
    """Return the close of every bar, the end that the file labels, and notices about what was assumed and moved.

    Parameters
    ----------
    found : PriceTable
        Table whose columns are known.
    rows : DataFrame
        Rows of it to read.
    prices : Series or None
        Closes of these rows; None for a panel, which has no opens to compare with them.
    label : {"open", "close"}, optional
        End of the bar that the times label, if the user says so.
    path : Path
        File, for the error message.

    Raises
    ------
    DataError
        If a row is not a time, or has no time zone.
    """
    known = found.format
    zone, layout = (known.zone, known.layout) if known else (None, "ISO8601")
    times, notices = read_times(rows[found.time], path, zone=zone, layout=layout)
    end, judged = _label(found, rows, times, prices, label, path)
    times, moved = _to_close(times, end, found.time, path)
    return times, end, (*notices, *judged, *moved)


def _label(
    found: PriceTable,
    rows: pd.DataFrame,
    times: pd.DatetimeIndex,
    prices: pd.Series | None,
    label: Label | None,
    path: Path,
) -> tuple[Label, tuple[str, ...]]:
    """Return the end of the bar that the times label, and a notice if it was judged."""
    by_name = labels_open(found.time)
    if said := label or (found.format and found.format.label):
        return said, ()
    if by_name is not None and (by_name or not found.bars or "close" in found.time.lower()):
        return ("open" if by_name else "close"), ()
    if found.bars and prices is not None:
        opens = numbers(rows, found.bars["open"], path) if "open" in found.bars else prices * np.nan
        end, reason = judge_label(times, opens, prices)
        other = "close" if end == "open" else "open"
        return end, (f"column {found.time} is read as the {end} of the bar: {reason} (if not: --label {other})",)
    slip = "if it is the open, use --label open"
    return "close", (f"column {found.time} is read as the close of the bar; {slip}",)


def _to_close(times: pd.DatetimeIndex, end: Label, column: str, path: Path) -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    """Move opens of bars to their close, and last instants of bars to their end."""
    if end == "close":
        return whole_ends(times)
    length = bar_length(times, path)
    notice = f"column {column} labels the open of bars of {format_duration(length)}: closes moved to the bar's end"
    return times + length, (notice,)
