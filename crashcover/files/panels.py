"""Reading a panel: one column of closes per token."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import click
import pandas as pd

from backtest.panel import Panel, make_panel
from crashcover.files.prices import closes_at, traded_prices
from crashcover.files.tables import find_column, numbers, read_table
from crashcover.files.times import bar_length, find_time_column, labels_open, read_times
from pricing.errors import DataError


def read_panel(path: Path, *, label: str | None, leave_out: Collection[str]) -> Panel:
    """Read a wide file: a time column, and one column of closes per token.

    Parameters
    ----------
    path : Path
        A .csv, .csv.gz or .parquet file.
    label : {"open", "close"}, optional
        End of the bar that the time column labels; by default inferred from the column's name.
    leave_out : collection of str
        Tokens to leave out.

    Raises
    ------
    DataError
        If the file or a row of it is wrong.
    """
    table, times = _read_wide(path, label)
    closes = pd.DataFrame({name: numbers(table, name, path).to_numpy() for name in table.columns}, index=times)
    return make_panel(closes, leave_out=leave_out)


def read_columns(path: Path, *, label: str | None) -> Iterator[tuple[str, pd.Series | DataError]]:
    """Read a wide file column by column, so that an invalid price affects only its own token.

    Raises
    ------
    DataError
        If the file is not a wide file, or its times are invalid.
    """
    table, times = _read_wide(path, label)
    for asset in table.columns:
        try:
            _require_name(asset, path)
            prices = traded_prices(table, asset, path)
            yield asset, closes_at(times[table.index.get_indexer(prices.index)], prices, path)
        except DataError as error:
            yield asset, error


def _require_name(column: str, path: Path) -> None:
    if not column or re.fullmatch(r"Unnamed: \d+", column):  # as pandas calls a column without a name
        raise DataError(f"{path}, row 1: column {column!r} must have the name of a token, got none (perhaps an index)")


def _read_wide(path: Path, label: str | None) -> tuple[pd.DataFrame, pd.DatetimeIndex]:
    """Return the columns of tokens, and the times at which their bars close."""
    table = read_table(path)
    time_column = find_time_column(table.columns, path)
    if find_column(table, "close") is not None:
        raise DataError(
            f"{path}, row 1: must have one column of closes per token, got a column close (a file of one token)"
        )
    times = read_times(table[time_column], path)
    by_open = labels_open(time_column) if label is None else label == "open"
    if by_open is None:
        slip = "if it is the open, use --label open"
        click.echo(f"notice: {path}: column {time_column} is read as the close of the bar; {slip}", err=True)
    return table.drop(columns=time_column), times + bar_length(times, path) if by_open else times
