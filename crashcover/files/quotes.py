"""The JSON documents of the command line."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pricing.errors import DataError, Refusal
from pricing.quotes.quote import Quote
from pricing.tools import plain

if TYPE_CHECKING:  # reading a quote takes neither pandas nor arch
    from crashcover.offers.model_error import ModelError
    from crashcover.offers.offers import Offer, Offers


def write_document(offers: "Offers") -> str:
    """Write the calibration, the complete quotes and the refusals as one JSON text."""
    document = {
        "calibration": json.loads(offers.calibration.to_json()),
        "quotes": [json.loads(quote.to_json()) for quote in offers.quotes],
        "refused": plain_refused(offers.offers),
    }
    errors = {each.cover.cover_id: plain_model_error(each.model_error) for each in offers.offers if each.model_error}
    if errors:
        document["model_errors"] = errors
    return json.dumps(document, sort_keys=True, allow_nan=False)


def plain_model_error(error: "ModelError") -> dict[str, Any]:
    """Turn a model error into plain values, with the ends of its interval."""
    return {**plain.to_plain(error), "low": error.low, "high": error.high}


def plain_refused(offers: "Sequence[Offer]") -> list[dict[str, Any]]:
    """Return the offers that are not sold as plain values, each with its refusal."""
    return [
        {"cover": plain.to_plain(offer.cover), **plain_refusal(offer.outcome)}
        for offer in offers
        if isinstance(offer.outcome, Refusal)
    ]


def plain_refusal(refusal: Refusal) -> dict[str, Any]:
    """Turn a refusal into plain values."""
    return {
        "reason": refusal.reason.value,
        "trigger_probability": refusal.trigger_probability,
        "message": refusal.message,
    }


def read_quotes(path: Path) -> tuple[Quote, ...]:
    """Read one quote, or all quotes of a document.

    Raises
    ------
    DataError
        If the file cannot be read, is not JSON, or holds no quote.
    PricingError
        If a quote is invalid.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {str(error.strerror).lower()}") from error
    except ValueError as error:
        raise DataError(f"{path}: is not JSON: {error}") from error
    values = value["quotes"] if isinstance(value, dict) and isinstance(value.get("quotes"), list) else [value]
    if not values:
        raise DataError(f"{path}: holds no quote (every cover was refused)")
    return tuple(Quote.from_json(json.dumps(each)) for each in values)
