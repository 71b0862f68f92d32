"""From a calibration and terms to quotes: what the command line and the demo do, without any of their looks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import product

from pricing.cover import Cover
from pricing.errors import PrecisionError, UninsurableError
from pricing.loadings import ParameterUncertainty
from pricing.models import PriceModel
from pricing.payouts import FullPayout, Payout
from pricing.premiums import PricingBasis, sample_for
from pricing.quote import Quote
from pricing.quoter import Quoter
from pricing.settings import SimulationSettings
from pricing.simulation import simulate
from pricing.surface import DropSurface
from pricing.triggers import DropTrigger, Reference
from pricing.units import Duration, format_duration, parse_duration

#: Given the name of a simulation, returns what to call with the number of paths done.
Track = Callable[[str], Callable[[int], None]]


def untracked(_: str) -> Callable[[int], None]:
    """Report progress to nobody."""
    return lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Terms of a table of covers: every combination of drop, window and term.

    Parameters
    ----------
    drops : sequence of float
        Falls that fire, fractions of the reference price.
    windows : sequence of timedelta or str
        How far the reference looks back.
    terms : sequence of timedelta or str
        Lengths of the covers.
    limit : float
        Largest payment, in `currency`.
    currency : str
        Currency of limits and premiums.
    reference : Reference
        What a fall is measured from.
    payout : FullPayout, LinearPayout, TieredPayout or any payout
        How much of the limit is due.
    waiting_period : timedelta or str
        Opening part of each term without cover.
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
        """Write the covers out, each once, in the order of windows, terms and drops.

        Raises
        ------
        InvalidTermsError
            If a term makes no sense.
        """
        covers = [
            self._cover(asset, DropTrigger(drop=drop, window=window, reference=self.reference), term)
            for window, term, drop in product(self.windows, self.terms, self.drops)
        ]
        return tuple({cover.cover_id: cover for cover in covers}.values())

    def _cover(self, asset: str, trigger: DropTrigger, term: Duration) -> Cover:
        return Cover(
            cover_id=f"{asset}-{trigger.drop}-{describe_window(trigger)}-{_text(term)}",
            asset=asset,
            trigger=trigger,
            payout=self.payout,
            limit=self.limit,
            currency=self.currency,
            term=term,
            waiting_period=self.waiting_period,
        )


def describe_window(trigger: DropTrigger) -> str:
    """Write the window of a trigger, or what takes its place."""
    return _text(trigger.window) if trigger.window else trigger.reference.name.lower().replace("_", "-")


def _text(duration: Duration) -> str:
    return format_duration(parse_duration(duration, "duration"))


class Reason(Enum):
    """Why a cover is not sold."""

    UNINSURABLE = "uninsurable"
    """The premium would reach the limit."""
    UNRESOLVED = "unresolved"
    """No simulated path led to a payment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A cover that is not sold.

    Parameters
    ----------
    cover : Cover
        The contract.
    reason : Reason
        Why not.
    trigger_probability : float
        Simulated probability that the trigger fires within the term.
    message : str
        The reason in words.
    """

    cover: Cover
    reason: Reason
    trigger_probability: float
    message: str


def simulate_covers(
    model: PriceModel, covers: Sequence[Cover], settings: SimulationSettings, progress: Callable[[int], None]
) -> DropSurface:
    """Simulate every signal that covers on one asset need."""
    return simulate(
        model,
        windows=sorted({parse_duration(cover.trigger.window or model.step, "window") for cover in covers}),
        terms=sorted({parse_duration(cover.term, "term") for cover in covers}),
        references=sorted({cover.trigger.reference for cover in covers}),
        waiting_periods=sorted({parse_duration(cover.waiting_period, "waiting_period") for cover in covers}),
        settings=settings,
        progress=progress,
    )


def quote_or_refuse(
    cover: Cover, surface: DropSurface, basis: PricingBasis, *, uncertainty: ParameterUncertainty | None = None
) -> Quote | Refusal:
    """Quote a cover, or say why it is not sold."""
    try:
        return Quoter({cover.asset: surface}, basis).quote(cover, uncertainty=uncertainty)
    except UninsurableError as error:
        reason, message = Reason.UNINSURABLE, str(error)
    except PrecisionError as error:
        reason, message = Reason.UNRESOLVED, str(error)
    probability = sample_for(cover, surface).exceedance(cover.trigger.drop).value
    return Refusal(cover=cover, reason=reason, trigger_probability=probability, message=message)
