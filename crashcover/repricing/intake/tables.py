"""A book of covers in a table of a database, written to a parquet file before it is priced."""

from collections.abc import Sequence
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
    become their text form. Intervals become texts such as 24h.

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
            _export(book, part)
    except DataError as error:
        raise DataError(f"table {book.table}: {error}") from error
    except ImportError as error:
        driver = DataError(f"the driver of the database cannot be imported: {one_line(str(error))}")
        raise missing_library(error) or driver from error
    except (SQLAlchemyError, ValueError) as error:
        raise DataError(f"table {book.table}: cannot be read: {one_line(str(error))}") from error
    return path


def _export(book: TableBook, path: Path) -> None:
    from sqlalchemy import create_engine, select

    engine = create_engine(book.url)
    try:
        with engine.connect().execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE) as connection:
            table = _find_table(book, connection)
            fields = pa.schema([(column.name, _arrow_type(column)) for column in table.columns])
            wanted = select(*map(_as_stored, table.columns)).order_by(*_order(table))
            with pq.ParquetWriter(path, fields, compression="zstd") as writer:
                for rows in connection.execute(wanted).partitions():
                    writer.write_table(_arrow_table(rows, fields))
    finally:
        engine.dispose()


def _find_table(book: TableBook, connection: "Connection") -> "Table":
    from sqlalchemy import MetaData, Table, inspect
    from sqlalchemy.exc import NoSuchTableError

    schema, _, name = book.table.rpartition(".")
    try:
        return Table(name, MetaData(), schema=schema or None, autoload_with=connection)
    except NoSuchTableError as error:
        known = some(inspect(connection).get_table_names(schema or None)) or "none"
        raise DataError(f"is not in the database, which holds {known}") from error


def _as_stored(column: "Column[Any]") -> "ColumnElement[Any]":
    """Read numbers as the database stores them: SQLAlchemy cannot convert all values in SQLite to the declared type."""
    from sqlalchemy import Numeric, type_coerce
    from sqlalchemy.types import NullType

    return type_coerce(column, NullType()).label(column.name) if isinstance(column.type, Numeric) else column


def _order(table: "Table") -> list["Column[Any]"]:
    """Order by columns that identify rows, so that the same table gives the same file."""
    first = [table.c["cover_id"]] if "cover_id" in table.c else []
    return [*first, *(column for column in table.primary_key.columns if column.name != "cover_id")]


def _arrow_type(column: "Column[Any]") -> pa.DataType:
    if column.name in BOOK_COLUMNS:
        return pa.string()
    try:
        return _TYPES.get(column.type.python_type, pa.string())
    except NotImplementedError:
        return pa.string()


def _arrow_table(rows: Sequence[Any], fields: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table([_arrow_array(cells, field) for cells, field in zip(columns, fields, strict=True)], schema=fields)


def _arrow_array(cells: Sequence[Any], field: pa.Field) -> pa.Array:
    try:
        return pa.array([_cell(cell, field.type) for cell in cells], field.type)
    except (pa.ArrowException, OverflowError) as error:
        raise DataError(f"column {field.name} must hold values of its declared type {field.type}: {error}") from error


def _cell(cell: Any, kind: pa.DataType) -> Any:
    if cell is None:
        return None
    if isinstance(cell, timedelta):
        return format_duration(cell)
    if kind == pa.string():
        return str(cell)
    return float(cell) if isinstance(cell, Decimal) else cell
