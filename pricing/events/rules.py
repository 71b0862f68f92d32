"""Covers of several events, determined from log prices, because a worst drop is not enough.

Observation begins at the end of the waiting period. The trigger fires when the price has been far enough below its
reference for the number of consecutive closes that confirmation requires. The event then lasts through the cool-off,
pays by the deepest fall since the first of those closes, and a new observation, with new references, begins at its end.
If a recovery clause applies and the price comes back in time, nothing is due and observation begins anew at the
recovery.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from pricing.contract.cover import Cover
from pricing.contract.thresholds import drop_reached, least_log_fall, least_log_recovery
from pricing.contract.triggers import DropTrigger, Reference
from pricing.errors import InvalidTermsError
from pricing.tools.arrays import FloatArray
from pricing.tools.units import Duration, DurationField, default_duration, in_steps, parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRules:
    """Definition of one event.

    Parameters
    ----------
    cool_off : timedelta or str
        Duration of an event after the trigger fires; no other event begins before its end.
    confirmation : int
        Number of consecutive closes at which the trigger must hold; it fires at the last of them.
    recovery : float, optional
        Share of the reference price, between 0 and 1; an event is annulled if the price returns to it in time. By
        default there is no such clause.
    recovery_period : timedelta or str
        Time after the trigger within which the price may recover.

    Raises
    ------
    InvalidTermsError
        If a rule is out of range.

    Examples
    --------
    >>> EventRules(cool_off="72h", confirmation=3, recovery=0.9, recovery_period="12h").cool_off
    datetime.timedelta(days=3)
    """

    cool_off: DurationField = default_duration("0h")
    confirmation: int = 1
    recovery: float | None = None
    recovery_period: DurationField = default_duration("0h")

    def __post_init__(self) -> None:
        for name in ("cool_off", "recovery_period"):
            object.__setattr__(self, name, parse_duration(getattr(self, name), name))
        if isinstance(self.confirmation, bool) or not isinstance(self.confirmation, int) or self.confirmation < 1:
            raise InvalidTermsError(f"confirmation must be a number of closes of at least 1, got {self.confirmation}")
        if self.recovery is not None and not 0.0 < self.recovery <= 1.0:
            raise InvalidTermsError(f"recovery must be above 0 and at most 1, got {self.recovery}")
        if (self.recovery is None) != (self.recovery_period == timedelta(0)):
            raise InvalidTermsError(
                f"recovery and recovery_period must be given together, got {self.recovery} and {self.recovery_period}"
            )


@dataclass(frozen=True, slots=True)
class Event:
    """An event that pays.

    Parameters
    ----------
    path : int
        Column of the log prices.
    step : int
        Step at which the trigger fired.
    drop : float
        Deepest fall of the event, a fraction of its reference price.
    reference : int
        Step of the reference price when the trigger fired.
    """

    path: int
    step: int
    drop: float
    reference: int


def settle(log_prices: FloatArray, cover: Cover, rules: EventRules, *, step: Duration = "1h") -> list[Event]:
    """Find the events of a cover on each path.

    Parameters
    ----------
    log_prices : ndarray of shape (n_steps + 1, n_paths)
        Log prices from the sale on, simulated or recorded. Steps after the term are ignored.
    cover : Cover
        Trigger, term and waiting period.
    rules : EventRules
        What makes an event.
    step : timedelta or str
        Time between two log prices.

    Returns
    -------
    list of Event
        Events by path, in chronological order.

    Raises
    ------
    InvalidTermsError
        If a duration is not a whole number of steps, or the log prices end before the term.

    Examples
    --------
    >>> from pricing import DropTrigger, FullPayout
    >>> cover = Cover(
    ...     cover_id="C-1",
    ...     asset="OM",
    ...     trigger=DropTrigger(drop=0.3),
    ...     payout=FullPayout(),
    ...     limit=1e5,
    ...     currency="USD",
    ...     term="6h",
    ... )
    >>> prices = np.array([100.0, 65.0, 60.0, 95.0, 100.0, 50.0, 55.0])
    >>> [(event.step, round(event.drop, 2)) for event in settle(np.log(prices)[:, None], cover, EventRules())]
    [(1, 0.35), (5, 0.5)]
    >>> [event.step for event in settle(np.log(prices)[:, None], cover, EventRules(confirmation=2))]
    [2, 6]
    """
    clauses = _Clauses.of(cover, rules, parse_duration(step, "step"))
    if log_prices.ndim != 2 or len(log_prices) <= clauses.end:
        raise InvalidTermsError(
            f"log_prices must be of shape (n_steps + 1, n_paths) with at least {clauses.end} steps, "
            f"got {log_prices.shape}"
        )
    observed = log_prices[: clauses.end + 1]
    return [event for path in range(observed.shape[1]) for event in _events_of_path(observed[:, path], path, clauses)]


@dataclass(frozen=True, slots=True)
class WorstFall:
    """Worst drop of one path, by which a cover that knows no events is priced and paid.

    Parameters
    ----------
    drop : float
        Deepest fall, a fraction of its reference price; 0 if there is none.
    fired : int or None
        Step at which the trigger fired, or None.
    reference : int or None
        Step of the reference price when it fired.
    """

    drop: float
    fired: int | None
    reference: int | None


def worst_fall(log_prices: FloatArray, cover: Cover, *, step: Duration = "1h") -> WorstFall:
    """Measure the worst drop of one path, as the engine does.

    Where prices are missing, they make no fall and no reference, so the drop is the least that is certain: a missing
    price could only have raised the reference.

    Parameters
    ----------
    log_prices : ndarray of shape (n_steps + 1,)
        Log prices from the sale on, NaN if missing. Steps after the term are ignored; the path may end before it.
    cover : Cover
        Trigger, term and waiting period.
    step : timedelta or str
        Time between two log prices.

    Raises
    ------
    InvalidTermsError
        If a duration is not a whole number of steps.

    Examples
    --------
    >>> from pricing import DropTrigger, FullPayout
    >>> trigger = DropTrigger(drop=0.3)
    >>> cover = Cover(
    ...     cover_id="C-1", asset="OM", trigger=trigger, payout=FullPayout(), limit=1e5, currency="USD", term="3h"
    ... )
    >>> fall = worst_fall(np.log([90.0, 100.0, 65.0, 60.0]), cover)
    >>> round(fall.drop, 2), fall.fired, fall.reference
    (0.4, 2, 1)
    """
    clauses = _Clauses.of(cover, EventRules(), parse_duration(step, "step"))
    observed = log_prices[clauses.start : clauses.end + 1]
    if not len(observed):
        return WorstFall(0.0, None, None)
    prices = np.where(np.isnan(observed), -np.inf, observed)
    references = _references(prices, clauses)
    known = ~np.isnan(observed) & (references > -np.inf)
    falls = np.full(len(observed), -np.inf)
    falls[known] = references[known] - prices[known]
    drop = float(drop_reached(falls.max(initial=0.0)))
    fired = _first_run(falls >= clauses.log_drop, 1)
    if fired is None:
        return WorstFall(drop, None, None)
    return WorstFall(drop, clauses.start + fired, clauses.start + _place(prices, references[fired], fired, clauses))


def _place(observed: FloatArray, reference: float, fired: int, clauses: "_Clauses") -> int:
    """Return the first step at which the price was the reference of the close at which the trigger fired."""
    first = max(0, fired - clauses.window) if clauses.trigger.reference.has_window else 0
    return first + int((observed[first : fired + 1] == reference).argmax())


@dataclass(frozen=True, slots=True)
class _Clauses:
    """A cover and its rules in whole steps and log prices."""

    trigger: DropTrigger
    log_drop: float
    window: int
    start: int
    end: int
    cool_off: int
    confirmation: int
    log_recovery: float
    recovery_steps: int

    @classmethod
    def of(cls, cover: Cover, rules: EventRules, step: timedelta) -> "_Clauses":
        def steps(duration: timedelta | None, field: str) -> int:
            return in_steps(duration, step, field) if duration else 0

        return cls(
            trigger=cover.trigger,
            log_drop=least_log_fall(cover.trigger.drop),
            window=steps(cover.trigger.window, "window"),
            start=steps(cover.waiting_period, "waiting_period"),
            end=steps(cover.term, "term"),
            cool_off=steps(rules.cool_off, "cool_off"),
            confirmation=rules.confirmation,
            log_recovery=least_log_recovery(rules.recovery) if rules.recovery else math.inf,
            recovery_steps=steps(rules.recovery_period, "recovery_period"),
        )


def _events_of_path(log_prices: FloatArray, path: int, clauses: _Clauses) -> Iterator[Event]:
    begin = clauses.start
    while begin < clauses.end:
        observed = log_prices[begin:]
        references = _references(observed, clauses)
        falls = references - observed
        fired = _first_run(falls >= clauses.log_drop, clauses.confirmation)
        if fired is None:
            return
        recovered = _recovery(observed, references[fired], fired, clauses)
        if recovered is not None:
            begin += recovered
            continue
        last = fired + clauses.cool_off
        deepest = falls[fired - clauses.confirmation + 1 : last + 1].max()
        reference = begin + _place(observed, references[fired], fired, clauses)
        yield Event(path, begin + fired, float(drop_reached(deepest)), reference)
        begin += last


def _references(observed: FloatArray, clauses: _Clauses) -> FloatArray:
    """Return the log reference price of each step since the observation began; -inf if there is none."""
    if clauses.trigger.reference is Reference.INCEPTION:
        return np.full(len(observed), observed[0])
    if clauses.trigger.reference is Reference.RUNNING_HIGH:
        return np.maximum.accumulate(observed)
    before = np.concatenate([np.full(clauses.window, -np.inf), observed])
    if clauses.trigger.reference is Reference.LAGGED:
        return before[: len(observed)]
    return np.asarray(np.lib.stride_tricks.sliding_window_view(before, clauses.window + 1).max(axis=1))


def _first_run(holds: npt.NDArray[np.bool_], length: int) -> int | None:
    """Return the index at which a run of `length` trues is first complete."""
    if length > len(holds):
        return None
    counted = np.cumsum(holds)
    complete = counted - np.concatenate([np.zeros(length), counted[:-length]]) >= length
    return int(complete.argmax()) if complete.any() else None


def _recovery(observed: FloatArray, reference: float, fired: int, clauses: _Clauses) -> int | None:
    """Return the step at which the price recovers in time, or None."""
    period = observed[fired + 1 : fired + 1 + clauses.recovery_steps]
    back = period >= reference + clauses.log_recovery
    return fired + 1 + int(back.argmax()) if back.any() else None
