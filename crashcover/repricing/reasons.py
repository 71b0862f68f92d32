"""Reasons for a rate change, computed from the calibrations of both nights without simulation.

The law of a token's worst month gives the probability of each drop for the inputs of either night. They are
exchanged one after the other, in the order of ``rate_changes.explain``; the remainder of the change comes from the
shape of the paths, from terms other than thirty days, and from the simulation.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from calibration.law.crashes import crash_rate
from calibration.law.law_anchors import exceedance
from calibration.what_if import Inputs, exchanged
from crashcover.rates.documents import read_inputs
from crashcover.repricing.changes import CoverChange
from pricing.errors import DataError, NewerFormatError
from pricing.tools.units import parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """The change of a rate as logs of ratios, which add up to the log ratio of the rates.

    Parameters
    ----------
    market : float
        Effect of the laws and the state of the market.
    volatility : float
        Effect of the token's volatility at all horizons and of its tail weight.
    own_record : float
        Effect of the token's own record against the market.
    concentration : float
        Effect of holders and signals.
    rest : float
        Effect of the shape of the paths, other terms, and simulation.
    """

    market: float
    volatility: float
    own_record: float
    concentration: float
    rest: float


def reasons_for(change: CoverChange, rates: Path) -> Reasons | None:
    """Split a change, if the calibrations of both nights are stored.

    Parameters
    ----------
    change : CoverChange
        A cover whose rate moved.
    rates : Path
        The rate store, which stores the calibrations of its versions.
    """
    try:
        before = read_inputs(rates, change.calibration_before)
        after = read_inputs(rates, change.calibration_after)
    except (DataError, NewerFormatError):
        return None
    return split(change, before, after)


def split(change: CoverChange, before: Inputs, after: Inputs) -> Reasons | None:
    """Split a change between the inputs of two nights; None if the laws give the drop no probability above 0."""
    probabilities = [_probability(inputs, change) for inputs in exchanged(before, after)]
    if not all(probabilities):
        return None
    logs = [math.log(probability) for probability in probabilities]
    market, by_volatility, own_record, concentration = (late - early for early, late in pairwise(logs))
    return Reasons(
        market=market,
        volatility=by_volatility,
        own_record=own_record,
        concentration=concentration,
        rest=change.log_ratio - (logs[-1] - logs[0]),
    )


def _probability(inputs: Inputs, change: CoverChange) -> float:
    """Return the probability of the cover's drop in a month, under the law with the nearest window."""
    laws = inputs.market.laws
    window = parse_duration(change.window, "window") if change.window else max(law.window for law in laws)
    place = min(range(len(laws)), key=lambda at: abs(math.log(laws[at].window / window)))
    law = laws[place]
    centre = float(law.centre(inputs.state.covariates(place), inputs.market_state)[0])
    return exceedance(law, change.drop, centre, crash_rate(law, inputs.state, place, inputs.hazard).rate)
