"""Closes of one token in a table of prices, with what was recognised and assumed."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.prices.labels import Label
from calibration.prices.pairs import is_pair_of
from crashcover.files.bar_ends import close_times
from crashcover.files.price_formats.recognise import PriceTable, is_no_price, read_price_table
from crashcover.files.reading import PriceReading
from crashcover.files.tables import choose_asset, first_row, numbers, row_error, rows_named
from crashcover.files.times import bar_length
from pricing.errors import DataError

_MEANT = " (a missing price is left empty)"
#: A last price further off the grid than this share of a bar is one of the moment of the download.
_OFF_GRID = 0.1
#: A close may be beyond high or low by rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCloses:
    """Closes of one token as in a file.

    Parameters
    ----------
    asset : str or None
        Name of the token; None if the file does not name it.
    closes : Series of float
        Closes on a UTC DatetimeIndex, labelled by the close of the bar.
    label : {"open", "close"}
        End of the bar that the times of the file label.
    volumes : Series of float, optional
        Tokens traded in each bar, labelled as the closes; None if the file does not say so.
    notices : tuple of str
        Notices about assumptions and shifts.
    """

    asset: str | None
    closes: pd.Series = field(repr=False)
    label: Label
    volumes: pd.Series | None = field(default=None, repr=False)
    notices: tuple[str, ...] = ()


def read_file(path: Path, asset: str | None, reading: PriceReading) -> TokenCloses:
    """Read the closes of one token from a file, in the bars of the file.

    Raises
    ------
    DataError
        If the file or a row of it is wrong, or its format is not clear; the message names both.
    """
    found = read_price_table(path, chosen=reading.format, columns=reading.columns)
    rows, name, close, notices = _choose(found, asset, path)
    read = closes_of(found, rows, close, reading.label, path)
    return TokenCloses(
        asset=name,
        closes=read.closes,
        label=read.label,
        volumes=read.volumes,
        notices=(*found.notices, *notices, *read.notices),
    )


def closes_of(found: PriceTable, rows: pd.DataFrame, close: str, label: Label | None, path: Path) -> TokenCloses:
    """Read the closes in some rows and one column of a table, with notices about times and closes.

    Raises
    ------
    DataError
        If a row is wrong.
    """
    prices = traded_prices(rows, close, path)
    times, end, told = close_times(found, rows.loc[prices.index], prices, label, path)
    closes = closes_at(times, prices, path)
    closes, cut = _without_now(closes, path) if found.format and found.format.ends_now else (closes, ())
    beyond = _beyond_range(found, rows.loc[prices.index], prices, path)
    volumes = _volumes(found, rows.loc[prices.index], times, path)
    return TokenCloses(asset=None, closes=_forwards(closes), label=end, volumes=volumes, notices=(*told, *cut, *beyond))


def _volumes(found: PriceTable, rows: pd.DataFrame, times: pd.DatetimeIndex, path: Path) -> pd.Series | None:
    """Read the tokens traded in each bar; None if a cell is no number, because no price depends on them alone."""
    if found.volume is None:
        return None
    try:
        return pd.Series(numbers(rows, found.volume, path).to_numpy(), index=times, name="volume")
    except DataError:
        return None


def _choose(found: PriceTable, asset: str | None, path: Path) -> tuple[pd.DataFrame, str | None, str, tuple[str, ...]]:
    """Choose the rows, the name and the close column of the token, with notices about its name."""
    if found.close is None:
        tokens = [name for name in found.table.columns if name != found.time and not is_no_price(name)]
        column = choose_asset(tokens, asset, path)
        return found.table, column, column, ()
    if found.asset is not None:
        pair, notices = _pair_of(found, asset)
        rows, name = rows_named(found.table, found.asset, pair, path)
        return rows, asset or name, found.close, notices
    return found.table, None, found.close, ()


def _pair_of(found: PriceTable, asset: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the only pair of the file whose base is the token, such as BTC/USDT; else the token itself."""
    names = found.table[found.asset].dropna().astype("str").str.strip().unique()
    if asset is None or asset in names:
        return asset, ()
    pairs = [name for name in names if is_pair_of(asset, name)]
    if len(pairs) != 1:
        return asset, ()
    return pairs[0], (f"{pairs[0]} is read as the price of {asset}",)


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
    return pd.Series(prices.to_numpy(), index=times.rename("time"), name="close")


def _refuse_contradictions(times: pd.DatetimeIndex, closes: pd.Series, path: Path) -> None:
    first_of_its_time = closes.groupby(times.to_numpy()).transform("first").to_numpy()
    differs = np.not_equal(closes.to_numpy(), first_of_its_time) & closes.notna().to_numpy()
    if differs.any():
        at = int(np.argmax(differs))
        slip = (
            f"close {closes.iloc[at]:g} contradicts {first_of_its_time[at]:g} of the same time {times[at].isoformat()}"
        )
        raise row_error(path, closes.index[at], f"{slip} (two tokens or two venues in one file?)")


def _without_now(closes: pd.Series, path: Path) -> tuple[pd.Series, tuple[str, ...]]:
    """Leave out a last price that is not one bar after the row before, but of the moment of the download."""
    times = pd.DatetimeIndex(closes.index).unique().sort_values()
    if len(times) < 4:
        return closes, ()
    length = bar_length(times[:-1], path)
    off = (times[-1] - times[-2]) % length
    if min(off, length - off) <= _OFF_GRID * length:
        return closes, ()
    notice = f"the last row, {times[-1].isoformat()}, is between two bars: it is left out"
    return closes[closes.index != times[-1]], (notice,)


def _beyond_range(found: PriceTable, rows: pd.DataFrame, prices: pd.Series, path: Path) -> tuple[str, ...]:
    """Return a notice if closes are above the high or below the low of their bar."""
    if not {"high", "low"} <= set(found.bars):
        return ()
    high, low = (numbers(rows, found.bars[name], path) for name in ("high", "low"))
    beyond = (prices > high * (1.0 + _ROUNDING)) | (prices < low * (1.0 - _ROUNDING))
    if not beyond.any():
        return ()
    return (f"{int(beyond.sum())} closes are not between low and high, the first in row {first_row(beyond)}",)


def _forwards(closes: pd.Series) -> pd.Series:
    """Return rows in the order of time if they run from the newest to the oldest."""
    return closes[::-1] if len(closes) > 1 and closes.index.is_monotonic_decreasing else closes
