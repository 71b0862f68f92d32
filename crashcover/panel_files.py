"""Reading a panel: one column of closes a token."""

from collections.abc import Collection
from pathlib import Path

import click
import pandas as pd

from backtest.panel import Panel, make_panel
from crashcover.files import find_column, numbers, read_table
from crashcover.price_times import bar_length, find_time_column, labels_open, read_times
from pricing.errors import DataError


def read_panel(path: Path, *, label: str | None, leave_out: Collection[str]) -> Panel:
    """Read a wide file: a time column, and one column of closes a token.

    Parameters
    ----------
    path : Path
        A .csv, .csv.gz or .parquet file.
    label : {"open", "close"}, optional
        Which end of the bar the time column names; by default its own name tells.
    leave_out : collection of str
        Tokens to leave out.

    Raises
    ------
    DataError
        If the file or a row of it is wrong.
    """
    table = read_table(path)
    time_column = find_time_column(table.columns, path)
    if find_column(table, "close") is not None:
        raise DataError(
            f"{path}, row 1: must have one column of closes a token, got a column close (a file of one token)"
        )
    times = read_times(table[time_column], path)
    tokens = [name for name in table.columns if name != time_column]
    closes = pd.DataFrame({name: numbers(table, name, path).to_numpy() for name in tokens}, index=times)
    by_open = labels_open(time_column) if label is None else label == "open"
    if by_open is None:
        slip = "if it is the open, say --label open"
        click.echo(f"notice: {path}: column {time_column} is read as the close of the bar; {slip}", err=True)
    return make_panel(closes.set_axis(times + bar_length(times, path)) if by_open else closes, leave_out=leave_out)
