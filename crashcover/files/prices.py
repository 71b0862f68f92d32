"""Price histories from files: one token, or one column or group of rows of a panel."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from crashcover.files.tables import (
    ASSET_COLUMNS,
    choose_asset,
    find_column,
    first_row,
    numbers,
    read_table,
    row_error,
    rows_of_asset,
    some,
)
from crashcover.files.times import bar_length, find_time_column, labels_open, read_times
from pricing.errors import DataError
from pricing.tools.units import format_duration

#: Columns that show that a file is not a panel of tokens.
_NO_TOKENS = {"open", "high", "low", *ASSET_COLUMNS}
_MEANT = " (a missing price is left empty)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceHistory:
    """Closes of one token as in a file.

    Parameters
    ----------
    asset : str
        Name of the token.
    closes : Series of float
        Closes on a UTC DatetimeIndex, labelled by the close of the bar, in the order of the file.
    notices : tuple of str
        Notices about assumptions and shifts.
    """

    asset: str
    closes: pd.Series = field(repr=False)
    notices: tuple[str, ...] = ()


def read_prices(path: Path, *, asset: str | None = None, label: str | None = None) -> PriceHistory:
    """Read the closes of one token.

    Parameters
    ----------
    path : Path
        A .csv, .csv.gz or .parquet file with a time column and either a column ``close`` or one column per token.
    asset : str, optional
        Token to choose; needed if the file holds several. Otherwise a name for the only one, by default that of the
        file.
    label : {"open", "close"}, optional
        End of the bar that the time column labels; by default inferred from the column's name.

    Raises
    ------
    DataError
        If the file or a row of it is wrong; the message names both.
    """
    table = read_table(path)
    time_column = find_time_column(table.columns, path)
    rows, name, close_column = _choose(table, time_column, asset, path)
    closes = _closes(rows, time_column, close_column, path)
    closed, notices = _label_by_close(closes, time_column, label, path)
    return PriceHistory(asset=name, closes=closed, notices=notices)


def _choose(table: pd.DataFrame, time_column: str, asset: str | None, path: Path) -> tuple[pd.DataFrame, str, str]:
    """Choose the rows, the name and the close column of the token."""
    close = find_column(table, "close")
    if close is not None:
        rows, name = rows_of_asset(table, asset, path)
        return rows, name or path.name.split(".")[0], close
    tokens = [column for column in table.columns if column != time_column]
    if not tokens or {column.lower() for column in tokens} & _NO_TOKENS:
        raise DataError(f"{path}, row 1: must have a column close, or one column per token, got {some(table.columns)}")
    column = choose_asset(tokens, asset, path)
    return table, column, column


def _closes(rows: pd.DataFrame, time_column: str, close_column: str, path: Path) -> pd.Series:
    prices = traded_prices(rows, close_column, path)
    return closes_at(read_times(rows.loc[prices.index, time_column], path), prices, path)


def traded_prices(rows: pd.DataFrame, column: str, path: Path) -> pd.Series:
    """Read a column of prices from the first price to the last, labelled by row.

    Raises
    ------
    DataError
        If there is no price, or one is not a positive number.
    """
    prices = numbers(rows, column, path)
    traded = prices.loc[prices.first_valid_index() : prices.last_valid_index()]
    if traded.isna().all():
        raise DataError(f"{path}: column {column} must hold at least one price, got none")
    if (traded <= 0.0).any():
        row = first_row(traded <= 0.0)
        raise row_error(path, row, f"{column} must be positive, got {traded.loc[row]:g}{_MEANT}")
    return traded


def closes_at(times: pd.DatetimeIndex, prices: pd.Series, path: Path) -> pd.Series:
    """Label prices by their times; the calibration repairs and reports repeated times.

    Raises
    ------
    DataError
        If there are two different prices for one time.
    """
    if not times.is_unique:
        _refuse_contradictions(times, prices, path)
    return pd.Series(prices.to_numpy(), index=times, name="close")


def _refuse_contradictions(times: pd.DatetimeIndex, closes: pd.Series, path: Path) -> None:
    first_of_its_time = closes.groupby(times.to_numpy()).transform("first").to_numpy()
    differs = np.not_equal(closes.to_numpy(), first_of_its_time) & closes.notna().to_numpy()
    if differs.any():
        at = int(np.argmax(differs))
        slip = (
            f"close {closes.iloc[at]:g} contradicts {first_of_its_time[at]:g} of the same time {times[at].isoformat()}"
        )
        raise row_error(path, closes.index[at], f"{slip} (two tokens or two venues in one file?)")


def _label_by_close(
    closes: pd.Series, time_column: str, label: str | None, path: Path
) -> tuple[pd.Series, tuple[str, ...]]:
    """Move closes that are labelled by the open of their bar to its end."""
    by_open = labels_open(time_column) if label is None else label == "open"
    if by_open is None:
        return closes, (f"column {time_column} is read as the close of the bar; if it is the open, use --label open",)
    if not by_open:
        return closes, ()
    length = bar_length(pd.DatetimeIndex(closes.index), path)
    notice = f"column {time_column} labels the open of bars of {format_duration(length)}: closes moved to the bar's end"
    return closes.set_axis(closes.index + length), (notice,)
