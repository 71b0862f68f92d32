"""Cells of a book that are no texts, although their column is one: Parquet files and SQLite may hold any bytes."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crashcover.repricing.intake.quarantine import Rejection
from crashcover.repricing.intake.schema import is_text
from pricing.tools.arrays import BoolArray, LongArray


def without_categories(table: pa.Table) -> pa.Table:
    """Return texts for categories of texts, which may hold any bytes that no row refers to, or no longer."""
    for place, name in enumerate(table.column_names):
        column = table[name]
        if pa.types.is_dictionary(column.type) and is_text(column.type):
            texts = [chunk.dictionary_decode() for chunk in column.chunks]
            table = table.set_column(place, name, pa.chunked_array(texts, column.type.value_type))
    return table


def damaged_texts(table: pa.Table, rows: LongArray) -> tuple[BoolArray, tuple[Rejection, ...]]:
    """Find the rows that hold a text which is not UTF-8.

    Parameters
    ----------
    table : Table
        Rows of a book.
    rows : ndarray of int, shape (n_rows,)
        Number of each row.

    Returns
    -------
    is_damaged : ndarray of bool, shape (n_rows,)
        True for each row with such a text.
    rejections : tuple of Rejection
        One per such row, which names the first column.
    """
    is_damaged = np.zeros(len(table), dtype=np.bool_)
    rejections = []
    for name in table.column_names:
        if is_text(table[name].type) and not _is_whole(table[name]):
            cells = pc.cast(table[name], pa.large_binary()).to_pylist()
            for place in (each for each, cell in enumerate(cells) if cell is not None and not _is_utf8(cell)):
                if not is_damaged[place]:
                    rejections.append(_rejection(table, place, int(rows[place]), name, cells[place]))
                is_damaged[place] = True
    return is_damaged, tuple(rejections)


def as_shown(cell: bytes) -> str:
    r"""Write bytes as text; those that are none as ``\xff``."""
    return cell.decode("utf-8", "backslashreplace")


def _is_whole(column: pa.ChunkedArray) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


def _rejection(table: pa.Table, place: int, row: int, name: str, cell: bytes) -> Rejection:
    cover = table["cover_id"].slice(place, 1)
    cover_id = pc.cast(cover, pa.large_binary())[0].as_py() if is_text(cover.type) else str(cover[0].as_py()).encode()
    return Rejection(
        row=row,
        cover_id=as_shown(cover_id or b""),
        field=name,
        value=as_shown(cell),
        reason=f"{name} must be text in UTF-8, got {as_shown(cell[:40])!r}",
    )
