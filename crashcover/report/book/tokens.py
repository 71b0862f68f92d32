"""The tokens of a book, each with the surface that its covers are priced from, from a panel of prices or from rates."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from calibration import Calibration, Market
from calibration.law.crashes import crash_rate
from calibration.law.worst_month import worst_month_law
from calibration.what_if import Inputs
from crashcover.offers.outcomes import simulate_products
from crashcover.offers.windows import require_law
from crashcover.rates.documents import read_inputs
from pool import TokenRisk
from pricing.contract.observation import Observation
from pricing.errors import DataError, PricingError
from pricing.models.price_model import MODEL_CLASSES, PriceModel
from pricing.rates.store import RateStore
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import DropSurface
from pricing.tools import plain
from pricing.tools.progress import Progress

#: Window that links tokens: the dependence is taken from its law.
RANKING_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedToken:
    """One token of a book.

    Parameters
    ----------
    asset : str
        Name of the token.
    surface : DropSurface
        Worst drops for all observations of its covers.
    risk : TokenRisk
        Parameters of the token for the dependence.
    market : Market
        Market that it was calibrated with.
    calibration : mapping
        Its calibration as plain values.
    """

    asset: str
    surface: DropSurface
    risk: TokenRisk
    market: Market = field(repr=False)
    calibration: Mapping[str, Any] = field(repr=False)


def rate_calibrated(
    calibration: Calibration,
    asset: str,
    observations: Sequence[Observation],
    settings: SimulationSettings,
    begin: Progress,
) -> RatedToken:
    """Simulate a token that was calibrated for this report.

    Parameters
    ----------
    calibration : Calibration
        Calibration of the token.
    asset : str
        Name of the token.
    observations : sequence of Observation
        Observations of its worst drops to simulate.
    settings : SimulationSettings
        Size and seed of the simulation.
    begin : callable
        Progress callback.

    Raises
    ------
    InvalidTermsError
        If a window is shorter than those of the laws.
    """
    require_law(each.window for each in observations)
    return RatedToken(
        asset=asset,
        surface=_simulate(calibration.model, asset, observations, settings, begin),
        risk=TokenRisk.of_calibration(calibration, RANKING_WINDOW),
        market=calibration.market,
        calibration=json.loads(calibration.to_json()),
    )


def rate_from_store(
    folder: Path, store: RateStore, asset: str, observations: Sequence[Observation], begin: Progress
) -> RatedToken:
    """Simulate a token again as it was when its rates were published.

    Published surfaces are sorted, and joint losses need paths in their order, so the paths are simulated again from the
    model and the seed.

    Parameters
    ----------
    folder : Path
        The rate store, with its calibrations.
    store : RateStore
        The version in force.
    asset, observations, begin
        As in ``rate_calibrated``.

    Raises
    ------
    DataError
        If the calibration was not stored.
    """
    calibration_id = store.calibration_id(asset)
    inputs = read_inputs(folder, calibration_id)  # raises an error if the document does not match its name
    path = folder / "calibrations" / f"{calibration_id}.json"
    calibration = json.loads(path.read_text(encoding="utf-8"))["calibration"]
    model = plain.from_plain(calibration["model"], MODEL_CLASSES)
    return RatedToken(
        asset=asset,
        surface=_simulate(model, asset, observations, store.surface(asset).settings, begin),
        risk=_risk(inputs),
        market=inputs.market,
        calibration=calibration,
    )


def _risk(inputs: Inputs) -> TokenRisk:
    place = [law.window for law in inputs.market.laws].index(RANKING_WINDOW)
    law = inputs.market.laws[place]
    crashes = crash_rate(law, inputs.state, place, inputs.hazard)
    month = worst_month_law(law, inputs.state, place, inputs.market_state, crashes)
    return TokenRisk(centre=month.centre, crash_rate=crashes.rate)


def _simulate(
    model: PriceModel, asset: str, observations: Sequence[Observation], settings: SimulationSettings, begin: Progress
) -> DropSurface:
    try:
        return simulate_products(model, observations, settings, begin(asset, settings.n_paths))
    except PricingError as error:
        raise type(error)(f"asset {asset!r}: {error}") from error


def require_assets(assets: Sequence[str], known: Sequence[str], source: Path) -> None:
    """Check that every asset of a book is known.

    Raises
    ------
    DataError
        If one is missing; capital for the rest of the book would be too low.
    """
    missing = [asset for asset in assets if asset not in known]
    if missing:
        raise DataError(
            f"{source}: must hold every asset of the book, lacks {', '.join(missing[:6])}"
            f"{', ...' if len(missing) > 6 else ''}"
        )
