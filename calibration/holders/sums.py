"""Rows of a holder list that are no holder: totals and rests."""

import math
import re
from collections.abc import Sequence

import numpy as np

from pricing.tools.arrays import FloatArray

_FILLING = {"the", "of", "all", "and", "holders", "addresses", "wallets", "accounts", "balances", "tokens", "supply"}
_FILLING |= {"listed", "grand", "overall", "top", "everyone"}
_SUM = {"total", "totals", "subtotal", "sum"}
_REST = {"other", "others", "rest", "remaining", "remainder", "unlisted", "else"}
#: Whatever has no such part is no sum: most names of a list are addresses.
_SUM_OR_REST = re.compile("|".join(sorted(_SUM | _REST)))
#: A list of fewer rows may hold such a balance by chance.
_FEWEST_ROWS = 4
#: Relative difference between a total and the sum of its rows, if exact figures or rounded ones were added.
_EXACT, _ROUNDED = 1e-6, 1e-3

_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]+|[0-9A-Za-z]{25,}|[\w-]+(\.[\w-]+)+")  # the last form is a name such as a.eth


def sum_slip(name: str) -> str | None:
    """Return the reason why the name of a row is that of a sum or a rest, or None."""
    text = name.lower()
    if not _SUM_OR_REST.search(text):
        return None
    words = set(re.findall(r"[^\W\d_]+", text))
    if words - _FILLING - _SUM - _REST:
        return None
    if words & _REST:
        return f"must be a holder, got {name!r} (remove the row, and give the supply: it contains what is not listed)"
    return f"must be a holder, got {name!r} (a sum: remove the row)" if words & _SUM else None


def find_sum(names: Sequence[str], balances: FloatArray) -> tuple[int, str] | None:
    """Find a row that is certainly a sum or a rest.

    Parameters
    ----------
    names : sequence of str
        Addresses or names of the rows.
    balances : ndarray of float, shape (N,)
        Their balances.

    Returns
    -------
    tuple of (int, str) or None
        Position and slip of the first such row.
    """
    for position, name in enumerate(names):
        if slip := sum_slip(name):
            return position, slip
    last = len(balances) - 1
    if sums_up(balances) == last and _sums_within(balances, last, _EXACT) and np.any(np.diff(balances[:last]) < 0.0):
        return last, f"must be a holder, got {names[last]!r}, the sum of all rows above (a total: remove the row)"
    return None


def sums_up(balances: FloatArray) -> int | None:
    """Return the position of a balance that is about the sum of all others, or None."""
    if len(balances) < _FEWEST_ROWS:
        return None
    largest = int(np.argmax(balances))
    return largest if _sums_within(balances, largest, _ROUNDED) else None


def _sums_within(balances: FloatArray, place: int, tolerance: float) -> bool:
    total = math.fsum(balances)
    return abs(2.0 * float(balances[place]) - total) <= tolerance * total


def names_among_addresses(names: Sequence[str]) -> list[int]:
    """Return the positions of names in a list that otherwise holds addresses; none in a list of names."""
    is_name = [not _ADDRESS.fullmatch(name.strip()) for name in names]
    return [position for position, named in enumerate(is_name) if named] if 2 * sum(is_name) < len(names) else []
