"""A book of covers in a table of a database, written to a parquet file before it is priced."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from crashcover.files.tables import BOOK_COLUMNS, one_line, some
from pricing.errors import DataError
from pricing.tools.libraries import load_library, missing_library
from pricing.tools.units import format_duration
from pricing.tools.whole_files import replacing

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Connection, Table

_ROWS_AT_ONCE = 50_000
_TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), Decimal: pa.float64(), str: pa.string()}
_TYPES |= {datetime: pa.timestamp("us"), date: pa.date32()}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableBook:
    """A table with one row per cover.

    Parameters
    ----------
    url : str
        Database URL in the form of SQLAlchemy: postgresql+psycopg://user@host/database.
    table : str
        Name of the table, with its schema if that is not the default: covers, or sales.covers.
    """

    url: str
    table: str


def export(book: TableBook, path: Path) -> Path:
    """Write a table to a parquet file, ordered by cover_id, as of one point in time.

    The columns of a book become texts, so that a cell of a wrong type, which SQLite permits in any column, invalidates
    only its own row. In other columns, numbers become 64-bit, and values that are neither numbers, texts nor times
    become their text form; so does a whole column if one of its cells is not of its declared type. Intervals become
    texts such as 24h, and a text that is not UTF-8 keeps its bytes, so that its row is set aside.

    Parameters
    ----------
    book : TableBook
        The table.
    path : Path
        File to write, complete or not at all.

    Raises
    ------
    DataError
        If the database or the table cannot be read.
    MissingLibraryError
        If SQLAlchemy, or the driver that the extra installs, is missing.
    """
    load_library("sqlalchemy", extra="batch")
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with replacing(path) as part:
            _export_as_declared(book, part)
    except DataError as error:
        raise DataError(f"table {book.table}: {error}") from error
    except ImportError as error:
        driver = DataError(f"the driver of the database cannot be imported: {one_line(str(error))}")
        raise missing_library(error) or driver from error
    except (SQLAlchemyError, ValueError) as error:
        raise DataError(f"table {book.table}: cannot be read: {one_line(str(error))}") from error
    return path


class _NotAsDeclaredError(Exception):
    """A cell of a column, named by the message, is not of the declared type; SQLite enforces none."""


def _export_as_declared(book: TableBook, path: Path) -> None:
    """Export a table; if a column holds other cells than it declares, begin again with texts in that column."""
    as_texts: set[str] = set()
    while True:
        try:
            return _export(book, path, as_texts)
        except _NotAsDeclaredError as error:
            as_texts.add(str(error))


def _export(book: TableBook, path: Path, as_texts: Collection[str]) -> None:
    from sqlalchemy import create_engine, event, select

    engine = create_engine(book.url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _keep_bytes)
    try:
        with engine.connect().execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE) as connection:
            table = _find_table(book, connection)
            fields = pa.schema([(column.name, _arrow_type(column, as_texts)) for column in table.columns])
            stored = (_as_stored(column, engine.dialect.name == "sqlite") for column in table.columns)
            wanted = select(*stored).order_by(*_order(table))
            with pq.ParquetWriter(path, fields, compression="zstd") as writer:
                for rows in connection.execute(wanted).partitions():
                    writer.write_table(_arrow_table(rows, fields))
    finally:
        engine.dispose()


class _NotUtf8(bytes):
    """A text of SQLite that cannot be decoded."""


def _keep_bytes(connection: Any, _: object) -> None:
    def decoded(text: bytes) -> str | bytes:
        try:
            return text.decode()
        except UnicodeDecodeError:
            return _NotUtf8(text)

    connection.text_factory = decoded


def _find_table(book: TableBook, connection: "Connection") -> "Table":
    from sqlalchemy import MetaData, Table, inspect
    from sqlalchemy.exc import NoSuchTableError

    schema, _, name = book.table.rpartition(".")
    try:
        return Table(name, MetaData(), schema=schema or None, autoload_with=connection)
    except NoSuchTableError as error:
        known = some(inspect(connection).get_table_names(schema or None)) or "none"
        raise DataError(f"is not in the database, which holds {known}") from error


def _as_stored(column: "Column[Any]", is_sqlite: bool) -> "ColumnElement[Any]":
    """Read numbers, and all that SQLite holds, as stored: SQLAlchemy cannot convert all values to the declared type."""
    from sqlalchemy import Numeric, type_coerce
    from sqlalchemy.types import NullType

    raw = is_sqlite or isinstance(column.type, Numeric)
    return type_coerce(column, NullType()).label(column.name) if raw else column


def _order(table: "Table") -> list["Column[Any]"]:
    """Order by columns that identify rows, so that the same table gives the same file."""
    first = [table.c["cover_id"]] if "cover_id" in table.c else []
    return [*first, *(column for column in table.primary_key.columns if column.name != "cover_id")]


def _arrow_type(column: "Column[Any]", as_texts: Collection[str]) -> pa.DataType:
    if column.name in BOOK_COLUMNS or column.name in as_texts:
        return pa.string()
    try:
        return _TYPES.get(column.type.python_type, pa.string())
    except NotImplementedError:
        return pa.string()


def _arrow_table(rows: Sequence[Any], fields: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table([_arrow_array(cells, field) for cells, field in zip(columns, fields, strict=True)], schema=fields)


def _arrow_array(cells: Sequence[Any], field: pa.Field) -> pa.Array:
    if field.type == pa.string():
        # Not checked here: the row of a text that is not UTF-8 is set aside when the file is read.
        return pa.array(map(_text, cells), pa.binary()).cast(pa.string(), safe=False)
    try:
        return pa.array([_cell(cell, field.type) for cell in cells], field.type)
    except (pa.ArrowException, OverflowError, ValueError, TypeError) as error:
        raise _NotAsDeclaredError(field.name) from error


def _text(cell: Any) -> bytes | None:
    if cell is None or isinstance(cell, _NotUtf8):
        return cell
    return (format_duration(cell) if isinstance(cell, timedelta) else str(cell)).encode("utf-8", "surrogatepass")


def _cell(cell: Any, kind: pa.DataType) -> Any:
    if cell is None:
        return None
    if isinstance(cell, str) and pa.types.is_temporal(kind):  # as SQLite holds times
        return (date if kind == pa.date32() else datetime).fromisoformat(cell)
    if pa.types.is_boolean(kind) and cell in (0, 1):
        return bool(cell)
    return float(cell) if isinstance(cell, Decimal) else cell
