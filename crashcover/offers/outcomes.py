"""From a calibration and terms to quotes: the work of the command line and the demo, without display."""

from collections.abc import Sequence

from pricing.contract.cover import Cover
from pricing.contract.observation import Observation
from pricing.engine.simulation import simulate
from pricing.errors import QuoteRefusedError, Refusal
from pricing.models.price_model import PriceModel
from pricing.premiums.basis import PricingBasis
from pricing.quotes.quote import Quote
from pricing.quotes.quoter import Quoter
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import DropSurface
from pricing.tools.progress import Report


def simulate_covers(
    model: PriceModel, covers: Sequence[Cover], settings: SimulationSettings, progress: Report | None = None
) -> DropSurface:
    """Simulate every signal that covers on one asset need."""
    return simulate_products(model, [cover.observation for cover in covers], settings, progress)


def simulate_products(
    model: PriceModel, observations: Sequence[Observation], settings: SimulationSettings, progress: Report | None = None
) -> DropSurface:
    """Simulate every combination of the terms of some observations."""
    return simulate(
        model,
        windows=sorted({each.window or model.step for each in observations}),
        terms=sorted({each.term for each in observations}),
        references=sorted({each.reference for each in observations}),
        waiting_periods=sorted({each.waiting_period for each in observations}),
        settings=settings,
        progress=progress,
    )


def quote_or_refuse(cover: Cover, surface: DropSurface, basis: PricingBasis) -> Quote | Refusal:
    """Quote a cover, or return the reason why it is not sold."""
    try:
        return Quoter({cover.asset: surface}, basis).quote(cover)
    except QuoteRefusedError as error:
        return error.refusal
