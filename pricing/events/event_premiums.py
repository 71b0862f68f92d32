"""Premiums of covers of several events: frequency and depth from a surface, payments from aggregate terms.

``event_premium`` counts events on replayed paths, where crashes cluster as in the model.
``poisson_events`` treats them as independent, as ``pricing.events.reinstatements`` requires.
"""

from dataclasses import dataclass, replace

import numpy as np

from pricing.contract.cover import Cover
from pricing.contract.shares import shares_of
from pricing.contract.thresholds import least_drop
from pricing.engine.path_replay import replay
from pricing.errors import InvalidTermsError, UninsurableError, UnresolvedError
from pricing.events.reinstatements import AggregateTerms, PoissonEvents
from pricing.events.rules import Event, EventRules, settle
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import add_up, sample_for, simulated_losses
from pricing.premiums.discounting import discount_factor
from pricing.premiums.premium import Premium
from pricing.surface.by_path import mean_over_paths, worst_drops_by_path
from pricing.surface.estimates import Estimate, WeightedSample
from pricing.surface.surface import DropSurface
from pricing.tools.arrays import FloatArray, LongArray

_PATHS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPremium:
    """Premium of a cover of several events.

    Parameters
    ----------
    total : Premium
        Total premium, line by line, including the part for reinstatements; its limit is the largest payment.
    mean_events : Estimate
        Expected number of events, paid or not.
    expected_charge : float
        Expected reinstatement premium as a multiple of the initial premium.
    initial : float
        Premium due at inception.
    reinstatement : float
        Expected premium for reinstatements.
    """

    total: Premium
    mean_events: Estimate[float]
    expected_charge: float
    initial: float
    reinstatement: float


def event_premium(
    cover: Cover,
    surface: DropSurface,
    basis: PricingBasis | None = None,
    *,
    terms: AggregateTerms,
    rules: EventRules | None = None,
) -> EventPremium:
    """Price a cover of several events on the paths of a surface.

    A path on which the trigger never fires has no event, so only the other paths are replayed.

    Parameters
    ----------
    cover : Cover
        Trigger, payout of one event, term; its limit is that of one event.
    surface : DropSurface
        Worst drops of the covered asset, with the signal of the cover.
    basis : PricingBasis, optional
        Loadings; by default ``PricingBasis()``.
    terms : AggregateTerms
        Terms for all events together; the event limit must be the limit of the cover.
    rules : EventRules, optional
        Definition of an event; by default one close is enough and the next event may begin at once.

    Raises
    ------
    InvalidTermsError
        If the event limit is not the limit of the cover.
    QuoteRefusedError
        As in ``premium``.

    Examples
    --------
    >>> from pricing import ConstantVolatility, DropTrigger, FullPayout, Jumps, Normal, NormalSizes, PriceModel
    >>> from pricing import SimulationSettings, simulate
    >>> crashes = Jumps(per_year=2.0, sizes=NormalSizes(mean=-0.6, stdev=0.1))
    >>> model = PriceModel(volatility=ConstantVolatility(annual=0.8), innovations=Normal(), jumps=(crashes,))
    >>> surface = simulate(model, settings=SimulationSettings(n_paths=5_000, seed=1))
    >>> cover = Cover(
    ...     cover_id="C-1", asset="OM", trigger=DropTrigger(drop=0.3), payout=FullPayout(), limit=1e5, currency="USD"
    ... )
    >>> terms = AggregateTerms(event_limit=1e5, n_reinstatements=1, reinstatement_share=1.0)
    >>> priced = event_premium(cover, surface, terms=terms, rules=EventRules(cool_off="24h"))
    >>> print(f"{priced.initial:,.0f} at inception, {priced.reinstatement:,.0f} expected from reinstatements")
    22,311 at inception, 3,155 expected from reinstatements
    """
    if terms.event_limit != cover.limit:
        raise InvalidTermsError(
            f"event_limit must be the limit of the cover, {cover.limit:g}, got {terms.event_limit:g}"
        )
    basis = (basis or PricingBasis()).over(cover.term)
    events = events_on_surface(cover, surface, rules or EventRules())
    paths, times = _where_and_when(events, cover, surface)
    amounts = cover.limit * shares_of(cover.payout, np.array([event.drop for event in events]))

    def by_path(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(paths, values, minlength=surface.settings.n_paths), dtype=np.float64)

    paid = terms.paid(by_path(amounts))
    limit = (1.0 - terms.coinsurance) * terms.term_limit
    shares = discount_factor(cover.observation, basis.interest_rate) * paid / limit
    weights = surface.weights_of(cover.observation)
    sample = WeightedSample.of_paths(shares, weights)
    fired = mean_over_paths((paid > 0.0).astype(np.float64), weights)
    losses = simulated_losses(sample, sample.drops, fired, basis)
    total = add_up(losses, basis, name=cover.cover_id, limit=limit, term=cover.term)
    charged = mean_over_paths(by_path(_charged(amounts, paths, times, terms)), weights)
    charge = terms.reinstatement_share * charged.value
    initial = total.gross / (1.0 + charge)
    return EventPremium(
        total=total,
        mean_events=mean_over_paths(by_path(np.ones(len(events))), weights),
        expected_charge=charge,
        initial=initial,
        reinstatement=charge * initial,
    )


def events_on_surface(cover: Cover, surface: DropSurface, rules: EventRules) -> list[Event]:
    """Find the events of a cover on all paths of a surface, path by path.

    Raises
    ------
    NotSimulatedError
        If the surface does not contain the signal of the cover.
    """
    fired = np.flatnonzero(worst_drops_by_path(surface, cover.observation) >= least_drop(cover.trigger.drop))
    parts = [fired[first : first + _PATHS_AT_ONCE] for first in range(0, len(fired), _PATHS_AT_ONCE)]
    return [
        replace(event, path=int(part[event.path]))
        for part in parts
        for event in settle(replay(surface, part), cover, rules, step=surface.model.step)
    ]


def _where_and_when(events: list[Event], cover: Cover, surface: DropSurface) -> tuple[LongArray, FloatArray]:
    """Return the path of each event, and its time as a fraction of the term."""
    n_steps = cover.term / surface.model.step
    paths = np.array([event.path for event in events], dtype=np.int64)
    return paths, np.array([event.step for event in events], dtype=np.float64) / n_steps


def _charged(amounts: FloatArray, paths: LongArray, times: FloatArray, terms: AggregateTerms) -> FloatArray:
    """Return the event limits that each event causes to be reinstated and charged; events of a path are consecutive."""
    cumulated = np.cumsum(amounts)
    first = np.searchsorted(paths, paths)
    before = cumulated - amounts
    before -= before[first]
    reinstated = terms.reinstated(before + amounts) - terms.reinstated(before)
    return reinstated * (1.0 - times) if terms.pro_rata_time else reinstated


def poisson_events(cover: Cover, surface: DropSurface, *, n_units: int = 1) -> PoissonEvents:
    """Approximate the events of a cover by a Poisson process whose worst event has the law of the surface.

    If the expected number of events beyond a depth x is ``r(x)``, there is no drop beyond x with probability
    ``exp(-r(x))``, so the surface gives the rate at each depth.

    Parameters
    ----------
    cover : Cover
        Trigger, payout of one event, limit of one event, term.
    surface : DropSurface
        Worst drops of the covered asset, with the signal of the cover.
    n_units : int
        Lattice units of the limit; costs are rounded to them. One is enough for a full payout.

    Raises
    ------
    InvalidTermsError
        If there are no units.
    UninsurableError
        If the trigger fires on every path.
    UnresolvedError
        If it fires on none.

    Examples
    --------
    >>> from pricing import ConstantVolatility, DropTrigger, FullPayout, Normal, PriceModel, simulate
    >>> model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    >>> cover = Cover(
    ...     cover_id="C-1", asset="OM", trigger=DropTrigger(drop=0.2), payout=FullPayout(), limit=1e5, currency="USD"
    ... )
    >>> print(f"{poisson_events(cover, simulate(model)).mean_events:.3f} events per term")
    0.467 events per term
    """
    if isinstance(n_units, bool) or not isinstance(n_units, int) or n_units < 1:
        raise InvalidTermsError(f"n_units must be a whole number of at least 1, got {n_units}")
    sample = sample_for(cover, surface)
    shares = shares_of(cover.payout, sample.tail(cover.trigger.drop))
    cumulated = np.concatenate([[0.0], np.cumsum(sample.weighted(np.ones(len(shares))))]) / sample.n_paths
    # Thresholds: no loss (the trigger alone), half a unit, one and a half units, ...
    floors = np.concatenate([[-np.inf], (np.arange(n_units) + 0.5) / n_units])
    probabilities = cumulated[len(shares) - np.searchsorted(shares[::-1], floors, side="left")]
    if not probabilities[0] < 1.0:
        raise UninsurableError(
            f"cover {cover.cover_id!r}: the trigger fires on every path, so events are endless",
            trigger_probability=float(probabilities[0]),
        )
    if not probabilities[0] > 0.0:
        raise UnresolvedError(
            f"cover {cover.cover_id!r}: the trigger fires on none of {sample.n_paths} paths, so the rate of events is "
            "not known (raise n_paths)",
            trigger_probability=0.0,
        )
    rates = -np.log1p(-probabilities)
    severity = -np.diff(rates, append=0.0) / rates[0]
    return PoissonEvents(mean_events=float(rates[0]), unit=cover.limit / n_units, severity=severity.tolist())
