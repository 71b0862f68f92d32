"""A token's own crashes: the market's rate for tokens in its state, the token's record, its holders and signals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from calibration.law.drop_law import TERM, DropLaw, TokenState
from pricing.models.jumps import GeneralizedParetoFalls, Jumps
from pricing.tools.units import YEAR, format_duration

#: For an index of one or less the mean fall would be infinite.
_LARGEST_SHAPE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashRate:
    """Rate at which a token crashes on its own within one window, and the factors of the rate.

    Parameters
    ----------
    window : timedelta
        Window of the drop.
    threshold_drop : float
        Smallest drop that counts, a fraction.
    market_rate : float
        Expected number of crashes in 30 days for a token of this volatility and tail weight.
    crashes, expected : float
        Number of months with the token's own crashes, and its expectation from as many months of the market.
    credibility_factor : float
        Effect of the record on the rate: (1 + crashes) / (1 + expected).
    hazard_factor : float
        Effect of holders and signals on the rate.
    index : float
        Pareto index of the depth in log price.
    deep_drop : float
        Drop from which the index is `deep_index`, a fraction.
    deep_index : float
        Pareto index of deep crashes.
    """

    window: timedelta
    threshold_drop: float
    market_rate: float
    crashes: float
    expected: float
    credibility_factor: float
    hazard_factor: float
    index: float
    deep_drop: float
    deep_index: float

    @property
    def rate(self) -> float:
        """Expected number of crashes in 30 days."""
        return self.market_rate * self.credibility_factor * self.hazard_factor

    @property
    def per_year(self) -> float:
        """Expected number of crashes per year."""
        return self.rate * (YEAR / TERM)

    def jumps(self) -> Jumps:
        """Return the crashes as jumps within one step.

        Their Pareto law of the log drop is a generalised Pareto law of the excess over the threshold. It keeps the
        index of shallow crashes, so that deep ones have enough paths; anchors give these their weight.
        """
        threshold = -math.log1p(-self.threshold_drop)
        shape = min(1.0 / self.index, _LARGEST_SHAPE)
        sizes = GeneralizedParetoFalls(threshold=threshold, scale=threshold / self.index, shape=shape)
        return Jumps(per_year=self.per_year, sizes=sizes)


def crash_rate(law: DropLaw, state: TokenState, place: int, hazard_factor: float) -> CrashRate:
    """Return the crash rate of one token under the law at `place` of its market."""
    record = state.records[place]
    return CrashRate(
        window=law.window,
        threshold_drop=-math.expm1(-law.own.threshold),
        market_rate=float(law.own.market_rates(state)[0]),
        crashes=float(record.crashes[0]),
        expected=float(record.expected[0]),
        credibility_factor=float(record.credibility_factor[0]),
        hazard_factor=hazard_factor,
        index=law.own.index,
        deep_drop=-math.expm1(-law.own.deep),
        deep_index=law.own.deep_index,
    )


def crashes_within(crashes: Sequence[CrashRate], step: timedelta) -> CrashRate:
    """Return the crashes that one step can hold: those of the longest window that is no longer, or of the shortest."""
    held = [each for each in crashes if each.window <= step]
    return held[-1] if held else crashes[0]


def crashes_frame(crashes: Sequence[CrashRate]) -> pd.DataFrame:
    """Return crash rates as a data frame: a row per window with the rate per year and its factors."""
    factors = ("market_rate", "credibility_factor", "hazard_factor")
    columns = ("threshold_drop", "per_year", *factors, "index", "deep_index")
    rows = [(format_duration(each.window), *(getattr(each, name) for name in columns)) for each in crashes]
    return pd.DataFrame(rows, columns=["window", *columns])
