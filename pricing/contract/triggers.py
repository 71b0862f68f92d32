"""Triggers: a price far enough below its reference."""

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

from pricing.errors import InvalidTermsError
from pricing.tools.units import (
    Duration,
    OptionalDurationField,
    as_number,
    default_duration,
    parse_duration,
    require_fraction,
    shown,
)


class Reference(IntEnum):
    """The price from which a drop is measured. The four references make four different products."""

    ROLLING_HIGH = 0
    """Highest price of the last window, including both ends."""
    LAGGED = 1
    """Price exactly one window ago."""
    RUNNING_HIGH = 2
    """Highest price since observation began."""
    INCEPTION = 3
    """Price at which observation began."""

    @property
    def has_window(self) -> bool:
        """True if the reference looks back over a window."""
        return self in (Reference.ROLLING_HIGH, Reference.LAGGED)


def check_reference(reference: object) -> Reference:
    """Check that a value is a member of ``Reference``.

    Raises
    ------
    InvalidTermsError
        If it is anything else.
    """
    if not isinstance(reference, Reference):
        names = ", ".join(f"Reference.{member.name}" for member in Reference)
        raise InvalidTermsError(f"reference must be one of {names}, got {shown(reference)}")
    return reference


def check_window(window: Duration | None, reference: Reference) -> timedelta | None:
    """Turn a window into a ``timedelta``, or into None if the reference has none.

    Raises
    ------
    InvalidTermsError
        If a reference that looks back has no window, or a window of zero.
    """
    if not reference.has_window:
        return None
    if window is None:
        raise InvalidTermsError(f"window must be given for {reference.name}, got None (for example '24h')")
    duration = parse_duration(window, "window")
    if duration == timedelta(0):
        raise InvalidTermsError("window must be longer than zero, got 0h")
    return duration


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTrigger:
    """Fires when the price is ``drop`` or more below its reference.

    Parameters
    ----------
    drop : float
        Drop that fires the trigger, a fraction of the reference price between 0 and 1.
    window : timedelta or str, optional
        Time over which the reference looks back; always None for references without a window.
    reference : Reference
        Price from which the drop is measured.

    Raises
    ------
    InvalidTermsError
        If the drop is not a fraction, or a window is missing or zero.

    Examples
    --------
    >>> DropTrigger(drop=0.3)
    DropTrigger(drop=0.3, window=datetime.timedelta(days=1), reference=<Reference.ROLLING_HIGH: 0>)
    """

    drop: float
    window: OptionalDurationField = default_duration("24h")
    reference: Reference = Reference.ROLLING_HIGH

    def __post_init__(self) -> None:
        object.__setattr__(self, "drop", as_number(self.drop, "drop"))
        require_fraction(self.drop, "drop")
        check_reference(self.reference)
        object.__setattr__(self, "window", check_window(self.window, self.reference))
