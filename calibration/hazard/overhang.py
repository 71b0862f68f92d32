"""Tokens that few hands could sell, against what the market can bear: the score of control.

The market bears the least of four measures, each relative to that of a typical token, so that none can be put on show
to hide another: what circulates, what is left to others, bids down to -10 %, and daily volume.

Hands that are seen to be large add to the score, but so little that splitting them gains no more than a quarter of the
factor.
"""

import math
from dataclasses import dataclass

from calibration.hazard.published import CIRCULATING, CONTROLLED, DEPTH, TURNOVER, TYPICAL, UNLISTED
from calibration.hazard.risk_signals import RiskSignals
from calibration.holders.concentration_measures import Concentration
from calibration.holders.control import Control
from calibration.holders.lists import HolderFindingKind
from pricing.errors import DataError

#: Rise of the score with the share of large hands. With the slope of 0.3, a supply that is all in large hands weighs
#: 27 % more than one that is not, and a split into small pieces keeps 79 % of the factor. Judgement, within what
#: splitting allows.
SEEN = 0.8
#: Shares below this count as this; the factor is at its cap long before.
_LEAST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhang:
    """Controlled tokens against what the market can bear.

    Parameters
    ----------
    score : float
        Log of the ratio of both to that of a typical token, and what large hands add; a score below zero counts as far
        as owners are shown to be many.
    lower, upper : float
        The score if every unknown wallet is independent and counts in full, and if none is.
    controlled, least, most : float
        Controlled share of the supply, and its bounds.
    market : dict of str to float
        What the market can bear by each measure, relative to a typical token: circulating, others, depth, volume.
    evidence : float
        Share of the supply that is shown to belong to many.
    """

    score: float
    lower: float
    upper: float
    controlled: float
    least: float
    most: float
    market: dict[str, float]
    evidence: float

    @property
    def limit(self) -> str:
        """Measure by which the market bears least."""
        return min(self.market, key=self.market.__getitem__)


def score_overhang(concentration: Concentration | None, signals: RiskSignals | None) -> Overhang | None:
    """Score what few hands control; None without holders, or if they say next to nothing.

    Parameters
    ----------
    concentration : Concentration or None
        The holders.
    signals : RiskSignals or None
        Depth and daily volume, if they are known.

    Raises
    ------
    DataError
        If depth or volume is given without holders, or with shares of a supply that is not known.
    """
    shown = _shown_market(concentration, signals)
    if concentration is None or not concentration.is_known:
        return None
    control = concentration.control
    controlled = control.share(unlisted=UNLISTED)

    def score(share: float, large: float) -> float:
        bears = min((_market(control, share) | shown).values())
        return math.log(max(share, _LEAST) / CONTROLLED) - math.log(bears) + SEEN * large - TYPICAL

    return Overhang(
        score=_as_shown(score(controlled, control.seen), control.evidence),
        lower=score(control.least, control.seen),
        upper=_as_shown(score(control.most, control.most), control.evidence),
        controlled=controlled,
        least=control.least,
        most=control.most,
        market=_market(control, controlled) | shown,
        evidence=control.evidence,
    )


def _as_shown(score: float, evidence: float) -> float:
    """Grant a discount only as far as owners are shown to be many."""
    return score if score > 0.0 else evidence * score


def _market(control: Control, controlled: float) -> dict[str, float]:
    others = max(_LEAST, 1.0 - controlled - control.still)
    return {"circulating": control.circulating / CIRCULATING, "others": others / (1.0 - CONTROLLED)}


def _shown_market(concentration: Concentration | None, signals: RiskSignals | None) -> dict[str, float]:
    """Return depth and daily volume, each relative to that of a typical token of this supply."""
    if signals is None:
        return {}
    tokens: dict[str, float] = {}
    if signals.depth_usd is not None and signals.price_usd is not None:
        tokens["depth"] = signals.depth_usd / signals.price_usd / DEPTH
    if signals.daily_volume is not None:
        tokens["volume"] = signals.daily_volume / TURNOVER
    if not tokens:
        return {}
    given = "depth_usd" if "depth" in tokens else "daily_volume"
    if concentration is None:
        raise DataError(f"{given} needs holders, got it without (pass the holder list as well)")
    if concentration.has(HolderFindingKind.SHARES_ONLY):
        raise DataError(f"{given} needs balances in tokens, got a list of shares without supply (give the supply)")
    typical = CIRCULATING * concentration.supply
    return {name: max(_LEAST, bears / typical) for name, bears in tokens.items()}
