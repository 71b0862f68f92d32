"""Crashes as a jump source of their own: bars that fell too far leave the volatility and are priced by frequency.

A single fall of 60 % in an hour would own every variance that it touches. It is excised from the returns, counted, and
comes back as one event of a Poisson source, whose rate leans on the market's record while the token's own is short.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from calibration.bounded import Bounded
from calibration.crash_prior import CrashPrior
from pricing.models import GeneralizedParetoFalls, Jumps
from pricing.units import YEAR

#: Strength of the prior in crashes: one, as if tokens differ in frailty with a coefficient of variation of 100 %.
PRIOR_CRASHES = 1.0
#: Crash bars nearer than this belong to one crash.
REFRACTORY_PERIOD = timedelta(hours=24)
#: Rise of the log rate with the log Herfindahl index: half the slope of 0.5 on the share of the largest holders, as the
#: index goes with its square. A judgement held down by a cap, not an estimate: the evidence is thin. The rank
#: correlation of concentration and the worst fall over 23 tokens was -0.17, and studies of shares find both signs.
CONCENTRATION_SLOPE = 0.25
CONCENTRATION_CAPS = (0.5, 3.0)
#: Median raw Herfindahl index of the 42 holder lists published by Zukowski (2026, CC BY 4.0), each over its total.
REFERENCE_HHI = 0.10098


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashEstimate:
    """How often a token crashes and how deep, with the weights that led there.

    Parameters
    ----------
    threshold_drop : float
        Smallest one-step fall that counts as a crash bar.
    crash_bars : int
        One-step falls of at least that size; excised from the volatility fit.
    crashes : int
        Crashes: runs of crash bars less than 24 hours apart.
    deepest_drop : float
        Deepest one-step fall seen; 0 where no bar fell.
    exposure_years : float
        Time covered by one-step returns.
    prior_per_year : float
        Rate of the prior, before concentration.
    concentration_factor : float
        Factor on the prior rate; 1 where holders are unknown.
    credibility : float
        Weight of the token's own record, between 0 and 1.
    per_year : float
        Resulting rate.
    severity : GeneralizedParetoFalls
        Law of the log jump, that of the prior: own crashes are too few to bend it.
    prior : CrashPrior
        Where rate and severity come from.
    """

    threshold_drop: float
    crash_bars: int
    crashes: int
    deepest_drop: float
    exposure_years: float
    prior_per_year: float
    concentration_factor: float
    credibility: float
    per_year: float
    severity: GeneralizedParetoFalls
    prior: CrashPrior

    @property
    def jumps(self) -> Jumps:
        """The crash source of a price model."""
        return Jumps(per_year=self.per_year, sizes=self.severity)

    @property
    def ordinary_per_year(self) -> float:
        """The rate of the same record under ordinary concentration.

        Concentration moves the prior rate and not the token's own record, so the rates differ by less than the factor.
        """
        return _credible_rate(self.crashes, self.exposure_years, self.prior_per_year)


def split_crash_bars(log_returns: pd.Series, prior: CrashPrior) -> tuple[pd.Series, pd.Series]:
    """Split one-step log returns into those for the volatility and those of crash bars."""
    crash = log_returns <= math.log1p(-prior.threshold_drop)
    return log_returns[~crash], log_returns[crash]


def estimate_crashes(
    log_returns: pd.Series, *, step: timedelta, prior: CrashPrior, hhi: Bounded | None = None
) -> CrashEstimate:
    """Estimate the crash rate by Poisson-gamma credibility.

    With ``a`` = 1 and the prior rate ``m`` (times the concentration factor) the rate is ``(a + n) / (a / m + years)``,
    that is ``Z n / years + (1 - Z) m`` with ``Z = years / (years + a / m)`` (Buehlmann and Gisler 2005, section 2.4).

    Parameters
    ----------
    log_returns : Series of float
        One-step log returns with crash bars, on a UTC DatetimeIndex.
    step : timedelta
        Length of a step.
    prior : CrashPrior
        Rate and severity of the market.
    hhi : Bounded, optional
        Herfindahl index of the holders; its upper bound enters.
    """
    _, crash_bars = split_crash_bars(log_returns, prior)
    crashes = count_episodes(crash_bars.index, REFRACTORY_PERIOD)
    years = len(log_returns) * (step / YEAR)
    factor = 1.0 if hhi is None else concentration_factor(hhi.upper)
    expected = factor * prior.per_year
    return CrashEstimate(
        threshold_drop=prior.threshold_drop,
        crash_bars=len(crash_bars),
        crashes=crashes,
        deepest_drop=-math.expm1(min(0.0, float(log_returns.min()))),
        exposure_years=years,
        prior_per_year=prior.per_year,
        concentration_factor=factor,
        credibility=years / (years + PRIOR_CRASHES / expected),
        per_year=_credible_rate(crashes, years, expected),
        severity=prior.severity,
        prior=prior,
    )


def _credible_rate(crashes: int, years: float, prior_per_year: float) -> float:
    return (PRIOR_CRASHES + crashes) / (PRIOR_CRASHES / prior_per_year + years)


def concentration_factor(hhi: float) -> float:
    """Factor on the crash rate for a Herfindahl index: never falling in it, and capped to 0.5 and 3.

    Examples
    --------
    >>> concentration_factor(REFERENCE_HHI), concentration_factor(1e-9)
    (1.0, 0.5)
    """
    lowest, highest = CONCENTRATION_CAPS
    if hhi <= 0.0:
        return lowest
    return min(highest, max(lowest, math.exp(CONCENTRATION_SLOPE * math.log(hhi / REFERENCE_HHI))))


def count_episodes(times: pd.Index, refractory_period: timedelta) -> int:
    """Count runs of times in order: a new run begins where the last time is at least the refractory period ago."""
    if times.empty:
        return 0
    spacings = np.diff(pd.DatetimeIndex(times).tz_convert(None).to_numpy())
    return 1 + int(np.sum(spacings >= np.timedelta64(refractory_period)))
