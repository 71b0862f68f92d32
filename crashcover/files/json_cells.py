"""The table in a JSON document of prices or holders, wherever it is.

It is a list of records or rows; if there is none, lists of equal length.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from pricing.errors import DataError

#: The list that is meant if there are several.
_MEANT = "prices"
#: Attribute of cells: whether the document says that it is one page of several.
MORE = "more"
#: Fields of an answer that say that further pages follow.
_FURTHER_PAGES = ("has_more", "next_offset", "next_uri", "next_page_params", "nextPageToken", "cursor")


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
        Named columns if the table is a list of records or lists by name, numbered ones if it is a list of rows. A
        field of a record within a record has the names of both, with a dot between them.

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
    found = dict(_lists(document, "")) or dict(_columns(document, ""))
    if len(found) > 1:
        found = {place: table for place, table in found.items() if place.rpartition(".")[2] == _MEANT} or found
    if len(found) != 1:
        names = ", ".join(place or "the document" for place in found)
        raise DataError(
            f"{where}: must hold one list of records or rows, got {len(found)}{f' ({names})' if found else ''}"
        )
    ((place, rows),) = found.items()
    _require_same_length(rows, where)
    cells = pd.DataFrame([_cells(row, place, where, number) for number, row in enumerate(rows, start=1)], dtype=object)
    cells = cells.astype("str").where(cells.notna()).set_axis(np.arange(1, len(cells) + 1))
    cells.attrs[MORE] = _says_more_follows(document)
    return cells


def about_pages(table: pd.DataFrame) -> tuple[str, ...]:
    """Return a notice if the table is one page of several."""
    return ("the file says that further pages follow; only this page is read",) if table.attrs.get(MORE) else ()


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


def _lists(value: Any, place: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield every list of records or rows with its place."""
    if isinstance(value, list) and value and all(isinstance(row, dict | list) for row in value):
        yield place, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _lists(each, f"{place}.{name}".lstrip("."))


def _columns(value: Any, place: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield the rows of lists of equal length that stand side by side."""
    if not isinstance(value, dict):
        return
    lists = {name: each for name, each in value.items() if isinstance(each, list) and each and _is_flat(each)}
    if len(lists) > 1 and len({len(each) for each in lists.values()}) == 1:
        yield place, [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    for name, each in value.items():
        yield from _columns(each, f"{place}.{name}".lstrip("."))


def _says_more_follows(value: Any) -> bool:
    """Return whether a document says that it is one page of several."""
    if not isinstance(value, dict):
        return False
    said = any(value.get(name) not in (None, False, "", "0") for name in _FURTHER_PAGES)
    return said or any(_says_more_follows(each) for each in value.values())


def _is_flat(row: list[Any]) -> bool:
    return not any(isinstance(cell, dict | list) for cell in row)


def _cells(row: Any, place: str, where: object, number: int) -> dict[str, Any] | list[Any]:
    """Return a row of plain cells."""
    if isinstance(row, dict):
        return _record(list(_fields(row, "")))
    if not _is_flat(row):
        raise DataError(f"{where}, row {number}: must be a list of numbers and texts in {place or 'the document'}")
    return [_plain(cell) for cell in row]


def _fields(record: dict[str, Any], within: str) -> Iterator[tuple[str, Any]]:
    for name, cell in record.items():
        if isinstance(cell, dict):
            yield from _fields(cell, f"{within}{name}.")
        elif not isinstance(cell, list):
            yield f"{within}{name}", _plain(cell)


def _plain(cell: Any) -> Any:
    return None if cell == "" else str(cell).upper() if isinstance(cell, bool) else cell
