"""Fit a token's own crashes: worst drops that neither its level nor the shock of the month explains."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import ndtr

from calibration.law.drop_law import OwnCrashLaw
from pricing.errors import NotConvergedError
from pricing.tools.arrays import FloatArray

#: Prior means and standard deviations of: log standard deviation between tokens, its slope on the shock, log Pareto
#: index, log rate, slope on the tail weight, slope on log volatility. Judgements, made before the fit. All are wide
#: except that of the index, which a few dozen deep falls cannot determine.
PRIOR = (-1.427, 0.0, 0.916, -3.0, 0.5, 0.3)
PRIOR_DEVIATION = (0.15, 0.3, 0.2, 1.0, 1.0, 0.3)
#: Rows of one month share sectors: this many of them carry as much information as one independent row.
CLUSTERING = 2.0

#: Crashes of this drop and more thin out with a Pareto index of at least `DEEP_INDEX`: that of falls of 15 % and more
#: of BTC and ETH in 2017 to 2020 (2.8 to 2.9), and of falls of 30 % and more beyond their month on the panel (2.7 up to
#: 2022, 2.8 up to 2025; ``docs/studies/deep_falls.py``). The likelihood cannot tell, because most crashes are shallow.
DEEP_DROP, DEEP_INDEX = 0.3, 2.9

_ROOT_TWO_PI = float(np.sqrt(2.0 * np.pi))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCrashFit:
    """Spread between tokens and law of own crashes.

    Parameters
    ----------
    spread, spread_slope : float
        Log of the standard deviation between tokens, and its slope on the shock of the month.
    law : OwnCrashLaw
        Law of a token's own crashes.
    """

    spread: float
    spread_slope: float
    law: OwnCrashLaw


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Data of the rows for the likelihood."""

    residual: FloatArray
    beyond: FloatArray
    is_beyond: npt.NDArray[np.bool_]
    shock: FloatArray
    design: FloatArray
    offset: FloatArray
    weight: float


def fit_own_crashes(
    *,
    residuals: FloatArray,
    log_worst: FloatArray,
    shocks: FloatArray,
    tail_weight: FloatArray,
    log_volatility: FloatArray,
    log_credibility: FloatArray,
    threshold: float,
    crash_share: float,
    overlap: float,
) -> OwnCrashFit:
    """Maximise the posterior of the law of a row given its month.

    For a residual r, the law of a row is Phi(r / spread) exp(-lambda S): the larger of a normal deviation and the
    deepest of a Poisson number of Pareto crashes.

    Parameters
    ----------
    residuals, log_worst, shocks, tail_weight, log_volatility, log_credibility : ndarray of shape (n_rows,)
        Residual of the common part, log of the worst log drop, shock of the month, covariates of the rate, and log of
        the factor of the token's own record.
    threshold : float
        Smallest log drop of a crash of the token's own.
    crash_share : float
        See ``OwnCrashLaw``.
    overlap : float
        Number of starts that share a term.
    """
    beyond = log_worst - np.log(threshold)
    rows = _Rows(
        residual=residuals,
        beyond=np.maximum(beyond, 0.0),
        is_beyond=beyond >= 0.0,
        shock=shocks,
        design=np.stack([np.ones_like(residuals), tail_weight, log_volatility], axis=1),
        offset=log_credibility,
        weight=1.0 / (overlap * CLUSTERING),
    )
    found = minimize(_negative_log_posterior, np.array(PRIOR), args=(rows,), jac=True, method="L-BFGS-B")
    if not np.isfinite(found.fun):
        raise NotConvergedError(f"the posterior of own crashes is {found.fun} after {found.nit} steps: {found.message}")
    spread, spread_slope, log_index, log_rate, tail_slope, volatility_slope = (float(value) for value in found.x)
    return OwnCrashFit(
        spread=spread,
        spread_slope=spread_slope,
        law=OwnCrashLaw(
            threshold=threshold,
            log_rate=log_rate,
            tail_slope=tail_slope,
            volatility_slope=volatility_slope,
            index=float(np.exp(log_index)),
            deep=-math.log1p(-DEEP_DROP),
            deep_index=max(float(np.exp(log_index)), DEEP_INDEX),
            crash_share=crash_share,
        ),
    )


def _negative_log_posterior(parameters: FloatArray, rows: _Rows) -> tuple[float, FloatArray]:
    """Return the negative log posterior and its gradient."""
    spread, spread_slope, log_index = parameters[:3]
    log_deviation = spread + spread_slope * rows.shock
    index = np.exp(log_index)
    rate = np.exp(np.clip(rows.design @ parameters[3:] + rows.offset, -12.0, 3.0))
    beyond = np.exp(-index * rows.beyond)
    z = rows.residual * np.exp(-log_deviation)
    bell = np.exp(-0.5 * z * z) / _ROOT_TWO_PI
    normal = bell * np.exp(-log_deviation)
    crash_density = rate * index * beyond * rows.is_beyond
    density = np.maximum(normal + ndtr(z) * crash_density, 1e-300)
    log_likelihood = np.log(density) - rate * beyond
    by_deviation = (normal * (z * z - 1.0) - bell * z * crash_density) / density
    crash_part = ndtr(z) * crash_density / density
    by_index = crash_part * (1.0 - index * rows.beyond) + rate * beyond * index * rows.beyond
    by_rate = crash_part - rate * beyond
    gradient = np.array([by_deviation.sum(), by_deviation @ rows.shock, by_index.sum(), *(rows.design.T @ by_rate)])
    pull = (parameters - PRIOR) / PRIOR_DEVIATION
    return (
        float(-rows.weight * log_likelihood.sum() + 0.5 * pull @ pull),
        -rows.weight * gradient + pull / PRIOR_DEVIATION,
    )
