"""A book of covers from a file, complete or not at all: capital for a part of a book would be meaningless."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from crashcover.files.tables import numbers, read_table, row_error
from crashcover.repricing.intake.schema import COLUMNS, require_columns
from pricing.contract.cover import Cover
from pricing.contract.payouts import parse_payout
from pricing.contract.triggers import DropTrigger, Reference
from pricing.errors import InvalidTermsError


def read_book(path: Path) -> list[Cover]:
    """Read the covers of a book.

    Parameters
    ----------
    path : Path
        A .csv, .csv.gz or .parquet file with one row per cover and the columns of ``COLUMNS``.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column, or a row is not a valid cover; the message names the row.
    """
    table = read_table(path)
    require_columns(list(table.columns), path)
    columns = {name: table[name].tolist() for name in COLUMNS}
    columns |= {name: numbers(table, name, path).tolist() for name in ("drop", "limit")}
    cells = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    covers = [_read_row(each, int(row), path) for each, row in zip(cells, table.index, strict=True)]
    _require_one_book(covers, table, path)
    return covers


def _read_row(cells: Mapping[str, Any], row: int, path: Path) -> Cover:
    try:
        return _cover(cells)
    except InvalidTermsError as error:
        raise row_error(path, row, str(error)) from error


def _cover(cells: Mapping[str, Any]) -> Cover:
    for name, cell in cells.items():
        if name != "window" and pd.isna(cell):
            raise InvalidTermsError(f"{name} must not be empty")
    reference = _reference(str(cells["reference"]))
    window = None if pd.isna(cells["window"]) else cells["window"]
    return Cover(
        cover_id=str(cells["cover_id"]),
        asset=str(cells["asset"]),
        trigger=DropTrigger(drop=cells["drop"], window=window, reference=reference),
        payout=parse_payout(str(cells["payout"])),
        limit=cells["limit"],
        currency=cells["currency"],
        term=cells["term"],
        waiting_period=cells["waiting_period"],
    )


def _reference(text: str) -> Reference:
    try:
        return Reference[text.strip().replace("-", "_").upper()]
    except KeyError as error:
        names = ", ".join(reference.name.lower().replace("_", "-") for reference in Reference)
        raise InvalidTermsError(f"reference must be one of {names}, got {text!r}") from error


def _require_one_book(covers: list[Cover], table: pd.DataFrame, path: Path) -> None:
    first_row: dict[str, int] = {}
    for row, cover in zip(table.index.tolist(), covers, strict=True):
        if cover.cover_id in first_row:
            slip = f"cover_id {cover.cover_id!r} must occur once, also found in row {first_row[cover.cover_id]}"
            raise row_error(path, row, slip)
        first_row[cover.cover_id] = row
        if cover.currency != covers[0].currency:
            raise row_error(path, row, f"currency must be {covers[0].currency!r} in all rows, got {cover.currency!r}")
