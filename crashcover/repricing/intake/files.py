"""A book of covers from a file, in batches, so that a book may have any length."""

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset

from crashcover.files.tables import reason
from crashcover.repricing.intake.quarantine import Rejection
from crashcover.repricing.intake.schema import common_schema, require_columns, require_types
from crashcover.repricing.intake.texts import as_shown, damaged_texts, without_categories
from pricing.errors import DataError
from pricing.tools.units import is_unicode

#: Field name for a row whose fields do not match the header.
ROW_FORM = "row"

_ROWS_A_BATCH = 131_072
#: Characters of a line, so that a small compressed file cannot fill the memory, and of a line in the quarantine.
_MOST_CHARACTERS = 1_000_000
_MOST_SHOWN = 2_000
_QUOTES = " (one is not closed, or not written twice within a field? a field holds no line break)"
_UNREADABLE = (OSError, EOFError, UnicodeError, zlib.error, csv.Error, pa.ArrowException)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BookBatch:
    """Some rows of a book.

    Parameters
    ----------
    rows : ndarray of int, shape (n_rows,)
        Line of each row in a csv file, where the header is line 1; otherwise the number of the row, counted from 1.
    table : Table
        The rows: texts from a csv file, otherwise as stored.
    malformed : tuple of Rejection
        Further rows, which have more or fewer fields than the header, or unpaired quotation marks.
    """

    rows: npt.NDArray[np.int64] = field(repr=False)
    table: pa.Table = field(repr=False)
    malformed: tuple[Rejection, ...] = ()


def read_batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[BookBatch]:
    """Read a book in its order; an empty book gives one empty batch.

    Parameters
    ----------
    path : Path
        A .csv or .csv.gz file, a .parquet file, or a folder of parquet files, partitioned or not.
    columns : sequence of str, optional
        Columns to read; by default all.

    Raises
    ------
    DataError
        If the file cannot be read or lacks a column.
    """
    try:
        if _is_csv(path):
            yield from _read_csv(path, columns)
        else:
            yield from _read_parquet(path, columns)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def count_rows(path: Path) -> int | None:
    """Count the rows of a book if its files state it; None if they would have to be read.

    Raises
    ------
    DataError
        If the files cannot be read.
    """
    if _is_csv(path):
        return None
    try:
        return int(_open_dataset(path).count_rows())
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def _is_csv(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith((".csv", ".csv.gz"))


def _unreadable(path: Path, error: Exception) -> DataError:
    """Return the error for a book that cannot be read, with the likely slip."""
    held = sorted(file.name for file in path.rglob("*") if _is_csv(file))
    if isinstance(error, UnicodeError):
        slip = " (save it as UTF-8)"
    elif held:
        slip = f" (a folder holds parquet files only, got {held[0]}: make one file of them)"
    elif path.is_file() and path.suffix.lower() not in (".csv", ".gz", ".parquet"):
        slip = " (a book is a .csv, .csv.gz or .parquet file, or a folder of parquet files)"
    else:
        slip = ""
    return DataError(f"{path}: cannot be read as a book: {reason(error)}{slip}")


def _open_dataset(path: Path) -> pyarrow.dataset.Dataset:
    found = pyarrow.dataset.dataset(path, format="parquet", partitioning="hive")
    schema = common_schema(found)
    return pyarrow.dataset.dataset(path, schema=schema, format="parquet", partitioning="hive")


def _read_parquet(path: Path, columns: Sequence[str] | None) -> Iterator[BookBatch]:
    dataset = _open_dataset(path)
    require_columns(dataset.schema.names, path)
    require_types(dataset.schema, path)
    n_read, waiting = 0, dataset.schema.empty_table().select(columns or dataset.schema.names)
    for batch in dataset.to_batches(columns=columns, batch_size=_ROWS_A_BATCH):
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
        if len(waiting) >= _ROWS_A_BATCH:
            yield _numbered(waiting, n_read)
            n_read, waiting = n_read + len(waiting), waiting.slice(0, 0)
    if len(waiting) or not n_read:
        yield _numbered(waiting, n_read)


def _numbered(stored: pa.Table, n_before: int) -> BookBatch:
    table = without_categories(stored)
    rows = np.arange(1, len(table) + 1) + n_before
    is_damaged, rejections = damaged_texts(table, rows)
    if not rejections:
        return BookBatch(rows=rows, table=table)
    return BookBatch(rows=rows[~is_damaged], table=table.filter(pa.array(~is_damaged)), malformed=rejections)


def _read_csv(path: Path, columns: Sequence[str] | None) -> Iterator[BookBatch]:
    """Read one row per line, so that an unclosed quotation mark affects no other line."""
    with _open_text(path) as file:
        names = _header(file.readline(_MOST_CHARACTERS), path)
        places = [names.index(name) for name in columns or names]
        lines = enumerate(_lines(file), start=2)
        batches = iter(lambda: list(islice(lines, _ROWS_A_BATCH)), [])
        for taken in chain([next(batches, [])], batches):
            yield _csv_batch(taken, names, places)


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file; the rest of a line that is too long is read past and not kept."""
    while line := file.readline(_MOST_CHARACTERS):
        yield line
        while len(line) == _MOST_CHARACTERS and line[-1] not in "\r\n":
            line = file.readline(_MOST_CHARACTERS)


def _header(line: str, path: Path) -> list[str]:
    line.encode()
    if len(line) == _MOST_CHARACTERS:
        raise DataError(f"{path}, row 1: must have less than {_MOST_CHARACTERS:,} characters")
    try:
        names = [name.strip() for name in _split(line.rstrip("\r\n"))]
    except csv.Error as error:
        raise DataError(f"{path}, row 1: {error}") from error
    require_columns(names, path)
    return names


def _csv_batch(lines: list[tuple[int, str]], names: list[str], places: list[int]) -> BookBatch:
    """Separate lines into rows and malformed ones; an empty line is neither."""
    rows: list[tuple[int, list[str]]] = []
    malformed = []
    for number, line in lines:
        text = line.rstrip("\r\n")
        try:
            _require_text(line)
            if text:
                rows.append((number, _split(text, len(names))))
        except csv.Error as error:
            malformed.append(_malformed(number, text, names, str(error)))
    columns = list(zip(*(fields for _, fields in rows), strict=True)) or [()] * len(names)
    table = pa.table({names[place]: pa.array(_texts(columns[place]), pa.string()) for place in places})
    return BookBatch(rows=np.array([line for line, _ in rows], np.int64), table=table, malformed=tuple(malformed))


def _require_text(line: str) -> None:
    """Check that a line was read whole and is UTF-8; a failure raises ``csv.Error``."""
    if len(line) == _MOST_CHARACTERS:
        raise csv.Error(f"row must have less than {_MOST_CHARACTERS:,} characters")
    if not is_unicode(line):
        raise csv.Error("row must be text in UTF-8 (save the book as UTF-8)")


def _split(line: str, n_fields: int | None = None) -> list[str]:
    """Split a line into fields; a failure raises ``csv.Error``."""
    fields = line.split(",")
    if '"' in line:
        if line.count('"') % 2:  # also the last line of a field with a line break, which could look like a row
            raise csv.Error(f"row must have its quotation marks in pairs{_QUOTES}")
        try:
            (fields,) = csv.reader([line], strict=True)
        except csv.Error as error:
            raise csv.Error(f"row cannot be read: {error}{_QUOTES}") from error
    if n_fields not in (None, len(fields)):
        raise csv.Error(f"row must have {n_fields} fields like the header, got {len(fields)}")
    return fields


def _texts(cells: Iterable[str]) -> list[str | None]:
    return [cell or None for cell in cells]


def _malformed(row: int, line: str, names: list[str], reason: str) -> Rejection:
    fields, place = line.split(","), names.index("cover_id")
    name = fields[place] if place < len(fields) else ""
    return Rejection(row=row, cover_id=_shown(name), field=ROW_FORM, value=_shown(line), reason=reason)


def _shown(text: str) -> str:
    r"""Write the bytes of a line that are no text as ``\xff``; only the beginning of a line is kept."""
    return as_shown(text[:_MOST_SHOWN].encode("utf-8", "surrogateescape"))


def _open_text(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
