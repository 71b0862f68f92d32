"""Recognise the format of a price file by its columns, or take the one that the user chooses."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from calibration.prices.labels import BAR_COLUMNS
from crashcover.files.cells import TITLE, UNFINISHED, is_named
from crashcover.files.json_cells import about_pages
from crashcover.files.price_formats.named import NAMED_FORMATS
from crashcover.files.price_formats.price_format import PriceFormat
from crashcover.files.price_formats.rows import ROW_FORMATS
from crashcover.files.price_formats.yfinance_headers import unfold
from crashcover.files.tables import ASSET_COLUMNS, numbers, read_cells, require_different_names, some, with_header
from crashcover.files.times import TIME_COLUMNS, find_time_column
from pricing.errors import DataError

#: What --columns may name.
_ROLES = ("time", "close", "asset", *BAR_COLUMNS)
#: Names of the close in tables of one token, beside the name close itself.
_PRICES = ("price", "last", "price_usd", "usd_price", "close_price", "closing_price", "last_price")
#: Columns that are neither prices nor tokens, unless they are written in capitals.
NO_PRICES = frozenset(
    {
        "volume",
        "vol",
        "market_cap",
        "marketcap",
        "total_volume",
        "quote_volume",
        "base_volume",
        "trades",
        "count",
        "vwap",
    }
)
_DATA_CELL = re.compile(r"[-+]?\d[\d.,:eETZ +/-]*(?:UTC|GMT)?", re.ASCII)
_SAY_SO = "say which with --format, or name the columns: --columns time=NAME,close=NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """A table of prices, and what its columns mean.

    Parameters
    ----------
    table : DataFrame
        Cells, labelled by the row of the file.
    format : PriceFormat or None
        The format, or None for a table of our own layout.
    time : str
        Column of times.
    close : str or None
        Column of closes; None if there is one column per token.
    bars : mapping of str to str
        Columns of open, high and low, as far as there are.
    asset : str or None
        Column that names the token of a row.
    volume : str or None
        Column of the tokens traded in a bar.
    notices : tuple of str
        What was recognised.
    """

    table: pd.DataFrame = field(repr=False)
    format: PriceFormat | None = None
    time: str
    close: str | None
    bars: Mapping[str, str] = field(default_factory=dict)
    asset: str | None = None
    volume: str | None = None
    notices: tuple[str, ...] = ()


def read_price_table(path: Path, *, chosen: str | None = None, columns: Mapping[str, str] | None = None) -> PriceTable:
    """Read a table of prices and recognise its format.

    Parameters
    ----------
    path : Path
        The file.
    chosen : str, optional
        Name of the format.
    columns : mapping, optional
        Columns of the file by what they are: time, close, open, high, low, asset; those that are not named are found
        as without it. Columns of a file without a header are numbered from 1, and need time and close.

    Raises
    ------
    DataError
        If the file cannot be read, does not have the chosen format or columns, or fits several.
    """
    cells = read_cells(path)
    found = _recognise(cells, path, chosen, columns)
    return replace(found, notices=(*found.notices, *_about_lines(cells)))


def _about_lines(cells: pd.DataFrame) -> Iterator[str]:
    yield from about_pages(cells)
    if cells.attrs.get(TITLE):
        yield f"{cells.attrs[TITLE]} lines above the table are passed over"
    if cells.attrs.get(UNFINISHED):
        yield "the last line has no end: if the file was cut off there, its last price may be wrong"


def _recognise(cells: pd.DataFrame, path: Path, chosen: str | None, columns: Mapping[str, str] | None) -> PriceTable:
    if columns:
        return _told(cells, columns, path)
    if chosen is not None:
        _require_format(chosen)
    if _has_no_header(cells):
        return _from_rows(cells, path, chosen)
    table = _named(cells, path)
    found = _match(table, path, chosen)
    return _plain(table, path) if found is None else _meant(table, found)


def _require_format(chosen: str) -> None:
    names = sorted({each.name for each in (*NAMED_FORMATS, *ROW_FORMATS)})
    if chosen not in names:
        raise DataError(f"format must be one of {', '.join(names)}, got {chosen!r}")


def _has_no_header(cells: pd.DataFrame) -> bool:
    """Tell whether the first row is data: numbers and times only."""
    if is_named(cells) or cells.empty:
        return False
    first = [str(cell).strip() for cell in cells.iloc[0].dropna()]
    return bool(first) and all(_DATA_CELL.fullmatch(cell) or cell.upper() in ("TRUE", "FALSE") for cell in first)


def _numbered(cells: pd.DataFrame) -> pd.DataFrame:
    return cells.dropna(how="all").set_axis([str(column) for column in range(1, cells.shape[1] + 1)], axis="columns")


def _named(cells: pd.DataFrame, path: Path) -> pd.DataFrame:
    if not is_named(cells):
        table = unfold(cells, path)
        table = with_header(cells, path) if table is None else table
    else:
        table = cells.dropna(how="all")
        require_different_names(table.columns, path)
    if table.empty:
        raise DataError(f"{path}: must hold at least one row below the header, got none")
    return table


def _match(table: pd.DataFrame, path: Path, chosen: str | None) -> PriceFormat | None:
    """Return the first format whose columns the table has; only the chosen one, if one is chosen."""
    known = [each for each in NAMED_FORMATS if chosen in (None, each.name)]
    found = next((each for each in known if all(find(table.columns, name) for name in each.columns)), None)
    if found is None and chosen is not None:
        needed = ", ".join(known[0].columns) if known else "no header"
        raise DataError(f"{path}, row 1: must have the columns of {chosen} ({needed}), got {some(table.columns)}")
    return found


def find(columns: Iterable[str], name: str) -> str | None:
    """Return the column with a name, or else the first that has it but for capitals, blanks and points.

    Examples
    --------
    >>> find(["Date", "Market Cap"], "market_cap"), find(["T", "t"], "t")
    ('Market Cap', 't')
    """
    names = list(columns)
    return name if name in names else next((each for each in names if _plain_name(each) == name), None)


def _plain_name(name: str) -> str:
    return re.sub(r"[ .\-]+", "_", name.lower()).strip("_")


def _meant(table: pd.DataFrame, found: PriceFormat) -> PriceTable:
    def column(name: str) -> str:
        return find(table.columns, name) or name

    asset = found.asset or next((name for name in ASSET_COLUMNS if find(table.columns, name)), None)
    return PriceTable(
        table=table,
        format=found,
        time=column(found.time),
        close=column(found.close),
        bars=_bars(table.columns),
        asset=column(asset) if asset else None,
        volume=find(table.columns, found.volume) if found.volume else None,
        notices=(f"read as {found.title}: {column(found.close)} at {column(found.time)}",),
    )


def _bars(columns: Iterable[str]) -> dict[str, str]:
    names = list(columns)
    found = {name: find(names, name) for name in BAR_COLUMNS}
    return {name: column for name, column in found.items() if column}


def _told(cells: pd.DataFrame, columns: Mapping[str, str], path: Path) -> PriceTable:
    """Return a table some of whose columns the user names."""
    if any(role not in _ROLES for role in columns):
        given = ", ".join(f"{role}={name}" for role, name in columns.items())
        raise DataError(f"columns may name {', '.join(_ROLES)}, got {given}")
    bare = _has_no_header(cells)
    table = _numbered(cells) if bare else _named(cells, path)
    missing = [name for name in columns.values() if name not in table.columns]
    if missing:
        raise DataError(f"{path}, row 1: must have a column {missing[0]}, got {some(table.columns)}")
    if bare and not {"time", "close"} <= set(columns):
        raise DataError(f"{path}: has no header: columns must name time and close, got {', '.join(columns)}")
    return _plain(table, path, columns)


def _plain(table: pd.DataFrame, path: Path, told: Mapping[str, str] = MappingProxyType({})) -> PriceTable:
    """Return a table of our own layout: time and close of one token or of several, or one column per token."""
    _require_one_of_each((name for name in table.columns if name not in told.values()), path)
    time = told.get("time") or find_time_column(table.columns, path)
    bars = _bars(table.columns) | {name: told[name] for name in BAR_COLUMNS if name in told}
    asset = told.get("asset") or next((name for name in table.columns if name.lower() in ASSET_COLUMNS), None)
    taken = {time, asset, *bars.values()}
    others = [name for name in table.columns if name not in taken and not is_no_price(name)]
    close, notices = (told["close"], ()) if "close" in told else _find_close(table.columns, others, path)
    if close is None and (bars or asset or not others):
        raise DataError(
            f"{path}, row 1: must have a column close, or one column per token, got {some(table.columns)} "
            "(name it: --columns time=NAME,close=NAME)"
        )
    # With dividends, it is a history of yfinance, whose volumes of tokens are in money.
    volume = find(table.columns, "volume") if close and not find(table.columns, "dividends") else None
    return PriceTable(table=table, time=time, close=close, bars=bars, asset=asset, volume=volume, notices=notices)


def _find_close(columns: Iterable[str], others: list[str], path: Path) -> tuple[str | None, tuple[str, ...]]:
    """Return the column of closes, None if there is one per token, and a notice if it has another name."""
    close = find(columns, "close")
    prices = [name for name in others if _plain_name(name) in _PRICES and not name.isupper()]
    if close is not None or not prices:
        return close, ()
    if len(others) > 1:
        raise DataError(f"{path}, row 1: {', '.join(others)} may be prices: {_SAY_SO}")
    return prices[0], (f"column {prices[0]} is read as the close",)


def _require_one_of_each(columns: Iterable[str], path: Path) -> None:
    """Check that no column is there twice but for capitals, if it is one that is looked for."""
    names = list(columns)
    for name in ("close", *BAR_COLUMNS, *TIME_COLUMNS, *ASSET_COLUMNS):
        alike = [each for each in names if each.lower() == name]
        if len(alike) > 1:
            raise DataError(f"{path}, row 1: must have one column {name}, got {' and '.join(alike)}")


def is_no_price(column: str) -> bool:
    """Tell whether a column is a volume or the like, and no token."""
    return _plain_name(column) in NO_PRICES and not column.isupper()


def _from_rows(cells: pd.DataFrame, path: Path, chosen: str | None) -> PriceTable:
    """Return rows without a header in the only format that they fit."""
    rows = cells.dropna(how="all")
    known = [each for each in ROW_FORMATS if len(each.columns) == rows.shape[1] and chosen in (None, each.name)]
    tables = [_meant(rows.set_axis(each.columns, axis="columns"), each) for each in known]
    fitting = [table for table in tables if len(tables) == 1 or _is_plausible(table, path)]
    closes = [table.table[table.close].to_numpy() for table in fitting]
    if not fitting:
        raise DataError(f"{path}: has no header, and {rows.shape[1]} columns of no known format: {_SAY_SO}")
    first = fitting[0]
    if any((each != closes[0]).any() for each in closes):
        titles = " and ".join(table.format.title for table in fitting if table.format)
        raise DataError(f"{path}: has no header, and fits {titles}: {_SAY_SO}")
    return first


def _is_plausible(price_table: PriceTable, path: Path) -> bool:
    """Tell whether every low is the lowest and every high the highest of its row."""
    try:
        bar = {name: numbers(price_table.table, name, path).to_numpy() for name in ("open", "high", "low", "close")}
    except DataError:
        return False
    inner = np.stack([bar["open"], bar["close"]])
    return bool(np.all((bar["low"] <= inner.min(axis=0)) & (inner.max(axis=0) <= bar["high"])))
