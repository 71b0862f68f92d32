"""Quotes from surfaces in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pricing.contract.cover import Cover
from pricing.contract.observation import Observation
from pricing.contract.signals import observation_of
from pricing.errors import InvalidTermsError
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import premium, require_payment
from pricing.premiums.loadings import ParameterUncertainty
from pricing.premiums.statements import require_coins
from pricing.quotes.known_assets import find_asset
from pricing.quotes.quote import Quote
from pricing.surface.surface import DropSurface
from pricing.tools.fields import require_kind


@dataclass(frozen=True, slots=True)
class Quoter:
    """Issues quotes from surfaces, without any simulation.

    Quotes on surfaces in memory are priced from all paths and reproduce to the last bit. A selling backend quotes from
    a rate store instead: see ``RateQuoter``.

    Parameters
    ----------
    surfaces : mapping of str to DropSurface
        Surface by asset.
    basis : PricingBasis
        Loadings of every quote.

    Examples
    --------
    >>> from pricing import ConstantVolatility, DropTrigger, FullPayout, Normal, PriceModel, Quote, simulate
    >>> from pricing import SimulationSettings
    >>> model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    >>> quoter = Quoter({"OM": simulate(model, settings=SimulationSettings(n_paths=20_000, seed=7))})
    >>> cover = Cover(
    ...     cover_id="C-1", asset="OM", trigger=DropTrigger(drop=0.2), payout=FullPayout(), limit=1e5, currency="USD"
    ... )
    >>> quote = quoter.quote(cover)
    >>> Quote.from_json(quote.to_json()).reproduce() == quote
    True
    """

    surfaces: Mapping[str, DropSurface]
    basis: PricingBasis = field(default_factory=PricingBasis)

    def __post_init__(self) -> None:
        require_kind(self.surfaces, "surfaces", Mapping, InvalidTermsError)
        for surface in self.surfaces.values():
            require_kind(surface, "surfaces", DropSurface, InvalidTermsError)
        require_kind(self.basis, "basis", PricingBasis, InvalidTermsError)

    def quote(self, cover: Cover, *, uncertainty: ParameterUncertainty | None = None) -> Quote:
        """Price a cover for sale.

        Parameters
        ----------
        cover : Cover
            The contract.
        uncertainty : ParameterUncertainty, optional
            As in ``premium``.

        Raises
        ------
        UnknownAssetError
            If there is no surface for the asset.
        UnresolvedError
            If no simulated path triggers a payment, so that there is a bound but no price.
        UninsurableError
            If the premium reaches the limit, or rounds to zero.
        NotSimulatedError, UnmeasurableLossError, NegativeRiskLoadError
            As in ``premium``.
        """
        surface = find_asset(cover, self.surfaces)
        priced = premium(cover, surface, self.basis, uncertainty=uncertainty)
        require_payment(priced, cover.cover_id, surface.settings.n_paths)
        require_coins(priced, limit=cover.limit, name=cover.cover_id)
        return Quote(
            cover=cover,
            premium=priced,
            basis=self.basis,
            model=surface.model,
            settings=surface.settings,
            model_digest=surface.model_digest,
            uncertainty=uncertainty,
            simulated_for=_simulated_for(surface),
        )


def _simulated_for(surface: DropSurface) -> tuple[Observation, ...]:
    if not surface.settings.rare_drops:
        return ()
    return tuple(observation_of(signal, surface.model.step) for signal in surface.signals)
