"""Holder lists and supplies from files."""

from pathlib import Path

import pandas as pd

from crashcover.files.tables import (
    ASSET_COLUMNS,
    find_column,
    first_row,
    numbers,
    read_table,
    row_error,
    rows_of_asset,
    some,
)
from pricing.errors import DataError


def read_holders(path: Path, *, asset: str | None = None) -> pd.DataFrame:
    """Read the holders of one token.

    Parameters
    ----------
    path : Path
        A .csv, .csv.gz or .parquet file with columns address, balance and optionally label; if it also has a column
        list, token, asset or symbol, only the rows of the token are kept.
    asset : str, optional
        Token to choose; needed if the file holds several.

    Returns
    -------
    DataFrame
        Columns address, balance and, if the file has it, label.

    Raises
    ------
    DataError
        If the file or a row of it is wrong; the message names both.
    """
    table = read_table(path)
    address, balance, label = (find_column(table, name) for name in ("address", "balance", "label"))
    if address is None or balance is None:
        missing = "address" if address is None else "balance"
        raise DataError(f"{path}, row 1: must have a column {missing}, got {some(table.columns)}")
    rows, _ = rows_of_asset(table, asset, path)
    balances = numbers(rows, balance, path)
    _refuse(rows[address].isna(), path, "address must not be empty")
    _refuse(balances.isna(), path, "balance must not be empty")
    _refuse(balances < 0.0, path, "balance must not be negative")
    holders = pd.DataFrame({"address": rows[address].astype("str"), "balance": balances})
    if label is not None:
        holders["label"] = rows[label]
    return holders.reset_index(drop=True)


def read_supplies(path: Path) -> dict[str, float | DataError]:
    """Read the supplies of tokens; an invalid supply affects only its own asset.

    Parameters
    ----------
    path : Path
        A .csv, .csv.gz or .parquet file with a column asset (or list, token, symbol) and a column supply.

    Returns
    -------
    dict
        Supply of each asset, or the error in it.

    Raises
    ------
    DataError
        If the file cannot be read or lacks these columns.
    """
    table = read_table(path)
    asset, supply = find_column(table, *ASSET_COLUMNS), find_column(table, "supply")
    if asset is None or supply is None:
        missing = "asset" if asset is None else "supply"
        raise DataError(f"{path}, row 1: must have a column {missing}, got {some(table.columns)}")
    by_asset = table.groupby(table[asset].astype(str), sort=False)
    return {str(name): _supply(rows, supply, path) for name, rows in by_asset}


def _supply(rows: pd.DataFrame, column: str, path: Path) -> float | DataError:
    try:
        values = numbers(rows, column, path)
        _refuse(~(values > 0.0), path, f"{column} must be positive (leave the row out if it is not known)")
        _refuse(values != values.iloc[0], path, f"{column} must agree with the previous row of the same asset")
    except DataError as error:
        return error
    return float(values.iloc[0])


def _refuse(wrong: pd.Series, path: Path, slip: str) -> None:
    if wrong.any():
        raise row_error(path, first_row(wrong), slip)
