"""The table in a JSON document: a list of records or rows, or lists of equal length, wherever it is."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from pricing.errors import DataError

#: The list that is meant if there are several.
_MEANT = "prices"


def from_json(text: str, where: object) -> pd.DataFrame:
    """Return the cells of the only table of a document: texts as they are written, labelled by record, from 1.

    Parameters
    ----------
    text : str
        The document.
    where : object
        File, for the error message.

    Returns
    -------
    DataFrame
        Named columns if the table is a list of records or lists by name, numbered ones if it is a list of rows.

    Raises
    ------
    DataError
        If there is no table, or more than one.
    ValueError
        If the text is not JSON.
    """
    try:
        document = json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_record)
    except RecursionError as error:
        raise ValueError("the document is nested too deeply") from error
    found = dict(_tables(document, ""))
    if len(found) > 1:
        found = {place: table for place, table in found.items() if place.rpartition(".")[2] == _MEANT} or found
    if len(found) != 1:
        names = ", ".join(place or "the document" for place in found)
        raise DataError(f"{where}: must hold one list of prices, got {len(found)}{f' ({names})' if found else ''}")
    ((place, rows),) = found.items()
    _require_same_length(rows, where)
    cells = pd.DataFrame([_cells(row, place, where, number) for number, row in enumerate(rows, start=1)], dtype=object)
    return cells.astype("str").where(cells.notna()).set_axis(np.arange(1, len(cells) + 1))


def _require_same_length(rows: list[Any], where: object) -> None:
    wrong = next((at for at, row in enumerate(rows) if type(row) is not type(rows[0])), None)
    if wrong is None and isinstance(rows[0], list):
        wrong = next((at for at, row in enumerate(rows) if len(row) != len(rows[0])), None)
    if wrong is not None:
        raise DataError(f"{where}, row {wrong + 1}: must have {len(rows[0])} fields like row 1, got {len(rows[wrong])}")


def _record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("the document names a field of a record twice")
    return record


def _tables(value: Any, place: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield every list of records or rows with its place; lists of equal length are the columns of one."""
    if isinstance(value, list):
        if value and all(isinstance(row, dict | list) for row in value):
            yield place, value
        return
    if not isinstance(value, dict):
        return
    lists = {name: each for name, each in value.items() if isinstance(each, list) and each and _is_flat(each)}
    if len(lists) > 1 and len({len(each) for each in lists.values()}) == 1:
        yield place, [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    for name, each in value.items():
        yield from _tables(each, f"{place}.{name}".lstrip("."))


def _is_flat(row: list[Any]) -> bool:
    return not any(isinstance(cell, dict | list) for cell in row)


def _cells(row: Any, place: str, where: object, number: int) -> dict[str, Any] | list[Any]:
    """Return a row of plain cells; a record within a record is spread out."""
    if isinstance(row, dict):
        inner = [each for each in row.values() if isinstance(each, dict)]
        outer = {name: cell for name, cell in row.items() if not isinstance(cell, dict)}
        row = _record([*outer.items(), *(pair for each in inner for pair in each.items())]) if inner else row
        return {name: _plain(cell) for name, cell in row.items() if not isinstance(cell, list | dict)}
    if not _is_flat(row):
        raise DataError(f"{where}, row {number}: must be a list of numbers and texts in {place or 'the document'}")
    return [_plain(cell) for cell in row]


def _plain(cell: Any) -> Any:
    return None if cell == "" else str(cell).upper() if isinstance(cell, bool) else cell
