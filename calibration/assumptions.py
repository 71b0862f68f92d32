"""The assumptions of a calibration, in sentences that an actuary can read and challenge."""

from calibration.bars import CheckedCloses
from calibration.concentration import Concentration
from calibration.crashes import (
    CONCENTRATION_CAPS,
    CONCENTRATION_SLOPE,
    PRIOR_CRASHES,
    REFRACTORY_PERIOD,
    CrashEstimate,
)
from calibration.volatility import PERSISTENCE_BOUND, VolatilityFit
from pricing.models import ConstantVolatility
from pricing.units import format_duration


def state_assumptions(
    checked: CheckedCloses, volatility: VolatilityFit, crashes: CrashEstimate, owners: Concentration | None
) -> tuple[str, ...]:
    """List what a calibration takes for granted."""
    return (
        f"Closes are labelled by the end of their bar of {format_duration(checked.step)}.",
        "The log price has no drift: 30 days of history say nothing reliable about the next 30.",
        "Returns on both sides of a gap are treated as neighbours in the volatility fit.",
        *_of_volatility(volatility),
        *_of_crashes(crashes),
        _of_holders(crashes, owners),
    )


def _of_volatility(volatility: VolatilityFit) -> tuple[str, ...]:
    level = f"Long-run volatility is that of the returns without crash bars, {volatility.annual_volatility:.1%} a year."
    shocks = f"Shocks are independent, of the law {type(volatility.innovations).__name__} with unit variance."
    if isinstance(volatility.law, ConstantVolatility):
        return (level, shocks)
    fading = (
        f"A step leaves {volatility.persistence:.4f} of a variance shock, and is held to {PERSISTENCE_BOUND} at most."
    )
    return (level, shocks, fading)


def _of_crashes(crashes: CrashEstimate) -> tuple[str, ...]:
    return (
        f"One-step falls of {crashes.threshold_drop:.0%} or more are crashes: excised from the volatility and priced "
        f"as independent events at {crashes.per_year:.3f} a year. Those that volatility makes as well count twice.",
        f"Crash bars less than {format_duration(REFRACTORY_PERIOD)} apart are one crash of one bar's depth.",
        f"The crash rate weighs the token's own record, {crashes.crashes} in {crashes.exposure_years:.2f} years, by "
        f"{crashes.credibility:.1%}, and the prior rate of {crashes.prior_per_year:.3f} a year, with the strength of "
        f"{PRIOR_CRASHES:g} crash and times {crashes.concentration_factor:.2f} for concentration, by the rest.",
        "The depth of a crash is that of the prior, whatever the token's own crashes were.",
        f"Prior: {crashes.prior.source}.",
        "Crashes strike tokens independently of each other, although half of the large falls came in 3 of 51 months.",
    )


def _of_holders(crashes: CrashEstimate, owners: Concentration | None) -> str:
    if owners is None:
        return "Concentration is ordinary: no holder list was given."
    lowest, highest = CONCENTRATION_CAPS
    return (
        f"Concentration multiplies the prior crash rate by {crashes.concentration_factor:.2f}: the Herfindahl index, "
        f"at most {owners.hhi.upper:.4f}, over that of the median token, to the power {CONCENTRATION_SLOPE}, within "
        f"[{lowest}, {highest}]. This is a judgement with a sign, not an estimate; the evidence for it is thin."
    )
