"""What is watched of an asset, and when it pays."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from pricing.contract.triggers import Reference, check_reference, check_window
from pricing.tools.units import Duration, parse_duration


class Payment(Enum):
    """When what is due is paid; it matters for the premium only where payments are discounted."""

    AT_HIT = "at hit"
    """At once: the share of the trigger when it fires, and more whenever the worst drop deepens."""
    AT_EXPIRY = "at expiry"
    """At the end of the term."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is watched of an asset: the worst drop below one reference over one stretch of time, and when it pays.

    Parameters
    ----------
    reference : Reference
        What the fall is measured from.
    window : timedelta or str, optional
        How far the reference looks back; None, whatever was given, for references without a window.
    term, waiting_period : timedelta or str
        As in the cover.
    payment : Payment
        As in the cover.
    """

    reference: Reference = Reference.ROLLING_HIGH
    window: Duration | None = timedelta(hours=24)
    term: Duration = timedelta(days=30)
    waiting_period: Duration = timedelta(0)
    payment: Payment = Payment.AT_HIT

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", check_window(self.window, check_reference(self.reference)))
        object.__setattr__(self, "term", parse_duration(self.term, "term"))
        object.__setattr__(self, "waiting_period", parse_duration(self.waiting_period, "waiting_period"))
