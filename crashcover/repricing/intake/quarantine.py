"""Rows that cannot be priced, each with its place, its slip and the reason.

In the file, a text that a spreadsheet would compute begins with an apostrophe, and one of more than a thousand
characters is cut.
"""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from crashcover.files.spreadsheets import no_formula

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
    with path.open("a", encoding="utf-8", errors="backslashreplace", newline="") as file:
        # By default a carriage return is not quoted, and readers begin a row at it.
        names = [field.name for field in fields(Rejection)]
        writer = csv.DictWriter(file, names, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        if with_header:
            file.write(f"{','.join(names)}\n")
        for rejection in rejections:
            writer.writerow({name: _written(cell) for name, cell in asdict(rejection).items()})


def _written(cell: str | int) -> str | int:
    """Shorten a cell, and write it so that a spreadsheet does not compute it and every reader finds the row."""
    if isinstance(cell, int):
        return cell
    text = f"{cell[: _MOST_CHARACTERS - 1]}…" if len(cell) > _MOST_CHARACTERS else cell
    return no_formula(text.replace("\0", "\\0"))  # some readers take the end of a cell, or of the file, from it
