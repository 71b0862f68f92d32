"""The model of a calibration with some inputs exchanged, to explain the parts of a price and its changes."""

from dataclasses import dataclass, replace

from calibration.calibration import Calibration
from calibration.law.crashes import crash_rate, crashes_within
from calibration.law.drop_law import MarketState, TokenState
from calibration.law.law_anchors import coherent_anchors
from calibration.law.worst_month import worst_month_law
from calibration.market.market import Market
from calibration.paths.dynamics import collapse_of_month
from pricing.models.price_model import PriceModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All inputs of the law of a worst month.

    Parameters
    ----------
    market : Market
        The laws, on the grid of the covers.
    market_state : MarketState
        State of the market.
    state : TokenState
        State of the token.
    hazard : float
        Factor of holders and signals on the market's rate of own crashes; 1 for a token without a holder list, 0 for no
        such crashes.
    certain : bool
        Whether the level of the laws counts as known exactly.
    """

    market: Market
    market_state: MarketState
    state: TokenState
    hazard: float
    certain: bool = False


def inputs_of(calibration: Calibration) -> Inputs:
    """Return the inputs of a calibration."""
    return Inputs(
        market=calibration.market_on_grid(calibration.market),
        market_state=calibration.market_state,
        state=calibration.state,
        hazard=calibration.hazard.on_rate,
    )


def exchanged(before: Inputs, after: Inputs) -> tuple[Inputs, ...]:
    """Exchange inputs step by step: none, market, volatility, own record, and finally holders and signals.

    Parameters
    ----------
    before, after : Inputs
        First and last inputs.
    """
    market = replace(before, market=after.market, market_state=after.market_state)
    volatility = TokenState(
        log_volatilities=after.state.log_volatilities,
        tail_weight=after.state.tail_weight,
        records=before.state.records,
    )
    return before, market, replace(market, state=volatility), replace(market, state=after.state), after


def remodel(calibration: Calibration, inputs: Inputs) -> PriceModel:
    """Return the model of a calibration under other inputs: the same paths, re-anchored, with another rate of crashes.

    Parameters
    ----------
    calibration : Calibration
        Source of the paths.
    inputs : Inputs
        Inputs of the law of the worst month.
    """
    laws = inputs.market.laws
    rates = tuple(crash_rate(law, inputs.state, place, inputs.hazard) for place, law in enumerate(laws))
    if not calibration.model.anchors:
        return replace(calibration.model, jumps=(rates[-1].jumps(),))
    months = [
        worst_month_law(law, inputs.state, place, inputs.market_state, rates[place]) for place, law in enumerate(laws)
    ]
    curves = [month.certain_probabilities if inputs.certain else month.probabilities for month in months]
    return replace(
        calibration.model,
        jumps=(crashes_within(rates, calibration.model.step).jumps(),),
        collapse=collapse_of_month(months[-1], rates[-1]),
        anchors=coherent_anchors(laws, curves, calibration.model.step),
    )
