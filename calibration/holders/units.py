"""Amounts in the smallest unit of a token, told from amounts in whole tokens."""

import math

import numpy as np

from pricing.tools.arrays import FloatArray

#: Decimals that tokens have.
DECIMALS = (3, 6, 7, 8, 9, 10, 12, 18, 24)
#: No token has so many whole tokens: the largest supplies are below 10^18.
_MOST_TOKENS = 1e20
#: Neighbours in the order of balances differ by less, unless one is in another unit, or dust.
_LARGEST_STEP = 1e4
#: A mismatch of units is at least 10^3, of which a list may show a tenth.
_LEAST_RATIO = 100.0


def unit_slip(name: str, ratio: float) -> str:
    """Return the likely slip if amounts are far too large, or an empty text.

    Parameters
    ----------
    name : str
        Name of the amounts that are too large: balances or supply.
    ratio : float
        Ratio to the other amounts: listed balances over supply, or the supply over listed balances.

    Examples
    --------
    >>> unit_slip("balances", 0.8e18)
    'balances in smallest units? Divide balances by 10^18'
    >>> unit_slip("supply", 1.2)
    ''
    """
    if ratio <= _LEAST_RATIO:
        return ""
    digits = math.log10(ratio)
    if name == "supply":  # it is larger than what is listed even in the same units
        decimals = max((each for each in DECIMALS if each <= digits), default=DECIMALS[0])
    else:
        decimals = min((each for each in DECIMALS if each >= digits), default=DECIMALS[-1])
    return f"{name} in smallest units? Divide {name} by 10^{decimals}"


def looks_like_smallest_units(listed: float) -> bool:
    """Return whether a listed total is larger than that of any token."""
    return listed >= _MOST_TOKENS


def find_step(balances: FloatArray) -> tuple[float, float] | None:
    """Return two neighbours in the order of balances that are too far apart for one unit, or None."""
    ordered = np.sort(balances[balances > 0.0])
    steps = np.flatnonzero(ordered[1:] >= _LARGEST_STEP * ordered[:-1])
    return (float(ordered[steps[-1] + 1]), float(ordered[steps[-1]])) if len(steps) else None
