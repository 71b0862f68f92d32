"""Covers of several events in one term: limits per event and term, a deductible, and reinstatements.

Events come as a Poisson process and each costs a whole number of lattice units, independently. Everything is then a
finite sum over the law of the aggregate loss, which Panjer's recursion gives exactly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pricing.errors import InvalidTermsError
from pricing.principles import LossDistribution
from pricing.tools.arrays import FloatArray

_MOST_EVENTS = 500.0
_ROUNDING = 1e-9
# As a function of time, the law of the aggregate is a polynomial times an exponential; this many points integrate it up
# to rounding.
_NODES = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonEvents:
    """Number of events in one term, and the ground-up cost of each.

    Parameters
    ----------
    mean_events : float
        Expected number of events within the term, above 0 and at most 500.
    unit : float
        Size of one lattice unit, in money.
    severity : sequence of float
        Probabilities that an event costs 0, 1, 2, ... units; they add up to 1. A binary event always costs one unit.

    Raises
    ------
    InvalidTermsError
        If a number is outside its domain.

    Examples
    --------
    >>> PoissonEvents(mean_events=0.2, unit=100_000.0).mean_loss
    20000.0
    """

    mean_events: float
    unit: float = 1.0
    severity: Sequence[float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        severity = tuple(float(share) for share in self.severity)
        if not 0.0 < self.mean_events <= _MOST_EVENTS:
            raise InvalidTermsError(f"mean_events must be above 0 and at most {_MOST_EVENTS:g}, got {self.mean_events}")
        if not 0.0 < self.unit < math.inf:
            raise InvalidTermsError(f"unit must be positive and finite, got {self.unit}")
        if not severity or not min(severity) >= 0.0 or not abs(math.fsum(severity) - 1.0) <= _ROUNDING:
            raise InvalidTermsError(f"severity must be probabilities that add up to 1, got {severity}")
        object.__setattr__(self, "severity", severity)

    @property
    def mean_loss(self) -> float:
        """Expected aggregate ground-up loss."""
        return self.mean_events * self.unit * float(np.arange(len(self.severity)) @ np.array(self.severity))


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateTerms:
    """Terms of payment of a cover of several events.

    They apply in the usual order: the event limit, then the deductible on the sum, then the aggregate limit, then the
    share that the insured keeps.

    Parameters
    ----------
    event_limit : float
        Largest amount that counts for one event, in money.
    n_reinstatements : int
        Number of reinstatements of the event limit.
    reinstatement_share : float
        Price of a full reinstatement as a share of the initial premium, pro rata as to amount: 0 is free, 1 is 100 %.
    pro_rata_time : bool
        Charge a reinstatement only for the part of the term that remains.
    deductible : float
        Aggregate amount that the insured bears first, in money.
    coinsurance : float
        Share of the rest that the insured keeps, at least 0 and below 1.
    aggregate_limit : float, optional
        Largest amount for the term, in money, between one event limit and the total of the original and all reinstated
        limits; by default that total.

    Raises
    ------
    InvalidTermsError
        If a term is outside its domain.
    """

    event_limit: float
    n_reinstatements: int = 0
    reinstatement_share: float = 0.0
    pro_rata_time: bool = False
    deductible: float = 0.0
    coinsurance: float = 0.0
    aggregate_limit: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.event_limit < math.inf:
            raise InvalidTermsError(f"event_limit must be positive and finite, got {self.event_limit}")
        n_reinstatements = self.n_reinstatements
        if isinstance(n_reinstatements, bool) or not isinstance(n_reinstatements, int) or n_reinstatements < 0:
            raise InvalidTermsError(f"n_reinstatements must be a whole number and not negative, got {n_reinstatements}")
        for name in ("reinstatement_share", "deductible"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise InvalidTermsError(f"{name} must be finite and not negative, got {getattr(self, name)}")
        if not 0.0 <= self.coinsurance < 1.0:
            slip = " (a fraction: 10 % is 0.10)" if self.coinsurance >= 1.0 else ""
            raise InvalidTermsError(f"coinsurance must be at least 0 and below 1, got {self.coinsurance}{slip}")

        if self.aggregate_limit is not None and not self.event_limit <= self.aggregate_limit <= self._reinstatable:
            raise InvalidTermsError(
                f"aggregate_limit must be between the event limit {self.event_limit:g} and {self._reinstatable:g}, "
                f"the total with its reinstatements, got {self.aggregate_limit}"
            )

    @property
    def term_limit(self) -> float:
        """Largest amount for the term, before coinsurance."""
        return self._reinstatable if self.aggregate_limit is None else self.aggregate_limit

    @property
    def _reinstatable(self) -> float:
        return (self.n_reinstatements + 1) * self.event_limit

    def paid(self, aggregate: FloatArray) -> FloatArray:
        """Return the insurer's payment for aggregate event losses that are already limited per event."""
        return (1.0 - self.coinsurance) * np.clip(aggregate - self.deductible, 0.0, self.term_limit)

    def reinstated(self, aggregate: FloatArray) -> FloatArray:
        """Return the number of event limits that aggregate event losses reinstate."""
        used = np.clip(aggregate - self.deductible, 0.0, self.term_limit - self.event_limit)
        return np.asarray(used / self.event_limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReinstatementPremium:
    """Premium of a cover with reinstatements, in money.

    Parameters
    ----------
    expected_loss : float
        Expected payment.
    expected_reinstatements : float
        Expected number of event limits reinstated.
    expected_charge : float
        Expected reinstatement premium as a multiple of the initial premium.
    initial : float
        Premium due at inception.
    reinstatement : float
        Expected premium for reinstatements; together with the initial premium it is the total.
    """

    expected_loss: float
    expected_reinstatements: float
    expected_charge: float
    initial: float
    reinstatement: float


def reinstatement_premium(
    events: PoissonEvents, terms: AggregateTerms, *, total: float | None = None
) -> ReinstatementPremium:
    """Split a total premium into the premium due at inception and the expected premium for reinstatements.

    Parameters
    ----------
    events : PoissonEvents
        Frequency and size of events.
    terms : AggregateTerms
        Terms of payment.
    total : float, optional
        Expected total premium in money, including any loadings; by default the expected loss.

    References
    ----------
    Sundt, On excess of loss reinsurance with reinstatements, Bull. Swiss Ass. Act. 91 (1991).

    Examples
    --------
    >>> events = PoissonEvents(mean_events=0.2, unit=100_000.0)
    >>> terms = AggregateTerms(event_limit=100_000.0, n_reinstatements=1, reinstatement_share=1.0)
    >>> premium = reinstatement_premium(events, terms)
    >>> round(premium.initial, 2), round(premium.reinstatement, 2)
    (16828.71, 3050.53)
    """
    expected_loss = aggregate_loss(events, terms).mean
    aggregate, probabilities = _aggregate_law(events, terms.event_limit)
    reinstated = float(probabilities @ terms.reinstated(aggregate))
    charged = _reinstated_over_time(events, terms) if terms.pro_rata_time else reinstated
    charge = terms.reinstatement_share * charged
    initial = (expected_loss if total is None else total) / (1.0 + charge)
    return ReinstatementPremium(
        expected_loss=expected_loss,
        expected_reinstatements=reinstated,
        expected_charge=charge,
        initial=initial,
        reinstatement=charge * initial,
    )


def aggregate_loss(events: PoissonEvents, terms: AggregateTerms) -> LossDistribution:
    """Return the law of the payments within the term, in money; any premium principle can price it."""
    aggregate, probabilities = _aggregate_law(events, terms.event_limit)
    return LossDistribution.discrete(terms.paid(aggregate), probabilities)


def _reinstated_over_time(events: PoissonEvents, terms: AggregateTerms) -> float:
    """Return the expected number of reinstated limits, each weighted by the remaining part of the term.

    A limit reinstated at time t counts for 1 - t, so the sum is the integral over the term of the limits reinstated so
    far; up to time t, the events are Poisson with t times the mean.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    total = 0.0
    for node, weight in zip(0.5 * (nodes + 1.0), 0.5 * weights, strict=True):
        so_far = PoissonEvents(mean_events=node * events.mean_events, unit=events.unit, severity=events.severity)
        aggregate, probabilities = _aggregate_law(so_far, terms.event_limit)
        total += float(weight * (probabilities @ terms.reinstated(aggregate)))
    return total


def _aggregate_law(events: PoissonEvents, event_limit: float) -> tuple[FloatArray, FloatArray]:
    """Return the amounts and probabilities of the sum of all limited event losses, by Panjer's recursion (1981)."""
    severity = _limited_severity(events, event_limit)
    most_events = math.ceil(events.mean_events + 12.0 * math.sqrt(events.mean_events) + 25.0)
    probabilities = np.zeros(most_events * (len(severity) - 1) + 1)
    probabilities[0] = math.exp(-events.mean_events * (1.0 - severity[0]))
    moments = events.mean_events * np.arange(1, len(severity)) * severity[1:]
    for total in range(1, len(probabilities)):
        reach = min(total, len(moments))
        earlier = probabilities[total - reach : total][::-1]
        probabilities[total] = moments[:reach] @ earlier / total
    return np.asarray(events.unit * np.arange(len(probabilities)), dtype=np.float64), probabilities


def _limited_severity(events: PoissonEvents, event_limit: float) -> FloatArray:
    """Return the probabilities of the cost of one event in units, after the event limit.

    Raises
    ------
    InvalidTermsError
        If the limit is between two lattice points.
    """
    severity = np.array(events.severity)
    limit = event_limit / events.unit
    if limit >= len(severity) - 1:
        return severity
    whole = round(limit)
    if abs(limit - whole) > _ROUNDING * limit:
        raise InvalidTermsError(
            f"event_limit must be a whole number of units of {events.unit:g} or above every loss, got {event_limit:g}"
        )
    return np.append(severity[:whole], severity[whole:].sum())
