"""The law of a loss as finitely many amounts: the argument of every premium principle."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pricing.errors import InvalidTermsError
from pricing.show.frames import make_frame
from pricing.surface.estimates import WeightedSample
from pricing.tools.arrays import FloatArray

if TYPE_CHECKING:
    import pandas as pd

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class LossDistribution:
    """A loss with finitely many values.

    Parameters
    ----------
    losses : ndarray of shape (n_values,)
        Amounts, largest first; in any unit, such as a share of the limit or money.
    exceedances : ndarray of shape (n_values,)
        Probability that the loss is at least each amount; the last is 1.

    Raises
    ------
    InvalidTermsError
        If the amounts increase or the exceedances are not those of a law.

    Examples
    --------
    >>> LossDistribution.binary(0.02).mean
    0.02
    """

    losses: FloatArray
    exceedances: FloatArray

    def __post_init__(self) -> None:
        if self.losses.ndim != 1 or self.losses.shape != self.exceedances.shape or not self.losses.size:
            raise InvalidTermsError(
                f"losses and exceedances must have the same shape (n_values,), got {self.losses.shape} and "
                f"{self.exceedances.shape}"
            )
        if not np.isfinite(self.losses).all():
            raise InvalidTermsError("losses must be finite")
        if (np.diff(self.losses) > 0.0).any():
            raise InvalidTermsError(
                "losses must not increase: largest first (a payout must not fall with a deeper drop)"
            )
        if not (self.exceedances[0] >= 0.0 and (np.diff(self.exceedances) >= 0.0).all() and self.exceedances[-1] == 1):
            raise InvalidTermsError("exceedances must increase from at least 0 to exactly 1")

    def to_frame(self) -> "pd.DataFrame":
        """Return the law as a data frame: ``loss``, largest first, and its ``exceedance``."""
        return make_frame({"loss": self.losses, "exceedance": self.exceedances})

    @classmethod
    def of_sample(cls, sample: WeightedSample, values: FloatArray) -> "LossDistribution":
        """Return the law of a simulated sample.

        Likelihood ratios average one only in the long run. A deficit or excess of weight is assigned to the smallest
        loss, so that the upper tail, which determines a premium, is estimated without bias.

        Parameters
        ----------
        sample : WeightedSample
            Paths, deepest first.
        values : ndarray of shape (n_tail,)
            Loss of the deepest paths, not increasing; the loss of all other paths is zero.
        """
        cumulated = np.minimum(np.cumsum(sample.weighted(np.ones(len(values)))) / sample.n_paths, 1.0)
        if not sample.holds_all_paths(len(values)):
            return cls(np.append(values, 0.0), np.append(cumulated, 1.0))
        cumulated[-1] = 1.0
        return cls(values, cumulated)

    @classmethod
    def discrete(cls, losses: npt.ArrayLike, probabilities: npt.ArrayLike) -> "LossDistribution":
        """Return the law of amounts in any order with their probabilities.

        Raises
        ------
        InvalidTermsError
            If the probabilities are negative or do not add up to 1.
        """
        amounts, shares = np.asarray(losses, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
        if amounts.shape != shares.shape or not (shares >= 0.0).all() or not abs(shares.sum() - 1.0) <= _ROUNDING:
            raise InvalidTermsError(
                f"probabilities must be one per loss, not negative and add up to 1, got {shares.shape} for "
                f"{amounts.shape} with sum {shares.sum()}"
            )
        order = np.argsort(-amounts, kind="stable")
        exceedances = np.minimum(np.cumsum(shares[order]), 1.0)
        exceedances[-1] = 1.0
        return cls(amounts[order], exceedances)

    @classmethod
    def binary(cls, probability: float) -> "LossDistribution":
        """Return the law of a loss of 1 with a given probability, and of 0 otherwise."""
        require_probability(probability)
        return cls(np.array([1.0, 0.0]), np.array([probability, 1.0]))

    @property
    def probabilities(self) -> FloatArray:
        """Probability of each amount, shape (n_values,)."""
        return np.diff(self.exceedances, prepend=0.0)

    @property
    def smallest(self) -> float:
        """Smallest loss."""
        return float(self.losses[-1])

    @property
    def above_smallest(self) -> FloatArray:
        """Losses less the smallest, shape (n_values,)."""
        return self.losses - self.smallest

    @property
    def mean(self) -> float:
        """Expected loss."""
        return self.smallest + self.expectation(self.above_smallest)

    def expectation(self, values: FloatArray) -> float:
        """Return the expectation of a function of the loss, given by its values of shape (n_values,)."""
        return float((self.probabilities * values).sum())


def require_probability(probability: float) -> None:
    """Check that ``0 <= probability <= 1``.

    Raises
    ------
    InvalidTermsError
        If it is not.
    """
    if not 0.0 <= probability <= 1.0:
        raise InvalidTermsError(f"probability must be between 0 and 1, got {probability}")
