"""The time column of a price file: its name, the meaning of its values, and whether it labels open or close."""

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from calibration.prices.grid import usual_spacing
from crashcover.files.tables import first_row, row_error, some
from pricing.errors import DataError, InsufficientDataError

#: Recognised time columns, the first one in a file is used.
TIME_COLUMNS = ("time", "close_time", "timestamp", "date", "open_time", "open_time_ms", "datetime", "unix")

#: Units of epoch numbers; at most one of them puts a number between 2009 and 2100.
_UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_EARLIEST, _LATEST = pd.Timestamp("2009-01-03T00:00Z"), pd.Timestamp("2100-01-01T00:00Z")
_EPOCH = re.compile(r"\d+(?:\.\d+)?")
_NAMED_ZONE = re.compile(r"\s*(?:UTC|GMT)$", re.IGNORECASE)
_OFFSET = r"(?:Z|z|[+-]\d\d(?::?\d\d)?)"
_WITH_OFFSET = re.compile(rf".*\d:\d\d.*{_OFFSET}")
_SAY_THE_ZONE = "has no time zone (add Z for UTC, or an offset such as +00:00)"
#: How far the last instant of a bar lies before its end: 23:59:59.999 belongs to the bar that ends at 00:00.
_LAST_INSTANTS = (np.timedelta64(1, "ms"), np.timedelta64(1, "us"), np.timedelta64(1, "ns"), np.timedelta64(1, "s"))


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
        raise DataError(
            f"{path}, row 1: must have a time column ({', '.join(TIME_COLUMNS)}), got {some(names)} "
            "(name it: --columns time=NAME,close=NAME)"
        )
    return found


def labels_open(column: str) -> bool | None:
    """Return whether a column labels bars by their open, judged by its name; None if the name does not tell."""
    name = column.lower()
    return True if "open" in name else False if name == "time" or "close" in name else None


def read_times(
    column: pd.Series, path: Path, *, zone: str | None = None, layout: str = "ISO8601"
) -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    """Read times with an offset, or epoch numbers.

    Parameters
    ----------
    column : Series
        ISO 8601 texts with an offset or the suffix UTC or GMT, datetimes with a zone, or seconds, milliseconds,
        microseconds or nanoseconds since 1970 UTC; labelled by the row of the file. Each number is read in the only
        unit that puts it between 2009 and 2100.
    path : Path
        File, for the error message.
    zone : str, optional
        Zone of texts that name none, if the source documents it.
    layout : str
        Form of texts, as of ``pandas.to_datetime``.

    Returns
    -------
    times : DatetimeIndex
        UTC times.
    notices : tuple of str
        The row where the unit changes, if it does.

    Raises
    ------
    DataError
        If a row is not a time, or has no time zone; the first such row is named.
    """
    if pd.api.types.is_bool_dtype(column):
        raise row_error(path, column.index[0], f"{column.name} must be a time, got {column.iloc[0]!r}")
    notices: tuple[str, ...] = ()
    if pd.api.types.is_datetime64_any_dtype(column):
        times = _from_datetimes(column, path, zone)
    elif _whole_numbers(column) is not None or all(_EPOCH.fullmatch(_as_text(cell)) for cell in column.dropna()):
        times, notices = _from_epoch(column, path)
    else:
        times = _from_texts(column.map(_as_text), path, zone, layout)
    _refuse(column, times.isna(), path, "must be a time")
    _refuse(column, (times < _EARLIEST) | (times > _LATEST), path, "must be between 2009 and 2100")
    return pd.DatetimeIndex(times, name="time"), notices


def _from_epoch(column: pd.Series, path: Path) -> tuple[pd.Series, tuple[str, ...]]:
    """Read every number in its own unit."""
    _refuse(column, column.isna(), path, "must be a time")
    whole, fraction = _split(column)
    low, high = _EARLIEST.timestamp(), _LATEST.timestamp()
    fits = np.array([(whole >= low * per_second) & (whole <= high * per_second) for per_second in _UNITS.values()])
    unread = ~fits.any(axis=0)
    if unread.any():
        row, value = column.index[int(np.argmax(unread))], column.iloc[int(np.argmax(unread))]
        raise row_error(path, row, f"{column.name} must be seconds or milliseconds since 1970, got {value}")
    unit = fits.argmax(axis=0)
    scale = 10**9 // np.array(list(_UNITS.values()))[unit]
    times = pd.Series(pd.to_datetime(whole * scale + np.rint(fraction * scale).astype(np.int64), utc=True))
    return times.set_axis(column.index), _unit_changes(column, unit)


def _split(column: pd.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return whole numbers and fractions of epoch numbers; a float cannot hold microseconds exactly."""
    numbers = _whole_numbers(column)
    if numbers is not None:
        return numbers, np.zeros(len(column))
    texts = column.map(repr) if pd.api.types.is_float_dtype(column) else column.astype("str").str.strip()
    parts = texts.str.partition(".")
    whole = pd.to_numeric(parts[0].str[:19], errors="coerce").fillna(0)  # twenty digits are no time in any unit
    return whole.to_numpy(np.int64), ("0." + parts[2]).to_numpy(np.float64)


def _whole_numbers(column: pd.Series) -> npt.NDArray[np.int64] | None:
    """Return a column of whole numbers, None if it has other cells; far faster than a pattern."""
    if pd.api.types.is_integer_dtype(column) and column.notna().all():
        return column.to_numpy(np.int64)
    if not isinstance(column.dtype, pd.StringDtype) or column.isna().any():
        return None
    try:
        return np.asarray(pc.cast(pa.array(column, type=pa.string()), pa.int64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        return None


def _unit_changes(column: pd.Series, unit: npt.NDArray[np.int64]) -> tuple[str, ...]:
    changes = np.flatnonzero(np.diff(unit)) + 1
    if not len(changes):
        return ()
    names, first = list(_UNITS), int(changes[0])
    more = f", and the unit changes {len(changes) - 1} times more" if len(changes) > 1 else ""
    return (
        f"column {column.name} is in {names[unit[first - 1]]} before row {column.index[first]} and in "
        f"{names[unit[first]]} from there on{more}: every time is read in its own unit",
    )


def _from_datetimes(column: pd.Series, path: Path, zone: str | None) -> pd.Series:
    if column.dt.tz is None and zone is None:
        raise row_error(path, column.index[0], f"{column.name} {column.iloc[0]} {_SAY_THE_ZONE}")
    times: pd.Series = (column.dt.tz_localize(zone) if column.dt.tz is None else column).dt.tz_convert("UTC")
    return times


def _as_text(cell: object) -> str:
    """Return a time as it is written; there is no time with a sign beyond ASCII, which Arrow may fail to replace."""
    text = str(cell).strip()
    return text if text.isascii() else ""


def _from_texts(column: pd.Series, path: Path, zone: str | None, layout: str) -> pd.Series:
    texts = column
    named = texts.str.contains(_NAMED_ZONE, na=False)
    if named.any():
        bare = texts.str.replace(_NAMED_ZONE, "", regex=True)
        known = bare.str.fullmatch(_WITH_OFFSET, na=False)  # such as 00:00:00 +0000 UTC
        texts = texts.where(~named, bare.where(known, bare + "Z"))
    times = pd.to_datetime(texts, format=layout, utc=True, errors="coerce")
    naive = times.notna() & ~texts.str.fullmatch(_WITH_OFFSET, na=False) & ~named
    if naive.any() and zone is None:
        row = first_row(naive)
        raise row_error(path, row, f"{column.name} {column.loc[row]!r} {_SAY_THE_ZONE}")
    return times


def _refuse(column: pd.Series, wrong: pd.Series, path: Path, demand: str) -> None:
    if wrong.any():
        row = first_row(wrong)
        cell = column.loc[row]
        got = "an empty cell" if pd.isna(cell) else repr(str(cell))
        raise row_error(path, row, f"{column.name} {demand}, got {got}")


def whole_ends(times: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    """Move labels at the last instant of a bar to its end, with a notice.

    Examples
    --------
    >>> times = pd.DatetimeIndex(["2025-01-01T00:59:59.999Z", "2025-01-01T01:59:59.999999Z"])
    >>> whole_ends(times)[0].strftime("%H:%M:%S.%f").tolist()
    ['01:00:00.000000', '02:00:00.000000']
    """
    ends = times.as_unit("ns")
    for instant in _LAST_INSTANTS:
        last = (ends + instant) == (ends + instant).floor("min")
        if last.any() and (instant != _LAST_INSTANTS[-1] or last.all()):
            ends = ends.where(~last, ends + instant)
    moved = int((ends != times).sum())
    if not moved:
        return times, ()
    return ends, (f"{moved} labels at the last instant of a bar are taken to its end",)


def bar_length(times: pd.DatetimeIndex, path: Path) -> timedelta:
    """Return the usual spacing of times.

    Raises
    ------
    InsufficientDataError
        If there are fewer than two different times.
    """
    if times.nunique() < 2:
        raise InsufficientDataError(f"{path}: must hold at least two closes to determine the length of a bar, got one")
    return usual_spacing(times)
