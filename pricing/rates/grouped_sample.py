"""A weighted sample whose entries stand for one path or for several neighbours."""

import math
from dataclasses import dataclass

import numpy as np

from pricing.contract.thresholds import least_drop
from pricing.surface.estimates import ROUNDING, Estimate, WeightedSample
from pricing.tools.arrays import FloatArray


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GroupedSample(WeightedSample):
    """Worst drops of one signal, deepest first, in which each entry represents a group of paths.

    Estimates from it have the standard errors that the single paths would give, because the sums of their squared
    weights are kept.

    Parameters
    ----------
    drops : ndarray of shape (n_groups,)
        Fractions, in descending order.
    weights : ndarray of shape (n_groups,)
        Sum of the weights of the paths of each group.
    squares : ndarray of shape (n_groups,)
        Sum of their squared weights.
    paths : int
        Number of paths of the whole sample.
    largest_weight : float
        Weight of the heaviest path.
    """

    squares: FloatArray
    paths: int
    largest_weight: float

    @property
    def n_paths(self) -> int:
        """Number of paths."""
        return self.paths

    @property
    def effective_size(self) -> float:
        """Number of unweighted paths with the same error in the mean weight (Kish 1965)."""
        return float(self.weighted(np.ones(len(self.drops))).sum()) ** 2 / float(self.squares.sum())

    def n_beyond(self, drop: float) -> int:
        """Count the groups whose drop is `drop` or more."""
        return len(self.drops) - int(np.searchsorted(self.drops[::-1], least_drop(drop), side="left"))

    def mean(self, values: FloatArray) -> Estimate[float]:
        """Estimate the mean of a payoff between 0 and 1.

        It does not warn if one path carries a large part: the standard error is then equally large, and a premium
        reports this in its flag.

        Parameters
        ----------
        values : ndarray of shape (n_tail,)
            Payoff of the deepest groups; the payoff of all others is zero.
        """
        weighted = self.weighted(values)
        mean = float(weighted.sum()) / self.paths
        return Estimate(mean, self.standard_error(weighted, mean))

    def standard_error(self, weighted: FloatArray, mean: float) -> float:
        """Return the standard error of a mean over all paths, for values that are equal within each group."""
        weights = self.weighted(np.ones(len(weighted)))
        values = np.divide(weighted, weights, out=np.zeros(len(weighted)), where=weights > 0.0)
        squares = float((np.square(values) * self.squares[: len(weighted)]).sum())
        return error_of_mean(squares, mean, self.paths, self.largest_weight)


def error_of_mean(squares: float, mean: float, n_paths: int, largest_weight: float) -> float:
    """Return the standard error of a mean, or that of a single path that differs if all agree.

    Parameters
    ----------
    squares : float
        Sum of the squared weighted values of all paths.
    mean : float
        Mean of the weighted values.
    n_paths : int
        Number of paths.
    largest_weight : float
        Weight of the heaviest path.
    """
    floor = n_paths * mean * mean
    left = squares - floor
    return largest_weight / n_paths if left <= ROUNDING * floor else math.sqrt(left) / n_paths


def errors_of_means(
    squares: FloatArray | float, means: FloatArray, n_paths: float | FloatArray, largest_weight: float | FloatArray
) -> FloatArray:
    """Return the standard errors of a column of means; see ``error_of_mean``."""
    floor = n_paths * means * means
    left = squares - floor
    agree = left <= ROUNDING * floor
    return np.where(agree, largest_weight / n_paths, np.sqrt(np.maximum(left, 0.0)) / n_paths)
