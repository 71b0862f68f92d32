"""Closes from the frames that people have: a Series, one column, bars of ccxt, or what ``yf.download`` returns."""

from datetime import timedelta
from typing import Literal

import numpy as np
import pandas as pd

from calibration.prices.grid import usual_spacing
from calibration.prices.labels import BAR_COLUMNS, Label, judge_label, names_opens, require_label
from pricing.errors import DataError

#: First block of Bitcoin: no token price is older, so earlier labels are epoch numbers read in the wrong unit.
FIRST_BLOCK = pd.Timestamp("2009-01-03", tz="UTC")
#: Columns that may hold the times of a frame without times in its index.
_TIME_COLUMNS = ("open_time", "close_time", "timestamp", "time", "datetime", "date")
#: Units of epoch numbers per second, and the latest time that is believed.
_UNITS: dict[Literal["s", "ms", "us", "ns"], float] = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_LATEST = pd.Timestamp("2100-01-01", tz="UTC")


def read_closes(
    prices: pd.Series | pd.DataFrame,
    *,
    label: Label | None = None,
    step: timedelta | None = None,
    as_of: pd.Timestamp | None = None,
) -> tuple[pd.DataFrame, str]:
    """Find the closes and their times, and label them by the close of the bar.

    Parameters
    ----------
    prices : Series or DataFrame
        Closes, or a frame with a column ``close``, on a DatetimeIndex with a time zone or with a column of times.
    label : {"open", "close"}, optional
        End of the bar that the times label. By default that of times called ``open_time`` or ``close_time``; for bars
        with open, high and low it is judged by their opens; else the close.
    step : timedelta, optional
        Length of a bar; by default the usual spacing.
    as_of : Timestamp, optional
        Closes after this time are left out, and take no part in any judgement.

    Returns
    -------
    frame : DataFrame
        Columns ``close`` and ``row``, the position in the prices as they were given, on a UTC DatetimeIndex.
    remark : str
        What was inferred about the times; empty if nothing was.

    Raises
    ------
    DataError
        If there is no column of closes, or labels are no times with a zone.
    """
    require_label(label)
    closes, opens, name = _columns(prices)
    frame = pd.DataFrame({"close": closes.to_numpy(), "row": np.arange(len(closes))}, index=utc_labels(closes.index))
    if as_of is not None:
        frame = frame[frame.index <= as_of]
    end, remark = (label, "") if label else _end_of_bar(frame, opens, name)
    if end == "open" and frame.index.nunique() > 1:
        frame = frame.set_axis(frame.index + (step or usual_spacing(pd.DatetimeIndex(frame.index))))
        frame = frame if as_of is None else frame[frame.index <= as_of]
    return frame, remark


def _end_of_bar(frame: pd.DataFrame, opens: pd.Series | None, name: str) -> tuple[Label, str]:
    """Infer which end of their bars times label, and say so."""
    if names_opens(name):
        return "open", f"{name} is the open of bars: closes are labelled by the end of their bar"
    if opens is None or "close" in name or frame.empty:
        return "close", ""
    end, reason = judge_label(pd.DatetimeIndex(frame.index), opens.iloc[frame["row"]], frame["close"])
    return end, f"times are read as the {end} of bars: {reason} (label='open' or label='close' decides)"


def _columns(prices: pd.Series | pd.DataFrame) -> tuple[pd.Series, pd.Series | None, str]:
    """Return closes on an index of times, the opens if these are bars, and the name of the times."""
    if isinstance(prices, pd.Series):
        return prices, None, _name_of(prices.index)
    if not isinstance(prices, pd.DataFrame):
        raise DataError(f"prices must be a Series or a DataFrame, got {type(prices).__name__}")
    frame, name = _with_times(_one_token(prices))
    if frame.shape[1] == 1:
        return frame.iloc[:, 0], None, name
    columns = {str(column).strip().lower(): column for column in frame.columns}
    if "close" not in columns:
        raise DataError(
            f"prices must have one column, or a column close, got {list(frame.columns)[:6]} "
            "(choose the closes and set the times as the index)"
        )
    is_bars = set(BAR_COLUMNS) <= set(columns)
    return frame[columns["close"]], frame[columns["open"]] if is_bars else None, name


def _one_token(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop the level of tickers that ``yf.download`` adds to the columns."""
    if not isinstance(frame.columns, pd.MultiIndex):
        return frame
    for level in range(frame.columns.nlevels):
        if "close" in frame.columns.get_level_values(level).astype(str).str.lower():
            others = frame.columns.droplevel(level).unique()
            if len(others) == 1:
                return frame.set_axis(frame.columns.get_level_values(level), axis=1)
            raise DataError(
                f"prices must be of one token, got {others.tolist()[:6]} "
                f"(choose one: prices.xs({others[0]!r}, axis=1, level={1 - level}))"
            )
    raise DataError(f"prices must have a column close, got {frame.columns.tolist()[:6]}")


def _with_times(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Set a column of times as the index, if the index is none."""
    if isinstance(frame.index, pd.DatetimeIndex):
        return frame, _name_of(frame.index)
    by_name = {str(column).strip().lower(): column for column in frame.columns}
    found = next((name for name in _TIME_COLUMNS if name in by_name), None)
    if found is None:
        return frame, ""
    column = frame[by_name[found]]
    times = _from_epoch(column) if pd.api.types.is_numeric_dtype(column) else column
    return frame.drop(columns=by_name[found]).set_axis(pd.Index(times)), found


def _name_of(index: pd.Index) -> str:
    return str(index.name or "").lower()


def _from_epoch(column: pd.Series) -> pd.DatetimeIndex:
    """Read epoch numbers in the one unit that puts all of them between 2009 and 2100."""
    for unit, per_second in _UNITS.items():
        low, high = FIRST_BLOCK.timestamp() * per_second, _LATEST.timestamp() * per_second
        if column.between(low, high).all():
            return pd.DatetimeIndex(pd.to_datetime(column, unit=unit, utc=True))
    raise DataError(
        f"{column.name} must be seconds or milliseconds since 1970, all in one unit, got {column.iloc[0]} to "
        f"{column.iloc[-1]}"
    )


def utc_labels(index: pd.Index) -> pd.DatetimeIndex:
    """Check that labels are times with a zone, and return them in UTC."""
    if not isinstance(index, pd.DatetimeIndex):
        unit = "unit='ms', " if index.dtype.kind in "iuf" else ""
        raise DataError(
            f"prices must be labelled by time, got {index.dtype} labels such as {index[:1].tolist()} "
            f"(convert: prices.index = pd.to_datetime(prices.index, {unit}utc=True))"
        )
    if index.tz is None:
        raise DataError(
            "prices must be labelled in UTC, got labels without a time zone "
            "(if they are in UTC: prices.tz_localize('UTC'))"
        )
    if index.hasnans:
        raise DataError(f"label at row {int(np.argmax(index.isna()))} must be a time, got NaT")
    early = index < FIRST_BLOCK
    if early.any():
        row = int(np.argmax(early))
        raise DataError(
            f"label at row {row} must not be before {FIRST_BLOCK.date()}, got {index[row]} "
            "(epoch seconds or milliseconds read as nanoseconds: pd.to_datetime(index, unit='ms', utc=True))"
        )
    return index.tz_convert("UTC")
