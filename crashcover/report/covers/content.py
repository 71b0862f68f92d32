"""Content of a report on covers of one token, as plain values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from math import isfinite
from typing import Any

from calibration import explain
from calibration.verdict import Verdict
from crashcover.display.curves import plain_curve, plain_estimate
from crashcover.files.quotes import plain_model_error, plain_refused
from crashcover.offers.drivers import is_resolved
from crashcover.offers.offers import Offer
from crashcover.offers.terms import describe_window
from crashcover.report.covers.pricing import PricedCovers
from crashcover.report.covers.sensitivities import Move
from crashcover.sample_market import is_synthetic
from pricing.contract.cover import Cover
from pricing.contract.payouts import is_piecewise
from pricing.contract.sentences import describe_cover
from pricing.contract.triggers import Reference
from pricing.premiums.build_up import payment_deviation, payment_layers, sample_for
from pricing.premiums.statements import rounded
from pricing.quotes.quote import Quote
from pricing.surface.estimates import Estimate
from pricing.surface.exceedance_curves import FEWEST_PATHS
from pricing.surface.surface import DropSurface
from pricing.tools.units import format_duration
from pricing.version import ENGINE_VERSION

FORMAT = "crashcover report 4"

Values = dict[str, Any]

_UNKNOWN = {"value": None, "standard_error": None}


def cover_content(priced: PricedCovers) -> Values:
    """Return everything that the page of a report on covers shows.

    Calibration, quotes and refusals have the same form as in a document of ``crashcover quote --json``, so that
    ``crashcover reproduce`` can read it.

    Parameters
    ----------
    priced : PricedCovers
        Covers, and the data they were priced from.
    """
    outcomes = [offer.outcome for offer in priced.offers]
    asset = priced.offers[0].cover.asset
    surface = priced.surface
    return {
        "format": FORMAT,
        "kind": "covers",
        "asset": asset,
        "synthetic": is_synthetic(asset),
        "engine_version": ENGINE_VERSION,
        "calibration": priced.calibration,
        "market": priced.market,
        "verdict": verdict_reasons(priced.calibration["verdict"]),
        "simulation": _simulation(surface),
        "grid": _grid([offer.cover for offer in priced.offers]),
        "history": priced.history,
        "quotes": [json.loads(each.to_json()) for each in outcomes if isinstance(each, Quote)],
        "refused": plain_refused(priced.offers),
        "covers": [
            _cover(offer, moves, surface, priced.simulated)
            for offer, moves in zip(priced.offers, priced.moves, strict=True)
        ],
    }


def _grid(covers: Sequence[Cover]) -> list[Values]:
    """Arrange the covers of each window by drop and term; a cell is the place of its cover, or None."""
    places = {(describe_window(cover.trigger), cover.term, cover.trigger.drop): at for at, cover in enumerate(covers)}
    terms, drops = sorted({cover.term for cover in covers}), sorted({cover.trigger.drop for cover in covers})
    return [
        {
            "window": window,
            "terms": [format_duration(term) for term in terms],
            "rows": [{"drop": drop, "places": [places.get((window, term, drop)) for term in terms]} for drop in drops],
        }
        for window in dict.fromkeys(describe_window(cover.trigger) for cover in covers)
    ]


def verdict_reasons(names: list[str]) -> list[dict[str, str]]:
    """Explain the flags of a verdict."""
    return [{"flag": name, "reason": explain(Verdict[name])[0]} for name in names]


def _simulation(surface: DropSurface) -> Values:
    anchoring = surface.anchoring
    settings = surface.settings
    return {
        "n_paths": settings.n_paths,
        "seed": settings.seed,
        "rare_drops": settings.rare_drops,
        "step": format_duration(surface.model.step),
        "model_digest": surface.model_digest,
        "fewest_paths": FEWEST_PATHS,
        "anchoring": anchoring and {field.name: getattr(anchoring, field.name) for field in fields(anchoring)},
    }


def _cover(offer: Offer, moves: tuple[Move, ...], surface: DropSurface, simulated: DropSurface | None) -> Values:
    outcome = offer.outcome
    cover = offer.cover
    return {
        "cover_id": cover.cover_id,
        "currency": cover.currency,
        "limit": cover.limit,
        "drop": cover.trigger.drop,
        "terms": describe_cover(cover, surface.model.step),
        "points": _points(cover),
        "quoted": isinstance(outcome, Quote),
        "rate_on_line": outcome.premium.rate_on_line if isinstance(outcome, Quote) else None,
        "refusal": None if isinstance(outcome, Quote) else outcome.reason.value,
        "statement": _statement(outcome) if isinstance(outcome, Quote) else None,
        "expected_payments": _expected_payments(outcome) if isinstance(outcome, Quote) else None,
        "payment_deviation": _payment_deviation(outcome, surface) if isinstance(outcome, Quote) else None,
        "payment_layers": _payment_layers(outcome, surface) if isinstance(outcome, Quote) else None,
        "trigger_probability": plain_estimate(sample_for(cover, surface).exceedance(cover.trigger.drop)),
        "curve": plain_curve(sample_for(cover, surface)),
        "simulated_curve": plain_curve(sample_for(cover, simulated)) if simulated else None,
        "anchors": _anchors(cover, surface),
        "drivers": offer.drivers and _plain_drivers(offer.drivers.shares),
        "effects": offer.drivers and _plain_drivers(offer.drivers.factors),
        "model_error": offer.model_error and plain_model_error(offer.model_error),
        "moves": [
            {
                "name": move.name,
                "expected_loss": plain_estimate(move.expected_loss),
                "gross": plain_estimate(move.gross),
            }
            for move in moves
        ],
    }


def _points(cover: Cover) -> list[Values]:
    """Return the drops at which payments begin or change, as marks for the curve."""
    nodes = cover.payout.nodes() if is_piecewise(cover.payout) else ()
    points = {drop: _name_node(below, share) for drop, below, share, _ in nodes} | {cover.trigger.drop: "trigger"}
    return [{"drop": drop, "name": name} for drop, name in sorted(points.items()) if 0.0 < drop < 1.0]


def _name_node(below: float, share: float) -> str:
    if below == share in (0.0, 1.0):
        return "whole limit" if share else "attachment"
    return f"{share:.0%} of the limit"


def _statement(quote: Quote) -> Values:
    """Return the premium to the cent, as texts: they add up, and JSON has no decimals."""
    written = quote.statement
    return {
        "lines": [
            {"name": name, "meaning": line.meaning, "amount": str(written.lines[name])}
            for name, line in quote.basis.lines.items()
        ],
        "gross": str(written.gross),
        "tax": str(written.tax),
        "total": str(written.total),
        "standard_error": str(rounded(quote.premium.standard_error)),
    }


def _expected_payments(quote: Quote) -> Values:
    """Return the mean of discounted payments, and its share of the limit if the trigger fires."""
    priced = quote.premium
    mean = (priced.expected_loss + priced.parameter_load) / (1.0 + quote.basis.parameter_load)
    fired = priced.trigger_probability * quote.cover.limit
    return {
        "value": mean,
        "standard_error": priced.expected_loss_standard_error,
        "share_if_fired": mean / fired if fired else 0.0,
    }


def _payment_deviation(quote: Quote, surface: DropSurface) -> float:
    return payment_deviation(quote.cover, sample_for(quote.cover, surface), quote.basis)


def _payment_layers(quote: Quote, surface: DropSurface) -> list[list[float]]:
    layers = payment_layers(quote.cover, sample_for(quote.cover, surface), quote.basis)
    return [[float(width), float(chance)] for width, chance in layers]


def _plain_drivers(drivers: Mapping[str, Estimate[float]]) -> list[Values]:
    """Return shares or factors as plain values; one that is unknown has none."""
    return [
        {"name": name, **(plain_estimate(each) if isfinite(each.value) else _UNKNOWN), "resolved": is_resolved(each)}
        for name, each in drivers.items()
    ]


def _anchors(cover: Cover, surface: DropSurface) -> Mapping[str, Any] | None:
    """Return the anchor of the observation of a cover, if there is one."""
    if cover.trigger.reference is not Reference.ROLLING_HIGH or cover.waiting_period != timedelta(0):
        return None
    for anchor in surface.model.anchors:
        if (anchor.window, anchor.term) == (cover.trigger.window, cover.term):
            return {"drops": list(anchor.drops), "probabilities": list(anchor.probabilities)}
    return None
