"""A book of covers from a file, complete or not at all: capital for a part of a book would be meaningless."""

from pathlib import Path

from crashcover.files.tables import row_error
from crashcover.repricing.intake.covers import read_rows
from pricing.contract.cover import Cover
from pricing.errors import DataError


def read_whole_book(path: Path) -> list[Cover]:
    """Read the covers of a book.

    Parameters
    ----------
    path : Path
        A book as of ``crashcover.read_book``.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column or holds no cover, a row is not a valid cover, or the covers have
        several currencies; the message names the row.
    """
    rows = read_rows(path)
    for wrong in rows.set_aside:
        raise row_error(path, wrong.row, f"{wrong.reason}{f' (cover {wrong.cover_id})' if wrong.cover_id else ''}")
    covers = list(rows.covers.values())
    if not covers:
        raise DataError(f"{path}: must hold at least one cover, got none")
    for row, cover in rows.covers.items():
        if cover.currency != covers[0].currency:
            raise row_error(path, row, f"currency must be {covers[0].currency!r} in all rows, got {cover.currency!r}")
    return covers
