"""The cells of a file as they are written: nothing is guessed, and only an empty cell is empty."""

import csv
from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO
from itertools import pairwise
from pathlib import Path, PurePath

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from pyarrow import feather

from crashcover.files.contents import decode, kind_of, read_contents
from crashcover.files.json_cells import from_json
from pricing.errors import DataError
from pricing.tools.libraries import load_library

#: Separators of fields; the first one wins a tie, because a comma may also be a decimal sign.
SEPARATORS = (";", "\t", "|", ",")
#: Numbers with a decimal comma and perhaps points between thousands, and a comma that can only be a decimal sign.
_COMMA_NUMBER, _DECIMAL_COMMA = r"[+-]?(?:\d+(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+)", r",(?!\d{3}$)|^[+-]?0,"
#: Lines by which the separator is judged, and before which a title or an address may be.
_SAMPLE_LINES = 8
#: Bytes that are read at once, more than any line has.
_BLOCK = 1 << 26
_TEXT_KINDS = (".csv", ".tsv", ".txt")
#: Attributes of cells: whether their last line has no end, and the number of lines above the table.
UNFINISHED, TITLE = "unfinished", "title"
#: Endings of files that can be read, besides those of packed files.
KINDS = (*_TEXT_KINDS, ".json", ".xlsx", ".parquet", ".feather", ".zip")


def load_cells(path: Path) -> pd.DataFrame:
    """Return the cells of a file, labelled by the row of the file.

    Returns
    -------
    DataFrame
        Texts in numbered columns if the first row of the file may be a header; otherwise typed columns with names.

    Raises
    ------
    DataError
        If a row has more or fewer fields than the first.
    OSError, ValueError, ...
        One of ``contents.UNREADABLE``, if the file cannot be opened or is damaged.
    """
    parts = list(_load(path, path))
    if not parts:
        raise DataError(f"{path}: must hold a file ending in {', '.join(KINDS)}, got none of them")
    return parts[0] if len(parts) == 1 else _join(parts, path)


def token_of(path: PurePath) -> str | None:
    """Return the name of the token after which a file is called, None if it is no table.

    Examples
    --------
    >>> token_of(PurePath("prices/OM.csv.gz")), token_of(PurePath("BRK.B.parquet")), token_of(PurePath("notes.txt"))
    ('OM', 'BRK.B', None)
    """
    kind = kind_of(PurePath(f"_{path.name}"))  # a file named .csv has an ending and no token
    return path.name[: path.name.lower().rindex(kind)] if kind in KINDS and kind != ".txt" else None


def is_named(cells: pd.DataFrame) -> bool:
    """Tell whether the columns of cells have names."""
    return not pd.api.types.is_integer_dtype(cells.columns)


def _load(path: Path, shown: Path) -> Iterator[pd.DataFrame]:
    """Yield the cells of a file, or of each file in an archive."""
    for name, data in read_contents(path):
        kind = kind_of(PurePath(name))
        if kind in _TEXT_KINDS:
            yield _from_text(decode(data, shown), shown)
        elif kind == ".json":
            yield from_json(decode(data, shown), shown)
        elif kind == ".xlsx":
            yield _from_excel(data, shown)
        elif kind == ".parquet":
            yield _from_columns(pq.read_table(BytesIO(data)))
        elif kind == ".feather":
            yield _from_columns(feather.read_table(BytesIO(data)))


def _join(parts: list[pd.DataFrame], path: Path) -> pd.DataFrame:
    """Join the files of an archive, whose rows are counted from the first file to the last."""
    first = parts[0]
    for one, other in pairwise(parts):
        if one.shape[1] != other.shape[1]:
            raise DataError(f"{path}: must hold files with the same columns, got {one.shape[1]} and {other.shape[1]}")
    bodies = [part.iloc[1:] if part.iloc[0].equals(first.iloc[0]) else part for part in parts[1:]]
    joined = pd.concat([first, *bodies])
    return joined.set_axis(np.arange(1, len(joined) + 1))


def _from_text(text: str, path: Path) -> pd.DataFrame:
    lines = text.removesuffix("\n").split("\n")
    separator = _separator(lines)
    title = _title_lines(lines, separator)
    if not any(lines[title:]):
        raise ValueError("the file is empty")
    _require_same_width(lines, separator, title, path)
    rows = [row for row in range(title, len(lines)) if lines[row].strip()]
    cells = _split_fields("\n".join(lines[row] for row in rows), separator)
    if separator != ",":
        cells = cells.apply(_with_points)
    cells.attrs[UNFINISHED], cells.attrs[TITLE] = not text.endswith("\n"), title
    return cells.set_axis(np.array(rows) + 1)


def _split_fields(text: str, separator: str) -> pd.DataFrame:
    """Return the fields of lines as texts without blanks around them, NaN if they are empty."""
    width = _width(text.partition("\n")[0], separator)
    names = [str(column) for column in range(width)]
    fields = pacsv.read_csv(
        pa.BufferReader(text.encode()),
        pacsv.ReadOptions(column_names=names, block_size=_BLOCK, use_threads=False),
        pacsv.ParseOptions(delimiter=separator, ignore_empty_lines=False),
        pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )
    trimmed = [pc.utf8_trim_whitespace(column) for column in fields.columns]
    filled = [pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column) for column in trimmed]
    cells: pd.DataFrame = pa.table(filled, names=names).to_pandas()
    return cells.set_axis(range(width), axis="columns").astype("str")


def _with_points(column: pd.Series) -> pd.Series:
    """Write decimal points in a column of numbers with decimal commas.

    A comma before three digits everywhere may also separate thousands: such a column is left as it is, and refused when
    it is read as numbers.
    """
    body = column.iloc[1:].dropna()
    if not (body.str.fullmatch(_COMMA_NUMBER).all() and body.str.contains(_DECIMAL_COMMA).any()):
        return column
    return column.where(
        ~column.str.fullmatch(_COMMA_NUMBER, na=False), column.str.replace(".", "").str.replace(",", ".")
    )


def _separator(lines: list[str]) -> str:
    """Return the sign that divides all of the first lines into most fields."""
    counts = [[_outside_quotes(line).count(sign) for sign in SEPARATORS] for line in lines[:_SAMPLE_LINES]]
    divided = [row for row in counts if any(row)] or [[0] * len(SEPARATORS)]
    fewest = np.min(divided, axis=0)
    return SEPARATORS[int(np.argmax(fewest))] if fewest.any() else ","


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def _title_lines(lines: list[str], separator: str) -> int:
    """Count the lines before the table, each of a single field, such as an address."""
    divided = [separator in line for line in lines[:_SAMPLE_LINES]]
    return divided.index(True) if any(divided) else 0


def _require_same_width(lines: list[str], separator: str, title: int, path: Path) -> None:
    """Check that no row lacks a separator or a quote: its cells would move to other columns."""
    width = _width(lines[title], separator)
    for row, line in enumerate(lines[title:], start=title + 1):
        if line.count('"') % 2:
            raise DataError(f"{path}, row {row}: must not break a field across lines, got an odd number of quotes")
        if line.strip() and line.count(separator) + 1 != width and (found := _width(line, separator)) != width:
            raise DataError(f"{path}, row {row}: must have {width} fields like row {title + 1}, got {found}")


def _width(line: str, separator: str) -> int:
    return len(next(csv.reader([line], delimiter=separator, skipinitialspace=True), []))


def _from_excel(data: bytes, path: Path) -> pd.DataFrame:
    load_workbook = load_library("openpyxl", extra="cli").load_workbook
    try:
        book = load_workbook(BytesIO(data), read_only=True, data_only=True)
        sheets = {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets}
    except (KeyError, TypeError, AttributeError, SyntaxError) as error:  # how openpyxl speaks of a damaged file
        raise ValueError(f"the workbook is damaged: {error}") from error
    filled = {name: rows for name, rows in sheets.items() if any(cell is not None for row in rows for cell in row)}
    if len(filled) != 1:
        raise DataError(f"{path}: must hold one sheet with cells, got {len(filled)} ({', '.join(filled)})")
    (rows,) = filled.values()
    cells = pd.DataFrame([[_excel_text(cell) for cell in row] for row in rows], dtype=str)
    return cells.set_axis(np.arange(1, len(cells) + 1))


def _excel_text(cell: object) -> str | None:
    """Write a cell as a text file would; times in Excel have no zone, and are UTC where exchanges are the source."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, datetime | date):
        return f"{cell.isoformat()} UTC"
    return str(cell).upper() if isinstance(cell, bool) else str(cell)


def _from_columns(columns: pa.Table) -> pd.DataFrame:
    """Return typed columns; what pandas has noted about its index does not matter."""
    columns.validate(full=True)  # texts of a damaged file may be no UTF-8, which nobody looks at when it is opened
    table: pd.DataFrame = columns.to_pandas(ignore_metadata=True)
    table = table.set_axis([str(name).strip() for name in table.columns], axis="columns")
    return table.set_axis(np.arange(1, len(table) + 1))
