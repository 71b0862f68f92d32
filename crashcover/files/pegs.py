"""Files of the classes of pegged tokens."""

from pathlib import Path

import pandas as pd

from calibration.pegs.record import record_of
from crashcover.files.tables import ASSET_COLUMNS, find_column, read_table, row_error, some
from pricing.errors import DataError, InvalidTermsError


def read_pegs(path: Path) -> dict[str, str]:
    """Read the class of the peg of each token.

    Parameters
    ----------
    path : Path
        A table with a column asset (or list, token, symbol) and a column peg: reserve or synthetic.

    Raises
    ------
    DataError
        If the file cannot be read, lacks these columns, or a row is wrong.
    """
    table = read_table(path)
    asset, peg = find_column(table, *ASSET_COLUMNS), find_column(table, "peg")
    if asset is None or peg is None:
        missing = "asset" if asset is None else "peg"
        raise DataError(f"{path}, row 1: must have a column {missing}, got {some(table.columns)}")
    found: dict[str, str] = {}
    for row, name, text in zip(table.index, table[asset], table[peg], strict=True):
        if pd.isna(name):
            raise row_error(path, row, f"{asset} must name the token of the row, got an empty cell")
        token, stated = str(name).strip(), str(text).strip()
        _require_class(path, row, stated)
        if found.setdefault(token, stated) != stated:
            raise row_error(path, row, f"peg {stated!r} contradicts {found[token]!r} of the same token")
    return found


def _require_class(path: Path, row: int, stated: str) -> None:
    try:
        record_of(stated)
    except InvalidTermsError as error:
        raise row_error(path, row, str(error)) from error
