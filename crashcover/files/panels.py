"""Reading a panel: one column of closes per token."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import click
import pandas as pd

from backtest.panel import Panel, make_panel
from crashcover.files.bar_ends import close_times
from crashcover.files.price_formats.recognise import PriceTable, is_no_price, read_price_table
from crashcover.files.prices import closes_at, traded_prices
from crashcover.files.splits import of_tokens, read_splits_by_asset
from crashcover.files.tables import numbers
from pricing.errors import DataError


def read_panel(path: Path, *, label: str | None, leave_out: Collection[str], splits: str | None = None) -> Panel:
    """Read a wide file: a time column, and one column of closes per token.

    Parameters
    ----------
    path : Path
        A file of one of the kinds that ``read_table`` reads.
    label : {"open", "close"}, optional
        End of the bar that the time column labels; by default inferred from the column's name.
    leave_out : collection of str
        Tokens to leave out.
    splits : str, optional
        Path of a file of redenominations.

    Raises
    ------
    DataError
        If the file or a row of it is wrong.
    """
    found, times = _read_wide(path, label)
    closes = {name: numbers(found.table, name, path).to_numpy() for name in found.table.columns if name != found.time}
    kept = [name for name in closes if name not in leave_out]
    stated = of_tokens(read_splits_by_asset(Path(splits)), kept, Path(splits)) if splits else None
    return make_panel(pd.DataFrame(closes, index=times), leave_out=leave_out, splits=stated)


def read_columns(path: Path, *, label: str | None) -> Iterator[tuple[str, pd.Series | DataError]]:
    """Read a wide file column by column, so that an invalid price affects only its own token.

    Raises
    ------
    DataError
        If the file is not a wide file, or its times are invalid.
    """
    found, times = _read_wide(path, label)
    for asset in found.table.columns.drop(found.time):
        try:
            if not asset:
                raise DataError(f"{path}, row 1: a column must have the name of a token, got none (perhaps an index)")
            prices = traded_prices(found.table, asset, path)
            yield asset, closes_at(times[found.table.index.get_indexer(prices.index)], prices, path)
        except DataError as error:
            yield asset, error


def _read_wide(path: Path, label: str | None) -> tuple[PriceTable, pd.DatetimeIndex]:
    """Return the columns of tokens, and the times at which their bars close."""
    found = read_price_table(path)
    if found.close is not None:
        raise DataError(
            f"{path}, row 1: must have one column of closes per token, got a column {found.close} (a file of one token)"
        )
    times, notices = close_times(found, found.table, None, label, path)
    others = [name for name in found.table.columns if is_no_price(name)]
    left_out = [f"{', '.join(others)}: no tokens, left out"] if others else []
    for notice in (*found.notices, *notices, *left_out):
        click.echo(f"notice: {path}: {notice}", err=True)
    return replace(found, table=found.table.drop(columns=others)), times
