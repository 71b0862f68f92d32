"""Files of redenominations."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from calibration.prices.instants import read_instant
from calibration.prices.splits import read_ratio
from crashcover.display.messages import tell
from crashcover.files.tables import ASSET_COLUMNS, find_column, read_table, row_error, some
from pricing.errors import DataError

#: Ratios by time.
FileSplits = Mapping[pd.Timestamp, float]


def read_split_file(path: Path, *, asset: str) -> FileSplits:
    """Read the splits of one token.

    Parameters
    ----------
    path : Path
        A file with the columns time and ratio; a column asset (or list, token, symbol) names the token of each row.
    asset : str
        The token.

    Raises
    ------
    DataError
        If the file cannot be read, or a row is wrong.
    """
    table = read_table(path)
    column = find_column(table, *ASSET_COLUMNS)
    return _read_rows(table if column is None else table[table[column].astype(str) == asset], path)


def read_splits_by_asset(path: Path) -> dict[str, FileSplits]:
    """Read the splits of several tokens, whose names a column asset (or list, token, symbol) holds.

    Raises
    ------
    DataError
        If the file cannot be read, a row is wrong, or there is no such column.
    """
    table = read_table(path)
    column = find_column(table, *ASSET_COLUMNS)
    if column is None:
        raise DataError(f"{path}, row 1: must have a column asset, which names the token, got {some(table.columns)}")
    return {str(name): _read_rows(rows, path) for name, rows in table.groupby(table[column].astype(str), sort=False)}


def of_tokens(splits: Mapping[str, FileSplits], tokens: Collection[str], path: Path) -> dict[str, FileSplits]:
    """Return the splits of some tokens, with a notice that names the others."""
    unused = [asset for asset in splits if asset not in tokens]
    if unused:
        tell(f"notice: {path}: there are no prices for {some(unused)}")
    return {asset: ratios for asset, ratios in splits.items() if asset in tokens}


def _read_rows(rows: pd.DataFrame, path: Path) -> FileSplits:
    time, ratio = find_column(rows, "time"), find_column(rows, "ratio")
    if time is None or ratio is None:
        missing = "time" if time is None else "ratio"
        raise DataError(f"{path}, row 1: must have a column {missing}, got {some(rows.columns)}")
    found: dict[pd.Timestamp, float] = {}
    for row, (at, units) in zip(rows.index, zip(rows[time], rows[ratio], strict=True), strict=True):
        try:
            instant, value = read_instant(at, "time of a split"), read_ratio(units)
        except DataError as error:
            raise row_error(path, row, str(error)) from error
        if found.setdefault(instant, value) != value:
            raise row_error(path, row, f"ratio {value:g} contradicts {found[instant]:g} of the same time")
    return found
