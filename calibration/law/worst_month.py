"""The law of the worst drop for one token: its quoted probabilities and their uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from calibration.law.crashes import CrashRate
from calibration.law.drop_law import DropLaw, MarketState, TokenState
from calibration.law.law_anchors import NODES, exceedance, log_drop_exceeded
from pricing.show import drawing
from pricing.tools.units import format_duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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

    def to_frame(self) -> pd.DataFrame:
        """Return the law as a data frame: columns ``drop``, ``probability`` and ``certain_probability``."""
        columns = (self.drops, self.probabilities, self.certain_probabilities)
        return pd.DataFrame(dict(zip(("drop", "probability", "certain_probability"), columns, strict=True)))

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


def draw_worst_months(axes: "Axes", months: Sequence[WorstMonth]) -> None:
    """Draw exceedance probabilities; the bands reach to those of a law whose level were known exactly."""
    for style, month in enumerate(months):
        drops, whole, certain = (
            100 * np.array(each) for each in (month.drops, month.probabilities, month.certain_probabilities)
        )
        name = f"within {format_duration(month.window)}"
        drawing.banded(axes, drops, whole, (whole, certain), style=style, name=name)
    axes.set(yscale="log", xlim=(0.0, 92.0), ylim=(1e-3, 140.0))
    drawing.plain_numbers(axes.yaxis)
    drawing.plain(axes)
    drawing.label(
        axes,
        across="worst drop of 30 days, % (band: uncertainty of the level)",
        up="probability of at least that drop, %",
    )
    drawing.legend(axes, "upper right")
