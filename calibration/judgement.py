"""The verdict on a calibration, from its parts."""

from calibration.hazard.factor import HazardFactor
from calibration.holders.concentration_measures import Concentration
from calibration.holders.lists import HolderFindingKind
from calibration.law.bar_lengths import HOUR, HOURLY, Sight
from calibration.law.crashes import CrashRate
from calibration.law.law_anchors import can_be_anchored
from calibration.market.market import Market
from calibration.paths.volatility import VolatilityFit
from calibration.prices.bars import CheckedCloses
from calibration.prices.diagnostics import Diagnostics
from calibration.prices.findings import BREAKS, FindingKind
from calibration.verdict import Verdict

#: Below half a year, even the longest half-life of the volatility sees only one market phase.
SHORT_HISTORY_YEARS = 0.5
#: Squared residuals are called dependent if the p-value of the test is smaller.
DEPENDENCE_LEVEL = 0.01

_FLAGS = {
    FindingKind.GAP: Verdict.GAPS,
    FindingKind.OFF_GRID: Verdict.REPAIRED,
    FindingKind.POSSIBLE_SPLIT: Verdict.UNIT_DOUBTFUL,
    FindingKind.DUPLICATE: Verdict.REPAIRED,
    FindingKind.UNSORTED: Verdict.REPAIRED,
    FindingKind.STALE: Verdict.STALE_PRICES,
    FindingKind.OUTDATED: Verdict.STALE_PRICES,
    FindingKind.COARSE_TICK: Verdict.COARSE_TICKS,
} | dict.fromkeys(BREAKS, Verdict.HISTORY_CUT)
_HOLDER_FLAGS = {
    HolderFindingKind.LIST_CUT: Verdict.HOLDERS_CUT,
    HolderFindingKind.SUPPLY_UNKNOWN: Verdict.SUPPLY_UNKNOWN,
}


def judge(
    checked: CheckedCloses,
    diagnostics: Diagnostics,
    shape: VolatilityFit,
    crashes: tuple[CrashRate, ...],
    market: Market,
    sight: Sight,
    hazard: HazardFactor,
    owners: Concentration | None,
    *,
    shape_is_fitted: bool,
) -> Verdict:
    """Collect the warnings about a calibration."""
    reasons = {
        Verdict.SHORT_HISTORY: diagnostics.years < SHORT_HISTORY_YEARS,
        Verdict.CRASHES_SEEN: any(rate.crashes > 0.0 for rate in crashes),
        Verdict.PERSISTENCE_BOUNDED: shape.persistence_bounded,
        Verdict.RESIDUALS_DEPENDENT: shape.diagnostics.ljung_box_squared_p_value < DEPENDENCE_LEVEL,
        Verdict.NO_HOLDERS: owners is None or not owners.is_known,
        Verdict.HAZARD_CAPPED: hazard.capped,
        Verdict.OLD_MARKET: market.is_stale(checked.as_of),
        Verdict.SHAPE_NOT_FITTED: not shape_is_fitted,
        Verdict.NOT_ANCHORED: not can_be_anchored(sight.grid, market.laws),
        Verdict.COARSE_BARS: sight.bars != HOURLY,
        Verdict.FINE_GRID: sight.grid < HOUR,
    }
    verdict = Verdict.OK
    for flag in [flag for flag, applies in reasons.items() if applies] + _found(checked, owners):
        verdict |= flag
    return verdict


def _found(checked: CheckedCloses, owners: Concentration | None) -> list[Verdict]:
    prices = [_FLAGS[finding.kind] for finding in checked.findings if finding.kind in _FLAGS]
    holders = () if owners is None else owners.findings
    return prices + [_HOLDER_FLAGS[finding.kind] for finding in holders if finding.kind in _HOLDER_FLAGS]
