"""Columns of a book: texts with few distinct values, each parsed once, or numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crashcover.repricing.intake.schema import is_text
from pricing.contract.payouts import Payout, parse_payout
from pricing.contract.triggers import Reference
from pricing.errors import InvalidTermsError
from pricing.tools.arrays import BoolArray, FloatArray, IntArray
from pricing.tools.units import parse_duration

#: Decimal places of seconds that each unit of a stored duration counts.
_DECIMALS = {"s": 0, "ms": -3, "us": -6, "ns": -9}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """A column as its distinct cells, each parsed.

    Parameters
    ----------
    values : list
        Parsed value of each distinct cell; None if it is invalid.
    slips : list of str or None
        Error in each distinct cell, or None.
    codes : ndarray of int, shape (n_rows,)
        Index of each row's cell.
    """

    values: list[Any]
    slips: list[str | None]
    codes: IntArray = field(repr=False)

    @property
    def is_wrong(self) -> BoolArray:
        """True for each row with an error, shape (n_rows,)."""
        return np.array([slip is not None for slip in self.slips], dtype=np.bool_)[self.codes]

    def slip(self, position: int) -> str:
        """Return the error in a row."""
        return str(self.slips[self.codes[position]])

    def used(self) -> tuple[list[Any], IntArray]:
        """Return the values that occur, and their index by row."""
        places, codes = np.unique(self.codes, return_inverse=True)
        return [self.values[place] for place in places.tolist()], codes


def combine(columns: Sequence[Column]) -> tuple[list[tuple[Any, ...]], IntArray]:
    """Return the combinations of values that occur, and their index by row."""
    sizes = [len(column.values) for column in columns]
    kinds, codes = np.unique(np.ravel_multi_index([column.codes for column in columns], sizes), return_inverse=True)
    places = np.stack(np.unravel_index(kinds, sizes), axis=1).tolist()
    rows = [tuple(column.values[at] for column, at in zip(columns, kind, strict=True)) for kind in places]
    return rows, codes


def read_column(table: pa.Table, name: str, read: Callable[[Any], Any]) -> Column:
    """Parse each distinct cell of a column once.

    Parameters
    ----------
    table : Table
        Rows.
    name : str
        Name of the column.
    read : callable
        Parses a cell, or raises an ``InvalidTermsError``.
    """
    column = table[name].cast(pa.string()) if pa.types.is_null(table[name].type) else table[name]
    encoded = column.unify_dictionaries().combine_chunks()
    if not isinstance(encoded, pa.DictionaryArray):
        encoded = encoded.dictionary_encode(null_encoding="encode")
    cells = [*cells_of(encoded.dictionary), None]
    codes = encoded.indices.fill_null(len(cells) - 1).to_numpy(zero_copy_only=False).astype(np.intp)
    values, slips = zip(*(_read_cell(cell, name, read) for cell in cells), strict=True)
    return Column(values=list(values), slips=list(slips), codes=codes)


def cells_of(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Return the cells of a column as Python values; a duration beyond those of Python as a text in seconds."""
    if not pa.types.is_duration(column.type):
        return list(column.to_pylist())
    unit = Decimal(1).scaleb(_DECIMALS[column.type.unit])
    counts = column.cast(pa.int64()).to_pylist()
    return [None if count is None else _duration(count * unit) for count in counts]


def _duration(seconds: Decimal) -> timedelta | str:
    micros = seconds.scaleb(6)
    fits = abs(seconds) < timedelta.max.days * 86_400 and micros == int(micros)
    return timedelta(microseconds=int(micros)) if fits else f"{seconds:f}s"


def _read_cell(cell: Any, name: str, read: Callable[[Any], Any]) -> tuple[Any, str | None]:
    try:
        return read(cell), None
    except InvalidTermsError as error:
        return None, f"{name} must not be empty" if cell is None else str(error)


def read_numbers(table: pa.Table, name: str) -> FloatArray:
    """Read a column as floats, NaN if a cell is not a number."""
    column = table[name]
    if is_text(column.type):
        return np.asarray(pd.to_numeric(column.cast(pa.string()).to_pandas(), errors="coerce"), dtype=np.float64)
    if pa.types.is_decimal(
        column.type
    ):  # a direct cast multiplies by a power of ten: 0.207 becomes 0.20700000000000002
        column = column.cast(pa.string())
    return np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(), dtype=np.float64)  # rounds large integers


def _read_window(cell: Any) -> Any:
    return None if cell is None else parse_duration(cell, "window")


def _read_reference(cell: Any) -> Reference:
    try:
        return Reference[str(cell).strip().replace("-", "_").upper()]
    except KeyError as error:
        names = ", ".join(reference.name.lower().replace("_", "-") for reference in Reference)
        raise InvalidTermsError(f"reference must be one of {names}, got {cell!r}") from error


def _read_payout(cell: Any) -> Payout:
    return parse_payout(str(cell))


def _read_currency(cell: Any) -> str:
    if not (isinstance(cell, str) and cell.strip()):
        raise InvalidTermsError(f"currency must be a text that is not empty, got {cell!r}")
    return cell


#: Parser of each column of texts; an asset is looked up in the rates.
READERS: dict[str, Callable[[Any], Any]] = {
    "window": _read_window,
    "reference": _read_reference,
    "payout": _read_payout,
    "currency": _read_currency,
    "term": partial(parse_duration, field="term"),
    "waiting_period": partial(parse_duration, field="waiting_period"),
}
#: Columns that define the observation of a worst drop.
OBSERVATION = ("reference", "window", "term", "waiting_period")
