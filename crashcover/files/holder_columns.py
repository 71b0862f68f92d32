"""Columns of a file that hold addresses, balances, labels and entities."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from calibration.holders.columns import find_columns, lookalikes, squeezed
from crashcover.files.holder_formats import ANY_NAMES, HOLDER_FORMATS, OURS
from crashcover.files.tables import some
from pricing.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderColumns:
    """Columns of a file by their meaning.

    Parameters
    ----------
    theirs : dict of str to str
        Column of the file by ours: address, and balance or share, perhaps label and entity.
    decimals : str
        Column of decimals, if balances are in the smallest unit of the token.
    source : str
        Name of the form, if it is one of a known source.
    """

    theirs: Mapping[str, str] = field(default_factory=dict)
    decimals: str = ""
    source: str = ""

    def notices(self, table: pd.DataFrame) -> Iterator[str]:
        """Yield what was recognised, unless the columns have our names, and what is not used."""
        if any(squeezed(theirs) != ours for ours, theirs in self.theirs.items()):
            read = ", ".join(f"{ours} from {theirs}" for ours, theirs in self.theirs.items())
            yield f"read{f' as {self.source}' if self.source else ''}: {read}"
        if self.decimals:
            yield f"balances are divided by 10 to the power of {self.decimals}"
        if unused := lookalikes(table.columns, self.theirs.values()):
            yield f"not used: {some(unused)} (to use it, rename it label for categories, or entity for names of owners)"


def recognise(table: pd.DataFrame, chosen: Mapping[str, str], path: Path) -> HolderColumns:
    """Find the columns of a holder list.

    Parameters
    ----------
    table : DataFrame
        Table with the names of the file.
    chosen : mapping of str to str
        Column of the file by ours; if it is empty, the columns are recognised by their names.
    path : Path
        File, for the error message.

    Raises
    ------
    DataError
        If there is no address, or neither a balance nor a share, or a chosen column is not in the file.
    """
    form = next((each for each in HOLDER_FORMATS if each.matches({squeezed(name) for name in table.columns})), None)
    if chosen:
        return HolderColumns(theirs=_chosen(table, chosen, path))
    try:
        found = find_columns(table.columns, ANY_NAMES | ({} if form is None else form.names))
    except DataError as error:
        raise DataError(f"{path}, row 1: {error}") from error
    theirs = {ours: str(found[ours]) for ours in OURS if ours in found}
    _require(theirs, table, path)
    if theirs.get("entity") == theirs["address"]:  # a column of owners that holds the addresses
        del theirs["entity"]
    if "balance" in theirs:
        theirs.pop("share", None)
    decimals = str(found["decimals"]) if "decimals" in found else ""
    return HolderColumns(theirs=theirs, decimals=decimals, source=form.name if form else "")


def _chosen(table: pd.DataFrame, chosen: Mapping[str, str], path: Path) -> dict[str, str]:
    for ours, theirs in chosen.items():
        if ours not in OURS:
            raise DataError(f"columns must be among {', '.join(OURS)}, got {ours!r}")
        if theirs not in table.columns:
            raise DataError(f"{path}, row 1: must have a column {theirs!r} for {ours}, got {some(table.columns)}")
    named = {ours: str(name) for ours, name in find_columns(table.columns).items()} | dict(chosen)
    _require(named, table, path)
    return {ours: named[ours] for ours in OURS if ours in named and (ours != "share" or "balance" not in named)}


def _require(theirs: Mapping[str, str], table: pd.DataFrame, path: Path) -> None:
    missing = "address" if "address" not in theirs else "balance" if not theirs.keys() & {"balance", "share"} else ""
    if missing:
        raise DataError(f"{path}, row 1: must have a column {missing}, got {some(map(str, table.columns))}")
