"""Exceedance curves of a year: the largest occurrence (OEP) and the sum of all (AEP)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from pool.horizons import Horizons
from pool.losses import PoolLosses
from pricing.errors import InvalidTermsError
from pricing.surface.estimates import Estimate
from pricing.tools.arrays import FloatArray

RETURN_PERIODS = (2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 200.0, 250.0)


class Occurrence(Enum):
    """Definition of one event."""

    PERIOD = "period"
    """All losses of one period: the effect of one month's shock on all tokens."""
    ASSET = "asset"
    """All losses on one asset in one period: the effect of one crash on all its holders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnLevel:
    """Losses that are exceeded once per return period on average.

    Parameters
    ----------
    return_period : float
        Years.
    period_occurrence, asset_occurrence : Estimate
        Largest loss of a year from one period, and from one asset in one period.
    aggregate : Estimate
        Sum of all losses of a year.
    """

    return_period: float
    period_occurrence: Estimate[float]
    asset_occurrence: Estimate[float]
    aggregate: Estimate[float]


def largest_occurrence(losses: PoolLosses, occurrence: Occurrence) -> FloatArray:
    """Return the largest occurrence of each scenario, shape (n_scenarios,)."""
    return losses.total if occurrence is Occurrence.PERIOD else np.asarray(losses.by_asset.max(axis=0))


def occurrence_exceedance(largest: FloatArray, amount: float, years: Horizons) -> Estimate[float]:
    """Estimate the probability that the largest occurrence of a year exceeds an amount.

    Parameters
    ----------
    largest : ndarray of shape (n_scenarios,)
        See ``largest_occurrence``.
    amount : float
        In the currency of the book.
    years : Horizons
        Horizons of one year.
    """
    return years.probability(largest[years.scenarios].max(axis=1) > amount)


def aggregate_exceedance(totals: FloatArray, amount: float, years: Horizons) -> Estimate[float]:
    """Estimate the probability that the losses of a year exceed an amount.

    Parameters
    ----------
    totals : ndarray of shape (n_scenarios,)
        Losses of each scenario.
    amount : float
        In the currency of the book.
    years : Horizons
        Horizons of one year.
    """
    return years.probability(totals[years.scenarios].sum(axis=1) > amount)


def return_levels(
    losses: PoolLosses, years: Horizons, return_periods: Sequence[float] = RETURN_PERIODS
) -> tuple[ReturnLevel, ...]:
    """Estimate occurrence and aggregate losses by return period.

    Parameters
    ----------
    losses : PoolLosses
        Losses of one period.
    years : Horizons
        Horizons of one year.
    return_periods : sequence of float
        Years, above 1.

    Raises
    ------
    PrecisionError
        If there are too few scenarios for a return period.
    """
    if any(not period > 1.0 for period in return_periods):
        raise InvalidTermsError(f"return_periods must be above 1 year, got {tuple(return_periods)}")
    by_period = largest_occurrence(losses, Occurrence.PERIOD)[years.scenarios]
    by_asset = largest_occurrence(losses, Occurrence.ASSET)[years.scenarios]
    worst_period, worst_asset, total = by_period.max(axis=1), by_asset.max(axis=1), by_period.sum(axis=1)
    return tuple(
        ReturnLevel(
            return_period=period,
            period_occurrence=years.quantile(worst_period, 1.0 - 1.0 / period),
            asset_occurrence=years.quantile(worst_asset, 1.0 - 1.0 / period),
            aggregate=years.quantile(total, 1.0 - 1.0 / period),
        )
        for period in return_periods
    )
