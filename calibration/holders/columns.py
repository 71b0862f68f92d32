"""Columns of a holder list, recognised in any spelling."""

import re
from collections.abc import Iterable

from pricing.errors import DataError

#: Names of each column, without capitals, blanks and punctuation.
COLUMN_NAMES = {
    "address": ("address",),
    "balance": ("balance",),
    "share": ("share",),
    "label": ("label", "category"),
    "entity": ("entity", "owner"),
    "name": ("name", "nametag"),
    "first_seen": ("firstseen",),
    "funded_by": ("fundedby", "funder"),
    "locked_until": ("lockeduntil",),
}
#: Words in the name of a column that may hold what we call label or entity.
_RELATED = {"label", "labels", "category", "categories", "tag", "nametag", "entity", "entities", "owner", "owners"}


def squeezed(name: object) -> str:
    """Return the name of a column in lower case, without blanks and punctuation."""
    return re.sub(r"[\W_]", "", str(name)).lower()


def find_columns(names: Iterable[object], known: dict[str, tuple[str, ...]] = COLUMN_NAMES) -> dict[str, object]:
    """Find our columns among the names of a table.

    Parameters
    ----------
    names : iterable
        Names of the table.
    known : dict of str to tuple of str
        Names by column, the first one found counts.

    Returns
    -------
    dict
        Name in the table by column of ours, for each one found.

    Raises
    ------
    DataError
        If two columns of the table have the same name but for its spelling.
    """
    by_name: dict[str, list[object]] = {}
    for name in names:
        by_name.setdefault(squeezed(name), []).append(name)
    found = {}
    for column, spellings in known.items():
        spelling = next((each for each in spellings if each in by_name), None)
        if spelling is not None:
            if len(by_name[spelling]) > 1:
                first, second = by_name[spelling][:2]
                raise DataError(f"columns must have different names, got {first!r} and {second!r}")
            found[column] = by_name[spelling][0]
    return found


def lookalikes(names: Iterable[object], used: Iterable[object]) -> list[str]:
    """Return the columns that are not used although their names look like label or entity."""
    taken = set(used)
    return [
        str(name)
        for name in names
        if name not in taken and _RELATED & {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", str(name))}
    ]
