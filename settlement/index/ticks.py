"""Ticks of many venues, checked once: after this, their order, zone and repetition are gone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pricing.errors import DataError
from pricing.tools.arrays import BoolArray, FloatArray, LongArray
from pricing.tools.near_names import did_you_mean
from pricing.tools.units import shown
from settlement.index.rules import IndexRule, Source

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Ticks:
    """Ticks of the sources of a rule, by source and time, each once.

    Parameters
    ----------
    source : ndarray of int
        Place of the venue in ``rule.venues``.
    time : ndarray of int
        Nanoseconds since 1970 in UTC.
    price, volume : ndarray of float
        Prices in the currency of the source; volumes are 1 if the ticks have none.
    """

    source: LongArray
    time: LongArray
    price: FloatArray
    volume: FloatArray


def check_ticks(ticks: "pd.DataFrame", rule: IndexRule) -> Ticks:
    """Check ticks, and bring them into an order that does not depend on how they were handed over.

    Raises
    ------
    DataError
        If a column is missing or a cell is no value; the message names the row, counted from 0.
    """
    _require_columns(ticks, rule)
    source = _sources(ticks, rule)
    rows = np.flatnonzero(source >= 0)
    if not len(rows):
        found = ", ".join(sorted({str(name) for name in ticks["venue"].unique()})[:8]) or "no rows"
        raise DataError(f"no tick is of a source of the rule ({', '.join(rule.venues[:8])}), got {found}")
    time = _times(ticks)
    price = _numbers(ticks, "price", rows)
    volume = _numbers(ticks, "volume", rows) if "volume" in ticks else np.ones(len(rows))
    _refuse(rows, volume < 0.0, volume, "volume must not be negative")
    source, time = source[rows], time[rows]
    order = np.lexsort((time, source))
    if ((np.diff(time[order]) == 0) & (np.diff(source[order]) == 0)).any():
        order = np.lexsort((volume, price, time, source))
    parts = (source[order], time[order], price[order], volume[order])
    new = np.zeros(len(order), dtype=bool)
    new[0] = True
    for part in parts:
        new[1:] |= part[1:] != part[:-1]
    return Ticks(parts[0][new], parts[1][new], parts[2][new], parts[3][new])


def _require_columns(ticks: Any, rule: IndexRule) -> None:
    columns = [str(name) for name in getattr(ticks, "columns", ())]
    needed = ["time", "venue", "price"] + ["volume"] * any(source.weight is None for source in _all_sources(rule))
    for name in [*needed, *(each for each in ("volume", "currency") if each in columns)]:
        if columns.count(name) != 1:
            slip = " (weights that are not stated are volumes)" if name == "volume" else did_you_mean(name, columns)
            raise DataError(f"ticks must have one column {name!r}, got {', '.join(columns) or 'none'}{slip}")


def _all_sources(rule: IndexRule) -> list[Source]:
    own = list(rule.sources)
    return own + [source for conversion in rule.conversions for source in _all_sources(conversion.rule)]


def _sources(ticks: "pd.DataFrame", rule: IndexRule) -> LongArray:
    """Return the place of each tick's venue in the rule, or -1, and check the currencies."""
    import pandas as pd

    try:
        codes, names = pd.factorize(ticks["venue"])
    except TypeError as error:
        raise DataError(f"venue must be texts, got a cell of another kind ({error})") from error
    places = {name: place for place, name in enumerate(rule.venues)}
    of_name = np.array([places.get(name, -1) if isinstance(name, str) else -1 for name in names] + [-1], dtype=np.int64)
    source = of_name[codes]
    if "currency" in ticks:
        wanted = np.array([each.currency for each in _all_sources(rule)], dtype=object)
        found = ticks["currency"].to_numpy(dtype=object)
        for row in np.flatnonzero((source >= 0) & (wanted[source] != found))[:1]:
            raise DataError(
                f"row {row}: {rule.venues[source[row]]!r} quotes in {wanted[source[row]]} by the rule, got "
                f"{shown(found[row])}"
            )
    return source


def _times(ticks: "pd.DataFrame") -> LongArray:
    """Return nanoseconds since 1970 in UTC."""
    import pandas as pd

    column = ticks["time"]
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        for row, cell in enumerate(column):
            if getattr(cell, "tzinfo", None) is None:
                raise DataError(
                    f"row {row}: time must have an offset from UTC, got {shown(cell)} "
                    "(pandas.to_datetime(..., utc=True))"
                )
        try:
            column = pd.to_datetime(column, utc=True)
        except (ValueError, TypeError, OverflowError) as error:
            raise DataError(f"time must be times between 1678 and 2261 ({error})") from error
    for row in np.flatnonzero(column.isna().to_numpy())[:1]:
        raise DataError(f"row {row}: time is missing")
    try:
        nanoseconds = column.dt.as_unit("ns").to_numpy(dtype="datetime64[ns]")
        return np.asarray(nanoseconds.view(np.int64), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise DataError(f"time must be times between 1678 and 2261 ({error})") from error


def _numbers(ticks: "pd.DataFrame", name: str, rows: LongArray) -> FloatArray:
    column = ticks[name].to_numpy()[rows]
    if column.dtype.kind not in "iuf":
        column = np.array([_number(cell, name, row) for cell, row in zip(column, rows, strict=True)], dtype=np.float64)
    numbers = np.asarray(column, dtype=np.float64)
    _refuse(rows, ~np.isfinite(numbers), numbers, f"{name} must be a finite number")
    return numbers


def _number(cell: Any, name: str, row: int) -> float:
    try:
        if isinstance(cell, bool | str | bytes):
            raise TypeError
        return float(cell)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"row {row}: {name} must be a number, got {shown(cell)}") from error


def _refuse(rows: LongArray, wrong: BoolArray, values: FloatArray, demand: str) -> None:
    for place in np.flatnonzero(wrong)[:1]:
        raise DataError(f"row {rows[place]}: {demand}, got {values[place]}")
