"""Covers on one token with all inputs of a report, from data or from a document of quotes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from calibration import Calibration
from crashcover.files.quotes import read_quotes
from crashcover.offers.offers import Offer, make_offers
from crashcover.offers.outcomes import simulate_covers
from crashcover.report.covers.history import plain_history
from crashcover.report.covers.sensitivities import Move, anchored_moves, model_moves
from pricing.contract.cover import Cover
from pricing.contract.observation import Payment
from pricing.contract.payouts import payout_classes
from pricing.contract.triggers import DropTrigger, Reference
from pricing.errors import DataError, PricingError, Reason, Refusal
from pricing.premiums.basis import PricingBasis
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import DropSurface
from pricing.tools import plain
from pricing.tools.progress import Progress, silent

_COVER_CLASSES = (Cover, DropTrigger, Payment, Reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedCovers:
    """Covers on one token and the data they were priced from.

    Parameters
    ----------
    calibration : mapping
        The calibration as plain values.
    market : mapping, optional
        The market; a document of quotes does not contain it.
    surface : DropSurface
        Surface that the covers were priced from.
    simulated : DropSurface, optional
        The same paths before anchoring; None if there are no anchors.
    offers : tuple of Offer
        Quotes and refusals, with drivers if the calibration is available.
    moves : tuple of tuple of Move
        Sensitivities of each premium.
    history : mapping, optional
        Price history as plain values; a document of quotes does not contain it.
    """

    calibration: Mapping[str, Any] = field(repr=False)
    market: Mapping[str, Any] | None
    surface: DropSurface
    simulated: DropSurface | None
    offers: tuple[Offer, ...]
    moves: tuple[tuple[Move, ...], ...]
    history: Mapping[str, Any] | None = field(default=None, repr=False)


def price_covers(
    calibration: Calibration,
    covers: Sequence[Cover],
    *,
    basis: PricingBasis,
    settings: SimulationSettings,
    closes: pd.Series | None = None,
    begin: Progress = silent,
) -> PricedCovers:
    """Price covers and compute the drivers, the sensitivities and the model error of their premiums.

    Parameters
    ----------
    calibration : Calibration
        Source of the model.
    covers : sequence of Cover
        Covers on one asset.
    basis : PricingBasis
        Loadings.
    settings : SimulationSettings
        Size and seed of the simulation.
    closes : Series, optional
        Closes to draw, with the falls that would have fired the trigger of the smallest drop.
    begin : callable, optional
        Progress callback.
    """
    found = make_offers(calibration, covers, basis=basis, settings=settings, with_model_error=True, begin=begin)
    market = calibration.market
    return PricedCovers(
        calibration=json.loads(calibration.to_json()),
        market={
            "as_of": market.as_of.isoformat(),
            "n_tokens": market.n_tokens,
            "first_start": market.first_start.isoformat(),
        },
        surface=found.surface,
        simulated=_before_anchoring(found.surface, covers, begin),
        offers=found.offers,
        moves=tuple(anchored_moves(offer.outcome, calibration) for offer in found.offers),
        history=None if closes is None else _history(closes[closes.index <= calibration.as_of], covers, calibration),
    )


def _history(closes: pd.Series, covers: Sequence[Cover], calibration: Calibration) -> Mapping[str, Any]:
    shallowest = min(covers, key=lambda cover: cover.trigger.drop)
    return plain_history(closes, shallowest, calibration.history.step)


def read_covers(path: Path, begin: Progress = silent) -> PricedCovers:
    """Simulate the quotes of a document again, and check that the premiums are the same.

    Parameters
    ----------
    path : Path
        Output of ``crashcover quote --json``.
    begin : callable, optional
        Progress callback.

    Raises
    ------
    DataError
        If it is not such a document, or every cover in it was refused.
    ReproductionError
        If a premium differs.
    """
    quotes = read_quotes(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document.get("calibration"), dict):
        raise DataError(f"{path}: must hold a calibration (a document of crashcover quote --json, not a single quote)")
    if "record" in document["calibration"]:
        raise DataError(f"{path}: must hold quotes by the laws of the market, got those of a pegged token")
    offers = (*(Offer(cover=quote.cover, outcome=quote) for quote in quotes), *_read_refused(document, path))
    covers = [offer.cover for offer in offers]
    surface = simulate_covers(
        quotes[0].model, covers, quotes[0].settings, begin("full model", quotes[0].settings.n_paths)
    )
    for quote in quotes:
        quote.require_same(surface)
    return PricedCovers(
        calibration=document["calibration"],
        market=None,
        surface=surface,
        simulated=_before_anchoring(surface, covers, begin),
        offers=offers,
        moves=tuple(model_moves(offer.outcome) for offer in offers),
    )


def _before_anchoring(surface: DropSurface, covers: Sequence[Cover], begin: Progress) -> DropSurface | None:
    if not surface.model.anchors:
        return None
    report = begin("before anchoring", surface.settings.n_paths)
    return simulate_covers(replace(surface.model, anchors=()), covers, surface.settings, report)


def _read_refused(document: Mapping[str, Any], path: Path) -> tuple[Offer, ...]:
    try:
        return tuple(
            Offer(
                cover=plain.from_plain(each["cover"], (*_COVER_CLASSES, *payout_classes())),
                outcome=_read_refusal(each),
            )
            for each in document.get("refused", [])
        )
    except (KeyError, TypeError, ValueError, PricingError) as error:
        raise DataError(f"{path}: refused holds an invalid refusal: {error}") from error


def _read_refusal(value: Mapping[str, Any]) -> Refusal:
    return Refusal(
        reason=Reason(value["reason"]), message=value["message"], trigger_probability=value["trigger_probability"]
    )
