"""Sensitivities of a premium to one per cent more of an input, with the same random numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from calibration import Calibration, inputs_of, remodel
from calibration.what_if import Inputs
from pricing.errors import InvalidBasisError, QuoteRefusedError, Refusal
from pricing.models.price_model import PriceModel
from pricing.premiums.sensitivity import (
    Bump,
    Sensitivity,
    crash_rate_bump,
    sensitivities,
    severity_bump,
    volatility_bump,
)
from pricing.quotes.quote import Quote
from pricing.surface.estimates import Estimate

#: Number of paths for a slope: few are enough for differences on the same paths.
_MOST_PATHS = 20_000
#: Size of the bumps up and down, as a share.
_SIZE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Effect of one per cent more of an input, in the currency of the cover.

    Parameters
    ----------
    name : str
        Name of the input.
    expected_loss, gross : Estimate
        Change of the expected loss and of the gross premium.
    """

    name: str
    expected_loss: Estimate[float]
    gross: Estimate[float]


def anchored_moves(outcome: Quote | Refusal, calibration: Calibration) -> tuple[Move, ...]:
    """Change the inputs of the law to which paths are anchored, and anchor again.

    If there are no anchors, the model itself is changed.

    Parameters
    ----------
    outcome : Quote or Refusal
        A cover; a refused cover has no premium to change.
    calibration : Calibration
        Calibration behind the price.
    """
    if not calibration.model.anchors:
        return model_moves(outcome)
    exchanged: dict[str, Callable[[Inputs, float], Inputs]] = {
        "volatility of the token": _with_token_volatility,
        "volatility of the market": _with_market_volatility,
        "rate of own crashes": _with_hazard,
    }
    inputs = inputs_of(calibration)
    bumps = [
        Bump(
            name=name,
            size=_SIZE,
            up=remodel(calibration, exchange(inputs, _SIZE)),
            down=remodel(calibration, exchange(inputs, -_SIZE)),
        )
        for name, exchange in exchanged.items()
    ]
    return _moves(outcome, [partial(_ready, bump) for bump in bumps])


def _ready(bump: Bump, _model: PriceModel) -> Bump:
    return bump


def model_moves(outcome: Quote | Refusal) -> tuple[Move, ...]:
    """Change the model of a quote; its anchors stay the same."""
    return _moves(outcome, (volatility_bump, crash_rate_bump, severity_bump))


def _with_token_volatility(inputs: Inputs, size: float) -> Inputs:
    state = inputs.state
    return replace(inputs, state=replace(state, log_volatilities=state.log_volatilities + size))


def _with_market_volatility(inputs: Inputs, size: float) -> Inputs:
    state = inputs.market_state
    return replace(inputs, market_state=replace(state, log_volatility=state.log_volatility + size))


def _with_hazard(inputs: Inputs, size: float) -> Inputs:
    return replace(inputs, hazard=inputs.hazard * (1.0 + size))


def _moves(outcome: Quote | Refusal, bumps: Sequence[Callable[[PriceModel], Bump]]) -> tuple[Move, ...]:
    """Return no moves if there is no premium, before or after, or no slope."""
    if isinstance(outcome, Refusal):
        return ()
    settings = replace(outcome.settings, n_paths=min(outcome.settings.n_paths, _MOST_PATHS))
    try:
        found = sensitivities(outcome.cover, outcome.model, bumps=bumps, basis=outcome.basis, settings=settings)
    except (InvalidBasisError, QuoteRefusedError):
        return ()
    return tuple(_per_cent(each) for each in found)


def _per_cent(slope: Sensitivity) -> Move:
    expected_loss, gross = (
        Estimate(0.01 * each.value, 0.01 * each.standard_error) for each in (slope.expected_loss, slope.gross)
    )
    return Move(name=slope.name, expected_loss=expected_loss, gross=gross)
