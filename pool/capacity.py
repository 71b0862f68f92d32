"""Largest exposure to one token: a share of capital, and less if its price is cheap to move."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pricing.contract.book import Book
from pricing.errors import InvalidTermsError
from pricing.tools.units import require_fraction

#: All limits on one token are at most this share of capital.
SHARE_OF_CAPITAL = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Accumulation:
    """Current and permitted exposure to one token.

    Parameters
    ----------
    asset : str
        Asset.
    limits : float
        Sum of all limits: what one crash can cost.
    n_covers : int
        Number of covers.
    capital_limit : float
        Most that capital allows.
    manipulation_limit : float
        Most that the depth of its markets allows; infinite if not given.
    """

    asset: str
    limits: float
    n_covers: int
    capital_limit: float
    manipulation_limit: float

    @property
    def capacity(self) -> float:
        """The lower of the two limits."""
        return min(self.capital_limit, self.manipulation_limit)

    @property
    def room(self) -> float:
        """Limit that can still be sold; negative if the capacity is already exceeded."""
        return self.capacity - self.limits


def accumulations(
    book: Book,
    *,
    capital: float,
    share_of_capital: float = SHARE_OF_CAPITAL,
    manipulation_limits: Mapping[str, float] | None = None,
) -> tuple[Accumulation, ...]:
    """Sum up the exposure to each token of a book, in the order of the book.

    Parameters
    ----------
    book : Book
        Covers.
    capital : float
        Capital of the pool, not negative.
    share_of_capital : float
        Largest sum of limits on one token, as a fraction of capital.
    manipulation_limits : mapping of str to float, optional
        See ``pool.manipulation``.

    Raises
    ------
    InvalidTermsError
        If the capital is negative.
    """
    if not capital >= 0.0:
        raise InvalidTermsError(f"capital must not be negative, got {capital}")
    require_fraction(share_of_capital, "share_of_capital")
    limits_of = manipulation_limits or {}
    counts = np.bincount(book.asset, minlength=len(book.assets))
    return tuple(
        Accumulation(
            asset=asset,
            limits=limits,
            n_covers=n_covers,
            capital_limit=share_of_capital * capital,
            manipulation_limit=limits_of.get(asset, math.inf),
        )
        for asset, limits, n_covers in zip(book.assets, book.limits_by_asset().tolist(), counts.tolist(), strict=True)
    )
