"""Calibrations as files named by their content: the basis of a rate and of the reasons for its changes."""

import hashlib
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from calibration import Market, PegCalibration
from calibration.holders.control import Control
from calibration.law.drop_law import MarketState, TokenState
from calibration.law.own_record import OwnRecord
from calibration.what_if import Inputs, inputs_of
from crashcover.offers.offers import AnyCalibration
from pricing.errors import DataError, NewerFormatError, PricingError
from pricing.tools.plain import from_plain, to_plain
from pricing.tools.stored import format_name, read_format
from pricing.tools.whole_files import write_text

Result = TypeVar("Result")

_KIND = "inputs of a rate"
_CALIBRATIONS, _MARKETS = "calibrations", "markets"
#: Folders of a rate store for these documents.
KEPT = (_CALIBRATIONS, _MARKETS)


def write_calibration(folder: Path, asset: str, calibration: AnyCalibration) -> str:
    """Store a calibration and its market, if it has one, each once.

    Parameters
    ----------
    folder : Path
        The rate store.
    asset : str
        Name of the token.
    calibration : Calibration or PegCalibration
        Its calibration.

    Returns
    -------
    str
        The identity of the calibration: a hash of everything in it.
    """
    document = {
        "format": format_name(_KIND, 1),
        "asset": asset,
        "calibration": json.loads(calibration.to_json()),
    }
    if not isinstance(calibration, PegCalibration):
        inputs = inputs_of(calibration)
        document["inputs"] = _plain_inputs(inputs)
        document["control"] = to_plain(calibration.concentration.control) if calibration.concentration else None
        document["market"] = _write(folder / _MARKETS, inputs.market.to_json())
    return _write(folder / _CALIBRATIONS, json.dumps(document, sort_keys=True, allow_nan=False))


def read_control(folder: Path, calibration_id: str) -> Control | None:
    """Read who controlled the supply at a calibration; None if its holders were not known.

    Raises
    ------
    DataError
        If it was not stored, or is damaged.
    NewerFormatError
        If a newer release stored it.
    """
    control: Control | None = _read_document(
        folder, calibration_id, lambda document: from_plain(document.get("control"), (Control,))
    )
    return control


def read_inputs(folder: Path, calibration_id: str) -> Inputs:
    """Read the inputs of a calibration.

    Raises
    ------
    DataError
        If it was not stored, is damaged, or is that of a pegged token.
    NewerFormatError
        If a newer release stored it.
    """
    return _read_document(folder, calibration_id, lambda document: _read_inputs(folder, document))


def _read_document(folder: Path, calibration_id: str, read: Callable[[dict[str, Any]], Result]) -> Result:
    document = json.loads(_read(folder / _CALIBRATIONS, calibration_id))
    try:
        return read_format(document.get("format"), _KIND, {1: lambda: read(document)})
    except (NewerFormatError, DataError):
        raise
    except PricingError as error:
        raise DataError(f"calibration {calibration_id}: {error} (publish the rates again with this release)") from error


def _read_inputs(folder: Path, document: dict[str, Any]) -> Inputs:
    if "inputs" not in document:
        raise DataError(
            f"calibration of {document['asset']!r} must be by the laws of the market, got that of a pegged token (its "
            "record does not say how pegs are lost together with other tokens: take it out of the book)"
        )
    market = Market.from_json(_read(folder / _MARKETS, document["market"]))
    return _inputs_from_plain(document["inputs"], market)


def forget_all_but(folder: Path, calibration_ids: Collection[str]) -> None:
    """Delete the calibrations that no version refers to any more."""
    for path in (folder / _CALIBRATIONS).glob("*.json"):
        if path.stem not in calibration_ids:
            path.unlink()


def _write(folder: Path, text: str) -> str:
    name = hashlib.sha256(text.encode()).hexdigest()[:32]
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / f"{name}.json").exists():
        write_text(folder / f"{name}.json", text)
    return name


def _read(folder: Path, name: str) -> str:
    path = folder / f"{name}.json"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    if hashlib.sha256(text.encode()).hexdigest()[:32] != name:
        raise DataError(f"{path}: is damaged: its content does not match its name")
    return text


def _plain_inputs(inputs: Inputs) -> dict[str, Any]:
    """Return the state of one token and its market as plain values; they contain no infinite or missing values."""
    state = inputs.state
    return {
        "log_volatilities": state.log_volatilities[:, 0].tolist(),
        "tail_weight": float(state.tail_weight[0]),
        "records": [
            [float(record.excess[0]), float(record.crashes[0]), float(record.expected[0])] for record in state.records
        ],
        "market_log_volatility": inputs.market_state.log_volatility,
        "market_run_up": inputs.market_state.run_up,
        "hazard": inputs.hazard,
    }


def _inputs_from_plain(value: dict[str, Any], market: Market) -> Inputs:
    records = tuple(
        OwnRecord(excess=np.array([excess]), crashes=np.array([crashes]), expected=np.array([expected]))
        for excess, crashes, expected in value["records"]
    )
    state = TokenState(
        log_volatilities=np.array(value["log_volatilities"])[:, None],
        tail_weight=np.array([value["tail_weight"]]),
        records=records,
    )
    market_state = MarketState(log_volatility=value["market_log_volatility"], run_up=value["market_run_up"])
    return Inputs(market=market, market_state=market_state, state=state, hazard=value["hazard"])
