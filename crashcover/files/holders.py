"""Holder lists and supplies from files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from calibration.holders.columns import squeezed
from calibration.holders.sums import find_sum
from crashcover.files.amounts import read_amounts
from crashcover.files.holder_columns import recognise
from crashcover.files.holder_formats import ABOUT
from crashcover.files.json_cells import about_pages
from crashcover.files.tables import ASSET_COLUMNS, find_column, first_row, read_table, row_error, rows_of_asset, some
from pricing.errors import DataError

#: Shares may add to slightly more than 1, because they are rounded.
_ROUNDING = 0.005
_MOST_DECIMALS = 36


def read_holders(
    path: Path | str, *, asset: str | None = None, columns: Mapping[str, str] | None = None
) -> pd.DataFrame:
    r"""Read the holders of one token, in any of the forms that explorers and data providers give.

    Parameters
    ----------
    path : Path or str
        A table (.csv, .xlsx, .parquet and others, packed or not) or a .json document; if it has a column list, token,
        asset or symbol, only the rows of the token are kept.
    asset : str, optional
        Token to choose; needed if the file holds several.
    columns : mapping of str to str, optional
        Columns of the file by ours (address, balance, share, label, entity, name, first_seen, funded_by,
        locked_until), for a form that is not recognised.

    Returns
    -------
    DataFrame
        Columns ``address``, ``balance`` in tokens and, if the file has them, ``label``, ``entity``, ``name``,
        ``first_seen``, ``funded_by`` and ``locked_until``; if the file holds only percentages, ``share`` instead of
        ``balance``, as a fraction of the supply.
        ``attrs["notices"]`` says what was recognised and what is not used.

    Raises
    ------
    DataError
        If the file or a row of it is wrong; the message names both.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     exported = Path(folder, "om.csv")
    ...     _ = exported.write_text('"HolderAddress","Balance"\n"0xa","1,200,000.5"\n"0xb","5"\n')
    ...     read_holders(exported)["balance"].tolist()
    [1200000.5, 5.0]
    """
    path = Path(path)
    whole = read_table(path)
    table, _ = rows_of_asset(whole, asset, path)
    columns_found = recognise(table, columns or {}, path)
    theirs = columns_found.theirs
    _refuse(table[theirs["address"]].map(_is_empty), path, "address must not be empty")
    holders = pd.DataFrame({"address": table[theirs["address"]].map(str).str.strip()})
    if "balance" in theirs:
        holders["balance"] = _balances(table, theirs["balance"], columns_found.decimals, path)
    else:
        holders["share"] = _shares(table, theirs["share"], path)
    for name in ABOUT:
        if name in theirs:
            holders[name] = table[theirs[name]]
    _refuse_rows(holders, path)
    holders.attrs["notices"] = (*columns_found.notices(table), *about_pages(whole))
    return holders.reset_index(drop=True)


def _is_empty(cell: object) -> bool:
    return cell is None or cell is pd.NA or cell != cell or not str(cell).strip()


def _balances(table: pd.DataFrame, column: str, decimals: str, path: Path) -> pd.Series:
    """Return balances in whole tokens."""
    amounts = read_amounts(table, column, path, "balance")
    _refuse(amounts < 0.0, path, "balance must not be negative")
    if not decimals:
        return amounts
    powers = read_amounts(table, decimals, path, decimals)
    _refuse(~powers.isin(range(_MOST_DECIMALS + 1)), path, f"{decimals} must be a whole number up to 36")
    return amounts / 10.0**powers


def _shares(table: pd.DataFrame, column: str, path: Path) -> pd.Series:
    """Return shares of the supply as fractions, from percentages or fractions."""
    texts = table[column].map(str).str.strip()
    marked = texts.str.endswith("%")
    if marked.any():
        _refuse(~marked, path, f"{column} must have a % in all rows or in none")
        table = table.assign(**{column: texts.str.removesuffix("%")})
    values = read_amounts(table, column, path, column)
    _refuse(values < 0.0, path, f"{column} must not be negative")
    total = float(values.sum())
    if not marked.any() and total <= 1.0 + _ROUNDING:
        if squeezed(column).startswith(("per", "pct")):
            raise DataError(f"{path}: {column} adds to {total:g}: write 12.5% for per cent, or name it share")
        return values
    if total > 100.0 * (1.0 + _ROUNDING):
        raise DataError(f"{path}: {column} must add to at most 100 %, got {total:g} (a sum among the rows?)")
    return values / 100.0


def _refuse_rows(holders: pd.DataFrame, path: Path) -> None:
    """Refuse rows that are a sum, and rows that repeat an earlier one."""
    amounts = holders["balance" if "balance" in holders else "share"].to_numpy(np.float64)
    if found := find_sum(holders["address"].tolist(), amounts):
        position, slip = found
        raise row_error(path, int(holders.index[position]), f"address {slip}")
    repeated = holders.duplicated()
    if repeated.any():
        row = first_row(repeated)
        earlier = first_row((holders == holders.loc[row]).all(axis=1) | (holders.index == row))
        raise row_error(path, row, f"must not repeat row {earlier}, got {holders.loc[row, 'address']!r} again")


class TokenSupply(NamedTuple):
    """Supply of one token, and what its market is known to bear.

    Parameters
    ----------
    total : float
        Number of tokens in existence.
    circulating : float or None
        Those in circulation, if they are known.
    depth : float or None
        Bids down to 10 % below the price, in the currency of the prices.
    daily_volume : float or None
        Tokens traded per day on one large venue.
    """

    total: float
    circulating: float | None = None
    depth: float | None = None
    daily_volume: float | None = None


def read_supplies(path: Path) -> dict[str, TokenSupply | DataError]:
    """Read the supplies of tokens; an invalid supply affects only its own asset.

    Parameters
    ----------
    path : Path
        A table with a column asset (or list, token, symbol), a column supply (or total_supply) and, perhaps, columns
        circulating (or circulating_supply), depth and daily_volume.

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
    asset, supply = find_column(table, *ASSET_COLUMNS), find_column(table, "supply", "total_supply")
    more = [find_column(table, *names) for names in _MORE]
    if asset is None or supply is None:
        missing = "asset" if asset is None else "supply"
        raise DataError(f"{path}, row 1: must have a column {missing}, got {some(table.columns)}")
    _refuse(table[asset].isna(), path, f"{asset} must name the token of the row, got an empty cell")
    by_asset = table.groupby(table[asset].astype(str).str.strip(), sort=False)
    return {str(name): _supply(rows, supply, more, path) for name, rows in by_asset}


#: Names of the columns of what else is known, in the order of ``TokenSupply``.
_MORE = (("circulating", "circulating_supply"), ("depth",), ("daily_volume",))


def _supply(rows: pd.DataFrame, supply: str, more: Sequence[str | None], path: Path) -> TokenSupply | DataError:
    try:
        found = TokenSupply(_amount(rows, supply, path), *(_known(rows, column, path) for column in more))
        if found.circulating is not None and found.circulating > found.total:
            most = f"must not exceed the supply of {found.total:g}, got {found.circulating:g}"
            raise row_error(path, int(rows.index[0]), f"{more[0]} {most} (columns swapped?)")
    except DataError as error:
        return error
    return found


def _known(rows: pd.DataFrame, column: str | None, path: Path) -> float | None:
    return None if column is None or rows[column].map(_is_empty).all() else _amount(rows, column, path)


def _amount(rows: pd.DataFrame, column: str, path: Path) -> float:
    known = f"{column} must be positive (leave the row out if it is not known)"
    _refuse(rows[column].map(_is_empty), path, known)
    values = read_amounts(rows, column, path, column)
    _refuse(values <= 0.0, path, known)
    _refuse(values != values.iloc[0], path, f"{column} must agree with the previous row of the same asset")
    return float(values.iloc[0])


def _refuse(wrong: pd.Series, path: Path, slip: str) -> None:
    if wrong.any():
        raise row_error(path, first_row(wrong), slip)
