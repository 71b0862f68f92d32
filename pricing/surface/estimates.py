"""Estimates with standard errors, and the weighted samples of worst drops from which they are computed."""

import math
import warnings
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from pricing.contract.thresholds import least_drop
from pricing.errors import PrecisionError, PrecisionWarning
from pricing.tools.arrays import FloatArray, IntArray
from pricing.tools.units import require_fraction

FloatOrArray = TypeVar("FloatOrArray", float, FloatArray)

#: Rounding error that a zero variance may leave, relative to the square of the mean.
ROUNDING = 1e-13
#: Number of draws that must lie beyond a quantile.
FEWEST_BEYOND = 10
_LARGEST_PART = 0.25
_MOST_SHARES = 10.0


@dataclass(frozen=True, slots=True)
class Estimate(Generic[FloatOrArray]):
    """A Monte Carlo estimate.

    Parameters
    ----------
    value : float or ndarray
        The estimate.
    standard_error : float or ndarray
        Its standard error, of the same shape.
    """

    value: FloatOrArray
    standard_error: FloatOrArray


@dataclass(frozen=True, slots=True, eq=False)
class WeightedSample:
    """The worst drops of one signal, deepest first.

    Parameters
    ----------
    drops : ndarray of shape (n_paths,)
        Fractions, in descending order.
    weights : ndarray of shape (n_paths,), optional
        Likelihood ratio of each path, with mean 1; None if all are 1.
    """

    drops: FloatArray
    weights: FloatArray | None = None

    @classmethod
    def of_paths(cls, drops: FloatArray, weights: FloatArray | None) -> "WeightedSample":
        """Sort paths by depth."""
        if weights is None:
            return cls(np.sort(drops)[::-1])
        order = _deepest_first(drops)
        return cls(drops[order], weights[order])

    @property
    def n_paths(self) -> int:
        """Number of paths."""
        return len(self.drops)

    @property
    def effective_size(self) -> float:
        """Number of unweighted paths with the same error in the mean weight (Kish 1965)."""
        if self.weights is None:
            return float(self.n_paths)
        return float(self.weights.sum()) ** 2 / float(np.square(self.weights).sum())

    def holds_all_paths(self, n_entries: int) -> bool:
        """Return whether the deepest entries represent all paths."""
        return n_entries == len(self.drops)

    def n_beyond(self, drop: float) -> int:
        """Count the paths whose worst drop is `drop` or more."""
        return self.n_paths - int(np.searchsorted(self.drops[::-1], least_drop(drop), side="left"))

    def tail(self, drop: float) -> FloatArray:
        """Return the worst drops of `drop` or more, deepest first."""
        return self.drops[: self.n_beyond(drop)]

    def weighted(self, values: FloatArray) -> FloatArray:
        """Multiply values of the deepest paths by their weights."""
        return values if self.weights is None else values * self.weights[: len(values)]

    def mean(self, values: FloatArray) -> Estimate[float]:
        """Estimate the mean of a payoff between 0 and 1.

        Parameters
        ----------
        values : ndarray of shape (n_tail,)
            Payoff of the deepest paths; the payoff of all other paths is zero.
        """
        weighted = self.weighted(values)
        mean = float(weighted.sum()) / self.n_paths
        if self.weights is not None and weighted.size:
            self._warn_of_one_path(float(weighted.max()) / self.n_paths, mean, len(weighted))
        return Estimate(mean, self.standard_error(weighted, mean))

    def _warn_of_one_path(self, largest: float, mean: float, n_tail: int) -> None:
        """Warn if one path among many carries a large part of a mean; among a few paths that is normal."""
        if largest > mean * max(_LARGEST_PART, _MOST_SHARES / n_tail):
            warnings.warn(
                f"one of {self.n_paths} paths carries {largest / mean:.0%} of an estimate of {mean:.2g}: raise "
                "n_paths, or request a less rare event",
                PrecisionWarning,
                stacklevel=3,
            )

    def standard_error(self, weighted: FloatArray, mean: float) -> float:
        """Return the standard error of a mean over all paths.

        If all paths agree, the sample variance is zero, which would wrongly claim certainty. The error is then that of
        a single path that differs, as if one path in `n_paths` had been hit.
        """
        n = self.n_paths
        squares = float((np.square(weighted - mean)).sum()) + (n - len(weighted)) * mean * mean
        if squares == 0.0:
            return (1.0 if self.weights is None else float(self.weights.max())) / n
        return math.sqrt(squares / n / n)

    def exceedance(self, drop: float) -> Estimate[float]:
        """Estimate the probability of a worst drop of `drop` or more.

        Likelihood ratios average one only in the long run; an excess of weight belongs to the smallest drops.
        """
        found = self.mean(np.ones(self.n_beyond(drop)))
        return Estimate(min(found.value, 1.0), found.standard_error)

    def quantile(self, probability: float) -> Estimate[float]:
        """Estimate the drop that is not exceeded with a given probability.

        The standard error is half the distance between the drops one standard error of probability to either side
        (Woodruff 1952).

        Raises
        ------
        PrecisionError
            If fewer than ten paths lie beyond the quantile.
        """
        require_fraction(probability, "probability")
        beyond = 1.0 - probability
        if beyond * self.n_paths < FEWEST_BEYOND:
            raise PrecisionError(
                f"probability {probability} leaves {beyond * self.n_paths:.3g} of {self.n_paths} paths beyond the "
                f"quantile, fewer than {FEWEST_BEYOND} (raise n_paths)"
            )
        error = self.exceedance(self._drop_at(beyond)).standard_error
        spread = self._drop_at(max(beyond - error, 0.0)) - self._drop_at(min(beyond + error, 1.0))
        return Estimate(self._drop_at(beyond), 0.5 * spread)

    def _drop_at(self, beyond: float) -> float:
        """Return the deepest drop for which at least a share `beyond` of all weight is at or beyond it."""
        cumulated = np.cumsum(self.weighted(np.ones(self.n_paths)))
        wanted = beyond * self.n_paths * (1.0 - 1e-12)  # 1 - 0.95 is a little more than 0.05
        return float(self.drops[min(int(np.searchsorted(cumulated, wanted)), self.n_paths - 1)])


def _deepest_first(drops: FloatArray) -> IntArray:
    """Order paths by depth, ties in their original order: by a fast sort if there are no ties, else by a stable one."""
    order = np.argsort(-drops)
    ordered = drops[order]
    return order if (ordered[1:] < ordered[:-1]).all() else np.argsort(-drops, kind="stable")
