"""Signals that the simulation observes: covers normalised to a few rows of whole steps.

Thousands of covers on one asset need only a handful of signals, because drops and payouts never enter the simulation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from pricing.contract.observation import Observation
from pricing.contract.triggers import Reference
from pricing.errors import InvalidTermsError, NotSimulatedError
from pricing.tools.units import Duration, format_duration, in_steps


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Signal:
    """The worst drop below one reference over one part of the path.

    Parameters
    ----------
    reference : Reference
        Price from which the drop is measured.
    window_steps : int
        Steps over which the reference looks back; 0 for references without a window.
    start_steps : int
        Step at which the observation begins: the waiting period.
    term_steps : int
        Step at which the observation ends.
    """

    reference: Reference
    window_steps: int
    start_steps: int
    term_steps: int


def make_signal(observation: Observation, step: timedelta) -> Signal:
    """Convert an observation to whole steps.

    Raises
    ------
    InvalidTermsError
        If a duration is not a whole number of steps.
    """
    return Signal(
        reference=observation.reference,
        window_steps=in_steps(observation.window, step, "window") if observation.window else 0,
        start_steps=in_steps(observation.waiting_period, step, "waiting_period"),
        term_steps=in_steps(observation.term, step, "term"),
    )


def observation_of(signal: Signal, step: timedelta) -> Observation:
    """Return the observation of a signal."""
    return Observation(
        reference=signal.reference,
        window=signal.window_steps * step or None,
        term=signal.term_steps * step,
        waiting_period=signal.start_steps * step,
    )


def combine_observations(
    *,
    windows: Sequence[Duration],
    terms: Sequence[Duration],
    references: Sequence[Reference],
    waiting_periods: Sequence[Duration],
) -> tuple[Observation, ...]:
    """Return every combination of terms of covers, each observation once.

    Raises
    ------
    InvalidTermsError
        If an argument is not a sequence or is empty, or a combination is invalid.
    """
    for field, values in (("windows", windows), ("terms", terms), ("references", references)):
        if isinstance(values, str | timedelta | Reference) or not values:
            raise InvalidTermsError(
                f"{field} must be a sequence that is not empty, got {values!r} (write ({values!r},))"
            )
    return tuple(
        dict.fromkeys(
            Observation(reference=reference, window=window, term=term, waiting_period=waiting_period)
            for reference, window, term, waiting_period in product(references, windows, terms, waiting_periods)
        )
    )


def make_signals(observations: Iterable[Observation], step: timedelta) -> tuple[Signal, ...]:
    """Convert observations to whole steps, each signal once and in order."""
    return tuple(sorted({make_signal(each, step) for each in observations}))


def describe(signal: Signal, step: timedelta) -> str:
    """Name a signal in words."""
    words = signal.reference.name.lower().replace("_", " ")
    window = f" of {format_duration(signal.window_steps * step)}" if signal.window_steps else ""
    waiting = f" after {format_duration(signal.start_steps * step)}" if signal.start_steps else ""
    return f"{words}{window} over {format_duration(signal.term_steps * step)}{waiting}"


def find_signal(
    observation: Observation, held: Sequence[Signal], step: timedelta, *, holder: str = "the surface"
) -> int:
    """Return the index of the signal of an observation among the simulated ones.

    Parameters
    ----------
    observation : Observation
        The wanted signal.
    held : sequence of Signal
        The simulated signals.
    step : timedelta
        Length of a step.
    holder : str
        Name of their holder, for the error message.

    Raises
    ------
    NotSimulatedError
        If it is not among them, for example because a duration is not a whole number of steps.
    """
    try:
        signal = make_signal(observation, step)
    except InvalidTermsError as error:
        raise NotSimulatedError(f"{holder} contains whole steps only: {error}") from error
    if signal not in held:
        contents = "; ".join(describe(each, step) for each in held)
        raise NotSimulatedError(f"{holder} holds no {describe(signal, step)}: simulate it as well; it holds {contents}")
    return held.index(signal)
