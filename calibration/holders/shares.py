"""Measures of concentration of a ranked list of shares, with bounds if the small holders are not on the list.

A list contains the largest holders. The unlisted shares sum to ``rest``, and none of them exceeds ``largest_unlisted``.
Concentration is least if the rest is spread evenly and greatest if it is held in the largest pieces possible, so the
bounds are sharp. Symbols: N listed holders, M holders in total, R the rest.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from calibration.holders.bounded import Bounded
from pricing.errors import DataError
from pricing.tools.arrays import FloatArray

#: A rest below this is the rounding error of a complete list.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RankedShares:
    """Shares of the largest holders and the remaining share of the others.

    Parameters
    ----------
    listed : ndarray of float, shape (N,)
        Positive shares, in decreasing order.
    rest : float
        Share of all holders that are not listed.
    largest_unlisted : float
        Upper bound on the share of an unlisted holder.
    n_unlisted : int, optional
        Number of holders that are not listed; None if unknown.
    """

    listed: FloatArray = field(repr=False)
    rest: float
    largest_unlisted: float
    n_unlisted: int | None = None

    def __post_init__(self) -> None:
        if self.n_unlisted is not None and self.n_unlisted < self.fewest_unlisted:
            raise DataError(
                f"n_holders leaves {self.n_unlisted} holders for {self.rest:.4%} of the float, where nobody can hold "
                f"more than {self.largest_unlisted:.4%} (not the largest holders, or another supply)"
            )

    @property
    def fewest_unlisted(self) -> int:
        """Smallest number of holders that can share the rest."""
        return math.ceil(self.rest / self.largest_unlisted - ROUNDING) if self.rest > ROUNDING else 0

    def with_holders(self, *holdings: float) -> "RankedShares":
        """Add holders to the list, in units of the same float; zero holdings are ignored."""
        added = [holding for holding in holdings if holding > 0.0]
        return replace(self, listed=np.sort(np.append(self.listed, added))[::-1])

    def of(self, whole: float) -> "RankedShares":
        """Express the shares relative to another total, given in units of the present one."""
        return replace(
            self, listed=self.listed / whole, rest=self.rest / whole, largest_unlisted=self.largest_unlisted / whole
        )


def herfindahl(shares: RankedShares) -> Bounded:
    """Sum of squared shares (Herfindahl-Hirschman index)."""
    listed, R = float(np.sum(shares.listed**2)), shares.rest
    if R <= ROUNDING:
        return Bounded(lower=listed, upper=listed)
    whole, remainder = _largest_pieces(shares)
    even = 0.0 if shares.n_unlisted is None else R**2 / shares.n_unlisted
    # with few holders both ends are equal up to the last digit
    upper = listed + whole * shares.largest_unlisted**2 + remainder**2
    return Bounded(lower=min(listed + even, upper), upper=upper)


def top_share(shares: RankedShares, k: int) -> Bounded:
    """Share of the ``k`` largest holders.

    Raises
    ------
    DataError
        If ``k`` is not positive.
    """
    if k < 1:
        raise DataError(f"k must be at least 1, got {k}")
    listed = float(np.sum(shares.listed[:k]))
    beyond = k - len(shares.listed)
    if beyond <= 0 or shares.rest <= ROUNDING:
        return Bounded(lower=listed, upper=listed)
    even = 0.0 if shares.n_unlisted is None else shares.rest * min(1.0, beyond / shares.n_unlisted)
    upper = listed + min(shares.rest, beyond * shares.largest_unlisted)
    return Bounded(lower=min(listed + even, upper), upper=upper)


def nakamoto(shares: RankedShares) -> Bounded:
    """Smallest number of holders that own more than half (Srinivasan and Lee 2017); or infinity."""
    cumulative = np.cumsum(shares.listed)
    if len(cumulative) and cumulative[-1] > 0.5:
        count = int(np.argmax(cumulative > 0.5)) + 1
        return Bounded(lower=count, upper=count, prudent="lower")
    held = float(cumulative[-1]) if len(cumulative) else 0.0
    if shares.rest <= ROUNDING or held + shares.rest <= 0.5:
        return Bounded(lower=math.inf, upper=math.inf, prudent="lower")
    lower = len(cumulative) + math.floor((0.5 - held) / shares.largest_unlisted) + 1
    if shares.n_unlisted is None:
        return Bounded(lower=lower, upper=math.inf, prudent="lower")
    even = shares.rest / shares.n_unlisted
    upper = max(lower, len(cumulative) + math.floor((0.5 - held) / even) + 1)
    return Bounded(lower=lower, upper=upper, prudent="lower")


def gini(shares: RankedShares) -> Bounded:
    """Gini coefficient; it depends on the number of dust holders, so it is for display and never for a rate.

    Without ``n_unlisted`` the upper bound is 1, the limit for an unlimited number of dust holders. The lower bound is
    the value for the fewest holders who can share the rest, or for infinitely many, whichever is lower.
    """
    N, R = len(shares.listed), shares.rest
    ranked = float(np.arange(1, N + 1) @ shares.listed)
    if R <= ROUNDING:
        value = (N + 1 - 2.0 * ranked) / N
        return Bounded(lower=value, upper=value)
    if shares.n_unlisted is None:
        fewest = N + shares.fewest_unlisted
        return Bounded(lower=max(0.0, min(_even_gini(shares, ranked, fewest), 1.0 - R)), upper=1.0)
    M = N + shares.n_unlisted
    upper = _uneven_gini(shares, ranked, M)
    return Bounded(lower=min(_even_gini(shares, ranked, M), upper), upper=upper)


def _even_gini(shares: RankedShares, ranked: float, M: int) -> float:
    return (M + 1 - 2.0 * ranked - shares.rest * (M + len(shares.listed) + 1)) / M


def _uneven_gini(shares: RankedShares, ranked: float, M: int) -> float:
    N = len(shares.listed)
    whole, remainder = _largest_pieces(shares)
    pieces = shares.largest_unlisted * (whole * N + whole * (whole + 1) / 2.0) + remainder * (N + whole + 1)
    return (M + 1 - 2.0 * ranked - 2.0 * pieces) / M


def _largest_pieces(shares: RankedShares) -> tuple[int, float]:
    """Split the rest into holders of the largest unlisted share, returning their number, and one smaller holder."""
    whole = math.floor(shares.rest / shares.largest_unlisted + ROUNDING)
    return whole, max(0.0, shares.rest - whole * shares.largest_unlisted)
