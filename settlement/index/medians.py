"""Weighted medians of many rows at once."""

import numpy as np

from pricing.tools.arrays import BoolArray, FloatArray

#: Rounding of a sum of weights, as a share of it: sums closer than this to half of the weight are half of it.
_ROUNDING = 1e-12


def weighted_median(values: FloatArray, weights: FloatArray, counts: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return the weighted median and the confidence of each row.

    The median is the value at which the cumulated weight passes half of the whole; if it is exactly half at a value,
    the median is the mean of this value and the next. The quartiles are the values at which it passes a quarter from
    below and from above. The confidence is the larger distance from the median to a quartile.

    Parameters
    ----------
    values, weights : ndarray of shape (n_rows, n_sources)
        Values, and weights of at least 0.
    counts : ndarray of bool
        Which values count, in the same shape.

    Returns
    -------
    median, confidence : ndarray of shape (n_rows,)
        NaN in rows without weight.
    """
    weights = np.where(counts, weights, 0.0)
    whole = weights.sum(axis=1)
    known = whole > 0.0
    values = np.where(weights > 0.0, values, np.inf)  # behind all values that have a weight
    order = np.argsort(values, axis=1, kind="stable")
    values = np.take_along_axis(values, order, axis=1)
    below = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    shares = below / np.where(known, whole, 1.0)[:, None]

    def passing(share: float, rounding: float) -> FloatArray:
        place = np.minimum((shares <= share + rounding).sum(axis=1), values.shape[1] - 1)
        return np.asarray(values[np.arange(len(values)), place], dtype=np.float64)

    # If the cumulated weight is nowhere half, both are the same value.
    low, high = passing(0.5, -2.0 * _ROUNDING), passing(0.5, _ROUNDING)
    with np.errstate(invalid="ignore"):  # rows without weight hold infinities only
        median = np.where(known, np.where(low == high, low, 0.5 * low + 0.5 * high), np.nan)
        lower, upper = passing(0.25, _ROUNDING), passing(0.75, -2.0 * _ROUNDING)
        confidence = np.maximum(median - lower, upper - median)
    return median, confidence
