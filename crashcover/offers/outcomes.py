"""From a calibration and terms to quotes: the work of the command line and the demo, without display."""

from collections.abc import Sequence

from pricing.contract.cover import Cover
from pricing.engine.simulation import simulate
from pricing.errors import QuoteRefusedError, Refusal
from pricing.models.price_model import PriceModel
from pricing.premiums.basis import PricingBasis
from pricing.premiums.loadings import ParameterUncertainty
from pricing.quotes.quote import Quote
from pricing.quotes.quoter import Quoter
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import DropSurface
from pricing.tools.progress import Report


def simulate_covers(
    model: PriceModel, covers: Sequence[Cover], settings: SimulationSettings, progress: Report | None = None
) -> DropSurface:
    """Simulate every signal that covers on one asset need."""
    return simulate(
        model,
        windows=sorted({cover.trigger.window or model.step for cover in covers}),
        terms=sorted({cover.term for cover in covers}),
        references=sorted({cover.trigger.reference for cover in covers}),
        waiting_periods=sorted({cover.waiting_period for cover in covers}),
        settings=settings,
        progress=progress,
    )


def quote_or_refuse(
    cover: Cover, surface: DropSurface, basis: PricingBasis, *, uncertainty: ParameterUncertainty | None = None
) -> Quote | Refusal:
    """Quote a cover, or return the reason why it is not sold."""
    try:
        return Quoter({cover.asset: surface}, basis).quote(cover, uncertainty=uncertainty)
    except QuoteRefusedError as error:
        return error.refusal
