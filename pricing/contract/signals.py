"""What the simulation has to watch: covers normalised to a few rows of whole steps.

Thousands of covers on one asset need only a handful of signals, because drops and payouts never enter the simulation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from pricing.contract.triggers import Reference, check_reference, check_window
from pricing.errors import InvalidTermsError, NotSimulatedError
from pricing.tools.units import Duration, format_duration, in_steps, parse_duration


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Signal:
    """The worst drop below one reference over one stretch of the path.

    Parameters
    ----------
    reference : Reference
        What the fall is measured from.
    window_steps : int
        How far the reference looks back; 0 for references without a window.
    start_steps : int
        Step at which the observation begins: the waiting period.
    term_steps : int
        Step at which the observation ends.
    """

    reference: Reference
    window_steps: int
    start_steps: int
    term_steps: int


def make_signal(
    *,
    reference: Reference,
    window: Duration | None,
    term: Duration,
    waiting_period: Duration,
    step: timedelta,
) -> Signal:
    """Normalise the terms of a cover to whole steps.

    Raises
    ------
    InvalidTermsError
        If a duration is not a whole number of steps, or the waiting period leaves nothing of the term.
    """
    span = check_window(window, check_reference(reference))
    start_steps = in_steps(parse_duration(waiting_period, "waiting_period"), step, "waiting_period")
    term_steps = in_steps(parse_duration(term, "term"), step, "term")
    if start_steps >= term_steps:
        raise InvalidTermsError(
            f"term must be longer than the waiting period of {format_duration(start_steps * step)}, "
            f"got {format_duration(term_steps * step)}"
        )
    return Signal(
        reference=reference,
        window_steps=in_steps(span, step, "window") if span else 0,
        start_steps=start_steps,
        term_steps=term_steps,
    )


def make_signals(
    *,
    windows: Sequence[Duration],
    terms: Sequence[Duration],
    references: Sequence[Reference],
    waiting_periods: Sequence[Duration],
    step: timedelta,
) -> tuple[Signal, ...]:
    """Normalise every combination of terms, each once and in order.

    Raises
    ------
    InvalidTermsError
        If a sequence is none or empty, or a combination makes no sense.
    """
    for field, values in (("windows", windows), ("terms", terms), ("references", references)):
        if isinstance(values, str | timedelta | Reference) or not values:
            raise InvalidTermsError(
                f"{field} must be a sequence that is not empty, got {values!r} (write ({values!r},))"
            )
    return tuple(
        sorted(
            {
                make_signal(reference=reference, window=window, term=term, waiting_period=waiting_period, step=step)
                for reference, window, term, waiting_period in product(references, windows, terms, waiting_periods)
            }
        )
    )


def describe(signal: Signal, step: timedelta) -> str:
    """Name a signal in words."""
    words = signal.reference.name.lower().replace("_", " ")
    window = f" of {format_duration(signal.window_steps * step)}" if signal.window_steps else ""
    waiting = f" after {format_duration(signal.start_steps * step)}" if signal.start_steps else ""
    return f"{words}{window} over {format_duration(signal.term_steps * step)}{waiting}"


def find_signal(signal: Signal, held: Sequence[Signal], step: timedelta, *, holder: str = "the surface") -> int:
    """Return the place of a signal among those that were simulated.

    Parameters
    ----------
    signal : Signal
        What is wanted.
    held : sequence of Signal
        What there is.
    step : timedelta
        Length of a step.
    holder : str
        What holds them, for the error.

    Raises
    ------
    NotSimulatedError
        If it is not among them.
    """
    if signal not in held:
        contents = "; ".join(describe(each, step) for each in held)
        raise NotSimulatedError(f"{holder} holds no {describe(signal, step)}: simulate it as well; it holds {contents}")
    return held.index(signal)
