"""Effect of holders and signals on a token's own crash hazard: one factor, relative to a typical token.

The level of the hazard, its dependence on volatility and the token's own record come from the panel. Here it is
multiplied by ``exp(slope * score)`` for each known covariate. Every score is zero for a typical token, every factor
rises with its score, and factors are capped, because most slopes are judgements (``slopes``).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from calibration.hazard.risk_signals import INFLOW_HALF_LIFE, RiskSignals
from calibration.hazard.slopes import SLOPES, Slope
from calibration.holders.bounded import Bounded
from calibration.holders.concentration_measures import Concentration
from calibration.holders.lists import HolderFindingKind
from pricing.errors import DataError
from pricing.show.frames import frame_of

if TYPE_CHECKING:
    import pandas as pd

#: Median raw Herfindahl index of the 42 holder lists published by Zukowski (2026, CC BY 4.0), each over its total.
REFERENCE_HHI = 0.10098
#: Ratio of the overhang of the ten largest to the bids down to -10 %, for a typical token. Judgement.
REFERENCE_OVERHANG = 3.0
#: Shares and overhangs below this count as dust: the index of a million equal holders.
DUST = 1e-6
#: Median ratio of open interest to market value: 14 tokens at 331 month starts, October 2021 to October 2025.
REFERENCE_OPEN_INTEREST = 0.02
#: Median 8-hour funding in per cent of 94 perpetual futures, July to October 2025, and the step that adds one to the
#: score.
REFERENCE_FUNDING, FUNDING_STEP = 0.005, 0.05
#: Days during which a listing is new.
NEW_LISTING_DAYS = 90.0

CONCENTRATION_CAPS = (0.5, 3.0)
FACTOR_CAPS = {"overhang": CONCENTRATION_CAPS, "herfindahl": CONCENTRATION_CAPS, "inflow": (1.0, 2.7)}
TOTAL_CAPS = (0.2, 12.0)
NO_CAPS = (0.0, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardPart:
    """One known covariate of a token, and its effect on the hazard.

    Parameters
    ----------
    covariate : str
        Name of the covariate: overhang, herfindahl, open_interest, unlock, inflow, funding or listing.
    score : Bounded
        Its score, zero for a typical token; the upper bound enters the factor.
    slope, sd : float
        Rise of the log hazard with the score, and its standard deviation.
    factor : float
        Factor on the hazard.
    lower, upper : float
        Bounds of the factor, with the slope's 90 % interval and the score's bounds.
    capped : bool
        Whether the factor is at a cap.
    source : str
        Source of the slope.
    prior_only : bool
        Whether the slope is a judgement that no data have updated.
    """

    covariate: str
    score: Bounded
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
        Product of the factors of the parts, capped.
    lower, upper : float
        90 % interval: the parts' log distances to their bounds are combined as independent (root of the sum of
        squares). Without caps, signs and bounds it is the lognormal interval.
    parts : tuple of HazardPart
        One part for each known covariate.
    """

    value: float
    lower: float
    upper: float
    parts: tuple[HazardPart, ...]

    def to_frame(self) -> "pd.DataFrame":
        """Return the parts as a data frame: a row per covariate, which is the index."""
        return frame_of(HazardPart, self.parts, index="covariate")

    @property
    def concentration(self) -> float:
        """Factor for concentration, from the overhang or the Herfindahl index; 1 if holders are unknown."""
        factors = [part.factor for part in self.parts if part.covariate in ("overhang", "herfindahl")]
        return factors[0] if factors else 1.0

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

    Concentration enters once: as the ratio of overhang to depth if depth is known, otherwise as the Herfindahl index.

    Parameters
    ----------
    concentration : Concentration, optional
        The holders.
    signals : RiskSignals, optional
        Signals from markets and chains.
    slopes : mapping of str to Slope
        Slope by score, such as ``fit_hazard(...).posterior``; by default the shipped ones.

    Raises
    ------
    DataError
        If depth is given without holders, or a slope is missing.

    Examples
    --------
    >>> hazard_factor().value
    1.0
    >>> unlock = hazard_factor(signals=RiskSignals(unlock_share=0.1))
    >>> round(unlock.value, 3), [part.covariate for part in unlock.parts]
    (1.32, ['unlock'])
    """
    scores = score_concentration(concentration, signals) | score_signals(signals)
    missing = scores.keys() - slopes.keys()
    if missing:
        raise DataError(f"slopes must hold {', '.join(sorted(missing))}, got {', '.join(sorted(slopes)) or 'none'}")
    parts = tuple(_part(name, score, slopes[name]) for name, score in scores.items())
    centre = math.fsum(math.log(part.factor) for part in parts)
    below = math.hypot(*(math.log(part.factor / part.lower) for part in parts))
    above = math.hypot(*(math.log(part.upper / part.factor) for part in parts))
    return HazardFactor(
        value=_hold(math.exp(centre), TOTAL_CAPS),
        lower=_hold(math.exp(centre - below), TOTAL_CAPS),
        upper=_hold(math.exp(centre + above), TOTAL_CAPS),
        parts=parts,
    )


def score_concentration(concentration: Concentration | None, signals: RiskSignals | None) -> dict[str, Bounded]:
    """Score holders against a typical token: log of overhang to depth if depth is known, else log Herfindahl index.

    A list that shows next to nothing of the float has no score, like no list.

    Raises
    ------
    DataError
        If depth is given without holders, or with shares of a supply that is not known.
    """
    if signals is not None and signals.overhang_to_depth is not None:
        return {"overhang": _log_ratio(_exactly(signals.overhang_to_depth), REFERENCE_OVERHANG)}
    if signals is not None and signals.depth_usd is not None and signals.price_usd is not None:
        if concentration is None:
            raise DataError(f"depth_usd needs holders, got {signals.depth_usd:g} without (or give overhang_to_depth)")
        if not concentration.is_known:
            return {}
        if concentration.has(HolderFindingKind.SHARES_ONLY):
            raise DataError("depth_usd needs balances in tokens, got a list of shares without supply (give the supply)")
        depth = signals.depth_usd / signals.price_usd
        overhang = Bounded(lower=concentration.overhang.lower / depth, upper=concentration.overhang.upper / depth)
        return {"overhang": _log_ratio(overhang, REFERENCE_OVERHANG)}
    if concentration is not None and concentration.is_known:
        return {"herfindahl": _log_ratio(concentration.hhi, REFERENCE_HHI)}
    return {}


def score_signals(signals: RiskSignals | None) -> dict[str, Bounded]:
    """Score the signals that are known; each score is zero for a typical token."""
    if signals is None:
        return {}
    scores: dict[str, float] = {}
    if signals.open_interest_to_float is not None:
        # a tenth of the reference keeps a token without futures at a finite score
        floor = 0.1 * REFERENCE_OPEN_INTEREST
        scores["open_interest"] = math.log((signals.open_interest_to_float + floor) / (REFERENCE_OPEN_INTEREST + floor))
    if signals.unlock_share is not None:
        scores["unlock"] = math.log1p(10.0 * signals.unlock_share)
    if signals.exchange_inflow is not None:
        left = 0.5 ** (timedelta(days=1) / INFLOW_HALF_LIFE * signals.days_since_inflow)
        scores["inflow"] = min(4.0, max(0.0, signals.exchange_inflow)) * left
    if signals.funding_percent is not None:
        scores["funding"] = min(4.0, max(-2.0, (signals.funding_percent - REFERENCE_FUNDING) / FUNDING_STEP))
    if signals.days_since_listing is not None:
        scores["listing"] = float(signals.days_since_listing < NEW_LISTING_DAYS)
    return {name: _exactly(score) for name, score in scores.items()}


def _part(name: str, score: Bounded, slope: Slope) -> HazardPart:
    lowest, highest = caps = FACTOR_CAPS.get(name, NO_CAPS)
    free = math.exp(slope.mean * score.upper)
    corners = [limit * end for limit in slope.interval for end in (score.lower, score.upper)]
    return HazardPart(
        covariate=name,
        score=score,
        slope=slope.mean,
        sd=slope.sd,
        factor=_hold(free, caps),
        lower=_hold(math.exp(min(corners)), caps),
        upper=_hold(math.exp(max(corners)), caps),
        capped=not lowest <= free <= highest,
        source=slope.source,
        prior_only=slope.prior_only,
    )


def _log_ratio(measured: Bounded, reference: float) -> Bounded:
    return Bounded(
        lower=math.log(max(measured.lower, DUST) / reference), upper=math.log(max(measured.upper, DUST) / reference)
    )


def _exactly(value: float) -> Bounded:
    return Bounded(lower=value, upper=value)


def _hold(factor: float, caps: tuple[float, float]) -> float:
    lowest, highest = caps
    return min(highest, max(lowest, factor))
