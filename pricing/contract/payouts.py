"""How much of the limit is due, given the worst drop of the term.

A payout is a non-decreasing function of the worst drop. It never enters the simulation: one simulated sample of worst
drops prices every payout.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np

from pricing.errors import InvalidTermsError
from pricing.tools.arrays import FloatArray
from pricing.tools.units import as_number, require_fraction


@runtime_checkable
class Payout(Protocol):
    """Anything that turns worst drops into shares of the limit."""

    def share(self, worst_drop: FloatArray) -> FloatArray:
        """Return the share of the limit, between 0 and 1, for each worst drop that fired the trigger."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FullPayout:
    """Pays the whole limit once the trigger fires."""

    def share(self, worst_drop: FloatArray) -> FloatArray:
        """Return ones, one for each worst drop."""
        return np.ones_like(worst_drop)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearPayout:
    """Pays in proportion to the worst drop between two points.

    Parameters
    ----------
    attachment : float
        Drop at which the payout begins, a fraction.
    exhaustion : float
        Drop from which the whole limit is paid, a fraction above the attachment.

    Examples
    --------
    >>> LinearPayout(attachment=0.25, exhaustion=0.75).share(np.array([0.2, 0.5, 0.8]))
    array([0. , 0.5, 1. ])
    """

    attachment: float
    exhaustion: float

    def __post_init__(self) -> None:
        for name in ("attachment", "exhaustion"):
            object.__setattr__(self, name, as_number(getattr(self, name), name))
        require_fraction(self.attachment, "attachment")
        if not self.attachment < self.exhaustion <= 1.0:
            raise InvalidTermsError(
                f"exhaustion must be above the attachment {self.attachment} and at most 1, got {self.exhaustion}"
            )

    def share(self, worst_drop: FloatArray) -> FloatArray:
        """Return the share of the limit for each worst drop."""
        return np.clip((worst_drop - self.attachment) / (self.exhaustion - self.attachment), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class TieredPayout:
    """Pays a fixed share for the deepest tier that the worst drop reached.

    Parameters
    ----------
    tiers : mapping of float to float
        Share of the limit by drop, both fractions; a deeper drop pays more.

    Examples
    --------
    >>> TieredPayout({0.3: 0.25, 0.5: 0.6, 0.8: 1.0}).share(np.array([0.29, 0.3, 0.6, 0.9]))
    array([0.  , 0.25, 0.6 , 1.  ])
    """

    tiers: Mapping[float, float] | tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        numbers = ((as_number(drop, "tiers: drop"), as_number(share, "tiers: share")) for drop, share in self._steps())
        tiers = tuple(sorted(numbers))
        if not tiers:
            raise InvalidTermsError("tiers must hold at least one drop, got none (for example {0.3: 0.25, 0.5: 1.0})")
        for drop, share in tiers:
            require_fraction(drop, "tiers: drop")
            if not 0.0 < share <= 1.0:
                raise InvalidTermsError(f"tiers: share at {drop} must be above 0 and at most 1, got {share}")
        for (_, lower), (drop, upper) in pairwise(tiers):
            if upper <= lower:
                raise InvalidTermsError(
                    f"tiers: share at {drop} must be above the share of the tier before, got {upper}"
                )
        object.__setattr__(self, "tiers", tiers)

    def _steps(self) -> Iterable[tuple[float, float]]:
        try:
            return dict(self.tiers).items()
        except (TypeError, ValueError) as error:
            raise InvalidTermsError(
                f"tiers must be shares by drop, such as {{0.3: 0.25}}, got {self.tiers!r}"
            ) from error

    def share(self, worst_drop: FloatArray) -> FloatArray:
        """Return the share of the limit for each worst drop."""
        drops, shares = np.array(tuple(self.tiers)).T
        return np.concatenate(([0.0], shares))[np.searchsorted(drops, worst_drop, side="right")]


def payout_nodes(payout: Payout) -> FloatArray:
    """Return points, steps and changes of slope of a payout, shape (3, n_nodes)."""
    if isinstance(payout, FullPayout):
        return np.array([[0.0], [1.0], [0.0]])
    if isinstance(payout, LinearPayout):
        slope = 1.0 / (payout.exhaustion - payout.attachment)
        return np.array([[payout.attachment, payout.exhaustion], [0.0, 0.0], [slope, -slope]])
    if isinstance(payout, TieredPayout):
        drops, shares = np.array(tuple(payout.tiers)).T
        return np.stack([drops, np.diff(shares, prepend=0.0), np.zeros_like(drops)])
    raise InvalidTermsError(f"payout must be full, linear or tiered to be summed up in a book, got {payout!r}")
