"""Rows that cannot be priced, each with its place, its slip and the reason."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

_MOST_CHARACTERS = 1000  # of a cell: readers of the file, including this project, have limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A row that cannot be priced.

    Parameters
    ----------
    row : int
        Line of a csv file, where the header is line 1; number of the row in a parquet file or table, counted from 1.
    cover_id : str
        Name of the cover, if there is one.
    field : str
        Column with the error, the first if there are several.
    value : str
        Value of that column.
    reason : str
        Reason of the rejection.
    """

    row: int
    cover_id: str
    field: str
    value: str
    reason: str


def append_rejections(path: Path, rejections: Iterable[Rejection], *, with_header: bool) -> None:
    """Add rejections to a csv file."""
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Rejection)], lineterminator="\n")
        if with_header:
            writer.writeheader()
        for rejection in rejections:
            writer.writerow({name: _shortened(cell) for name, cell in asdict(rejection).items()})


def _shortened(cell: str | int) -> str | int:
    return f"{cell[: _MOST_CHARACTERS - 1]}…" if isinstance(cell, str) and len(cell) > _MOST_CHARACTERS else cell
