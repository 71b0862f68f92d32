"""Reading a panel: closes of many tokens, in columns, in rows that name their token, or in one file per token."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from backtest.panel import Panel, make_panel
from crashcover.display.messages import tell
from crashcover.files.bar_ends import close_times
from crashcover.files.closes import closes_at, closes_of, traded_prices
from crashcover.files.folders import read_folder
from crashcover.files.price_formats.recognise import PriceTable, is_no_price, read_price_table
from crashcover.files.reading import INFERRED, PriceReading
from crashcover.files.resampling import Lost, resample_closes
from crashcover.files.splits import of_tokens, read_splits_by_asset
from crashcover.files.tables import first_row, numbers, row_error, some
from pricing.errors import DataError, InsufficientDataError


def read_panel(
    path: Path, reading: PriceReading = INFERRED, *, leave_out: Collection[str] | None, splits: str | None = None
) -> Panel:
    """Read closes of many tokens on common times.

    Parameters
    ----------
    path : Path
        A file of one of the kinds that ``read_table`` reads: a time column, and one column of closes per token; or a
        column that names the token of each row, and a column of closes. Or a folder of price files that are named by
        their token.
    reading : PriceReading
        What is not to be inferred from the file.
    leave_out : collection of str or None
        Tokens to leave out, as of ``make_panel``.
    splits : str, optional
        Path of a file of redenominations.

    Raises
    ------
    DataError
        If the file or a row of it is wrong.
    """
    found = _read(path, reading)
    if found is not None and found.close is None:
        closes = _from_columns(found, reading, path)
    else:
        closes = _from_tokens(_one_by_one(found, reading, path), path)
    stated = of_tokens(read_splits_by_asset(Path(splits)), closes.columns, Path(splits)) if splits else None
    return make_panel(closes, leave_out=leave_out, splits=stated)


def read_columns(path: Path, reading: PriceReading = INFERRED) -> Iterator[tuple[str, pd.Series | Exception]]:
    """Read prices of many tokens one by one, so that an invalid price affects only its own token.

    Yields
    ------
    asset : str
        Name of the token.
    closes : Series or Exception
        Its closes, or the reason why there are none.

    Raises
    ------
    DataError
        If a file is no panel, or its times are invalid.
    """
    yield from _one_by_one(_read(path, reading), reading, path)


def _one_by_one(
    found: PriceTable | None, reading: PriceReading, path: Path
) -> Iterator[tuple[str, pd.Series | Exception]]:
    if found is None:
        yield from read_folder(path, reading)
        return
    longer = _Resampling(reading, path)
    for asset, closes in _by_column(found, reading, path) if found.close is None else _by_row(found, reading, path):
        try:
            yield asset, closes if isinstance(closes, DataError) else longer.make(asset, closes)
        except DataError as error:
            yield asset, error
    longer.tell()


def _read(path: Path, reading: PriceReading) -> PriceTable | None:
    """Return a table of many tokens, None for a folder of files."""
    if path.is_dir():
        return None
    found = read_price_table(path, chosen=reading.format, columns=reading.columns)
    if found.close is not None and found.asset is None:
        raise DataError(
            f"{path}, row 1: must have one column of closes per token, got a column {found.close} (a file of one token)"
        )
    _tell(path, found.notices)
    return found


def _tell(path: Path, notices: Collection[str]) -> None:
    for notice in notices:
        tell(f"notice: {path}: {notice}")


def _with_times(found: PriceTable, reading: PriceReading, path: Path) -> tuple[PriceTable, pd.DatetimeIndex]:
    """Return the columns of tokens, and the times at which their bars close."""
    times, _, notices = close_times(found, found.table, None, reading.label, path)
    others = [name for name in found.table.columns if is_no_price(name)]
    _tell(path, (*notices, *([f"{', '.join(others)}: no tokens, left out"] if others else [])))
    return replace(found, table=found.table.drop(columns=others)), times


def _from_columns(found: PriceTable, reading: PriceReading, path: Path) -> pd.DataFrame:
    found, times = _with_times(found, reading, path)
    closes = {name: numbers(found.table, name, path).to_numpy() for name in found.table.columns if name != found.time}
    frame = pd.DataFrame(closes, index=times)
    if reading.resample is None:
        return frame
    longer = _Resampling(reading, path)
    made = {str(name): longer.make(str(name), frame[name]) for name in frame}
    longer.tell()
    return pd.DataFrame(made)


def _from_tokens(tokens: Iterable[tuple[str, pd.Series | Exception]], path: Path) -> pd.DataFrame:
    columns, repeated = {}, {}
    for asset, closes in tokens:
        if isinstance(closes, Exception):
            raise closes
        again = closes.index.duplicated()
        columns[asset] = closes[~again]
        if again.any():
            repeated[asset] = int(again.sum())
    if not columns:
        raise DataError(f"{path}: must hold prices of at least one token, got none")
    if repeated:
        rows = f"{sum(repeated.values())} rows that repeat the time and the close of another are left out"
        _tell(path, [f"{some(list(repeated))}: {rows}"])
    return pd.DataFrame(columns).sort_index()


def _by_column(found: PriceTable, reading: PriceReading, path: Path) -> Iterator[tuple[str, pd.Series | DataError]]:
    found, times = _with_times(found, reading, path)
    for asset in found.table.columns.drop(found.time):
        try:
            if not asset:
                raise DataError(f"{path}, row 1: a column must have the name of a token, got none (perhaps an index)")
            prices = traded_prices(found.table, asset, path)
            yield asset, closes_at(times[found.table.index.get_indexer(prices.index)], prices, path)
        except DataError as error:
            yield asset, error


def _by_row(found: PriceTable, reading: PriceReading, path: Path) -> Iterator[tuple[str, pd.Series | DataError]]:
    """Yield the closes of each token that a column names; notices that differ between tokens name them."""
    assert found.asset is not None
    assert found.close is not None
    names = found.table[found.asset].astype("str").str.strip()
    if names.isna().any():
        slip = f"{found.asset} must name the token of the row, got an empty cell"
        raise row_error(path, first_row(names.isna()), slip)
    told: dict[str, list[str]] = {}
    for asset, rows in found.table.groupby(names, sort=False):
        try:
            read = closes_of(found, rows, found.close, reading.label, path)
        except (DataError, InsufficientDataError) as error:
            yield str(asset), DataError(str(error))
            continue
        for notice in read.notices:
            told.setdefault(notice, []).append(str(asset))
        yield str(asset), read.closes
    _tell(path, [f"{some(tokens)}: {notice}" for notice, tokens in told.items()])


@dataclass(slots=True)
class _Resampling:
    """Makes longer bars of the closes of each token, if wanted, and tells the deepest fall inside one of all tokens."""

    reading: PriceReading
    path: Path
    lost: dict[str, Lost] = field(default_factory=dict)

    def make(self, asset: str, closes: pd.Series) -> pd.Series:
        """Return closes of the wanted length."""
        if self.reading.resample is None:
            return closes
        try:
            made, self.lost[asset] = resample_closes(closes, self.reading.resample, self.path)
        except (DataError, InsufficientDataError) as error:
            raise DataError(f"{error}, in {asset}") from error
        return made

    def tell(self) -> None:
        """Tell what is lost."""
        if self.lost:
            asset = max(self.lost, key=lambda name: self.lost[name].deepest)
            _tell(self.path, [f"{asset}, most of {len(self.lost)} tokens: {each}" for each in self.lost[asset].notices])
