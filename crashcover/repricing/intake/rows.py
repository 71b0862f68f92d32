"""Checks of the rows of a book: the rows that can be priced, and the error in each other row."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crashcover.files.tables import number_slip
from crashcover.repricing.intake.columns import (
    OBSERVATION,
    READERS,
    Column,
    cells_of,
    combine,
    read_column,
    read_numbers,
)
from crashcover.repricing.intake.files import BookBatch
from crashcover.repricing.intake.quarantine import Rejection
from crashcover.repricing.intake.repeats import Repeats
from pricing.contract.observation import Observation
from pricing.contract.signals import Signal, describe, make_signal
from pricing.errors import InvalidTermsError, NotSimulatedError
from pricing.tools.arrays import BoolArray, FloatArray
from pricing.tools.units import require_fraction

#: Number of a row in the book, an additional column of the output.
ROW = "book_row"
#: Outside this range a limit is a slip, and premiums and their sums might exceed the range of numbers.
SMALLEST_LIMIT, LARGEST_LIMIT = 1e-9, 1e15
#: A field, the rows in which it is wrong, and the error at a position.
Slips = tuple[str, BoolArray, Callable[[int], str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRates:
    """Contents of the rates for one asset.

    Parameters
    ----------
    step : timedelta
        Step of its model.
    signals : frozenset of Signal
        Signals that were simulated.
    is_suspended : bool
        Whether the rates are suspended.
    """

    step: timedelta
    signals: frozenset[Signal]
    is_suspended: bool = False

    def find(self, observation: Observation) -> Signal:
        """Return the signal of an observation.

        Raises
        ------
        InvalidTermsError
            If its durations do not fit the step, or each other.
        NotSimulatedError
            If the rates do not contain it.
        """
        signal = make_signal(observation, self.step)
        if signal not in self.signals:
            raise NotSimulatedError(
                f"the rates hold no {describe(signal, self.step)}: simulate it with `crashcover rates`"
            )
        return signal


#: Contents of the rates by asset, or the reason why an asset has none.
KnownRates = Mapping[str, AssetRates | str]


def check_rows(batch: BookBatch, rates: KnownRates | None, repeats: Repeats) -> tuple[pa.Table, list[Rejection]]:
    """Separate the rows that can be priced from those that cannot.

    A row with several errors is reported with the first one found.

    Parameters
    ----------
    batch : BookBatch
        Rows of a book.
    rates : mapping of str to AssetRates or str, optional
        Contents of the rates by asset, or the reason why it has none; if None, a row needs to be a cover, and any asset
        will do.
    repeats : Repeats
        Names of covers that occur more than once.

    Returns
    -------
    table : Table
        The rows that can be priced, with drop and limit as floats and the number of the row as a further column.
    rejections : list of Rejection
        The other rows.
    """
    table = batch.table
    readers = {"asset": _read_name, **READERS} if rates is None else _readers(rates)
    numbers = {name: read_numbers(table, name) for name in ("drop", "limit")}
    columns = {name: read_column(table, name, read) for name, read in readers.items()}
    slips: dict[int, tuple[str, str]] = {}
    _note(slips, _name_slips(batch, repeats))
    _note(slips, _number_slips(table, numbers))
    _note(slips, ((name, column.is_wrong, column.slip) for name, column in columns.items()))
    is_good = np.ones(len(table), dtype=np.bool_)
    is_good[list(slips)] = False
    _note(slips, [_observation_slips(columns, is_good)])
    is_good[list(slips)] = False
    rejections = [*batch.malformed, *(_rejection(batch, position, *slip) for position, slip in slips.items())]
    return _typed(batch, numbers).filter(pa.array(is_good)), sorted(rejections, key=lambda each: each.row)


def _note(slips: dict[int, tuple[str, str]], found: Iterable[Slips]) -> None:
    for field, is_wrong, slip in found:
        for position in np.flatnonzero(is_wrong).tolist():
            slips.setdefault(position, (field, slip(position)))


def _read_name(cell: Any) -> str:
    if not str(cell or "").strip():
        raise InvalidTermsError(f"asset must not be empty, got {cell!r}")
    return str(cell)


def _readers(rates: KnownRates) -> dict[str, Callable[[Any], Any]]:
    held = [name for name, found in rates.items() if isinstance(found, AssetRates)]
    by_capitals = {name.upper(): name for name in held}

    def read_asset(cell: Any) -> AssetRates:
        found = rates.get(str(cell))
        if isinstance(found, str):
            raise InvalidTermsError(f"asset {cell!r} has no rates: {found}")
        if found is None:
            close = by_capitals.get(str(cell).strip().upper())
            slip = f" (did you mean {close!r}?)" if close else ""
            raise InvalidTermsError(f"asset must be one of the {len(held)} that the rates hold, got {cell!r}{slip}")
        if found.is_suspended:
            raise InvalidTermsError(f"asset {cell!r} is suspended")
        return found

    return {"asset": read_asset, **READERS}


def _name_slips(batch: BookBatch, repeats: Repeats) -> Iterator[Slips]:
    names = batch.table["cover_id"]
    is_empty = pc.equal(pc.utf8_trim_whitespace(names.cast(pa.string())), "").fill_null(True)
    yield "cover_id", is_empty.to_numpy(), lambda _: "cover_id must not be empty"
    earlier = repeats.first_rows(names, batch.rows)
    is_repeated = np.zeros(len(names), dtype=np.bool_)
    is_repeated[list(earlier)] = True
    yield "cover_id", is_repeated, lambda position: f"cover_id must occur once, also found in row {earlier[position]}"


def _number_slips(table: pa.Table, numbers: Mapping[str, FloatArray]) -> Iterator[Slips]:
    drop, limit = numbers["drop"], numbers["limit"]
    yield "drop", ~((drop > 0.0) & (drop < 1.0)), partial(_number_slip, table["drop"], drop, "drop")
    yield (
        "limit",
        ~((limit >= SMALLEST_LIMIT) & (limit <= LARGEST_LIMIT)),
        partial(_number_slip, table["limit"], limit, "limit"),
    )


def _number_slip(cells: pa.ChunkedArray, numbers: FloatArray, name: str, position: int) -> str:
    cell, number = cells[position].as_py(), float(numbers[position])
    if cell is None:
        return f"{name} must not be empty"
    if math.isnan(number) and str(cell).strip().lower() != "nan":
        return f"{name} must be a number, got {cell!r}{number_slip(str(cell))}"
    return _limit_slip(cell, number) if name == "limit" else _reason(lambda: require_fraction(number, name)) or ""


def _limit_slip(cell: Any, number: float) -> str:
    if not 0.0 < number < math.inf:
        return f"limit must be positive and finite, got {cell}"
    slip = " (write units of the currency, not wei)" if number > LARGEST_LIMIT else ""
    return f"limit must be from {SMALLEST_LIMIT:g} to {LARGEST_LIMIT:g}, got {cell}{slip}"


def _observation_slips(columns: Mapping[str, Column], is_good: BoolArray) -> Slips:
    """Look up the signal of each distinct asset and observation; rows with other errors are skipped."""
    kinds, codes = combine([columns[name] for name in ("asset", *OBSERVATION)])
    slips: list[str | None] = [None] * len(kinds)
    for kind in np.unique(codes[is_good]).tolist():
        asset, *terms = kinds[kind]
        slips[kind] = _reason(partial(_find, asset, dict(zip(OBSERVATION, terms, strict=True))))
    is_wrong = np.array([slip is not None for slip in slips], dtype=np.bool_)[codes] & is_good
    return ", ".join(OBSERVATION), is_wrong, lambda position: str(slips[codes[position]])


def _find(asset: AssetRates | str, terms: Mapping[str, Any]) -> Signal | None:
    observation = Observation(**terms)
    return asset.find(observation) if isinstance(asset, AssetRates) else None


def _reason(check: Callable[[], object]) -> str | None:
    """Return the error message of a check, or None."""
    try:
        check()
    except (InvalidTermsError, NotSimulatedError) as error:
        return str(error)
    return None


def _rejection(batch: BookBatch, position: int, field: str, reason: str) -> Rejection:
    (cells,) = zip(*(cells_of(batch.table[name].slice(position, 1)) for name in field.split(", ")), strict=True)
    name = batch.table["cover_id"][position].as_py()
    return Rejection(
        row=int(batch.rows[position]),
        cover_id="" if name is None else str(name),
        field=field,
        value=", ".join("" if cell is None else str(cell) for cell in cells),
        reason=reason,
    )


def _typed(batch: BookBatch, numbers: Mapping[str, FloatArray]) -> pa.Table:
    table = batch.table
    for name, values in numbers.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table.append_column(ROW, pa.array(batch.rows))
