"""The law of the worst drop for one token: its quoted probabilities and their uncertainty."""

import math
from dataclasses import dataclass
from datetime import timedelta

from calibration.law.crashes import CrashRate
from calibration.law.drop_law import DropLaw, MarketState, TokenState
from calibration.law.law_anchors import NODES, exceedance, log_drop_exceeded


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstMonth:
    """The worst drop of the next 30 days for one window.

    Parameters
    ----------
    window : timedelta
        Window of the drop.
    median_drop : float
        Drop exceeded in half of the months.
    dispersion : float
        Half the difference between the logs of the log drops that are exceeded in 16 % and 84 % of the months.
    drops, probabilities : tuple of float
        Exceedance probabilities including all uncertainty.
    certain_probabilities : tuple of float
        The same if the level of the law were known exactly; the difference is the load for parameter uncertainty.
    centre : float
        Log of the worst log drop of a month without a shock.
    """

    window: timedelta
    median_drop: float
    dispersion: float
    drops: tuple[float, ...]
    probabilities: tuple[float, ...]
    certain_probabilities: tuple[float, ...]
    centre: float

    def at(self, drop: float) -> float:
        """Return the exceedance probability of one of `drops`."""
        return self.probabilities[self.drops.index(drop)]


def worst_month_law(law: DropLaw, state: TokenState, place: int, market: MarketState, crashes: CrashRate) -> WorstMonth:
    """Evaluate the law at `place` of a market for one token."""
    centre = float(law.centre(state.covariates(place), market)[0])
    certain = law.known_exactly()
    deep, median, shallow = (log_drop_exceeded(law, p, centre, crashes.rate) for p in (0.16, 0.5, 0.84))
    return WorstMonth(
        window=law.window,
        median_drop=-math.expm1(-median),
        dispersion=0.5 * math.log(deep / shallow),
        drops=NODES,
        probabilities=tuple(exceedance(law, drop, centre, crashes.rate) for drop in NODES),
        certain_probabilities=tuple(exceedance(certain, drop, centre, crashes.rate) for drop in NODES),
        centre=centre,
    )
