"""Estimates and exceedance curves as plain numbers."""

from typing import Any

from pricing.surface.estimates import Estimate, WeightedSample
from pricing.surface.exceedance_curves import GRID, exceedance_band


def plain_estimate(estimate: Estimate[float]) -> dict[str, float]:
    """Write a number with its standard error."""
    return {"value": float(estimate.value), "standard_error": float(estimate.standard_error)}


def plain_curve(sample: WeightedSample) -> dict[str, Any]:
    """Return an exceedance curve and its band as plain values, as far as there are enough paths.

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
