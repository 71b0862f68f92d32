"""Tables from csv and parquet files, and errors that name the file, the row and the slip."""

import difflib
import re
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from pricing.errors import DataError

#: Columns that may name the token of a row.
ASSET_COLUMNS = ("list", "token", "asset", "symbol")

_READABLE = (".csv", ".csv.gz", ".parquet")


def read_table(path: Path) -> pd.DataFrame:
    """Read a table whose index counts the rows as an editor does.

    Parameters
    ----------
    path : Path
        A .csv, .csv.gz or .parquet file.

    Returns
    -------
    DataFrame
        Column names in the file's spelling without blanks around them. The index is the line of the row in a csv file,
        where the header is line 1, and the number of the row in a parquet file, counted from 1.

    Raises
    ------
    DataError
        If the file cannot be read, or has no rows.
    """
    if not path.exists():  # parquet readers do not report that clearly
        raise DataError(f"{path}: cannot be read: no such file or directory")
    if not path.name.endswith(_READABLE):
        raise DataError(f"{path}: must be one of {', '.join(_READABLE)}, got {path.suffix or 'no ending'!r}")
    try:
        table = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path}{_row_in(error)}: cannot be read: {reason(error)}") from error
    table = table.rename(columns=lambda name: str(name).strip()).dropna(how="all")
    require_different_names(table.columns, path)
    if table.empty:
        raise DataError(f"{path}: must hold at least one row below the header, got none")
    return table


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


def _read_csv(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, skip_blank_lines=False, low_memory=False)
    if not isinstance(table.index, pd.RangeIndex):
        raise ValueError("line 2 has more fields than the header")
    return table.set_index(np.arange(2, len(table) + 2))


def _read_parquet(path: Path) -> pd.DataFrame:
    table = pd.read_parquet(path)
    if not isinstance(table.index, pd.RangeIndex):
        table = table.reset_index()
    return table.set_index(np.arange(1, len(table) + 1))


def _row_in(error: Exception) -> str:
    line = re.search(r"\bline (\d+)", str(error))
    return f", row {line[1]}" if line else ""


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
    texts = table[column]
    values = pd.to_numeric(texts, errors="coerce").astype(np.float64)
    wrong = (values.isna() & texts.notna()) | np.isinf(values)
    if wrong.any():
        row = first_row(wrong)
        text = str(texts.loc[row])
        raise row_error(path, row, f"{column} must be a number, got {text!r}{number_slip(text)}")
    return values


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
    if column is None:
        return table, asset
    name = choose_asset(table[column].dropna().astype(str).unique(), asset, path)
    return table[table[column].astype(str) == name], name  # a token may have the name 888


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
    by_capitals = {name.upper(): name for name in known}
    close = [by_capitals[match] for match in difflib.get_close_matches(asset.upper(), by_capitals, n=3)]
    hint = f"did you mean {' or '.join(close)}?" if close else f"it holds {some(known)}"
    raise DataError(f"{path}: asset {asset!r} is not in this file ({hint})")


def some(names: Iterable[str]) -> str:
    """List the first few names."""
    names = list(names)
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
