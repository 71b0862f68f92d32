"""Simulation, quotes and drivers of covers on one asset."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from calibration import Calibration, PegCalibration
from crashcover.offers.drivers import Drivers, drivers_of, simulate_variants
from crashcover.offers.model_error import ModelError, model_errors
from crashcover.offers.outcomes import quote_or_refuse, simulate_covers
from crashcover.offers.windows import require_law
from pricing.contract.cover import Cover
from pricing.errors import Refusal
from pricing.premiums.basis import PricingBasis
from pricing.quotes.quote import Quote
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import DropSurface
from pricing.tools.progress import Progress, silent

#: A calibration by the laws of the market, or by the record of a class of pegs.
AnyCalibration = Calibration | PegCalibration


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Result for one cover.

    Parameters
    ----------
    cover : Cover
        The contract.
    outcome : Quote or Refusal
        A price, or the reason why there is none.
    drivers : Drivers or None
        Drivers of the expected loss; None if it is zero, or if drivers were not requested.
    model_error : ModelError or None
        How far the expected loss may be off, and named stresses; None if it is unknown or was not requested.
    """

    cover: Cover
    outcome: Quote | Refusal
    drivers: Drivers | None = None
    model_error: ModelError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """Results for all covers on one asset.

    Parameters
    ----------
    calibration : Calibration or PegCalibration
        Source of the model.
    surface : DropSurface
        Surface that the covers were priced from.
    offers : tuple of Offer
        One per cover, in the order of the covers.
    """

    calibration: AnyCalibration
    surface: DropSurface
    offers: tuple[Offer, ...]

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """Quotes of the covers that are sold."""
        return tuple(offer.outcome for offer in self.offers if isinstance(offer.outcome, Quote))


def make_offers(
    calibration: AnyCalibration,
    covers: Sequence[Cover],
    *,
    basis: PricingBasis,
    settings: SimulationSettings,
    with_drivers: bool = True,
    with_model_error: bool = False,
    begin: Progress = silent,
) -> Offers:
    """Simulate a calibrated asset and quote covers on it.

    Parameters
    ----------
    calibration : Calibration or PegCalibration
        Source of the model.
    covers : sequence of Cover
        Covers on this asset.
    basis : PricingBasis
        Loadings.
    settings : SimulationSettings
        Size and seed of the simulation.
    with_drivers : bool
        Whether to compute the drivers of the prices, which takes further simulations; a peg has none.
    with_model_error : bool
        Whether to compute the model error and stresses, which takes about sixteen small simulations; a peg has none.
    begin : callable, optional
        Progress callback.

    Raises
    ------
    InvalidTermsError
        If a duration does not fit the step of the model, a window is shorter than those of the laws, or a drop on a peg
        is smaller than any on record.
    """
    if isinstance(calibration, PegCalibration):
        for cover in covers:
            calibration.record.require_on_record(cover.trigger.drop)
    else:
        require_law(cover.trigger.window for cover in covers)
    surface = simulate_covers(calibration.model, covers, settings, begin("full model", settings.n_paths))
    offers = tuple(Offer(cover=cover, outcome=quote_or_refuse(cover, surface, basis)) for cover in covers)
    if isinstance(calibration, PegCalibration):
        return Offers(calibration=calibration, surface=surface, offers=offers)
    if with_drivers:
        variants = simulate_variants(calibration, surface, covers, begin)
        offers = tuple(replace(offer, drivers=drivers_of(offer.cover, variants)) for offer in offers)
    if with_model_error:
        errors = model_errors(calibration, covers, basis=basis, settings=settings, begin=begin)
        offers = tuple(replace(offer, model_error=each) for offer, each in zip(offers, errors, strict=True))
    return Offers(calibration=calibration, surface=surface, offers=offers)
