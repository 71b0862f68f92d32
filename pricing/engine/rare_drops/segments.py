"""A step of a model as the segments of its quantile tables: the elements on which tilts act."""

import math
from dataclasses import dataclass, replace

import numpy as np

from pricing._kernels import N_OCTAVES, N_SEGMENTS
from pricing.engine.kernel_inputs import ModelArrays
from pricing.tools.arrays import FloatArray

MODERATE = 2.0**-12
"""Tail probability up to which the statistic of a heavy law follows its size."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentLaw:
    """A law of innovations or jump sizes, segment by segment.

    Parameters
    ----------
    probabilities : ndarray of shape (n_segments,)
        Probability of each segment.
    sizes : ndarray of shape (n_segments,)
        Log return in the middle of each segment.
    statistic : ndarray of shape (n_segments,)
        Statistic that the exponent of a tilt multiplies.
    rate : float
        Expected number per step; an innovation occurs exactly once.
    """

    probabilities: FloatArray
    sizes: FloatArray
    statistic: FloatArray
    rate: float

    def tilted(self, theta: float) -> FloatArray:
        """Return the probabilities times ``exp(-theta * statistic)``."""
        return np.asarray(self.probabilities * np.exp(-theta * self.statistic))


def innovation_law(arrays: ModelArrays) -> SegmentLaw:
    """Return the law of the innovation of the first step, as a log return."""
    deviation = arrays.deviation if not arrays.law.size else math.sqrt(arrays.initial_variance)
    if arrays.innovations_are_values:
        n_values = len(arrays.innovations)
        return _law(np.full(n_values, 1.0 / n_values), arrays.innovations * deviation, rate=1.0)
    return _law(_segment_probabilities(0.5), _middles(arrays.innovations) * deviation, rate=1.0)


def jump_laws(arrays: ModelArrays) -> tuple[SegmentLaw, ...]:
    """Return the laws of the jumps, one per source."""
    return tuple(
        _law(_segment_probabilities(split), _middles(sizes), rate=1.0 / wait)
        for split, sizes, wait in zip(arrays.splits, arrays.sizes, arrays.mean_waits, strict=False)
    )


def _law(probabilities: FloatArray, sizes: FloatArray, rate: float) -> SegmentLaw:
    """Use the size as the statistic, clipped to moderate quantiles if the tail is heavy."""
    law = SegmentLaw(probabilities=probabilities, sizes=sizes, statistic=sizes, rate=rate)
    if not is_heavy(law):
        return law
    moderate = quantile(law, MODERATE)
    return replace(law, statistic=np.maximum(sizes, moderate))


def is_heavy(law: SegmentLaw) -> bool:
    """Return whether falls grow faster than under an exponential law from one tail probability to a far smaller one."""
    near, far = quantile(law, 2.0**-25), quantile(law, 2.0**-45)
    return bool(far < 2.5 * near < 0.0)


def quantile(law: SegmentLaw, probability: float) -> float:
    """Return the size of the segment that contains a tail probability."""
    order = np.argsort(law.sizes, kind="stable")
    place = int(np.searchsorted(np.cumsum(law.probabilities[order]), probability))
    return float(law.sizes[order[min(place, len(order) - 1)]])


def _segment_probabilities(split: float) -> FloatArray:
    """Return the probability of every segment of a quantile table, lower side first."""
    octaves = np.ldexp(1.0, np.arange(N_OCTAVES) - N_OCTAVES)
    side = np.repeat(octaves / octaves.sum() / N_SEGMENTS, N_SEGMENTS)
    return np.concatenate([split * side, (1.0 - split) * side])


def _middles(table: FloatArray) -> FloatArray:
    """Return the value in the middle of every segment."""
    start, linear, quadratic, cubic = table.reshape(-1, 4).T
    return np.asarray(start + 0.5 * (linear + 0.5 * (quadratic + 0.5 * cubic)))
