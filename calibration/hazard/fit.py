"""Slopes of the crash hazard from a user's own panel: priors from judgement, fixed signs, and data if there are any.

Crashes of a row are Poisson with mean ``exposure * exp(log_rate + covariates @ slopes)``. The estimate is the
posterior mode with every slope at zero or above. The posterior around it is normal (Laplace), truncated at zero for
each slope. If a slope ends at zero, its normal law is centred below zero, where its parabola would peak, and
the other slopes are estimated as if it were known to be zero.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import truncnorm

from calibration.hazard.slopes import CONFIDENCE, REACH, Slope
from pricing.errors import DataError, InsufficientDataError, NotConvergedError
from pricing.tools.arrays import FloatArray

#: A slope whose posterior is wider than this part of its prior is still a judgement.
PRIOR_ONLY = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedRate:
    """Log hazard of a row whose scores are all zero.

    Parameters
    ----------
    value : float
        Point of highest posterior density.
    lower, upper : float
        90 % interval.
    sd : float
        Standard deviation.
    """

    value: float
    lower: float
    upper: float
    sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedSlope:
    """One slope after the data.

    Parameters
    ----------
    value : float
        Point of highest posterior density, not negative.
    lower, upper : float
        90 % interval, not negative.
    sd : float
        Standard deviation of the posterior, truncated at zero.
    prior_only : bool
        Whether that is above 90 % of the standard deviation of the prior, truncated in the same way.
    normal_sd : float
        Standard deviation before truncation.
    """

    value: float
    lower: float
    upper: float
    sd: float
    prior_only: bool
    normal_sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardFit:
    """Slopes of the hazard, estimated.

    Parameters
    ----------
    log_rate : FittedRate
        Log hazard, per unit of exposure, of a typical token.
    slopes : dict of str to FittedSlope
        One for each covariate.
    crashes, exposure : float
        Totals of the data.
    """

    log_rate: FittedRate
    slopes: dict[str, FittedSlope]
    crashes: float
    exposure: float

    @property
    def posterior(self) -> dict[str, Slope]:
        """The slopes in the form that ``hazard_factor`` takes, or as priors for more data."""
        source = f"fitted to {self.crashes:g} crashes in an exposure of {self.exposure:g}"
        return {
            name: Slope(mean=slope.value, sd=slope.normal_sd, source=source, prior_only=slope.prior_only)
            for name, slope in self.slopes.items()
        }


def fit_hazard(
    counts: npt.ArrayLike,
    exposure: npt.ArrayLike,
    covariates: pd.DataFrame,
    priors: Mapping[str, Slope],
    *,
    log_rate: tuple[float, float] | None = None,
) -> HazardFit:
    """Estimate level and slopes of the hazard from a panel, by maximum a posteriori with fixed signs.

    Parameters
    ----------
    counts : array_like of float, shape (n,)
        Crashes of each row.
    exposure : array_like of float, shape (n,)
        Time at risk of each row, or its expected number of crashes without covariates.
    covariates : DataFrame, shape (n, k)
        Scores of each row, known before its time at risk begins; zero is typical.
    priors : mapping of str to Slope
        One for each column.
    log_rate : tuple of float, optional
        Mean and standard deviation of a normal prior of the log rate; without it the prior is flat.

    Raises
    ------
    DataError
        If shapes, names or figures do not fit.
    InsufficientDataError
        If there is no crash and no prior of the rate.
    NotConvergedError
        If the optimiser does not stop at the maximum.

    Examples
    --------
    >>> fit = fit_hazard([1.0, 3.0], [20.0, 20.0], pd.DataFrame(index=range(2)), {})
    >>> round(math.exp(fit.log_rate.value), 6)
    0.1
    """
    y, E, X = _check(counts, exposure, covariates, priors)
    if log_rate is None and y.sum() == 0.0:
        raise InsufficientDataError(f"counts must hold a crash if the rate has no prior, got none in {len(y)} rows")
    means = np.array([0.0 if log_rate is None else log_rate[0], *(priors[name].mean for name in covariates.columns)])
    precisions = np.array(
        [0.0 if log_rate is None else log_rate[1] ** -2, *(priors[name].sd ** -2 for name in covariates.columns)]
    )
    mode, gradient, hessian = _maximise(y, E, X, means, precisions)
    free = (mode > 0.0) | (np.arange(len(mode)) == 0)
    deviations = np.array([_deviation(hessian, free, j) for j in range(len(mode))])
    centres = mode - deviations**2 * gradient
    reach = REACH * deviations[0]
    return HazardFit(
        log_rate=FittedRate(
            value=float(mode[0]), lower=float(mode[0] - reach), upper=float(mode[0] + reach), sd=float(deviations[0])
        ),
        slopes={
            name: _slope(float(mode[j]), float(centres[j]), float(deviations[j]), priors[name])
            for j, name in enumerate(covariates.columns, start=1)
        },
        crashes=float(y.sum()),
        exposure=float(E.sum()),
    )


def _check(
    counts: npt.ArrayLike, exposure: npt.ArrayLike, covariates: pd.DataFrame, priors: Mapping[str, Slope]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    y, E = np.asarray(counts, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    X = covariates.to_numpy(dtype=np.float64).reshape(len(covariates), -1)
    if not (y.ndim == E.ndim == 1 and len(y) == len(E) == len(X) > 0):
        raise DataError(f"counts, exposure and covariates must be of equal length, got {y.shape}, {E.shape}, {X.shape}")
    if set(covariates.columns) != set(priors):
        raise DataError(f"priors must be of {list(covariates.columns)}, got {list(priors)}")
    for name, right in (
        ("counts", np.isfinite(y) & (y >= 0.0)),
        ("exposure", np.isfinite(E) & (E > 0.0)),
        ("covariates", np.isfinite(X).all(axis=1)),
    ):
        if not right.all():
            row = int(np.argmin(right))
            value = {"counts": y, "exposure": E, "covariates": X}[name][row]
            raise DataError(f"{name} at row {row} must be {_DEMANDS[name]}, got {value}")
    return y, E, np.column_stack([np.ones(len(y)), X])


_DEMANDS = {"counts": "finite and not negative", "exposure": "positive and finite", "covariates": "finite"}


def _maximise(
    y: FloatArray, E: FloatArray, X: FloatArray, means: FloatArray, precisions: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the mode of the posterior and there the gradient and Hessian of its negative logarithm."""
    log_exposure = np.log(E)

    def loss(b: FloatArray) -> tuple[float, FloatArray]:
        linear = log_exposure + X @ b
        expected = np.exp(linear)
        value = float(np.sum(expected) - y @ linear + 0.5 * precisions @ (b - means) ** 2)
        return value, X.T @ (expected - y) + precisions * (b - means)

    start = np.concatenate([[math.log((y.sum() + 0.5) / E.sum())], np.zeros(X.shape[1] - 1)])
    bounds = [(None, None), *[(0.0, None)] * (X.shape[1] - 1)]
    found = minimize(
        loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 0.0, "gtol": 1e-7, "maxiter": 1000}
    )
    gradient = loss(found.x)[1]
    pulling = np.where((found.x <= 0.0) & (np.arange(len(found.x)) > 0), np.minimum(gradient, 0.0), gradient)
    if np.max(np.abs(pulling)) > 1e-5 * (1.0 + y.sum()):
        raise NotConvergedError(
            f"the hazard fit stopped with a gradient of {np.max(np.abs(pulling)):.2g}: {found.message}"
        )
    expected = np.exp(log_exposure + X @ found.x)
    return found.x, gradient, X.T @ (expected[:, None] * X) + np.diag(precisions)


def _deviation(hessian: FloatArray, free: npt.NDArray[np.bool_], j: int) -> float:
    """Return the standard deviation of one coordinate if the slopes that ended at zero stay there."""
    kept = np.flatnonzero(free | (np.arange(len(free)) == j))
    covariance = np.linalg.inv(hessian[np.ix_(kept, kept)])
    return math.sqrt(covariance.diagonal()[np.searchsorted(kept, j)])


def _slope(mode: float, centre: float, deviation: float, prior: Slope) -> FittedSlope:
    posterior = truncnorm(-centre / deviation, math.inf, loc=centre, scale=deviation)
    tail = 0.5 * (1.0 - CONFIDENCE)
    lower, upper = posterior.ppf([tail, 1.0 - tail])
    return FittedSlope(
        value=mode,
        lower=float(lower),
        upper=float(upper),
        sd=float(posterior.std()),
        prior_only=bool(posterior.std() > PRIOR_ONLY * prior.spread),
        normal_sd=deviation,
    )
