"""Effect of holders and signals on a token's own crash hazard: one factor, relative to a typical token.

The level of the hazard, its dependence on volatility and the token's own record come from the panel. Here it is
multiplied by ``exp(slope * score)`` for control of the supply, and for each known signal. Every score is zero for a
typical token, every factor rises with its score, and factors are capped, because most slopes are judgements
(``slopes``). The tokens of the panel are a mixture, so the panel's rate is that of the mean factor, and a token's rate
is the panel's times its own factor over that mean.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from calibration.hazard.drill import LargestSale, largest_sale
from calibration.hazard.overhang import Overhang, score_overhang
from calibration.hazard.published import SCORES
from calibration.hazard.risk_signals import INFLOW_HALF_LIFE, RiskSignals
from calibration.hazard.slopes import SLOPES, Slope
from calibration.holders.concentration_measures import Concentration
from pricing.errors import DataError
from pricing.show.frames import frame_of

if TYPE_CHECKING:
    import pandas as pd

#: Median ratio of open interest to market value: 14 tokens at 331 month starts, October 2021 to October 2025.
REFERENCE_OPEN_INTEREST = 0.02
#: Median 8-hour funding in per cent of 94 perpetual futures, July to October 2025, and the step that adds one to the
#: score.
REFERENCE_FUNDING, FUNDING_STEP = 0.005, 0.05
#: Days during which a listing is new.
NEW_LISTING_DAYS = 90.0

#: Caps of the factor of control, and of each signal. Judgement: no evidence supports more.
CONTROL_CAPS = (0.5, 3.0)
SIGNAL_CAPS = (0.8, 3.0)
TOTAL_CAPS = (0.2, 12.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardPart:
    """One known covariate of a token, and its effect on the hazard.

    Parameters
    ----------
    covariate : str
        Name of the covariate: control, open_interest, unlock, inflow, funding or listing.
    score : float
        Its score, zero for a typical token.
    slope, sd : float
        Rise of the log hazard with the score, and its standard deviation.
    factor : float
        Factor on the hazard.
    lower, upper : float
        Bounds of the factor, with the slope's 90 % interval and the bounds of the score.
    capped : bool
        Whether the factor is at a cap.
    source : str
        Source of the slope.
    prior_only : bool
        Whether the slope is a judgement that no data have updated.
    """

    covariate: str
    score: float
    slope: float
    sd: float
    factor: float
    lower: float
    upper: float
    capped: bool
    source: str
    prior_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardFactor:
    """Factor on a token's own crash hazard, relative to a token with typical holders and signals.

    Parameters
    ----------
    value : float
        Product of the factors of the parts, capped; 1 for a typical token.
    lower, upper : float
        90 % interval: the parts' log distances to their bounds are combined as independent (root of the sum of
        squares). Without caps, signs and bounds it is the lognormal interval.
    average : float
        Mean factor of tokens whose holders are published; the panel's rate belongs to it.
    parts : tuple of HazardPart
        Control of the supply, and one part for each known signal.
    overhang : Overhang or None
        The part of the supply that few hands control, against what the market can bear; None without a list.
    sale : LargestSale or None
        What the sale of the largest holder would mean; None without one.
    """

    value: float
    lower: float
    upper: float
    average: float
    parts: tuple[HazardPart, ...]
    overhang: Overhang | None
    sale: LargestSale | None

    def to_frame(self) -> "pd.DataFrame":
        """Return the parts as a data frame: a row per covariate, which is the index."""
        return frame_of(HazardPart, self.parts, index="covariate")

    @property
    def on_rate(self) -> float:
        """Factor on the panel's rate of own crashes."""
        return self.value / self.average

    @property
    def control(self) -> HazardPart:
        """The part for control of the supply."""
        return self.parts[0]

    @property
    def capped(self) -> bool:
        """True if the total or a part is at its cap."""
        return self.value in TOTAL_CAPS or any(part.capped for part in self.parts)


def hazard_factor(
    *,
    concentration: Concentration | None = None,
    signals: RiskSignals | None = None,
    slopes: Mapping[str, Slope] = SLOPES,
) -> HazardFactor:
    """Turn holders and signals into a factor on the own crash hazard.

    Parameters
    ----------
    concentration : Concentration, optional
        The holders; without them the factor is the mean over tokens whose holders are published.
    signals : RiskSignals, optional
        Signals from markets and chains.
    slopes : mapping of str to Slope
        Slope by score, such as ``fit_hazard(...).posterior``; by default the shipped ones.

    Raises
    ------
    DataError
        If depth or volume is given without holders, or a slope is missing.

    Examples
    --------
    >>> nothing = hazard_factor()
    >>> nothing.on_rate, nothing.value == nothing.average
    (1.0, True)
    >>> unlock = hazard_factor(signals=RiskSignals(unlock_share=0.1))
    >>> round(unlock.on_rate, 3), [part.covariate for part in unlock.parts]
    (1.32, ['control', 'unlock'])
    """
    scores = score_signals(signals)
    missing = {"control", *scores} - slopes.keys()
    if missing:
        raise DataError(f"slopes must hold {', '.join(sorted(missing))}, got {', '.join(sorted(slopes)) or 'none'}")
    overhang = score_overhang(concentration, signals)
    slope = slopes["control"]
    published = [_hold(math.exp(slope.mean * score), CONTROL_CAPS) for score in SCORES]
    average = float(np.mean(published))
    parts = (
        _unlisted_part(published, average, slope) if overhang is None else _control_part(overhang, slope),
        *(_signal_part(name, score, slopes[name]) for name, score in scores.items()),
    )
    centre = math.fsum(math.log(part.factor) for part in parts)
    below = math.hypot(*(math.log(part.factor / part.lower) for part in parts))
    above = math.hypot(*(math.log(part.upper / part.factor) for part in parts))
    return HazardFactor(
        value=_hold(math.exp(centre), TOTAL_CAPS) if scores else parts[0].factor,
        lower=_hold(math.exp(centre - below), TOTAL_CAPS),
        upper=_hold(math.exp(centre + above), TOTAL_CAPS),
        average=average,
        parts=parts,
        overhang=overhang,
        sale=None if concentration is None or overhang is None else largest_sale(concentration, signals),
    )


def _unlisted_part(published: list[float], average: float, slope: Slope) -> HazardPart:
    """Return the part of a token without a list: the law of the published tokens, of which it may be any."""
    lower, upper = np.quantile(published, [0.05, 0.95])
    return HazardPart(
        covariate="control",
        score=math.log(average) / slope.mean if slope.mean else 0.0,
        slope=slope.mean,
        sd=slope.sd,
        factor=average,
        lower=float(min(lower, average)),
        upper=float(max(upper, average)),
        capped=False,
        source=f"the mean of {len(published)} tokens whose holders are published, early 2026, of which 90 % lie inside "
        f"the interval; slope: {slope.source}",
        prior_only=slope.prior_only,
    )


def _control_part(overhang: Overhang, slope: Slope) -> HazardPart:
    return _part("control", slope, overhang.score, overhang.lower, overhang.upper, CONTROL_CAPS)


def _signal_part(name: str, score: float, slope: Slope) -> HazardPart:
    return _part(name, slope, score, score, score, SIGNAL_CAPS)


def score_signals(signals: RiskSignals | None) -> dict[str, float]:
    """Score the signals that are known; each score is zero for a typical token."""
    if signals is None:
        return {}
    scores: dict[str, float] = {}
    if signals.open_interest_to_float is not None:
        # little leverage is no protection: a market that does not exist earns no discount
        leverage = signals.open_interest_to_float / REFERENCE_OPEN_INTEREST
        scores["open_interest"] = math.log(max(1.0, leverage))
    if signals.unlock_share is not None:
        scores["unlock"] = math.log1p(10.0 * signals.unlock_share)
    if signals.exchange_inflow is not None:
        left = 0.5 ** (timedelta(days=1) / INFLOW_HALF_LIFE * signals.days_since_inflow)
        scores["inflow"] = min(4.0, max(0.0, signals.exchange_inflow)) * left
    if signals.funding_percent is not None:
        scores["funding"] = min(4.0, max(-2.0, (signals.funding_percent - REFERENCE_FUNDING) / FUNDING_STEP))
    if signals.days_since_listing is not None:
        scores["listing"] = float(signals.days_since_listing < NEW_LISTING_DAYS)
    return scores


def _part(name: str, slope: Slope, score: float, least: float, most: float, caps: tuple[float, float]) -> HazardPart:
    free = math.exp(slope.mean * score)
    corners = [limit * end for limit in slope.interval for end in (least, most)]
    return HazardPart(
        covariate=name,
        score=score,
        slope=slope.mean,
        sd=slope.sd,
        factor=_hold(free, caps),
        lower=_hold(math.exp(min(corners)), caps),
        upper=_hold(math.exp(max(corners)), caps),
        capped=not caps[0] <= free <= caps[1],
        source=slope.source,
        prior_only=slope.prior_only,
    )


def _hold(factor: float, caps: tuple[float, float]) -> float:
    lowest, highest = caps
    return min(highest, max(lowest, factor))
