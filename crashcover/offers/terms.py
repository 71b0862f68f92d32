"""Terms of a table of covers, as given on the command line."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product

from pricing.contract.cover import Cover
from pricing.contract.payouts import FullPayout, Payout
from pricing.contract.triggers import DropTrigger, Reference
from pricing.tools.units import Duration, format_duration, parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Terms of a table of covers: every combination of drop, window and term.

    Parameters
    ----------
    drops : sequence of float
        Drops that fire the trigger, fractions of the reference price.
    windows : sequence of timedelta or str
        Times over which the reference price looks back.
    terms : sequence of timedelta or str
        Lengths of the covers.
    limit : float
        Largest payment, in `currency`.
    currency : str
        Currency of limits and premiums.
    reference : Reference
        Price from which a drop is measured.
    payout : FullPayout, LinearPayout, TieredPayout or any payout
        Share of the limit that is due.
    waiting_period : timedelta or str
        Time without cover at the start of each term.
    """

    drops: Sequence[float]
    windows: Sequence[Duration] = ("24h",)
    terms: Sequence[Duration] = ("30d",)
    limit: float = 100_000.0
    currency: str = "USD"
    reference: Reference = Reference.ROLLING_HIGH
    payout: Payout = field(default_factory=FullPayout)
    waiting_period: Duration = "0h"

    def covers(self, asset: str) -> tuple[Cover, ...]:
        """Return the covers, each once, in the order of windows, terms and drops.

        Raises
        ------
        InvalidTermsError
            If a term is invalid.
        """
        terms = [parse_duration(term, "term") for term in self.terms]
        covers = [
            self._cover(asset, DropTrigger(drop=drop, window=window, reference=self.reference), term)
            for window, term, drop in product(self.windows, terms, self.drops)
        ]
        return tuple({cover.cover_id: cover for cover in covers}.values())

    def _cover(self, asset: str, trigger: DropTrigger, term: timedelta) -> Cover:
        return Cover(
            cover_id=f"{asset}-{trigger.drop}-{describe_window(trigger)}-{format_duration(term)}",
            asset=asset,
            trigger=trigger,
            payout=self.payout,
            limit=self.limit,
            currency=self.currency,
            term=term,
            waiting_period=self.waiting_period,
        )


def describe_window(trigger: DropTrigger) -> str:
    """Return the window of a trigger as text, or its reference if it has none."""
    return format_duration(trigger.window) if trigger.window else trigger.reference.name.lower().replace("_", "-")
