"""Tables from files, and errors that name the file, the row and the slip.

Cells of text files are texts until they are read as numbers or times, and only an empty cell is empty: a token may be
called NA, TRUE, 00 or 1e5.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crashcover.files.cells import KINDS, is_named, load_cells
from crashcover.files.contents import UNREADABLE, kind_of
from pricing.errors import DataError, PricingError
from pricing.tools.near_names import did_you_mean

#: Columns that may name the token of a row.
ASSET_COLUMNS = ("list", "token", "asset", "symbol")
#: Columns that a book must have; further columns are kept.
BOOK_COLUMNS = (
    "cover_id",
    "asset",
    "drop",
    "window",
    "reference",
    "payout",
    "limit",
    "currency",
    "term",
    "waiting_period",
)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def read_table(path: Path) -> pd.DataFrame:
    """Read a table whose index counts the rows as an editor does.

    Parameters
    ----------
    path : Path
        A .csv, .tsv, .txt, .xlsx, .parquet or .feather file; it may be packed as .gz, .xz, .bz2 or .zip.

    Returns
    -------
    DataFrame
        Column names in the file's spelling without blanks around them. Cells are texts, NaN if they are empty; columns
        of parquet and feather files keep their types. The index is the line of the row in a text file, where the header
        is line 1, and the number of the row in other files, counted from 1.

    Raises
    ------
    DataError
        If the file cannot be read, or has no rows.
    """
    cells = read_cells(path)
    if not is_named(cells):
        table = with_header(cells, path)
    else:
        table = cells.dropna(how="all")
        require_different_names(table.columns, path)
    if table.empty:
        raise DataError(f"{path}: must hold at least one row below the header, got none")
    return table


def read_cells(path: Path) -> pd.DataFrame:
    """Read the cells of a file as ``load_cells`` does.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    if not path.exists():  # parquet readers do not report that clearly
        raise DataError(f"{path}: cannot be read: no such file or directory")
    if kind_of(path) not in KINDS:
        raise DataError(f"{path}: must end in one of {', '.join(KINDS)}, got {path.suffix or 'no ending'!r}")
    try:
        return load_cells(path)
    except PricingError:
        raise
    except (*UNREADABLE, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from error


def with_header(cells: pd.DataFrame, path: Path, at: int = 0) -> pd.DataFrame:
    """Make one of the rows the names of the columns; rows above it are left out, and so are empty rows below.

    Raises
    ------
    DataError
        If two columns have the same name.
    """
    names = ["" if pd.isna(name) else str(name).strip() for name in cells.iloc[at]]
    table = cells.iloc[at + 1 :].dropna(how="all")
    kept = [bool(name) or table.iloc[:, column].notna().any() for column, name in enumerate(names)]
    require_different_names([name for name, keep in zip(names, kept, strict=True) if keep], path)
    return table.set_axis(names, axis="columns").loc[:, kept]


def require_different_names(names: Iterable[str], path: Path) -> None:
    """Check that no two columns have the same name.

    Raises
    ------
    DataError
        If two columns have the same name.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{path}, row 1: must have different column names, got {twice[0]!r} twice")


def reason(error: Exception) -> str:
    """Return the message of an error of the system or of a library in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return one_line(str(error)) or type(error).__name__


def one_line(text: str) -> str:
    """Join the lines of a text."""
    return " ".join(text.split())


def row_error(path: Path, row: int, slip: str) -> DataError:
    """Return the error for one row of a file."""
    return DataError(f"{path}, row {row}: {slip}")


def first_row(wrong: pd.Series) -> int:
    """Return the first row of a table for which a condition holds."""
    return int(wrong.index[int(np.argmax(wrong.to_numpy(dtype=np.bool_)))])


def find_column(table: pd.DataFrame, *names: str) -> str | None:
    """Return the first column with one of several names, ignoring case."""
    return next((column for column in table.columns if column.lower() in names), None)


def numbers(table: pd.DataFrame, column: str, path: Path) -> pd.Series:
    """Read a column as finite floats, NaN if empty.

    Raises
    ------
    DataError
        If a row is anything else; the first such row is named.
    """
    cells = table[column]
    values = _from_texts(cells) if isinstance(cells.dtype, pd.StringDtype) else _from_values(cells)
    wrong = (np.isnan(values) & cells.notna().to_numpy()) | np.isinf(values)
    if wrong.any():
        row = int(cells.index[int(np.argmax(wrong))])
        text = str(cells.loc[row])
        raise row_error(path, row, f"{column} must be a number, got {text!r}{number_slip(text)}")
    return pd.Series(values, index=cells.index, name=column)


def _from_texts(cells: pd.Series) -> npt.NDArray[np.float64]:
    """Round every text to the nearest float; NaN for an empty cell, and for a text that is no number."""
    try:
        floats = pc.cast(pa.array(cells, type=pa.string()), pa.float64())
    except pa.ArrowInvalid:  # a blank, a sign or a slip: one by one
        return np.array([_float(cell) for cell in cells.tolist()], dtype=np.float64)
    return np.asarray(floats.to_numpy(zero_copy_only=False), dtype=np.float64)


def _float(cell: object) -> float:
    text = cell.strip() if isinstance(cell, str) else ""
    return float(text) if _NUMBER.fullmatch(text) else np.nan


def _from_values(cells: pd.Series) -> npt.NDArray[np.float64]:
    if pd.api.types.is_bool_dtype(cells):
        return np.full(len(cells), np.nan)
    if pd.api.types.is_object_dtype(cells):
        return np.array([np.nan if isinstance(cell, bool) else _number(cell) for cell in cells], dtype=np.float64)
    return pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _number(cell: Any) -> float:
    return _float(cell) if isinstance(cell, str) else float(pd.to_numeric(cell, errors="coerce"))


def number_slip(text: str) -> str:
    """Return the likely reason why a text is not a number."""
    if "%" in text:
        return " (write a fraction: 50 % is 0.5)"
    return " (write digits and a decimal point, without thousands separators)" if "," in text else ""


def rows_of_asset(table: pd.DataFrame, asset: str | None, path: Path) -> tuple[pd.DataFrame, str | None]:
    """Return the rows of one token, if a column names the token of each row.

    Returns
    -------
    table : DataFrame
        Rows of the token; all rows if there is no such column.
    asset : str or None
        Name of the token: the requested one, else the only one in the file, else None.

    Raises
    ------
    DataError
        If the token is not in the file, or there are several and none was requested.
    """
    column = find_column(table, *ASSET_COLUMNS)
    return (table, asset) if column is None else rows_named(table, column, asset, path)


def rows_named(table: pd.DataFrame, column: str, asset: str | None, path: Path) -> tuple[pd.DataFrame, str]:
    """Return the rows whose column names one token, and its name.

    Raises
    ------
    DataError
        If the token is not in the file, there are several and none was requested, or a row names none.
    """
    names = table[column].astype("str").str.strip()  # a token may have the name 888
    if names.isna().any():
        raise row_error(path, first_row(names.isna()), f"{column} must name the token of the row, got an empty cell")
    name = choose_asset(names.dropna().unique(), asset, path)
    return table[names == name], name


def choose_asset(names: Iterable[str], asset: str | None, path: Path) -> str:
    """Choose a token among those in a file.

    Raises
    ------
    DataError
        If it is missing (the message suggests similar names), or several exist and none was requested.
    """
    known = list(names)
    if asset in known:
        return asset
    if asset is None and len(known) == 1:
        return known[0]
    if asset is None:
        raise DataError(f"{path}: holds {len(known)} tokens ({some(known)}): choose one with --asset")
    hint = did_you_mean(asset, known) or f" (it holds {some(known)})"
    raise DataError(f"{path}: asset {asset!r} is not in this file{hint}")


def some(names: Iterable[str]) -> str:
    """List the first few names."""
    names = list(names)
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
