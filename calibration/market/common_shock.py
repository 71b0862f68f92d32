"""Fit the common part of the drop law: slopes between tokens of the same month, and the shocks of the months.

Slopes compare tokens within a month only, so no month dominates them; a month in which everything fell moves its shock.
Both regressions are ridge regressions toward stated prior means, which is the Bayes estimate under normal priors.
"""

from dataclasses import dataclass

import numpy as np

from calibration.law.drop_law import Level, MarketState
from pricing.tools.arrays import FloatArray, IntArray

#: Prior means and standard deviations of the slopes between tokens, see ``COVARIATES``: an elasticity of one half on
#: volatility, because volatility reverts; a record that persists by a third. Judgements, made before the fit.
SLOPE_PRIOR = (0.5, 0.2, 0.15, 0.1, 0.3)
SLOPE_PRIOR_DEVIATION = (0.15, 0.1, 0.1, 0.1, 0.2)
#: Prior of the level's slopes on the market's mean log volatility and on its 90-day return. The second is positive
#: because crashes follow run-ups; BTC and ETH confirm it before 2021.
LEVEL_PRIOR = (0.6, 0.2)
LEVEL_PRIOR_DEVIATION = (0.15, 0.15)
#: Standard deviation of a month's shock and of a token's deviation in it, for weighing data against the priors.
SHOCK_DEVIATION = 0.36
TOKEN_DEVIATION = 0.24
#: Standard deviation of a panel's month around its prediction from BTC and ETH: the precision with which few months
#: link their history to a panel. From the correlations of 0.72 and 0.83 in the months that both cover.
TRANSLATION_DEVIATION = 0.22
#: Rows of one month share sectors and overlap: this many of them carry as much information as one independent row.
CLUSTERING = 4.0
#: Number of equally weighted points that represent the law of shocks.
SHOCK_POINTS = 100

_HUBER = 1.5
_LEAST_SCALE = 1e-12
_SWEEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthEffects:
    """Slopes between tokens, and the remaining effects of months and tokens.

    Parameters
    ----------
    slopes : ndarray of shape (n_covariates,)
        Slopes.
    months : ndarray of shape (n_months,)
        Median of the residuals after the slopes, by month.
    residuals : ndarray of shape (n_rows,)
        Residuals after slopes and months.
    """

    slopes: FloatArray
    months: FloatArray
    residuals: FloatArray


def fit_month_effects(covariates: FloatArray, log_worst: FloatArray, month: IntArray, overlap: float) -> MonthEffects:
    """Regress log worst drops on covariates within months, robustly.

    Parameters
    ----------
    covariates : ndarray of shape (n_rows, n_covariates)
        See ``COVARIATES``.
    log_worst : ndarray of shape (n_rows,)
        Log of the worst log drop.
    month : ndarray of int, shape (n_rows,)
        Number of the month, 0 up.
    overlap : float
        Number of starts that share a term.
    """
    noise = TOKEN_DEVIATION**2 * overlap * CLUSTERING
    precision = 1.0 / np.square(SLOPE_PRIOR_DEVIATION)
    weights = np.ones(len(log_worst))
    for _ in range(_SWEEPS):
        within, target = _within(covariates, weights, month), _within(log_worst[:, None], weights, month)[:, 0]
        information = within.T @ (weights[:, None] * within) / noise + np.diag(precision)
        slopes = np.linalg.solve(information, within.T @ (weights * target) / noise + precision * SLOPE_PRIOR)
        left = log_worst - covariates @ slopes
        months = _medians(left, month)
        residuals = left - months[month]
        scale = max(float(np.median(np.abs(residuals))) / 0.6745, _LEAST_SCALE)  # of a normal law
        weights = np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(residuals), _LEAST_SCALE))
    return MonthEffects(slopes=np.asarray(slopes, dtype=np.float64), months=months, residuals=residuals)


def fit_level(
    effects: FloatArray, states: list[MarketState], weights: FloatArray, *, n_panel: int, overlap: float
) -> tuple[Level, FloatArray]:
    """Regress the level of months on the state of the market before them.

    Parameters
    ----------
    effects : ndarray of shape (n_months,)
        Level of each month.
    states : list of MarketState
        State before each.
    weights : ndarray of shape (n_months,)
        Weight of each month.
    n_panel : int
        Number of the panel's own months among them; the others are translated to it.
    overlap : float
        Number of starts that share a term.

    Returns
    -------
    level : Level
        The regression.
    shocks : ndarray of shape (n_months,)
        Residual of each month.
    """
    design = np.array([[1.0, state.log_volatility, state.run_up] for state in states])
    precision = np.diag([1e-6, *(1.0 / np.square(LEVEL_PRIOR_DEVIATION))])
    noise = SHOCK_DEVIATION**2 * overlap
    information = design.T @ (weights[:, None] * design) / noise + precision
    coefficients = np.linalg.solve(
        information, design.T @ (weights * effects) / noise + precision @ (0.0, *LEVEL_PRIOR)
    )
    level = Level(
        intercept=float(coefficients[0]),
        volatility_slope=float(coefficients[1]),
        run_up_slope=float(coefficients[2]),
        error=_level_error(weights, n_panel, overlap),
    )
    return level, effects - design @ coefficients


def _level_error(weights: FloatArray, n_panel: int, overlap: float) -> float:
    n_effective = weights.sum() ** 2 / np.square(weights).sum() / overlap
    own = n_panel / overlap
    return float(np.hypot(SHOCK_DEVIATION / np.sqrt(n_effective), TRANSLATION_DEVIATION / np.sqrt(own)))


def equal_points(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Condense a weighted sample to points of equal weight, each the mean of its slice of the sorted sample."""
    order = np.argsort(values, kind="stable")
    ends = np.concatenate([[0.0], np.cumsum(weights[order] / weights.sum())])
    moments = np.concatenate([[0.0], np.cumsum(values[order] * weights[order] / weights.sum())])
    cuts = np.interp(np.linspace(0.0, 1.0, SHOCK_POINTS + 1), ends, moments)
    return np.asarray(np.diff(cuts) * SHOCK_POINTS)


def _within(values: FloatArray, weights: FloatArray, month: IntArray) -> FloatArray:
    total = np.bincount(month, weights)
    means = np.stack([np.bincount(month, weights * column) / total for column in values.T], axis=1)
    return np.asarray(values - means[month])


def _medians(values: FloatArray, month: IntArray) -> FloatArray:
    order = np.lexsort((values, month))
    ends = np.searchsorted(month[order], np.arange(month.max() + 1), side="right")
    starts = np.concatenate([[0], ends[:-1]])
    ordered = values[order]
    return np.asarray(0.5 * (ordered[(starts + ends - 1) // 2] + ordered[(starts + ends) // 2]))
