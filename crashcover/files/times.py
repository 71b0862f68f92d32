"""The time column of a price file: its name, the meaning of its values, and whether it labels open or close."""

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from crashcover.files.tables import first_row, row_error, some
from pricing.errors import DataError, InsufficientDataError

#: Recognised time columns, the first one in a file is used.
TIME_COLUMNS = ("time", "close_time", "timestamp", "date", "open_time", "open_time_ms")

_EPOCH_UNITS: dict[Literal["s", "ms", "us", "ns"], float] = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_EARLIEST, _LATEST = pd.Timestamp("2009-01-03T00:00Z"), pd.Timestamp("2100-01-01T00:00Z")
_WITH_OFFSET = re.compile(r".*\d:\d\d.*(Z|z|[+-]\d\d(:?\d\d)?)")
_SAY_THE_ZONE = "has no time zone (add Z for UTC, or an offset such as +00:00)"


def find_time_column(columns: Iterable[str], path: Path) -> str:
    """Find the time column.

    Raises
    ------
    DataError
        If there is none.
    """
    names = list(columns)
    by_small_letters = {name.lower(): name for name in reversed(names)}
    found = next((by_small_letters[name] for name in TIME_COLUMNS if name in by_small_letters), None)
    if found is None:
        raise DataError(f"{path}, row 1: must have a time column ({', '.join(TIME_COLUMNS)}), got {some(names)}")
    return found


def labels_open(column: str) -> bool | None:
    """Return whether a column labels bars by their open, judged by its name; None if the name does not tell."""
    name = column.lower()
    return True if "open" in name else False if name in ("time", "close_time") else None


def read_times(column: pd.Series, path: Path) -> pd.DatetimeIndex:
    """Read times with an offset, or epoch numbers.

    Parameters
    ----------
    column : Series
        ISO 8601 texts with an offset, datetimes with a zone, or seconds, milliseconds, microseconds or nanoseconds
        since 1970 UTC; labelled by the row of the file.
    path : Path
        File, for the error message.

    Raises
    ------
    DataError
        If a row is not a time, or has no time zone; the first such row is named.
    """
    if pd.api.types.is_bool_dtype(column):
        raise row_error(path, column.index[0], f"{column.name} must be a time, got {column.iloc[0]!r}")
    if pd.api.types.is_numeric_dtype(column):
        times = _from_epoch(column, path)
    elif pd.api.types.is_datetime64_any_dtype(column):
        times = _from_datetimes(column, path)
    else:
        times = _from_texts(column.astype("str"), path)
    _refuse(column, times.isna(), path, "must be a time")
    _refuse(column, (times < _EARLIEST) | (times > _LATEST), path, "must be between 2009 and 2100")
    return pd.DatetimeIndex(times, name="time")


def _from_epoch(column: pd.Series, path: Path) -> pd.Series:
    first = float(column.iloc[0])
    for unit, per_second in _EPOCH_UNITS.items():
        if _EARLIEST.timestamp() <= first / per_second <= _LATEST.timestamp():
            times: pd.Series = pd.to_datetime(column, unit=unit, utc=True, errors="coerce")
            return times
    raise row_error(path, column.index[0], f"{column.name} must be seconds or milliseconds since 1970, got {first:g}")


def _from_datetimes(column: pd.Series, path: Path) -> pd.Series:
    if column.dt.tz is None:
        raise row_error(path, column.index[0], f"{column.name} {column.iloc[0]} {_SAY_THE_ZONE}")
    times: pd.Series = column.dt.tz_convert("UTC")
    return times


def _from_texts(column: pd.Series, path: Path) -> pd.Series:
    times = pd.to_datetime(column, format="ISO8601", utc=True, errors="coerce")
    naive = times.notna() & ~column.str.fullmatch(_WITH_OFFSET).fillna(False).astype(bool)
    if naive.any():
        row = first_row(naive)
        raise row_error(path, row, f"{column.name} {column.loc[row]!r} {_SAY_THE_ZONE}")
    return times


def _refuse(column: pd.Series, wrong: pd.Series, path: Path, demand: str) -> None:
    if wrong.any():
        row = first_row(wrong)
        raise row_error(path, row, f"{column.name} {demand}, got {str(column.loc[row])!r}")


def bar_length(times: pd.DatetimeIndex, path: Path) -> timedelta:
    """Return the most common spacing of times, or the shorter one in a tie.

    Raises
    ------
    InsufficientDataError
        If there are fewer than two different times.
    """
    spacings = np.diff(times.unique().sort_values().tz_convert(None).to_numpy())
    if not len(spacings):
        raise InsufficientDataError(f"{path}: must hold at least two closes to determine the length of a bar, got one")
    lengths, counts = np.unique(spacings, return_counts=True)
    length: timedelta = pd.Timedelta(lengths[np.argmax(counts)]).to_pytimedelta()
    return length
