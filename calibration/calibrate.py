"""One call from a price history, and a holder list where there is one, to a price model that says what it rests on."""

import json
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from calibration.assumptions import state_assumptions
from calibration.bars import CheckedCloses, check_closes
from calibration.concentration import Concentration, concentration
from calibration.crash_prior import CrashPrior, published_prior
from calibration.crashes import CONCENTRATION_CAPS, CrashEstimate, estimate_crashes, split_crash_bars
from calibration.diagnostics import Diagnostics, diagnose
from calibration.findings import BREAKS, Finding, FindingKind
from calibration.holders import BURN_ADDRESSES, HolderFindingKind, Labels
from calibration.plain import to_plain
from calibration.verdict import Verdict
from calibration.volatility import Innovations, Law, VolatilityFit, fit_volatility
from pricing.errors import DataError
from pricing.models import PriceModel
from pricing.units import Duration

#: Below half a year the long-run volatility is that of one mood of the market.
SHORT_HISTORY_YEARS = 0.5
#: The likelihood's long-run volatility may differ from that of the returns by this factor before it is flagged.
RETARGETING_FACTOR = 1.5
#: Squared residuals whose dependence has a smaller p-value are called dependent.
DEPENDENCE_LEVEL = 0.01

_FLAGS = {
    FindingKind.GAP: Verdict.GAPS,
    FindingKind.OFF_GRID: Verdict.REPAIRED,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A price model and everything it rests on.

    Parameters
    ----------
    model : PriceModel
        What to simulate: volatility, innovations and one crash source.
    volatility : VolatilityFit
        The volatility fit, with parameters and tests.
    crashes : CrashEstimate
        The crash rate and severity, with their weights.
    concentration : Concentration or None
        The holders, where a list was given.
    diagnostics : Diagnostics
        The history in figures.
    findings : tuple of Finding
        What was remarkable about the prices or repaired in them.
    as_of : datetime
        UTC time up to which prices were used: as asked for, or the last close.
    verdict : Verdict
        Reasons to look twice.
    assumptions : tuple of str
        What is taken for granted, in sentences.
    """

    model: PriceModel
    volatility: VolatilityFit
    crashes: CrashEstimate
    concentration: Concentration | None
    diagnostics: Diagnostics
    findings: tuple[Finding, ...]
    as_of: datetime
    verdict: Verdict
    assumptions: tuple[str, ...]

    def to_json(self) -> str:
        """Write everything but working arrays as JSON with sorted keys; floats read back to the last bit."""
        return json.dumps(to_plain(self), sort_keys=True, allow_nan=False)


def calibrate(
    prices: pd.Series | pd.DataFrame,
    *,
    holders: pd.DataFrame | None = None,
    supply: float | None = None,
    labels: Labels | None = None,
    as_of: datetime | str | None = None,
    step: Duration | None = None,
    law: Law = "gjr",
    innovations: Innovations = "empirical",
    prior: CrashPrior | None = None,
) -> Calibration:
    """Make a price model from closes and, where known, from the holders of the token.

    Parameters
    ----------
    prices : Series or one-column DataFrame of float
        Closes on a DatetimeIndex with a time zone, labelled by the CLOSE of the bar; at least 500 one-step returns.
    holders : DataFrame, optional
        The largest holders: columns ``address``, ``balance`` and, optionally, ``label``.
    supply : float, optional
        Tokens that exist; only with ``holders``.
    labels : mapping or Series, optional
        Category by address, see ``concentration``; only with ``holders``.
    as_of : datetime or str, optional
        Use only closes labelled at or before this time, which needs a time zone.
    step : timedelta or str, optional
        Length of a bar; by default the most common spacing. At most a day.
    law : {"gjr", "garch", "constant"}
        Volatility law.
    innovations : {"empirical", "student_t", "normal"}
        Law of the standardised shocks.
    prior : CrashPrior, optional
        Crash rate and severity before the token's own record; by default those of the published panel.

    Raises
    ------
    DataError
        If a price or a holder is wrong in itself; the message names the row.
    InsufficientDataError
        If there are too few returns, or they do not vary.
    NotConvergedError
        If the likelihood has no maximum that the optimiser could find.
    """
    if holders is None and (supply is not None or labels is not None):
        raise DataError("supply and labels describe holders, got them without holders")
    checked = check_closes(prices, step=step, as_of=as_of)
    crash_prior = published_prior(checked.step) if prior is None else prior
    quiet_returns, _ = split_crash_bars(checked.log_returns, crash_prior)
    volatility = fit_volatility(quiet_returns, step=checked.step, law=law, innovations=innovations)
    owners = None
    if holders is not None:
        owners = concentration(holders, supply=supply, labels=labels, burn_addresses=BURN_ADDRESSES)
    crashes = estimate_crashes(
        checked.log_returns, step=checked.step, prior=crash_prior, hhi=None if owners is None else owners.hhi
    )
    return Calibration(
        model=_model(volatility, crashes, checked),
        volatility=volatility,
        crashes=crashes,
        concentration=owners,
        diagnostics=diagnose(checked),
        findings=checked.findings,
        as_of=checked.as_of,
        verdict=_judge(checked, volatility, crashes, owners),
        assumptions=state_assumptions(checked, volatility, crashes, owners),
    )


def _model(volatility: VolatilityFit, crashes: CrashEstimate, checked: CheckedCloses) -> PriceModel:
    return PriceModel(
        volatility=volatility.law,
        innovations=volatility.innovations,
        jumps=(crashes.jumps,),
        annual_drift=0.0,
        step=checked.step,
    )


def _judge(
    checked: CheckedCloses, volatility: VolatilityFit, crashes: CrashEstimate, owners: Concentration | None
) -> Verdict:
    ratio = volatility.fitted_annual_volatility / volatility.annual_volatility
    reasons = {
        Verdict.SHORT_HISTORY: crashes.exposure_years < SHORT_HISTORY_YEARS,
        Verdict.CRASHES_SEEN: crashes.crash_bars > 0,
        Verdict.PERSISTENCE_BOUNDED: volatility.persistence_bounded,
        Verdict.VOLATILITY_RETARGETED: not 1.0 / RETARGETING_FACTOR <= ratio <= RETARGETING_FACTOR,
        Verdict.RESIDUALS_DEPENDENT: volatility.diagnostics.ljung_box_squared_p_value < DEPENDENCE_LEVEL,
        Verdict.NO_HOLDERS: owners is None,
        Verdict.CONCENTRATION_CAPPED: crashes.concentration_factor in CONCENTRATION_CAPS,
    }
    verdict = Verdict.OK
    for flag in [flag for flag, applies in reasons.items() if applies] + _found(checked, owners):
        verdict |= flag
    return verdict


def _found(checked: CheckedCloses, owners: Concentration | None) -> list[Verdict]:
    prices = [_FLAGS[finding.kind] for finding in checked.findings if finding.kind in _FLAGS]
    holders = () if owners is None else owners.findings
    return prices + [_HOLDER_FLAGS[finding.kind] for finding in holders if finding.kind in _HOLDER_FLAGS]
