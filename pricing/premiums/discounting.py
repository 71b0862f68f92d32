"""Value of a payment at the sale of a cover: discounted from the expiry, or from a hit at an unknown time.

A surface has the worst drop by the end of each of its terms, but not its time. So the value of a payment at the hit is
between its values at the beginning and at the end of the interval that contains it. A premium has
one interval, the term after the waiting period; a surface with more terms has more intervals.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pricing.contract.cover import Cover
from pricing.contract.observation import Observation, Payment
from pricing.errors import InvalidTermsError
from pricing.surface.by_path import mean_over_paths, shares_by_path
from pricing.surface.surface import DropSurface
from pricing.tools.units import YEAR, Duration, parse_duration


def discount_factor(observation: Observation, rate: float) -> float:
    """Return the value at sale of one unit paid by a cover.

    The time of a payment at the hit is assumed to be uniform between the end of the waiting period and
    the end of the term. The error is at most half of the discount over that time;
    ``value_at_hit`` reduces it.

    Parameters
    ----------
    observation : Observation
        Observation of the cover, and time of payment.
    rate : float
        Continuous riskless rate per year, not negative.
    """
    end = observation.term / YEAR
    if observation.payment is Payment.AT_EXPIRY:
        return math.exp(-rate * end)
    return _mean_factor(observation.waiting_period / YEAR, end, rate)


def _mean_factor(start: float, end: float, rate: float) -> float:
    """Return the mean discount factor over an interval of time in years."""
    span = rate * (end - start)
    return math.exp(-rate * start) * (-math.expm1(-span) / span if span else 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueAtHit:
    """Expected payments at the hit, discounted, as a share of the limit.

    Parameters
    ----------
    value : float
        Value if hits are uniform in time between two terms.
    standard_error : float
        Monte Carlo standard error of the value.
    lower, upper : float
        Values if all hits are at the end, or at the beginning, of their intervals; they hold for any times of the hits.
    """

    value: float
    standard_error: float
    lower: float
    upper: float


def value_at_hit(cover: Cover, surface: DropSurface, *, terms: Sequence[Duration], rate: float) -> ValueAtHit:
    """Discount payments at the hit, with hits located by several terms.

    Parameters
    ----------
    cover : Cover
        The contract; its time of payment is ignored here.
    surface : DropSurface
        Worst drops, simulated for each of the terms.
    terms : sequence of timedelta or str
        Terms in increasing order, longer than the waiting period; the last is the term of the cover.
    rate : float
        Continuous riskless rate per year, not negative.

    Raises
    ------
    InvalidTermsError
        If the terms do not increase to that of the cover, or the rate is negative.
    NotSimulatedError
        If the surface does not contain one of them.

    Examples
    --------
    >>> from pricing import ConstantVolatility, DropTrigger, FullPayout, Normal, PriceModel, simulate
    >>> model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    >>> surface = simulate(model, terms=("10d", "20d", "30d"))
    >>> cover = Cover(
    ...     cover_id="C-1", asset="OM", trigger=DropTrigger(drop=0.2), payout=FullPayout(), limit=1e5, currency="USD"
    ... )
    >>> paid = value_at_hit(cover, surface, terms=("10d", "20d", "30d"), rate=0.05)
    >>> print(f"{paid.value:.4f} +- {paid.standard_error:.4f}, from {paid.lower:.4f} to {paid.upper:.4f}")
    0.3726 +- 0.0015, from 0.3723 to 0.3728
    """
    lengths = [cover.waiting_period, *(parse_duration(term, "terms") for term in terms)]
    times = [length / YEAR for length in lengths]
    if not (np.diff(times) > 0.0).all() or lengths[-1] != cover.term:
        raise InvalidTermsError(f"terms must increase from the waiting period to the term of the cover, got {terms}")
    if not 0.0 <= rate < math.inf:
        raise InvalidTermsError(f"rate must be finite and not negative, got {rate}")
    at_end = [math.exp(-rate * time) for time in times]
    inside = [_mean_factor(start, end, rate) for start, end in pairwise(times)]
    paid_by_term = np.array([shares_by_path(replace(cover, term=term), surface) for term in terms])
    newly_paid = np.diff(paid_by_term, axis=0, prepend=0.0)
    value, lower, upper = (
        mean_over_paths(factors @ newly_paid, surface.weights_of(cover.observation))
        for factors in (np.array(inside), np.array(at_end[1:]), np.array(at_end[:-1]))
    )
    return ValueAtHit(value=value.value, standard_error=value.standard_error, lower=lower.value, upper=upper.value)
