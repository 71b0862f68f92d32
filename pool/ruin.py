"""Ruin over a horizon: capital and income of all periods against their losses, checked after every period."""

import numpy as np

from pool.horizons import Horizons
from pricing.errors import InvalidTermsError
from pricing.surface.estimates import Estimate
from pricing.tools.arrays import FloatArray
from pricing.tools.units import require_fraction


def largest_deficits(net_losses: FloatArray, horizons: Horizons) -> FloatArray:
    """Return the largest excess of cumulated losses over cumulated income at the end of any period of each horizon.

    Parameters
    ----------
    net_losses : ndarray of shape (n_scenarios,)
        Losses less income of one period; income is received before losses are paid.
    horizons : Horizons
        Scenarios of each horizon's periods.

    Returns
    -------
    ndarray of shape (n_horizons,)
        Not negative: the smallest capital that survives.
    """
    cumulated = np.cumsum(net_losses[horizons.scenarios], axis=1)
    return np.asarray(np.maximum(cumulated.max(axis=1), 0.0))


def ruin_probability(net_losses: FloatArray, capital: float, horizons: Horizons) -> Estimate[float]:
    """Estimate the probability that the pool cannot pay within the horizon.

    Parameters
    ----------
    net_losses : ndarray of shape (n_scenarios,)
        Losses less income of one period.
    capital : float
        Capital at the start, not negative.
    horizons : Horizons
        Scenarios of each horizon's periods.

    Raises
    ------
    InvalidTermsError
        If the capital is negative.
    """
    if not capital >= 0.0:
        raise InvalidTermsError(f"capital must not be negative, got {capital}")
    return horizons.probability(largest_deficits(net_losses, horizons) > capital)


def capital_for_ruin(net_losses: FloatArray, probability: float, horizons: Horizons) -> Estimate[float]:
    """Estimate the initial capital at which the probability of ruin has the given value.

    Raises
    ------
    PrecisionError
        If there are too few scenarios for so small a probability.
    """
    require_fraction(probability, "probability")
    return horizons.quantile(largest_deficits(net_losses, horizons), 1.0 - probability)
