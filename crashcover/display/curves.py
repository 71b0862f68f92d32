"""Exceedance curves as plain numbers, with the band of their simulation error."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from pricing.surface.estimates import Estimate, WeightedSample
from pricing.tools.arrays import FloatArray

#: Normal quantile of a 95 % band.
BAND = 1.96
#: A probability of fewer paths than this cannot be distinguished from zero with 95 % confidence.
FEWEST_PATHS = 3
#: Drops at which curves are evaluated.
GRID = tuple(percent / 100 for percent in range(1, 100))


def plain_estimate(estimate: Estimate[float]) -> dict[str, float]:
    """Write a number with its standard error."""
    return {"value": float(estimate.value), "standard_error": float(estimate.standard_error)}


def plain_curve(sample: WeightedSample) -> dict[str, Any]:
    """Return an exceedance curve as plain values, as far as there are enough paths.

    The band is even on the logarithmic scale: a probability multiplied and divided by the exponential of 1.96 relative
    standard errors.

    Parameters
    ----------
    sample : WeightedSample
        Worst drops.
    """
    drops, probability, error, lower, upper = exceedance_band(sample, GRID)
    return {
        "drops": drops.tolist(),
        "probabilities": probability.tolist(),
        "standard_errors": error.tolist(),
        "lower": lower.tolist(),
        "upper": upper.tolist(),
    }


def exceedance_band(
    sample: WeightedSample, grid: Iterable[float]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return drops, probabilities, standard errors and both ends of the band, as far as there are enough paths."""
    drops = [drop for drop in grid if sample.n_beyond(drop) >= FEWEST_PATHS]
    estimates = [sample.exceedance(drop) for drop in drops]
    probability = np.array([estimate.value for estimate in estimates])
    error = np.array([estimate.standard_error for estimate in estimates])
    spread = np.exp(BAND * error / probability)
    return np.array(drops), probability, error, probability / spread, np.minimum(probability * spread, 1.0)
