"""Measures of the tail of a simulated loss, and the scenarios that make it up."""

import numpy as np

from pricing.principles import PremiumPrinciple, TailValueAtRisk, ValueAtRisk
from pricing.surface.estimates import Estimate, WeightedSample
from pricing.tools.arrays import FloatArray

# 1 - 0.995 is a little more than 0.005, and two of 400 scenarios must not count as more.
_ROUNDING = 1e-9


def measure(principle: PremiumPrinciple, losses: FloatArray) -> Estimate[float]:
    """Apply a premium principle or a risk measure to equally likely losses.

    The standard error is that of independent scenarios; stratified scenarios have a smaller one.

    Parameters
    ----------
    principle : PremiumPrinciple
        Such as ``TailValueAtRisk(level=0.995)`` or ``WangTransform(shift=0.45)``.
    losses : ndarray of shape (n_scenarios,)
        In any order.
    """
    sample = WeightedSample.of_paths(losses, None)
    return principle.estimate(sample, sample.drops)


def value_at_risk(losses: FloatArray, level: float) -> Estimate[float]:
    """Estimate the loss that is exceeded with probability at most ``1 - level``.

    Raises
    ------
    PrecisionError
        If fewer than ten scenarios lie beyond it.
    """
    return measure(ValueAtRisk(level=level), losses)


def tail_value_at_risk(losses: FloatArray, level: float) -> Estimate[float]:
    """Estimate the average of the worst share ``1 - level`` of losses.

    Examples
    --------
    >>> tail_value_at_risk(np.array([1.0, 2.0, 3.0, 10.0]), 0.5).value
    6.5
    """
    return measure(TailValueAtRisk(level=level), losses)


def tail_weights(losses: FloatArray, level: float) -> FloatArray:
    """Return the weight of each scenario in the tail value at risk; weights add up to 1.

    Scenarios that tie at the value at risk have equal weights.

    Parameters
    ----------
    losses : ndarray of shape (n_scenarios,)
        In any order.
    level : float
        Confidence such as 0.995.

    Returns
    -------
    ndarray of shape (n_scenarios,)
        Their product with the losses is the tail value at risk, and their product with any part of the losses is the
        contribution of that part (Tasche 1999: the derivative by the size of the part, Euler's allocation).
    """
    TailValueAtRisk(level=level)  # checks the level
    n_tail = (1.0 - level) * len(losses)
    threshold = np.partition(losses, len(losses) - _rank(n_tail))[len(losses) - _rank(n_tail)]
    beyond, tied = losses > threshold, losses == threshold
    n_beyond, n_tied = np.count_nonzero(beyond), np.count_nonzero(tied)
    return np.asarray((beyond + tied * ((n_tail - n_beyond) / n_tied)) / n_tail)


def _rank(n_tail: float) -> int:
    """Return the number of scenarios that fill the tail."""
    return max(int(np.ceil(n_tail * (1.0 - _ROUNDING))), 1)
