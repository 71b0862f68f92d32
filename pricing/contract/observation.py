"""Observation of an asset, and time of payment."""

from dataclasses import dataclass, field
from enum import Enum

from pricing.contract.triggers import Reference, check_reference, check_window
from pricing.errors import InvalidTermsError
from pricing.tools.units import (
    DurationField,
    OptionalDurationField,
    default_duration,
    format_duration,
    parse_duration,
    shown,
)


class Payment(Enum):
    """Time at which an amount due is paid; it affects the premium only if payments are discounted."""

    AT_HIT = "at hit"
    """At once: the share due when the trigger fires, and more whenever the worst drop deepens."""
    AT_EXPIRY = "at expiry"
    """At the end of the term."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Observation of an asset: the worst drop below one reference over one period, and the time of payment.

    Covers with the same asset and observation depend on the same worst drops and discount factor.

    Parameters
    ----------
    reference : Reference
        Price from which the drop is measured.
    window : timedelta or str, optional
        Time over which the reference looks back; always None for references without a window.
    term, waiting_period : timedelta or str
        As in the cover.
    payment : Payment
        As in the cover.

    Raises
    ------
    InvalidTermsError
        If a field is invalid, or the waiting period is not shorter than the term.
    """

    reference: Reference = Reference.ROLLING_HIGH
    window: OptionalDurationField = default_duration("24h")
    term: DurationField = default_duration("30d")
    waiting_period: DurationField = default_duration("0h")
    # Members of an enumeration are hashed in Python, which a quote would wait for; equality tells them apart.
    payment: Payment = field(default=Payment.AT_HIT, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", check_window(self.window, check_reference(self.reference)))
        for name in ("term", "waiting_period"):
            object.__setattr__(self, name, parse_duration(getattr(self, name), name))
        if self.waiting_period >= self.term:
            raise InvalidTermsError(
                f"waiting_period must be shorter than the term of {format_duration(self.term)}, "
                f"got {format_duration(self.waiting_period)}"
            )
        if not isinstance(self.payment, Payment):
            raise InvalidTermsError(f"payment must be Payment.AT_HIT or Payment.AT_EXPIRY, got {shown(self.payment)}")
