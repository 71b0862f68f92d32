"""Volatility from one-step log returns: a GARCH law, its innovations, and the diagnostics of the fit.

The likelihood is that of ``arch`` with zero mean; the level is set by variance targeting. Hourly returns of tokens push
the fitted persistence towards one, and then the variance that the likelihood implies for the long run has no meaning:
it reached seven times the sample variance. Therefore persistence is bounded, and the long-run
variance is set to that of the returns (Francq, Horvath and Zakoian 2011, Journal of Financial Econometrics 9).
"""

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from calibration.paths.residuals import ResidualDiagnostics, examine_residuals
from pricing.errors import InsufficientDataError, InvalidModelError, NotConvergedError
from pricing.models.innovations import Empirical, InnovationLaw, Normal, StudentT
from pricing.models.volatility import ConstantVolatility, Garch, VolatilityLaw
from pricing.show.frames import frame_of
from pricing.tools.arrays import FloatArray
from pricing.tools.libraries import without
from pricing.tools.units import steps_per_year

with without("matplotlib"):  # arch asks for its version, and loading it takes a quarter of the time of all imports
    from arch.univariate import GARCH, ConstantVariance, ZeroMean
    from arch.univariate import Normal as NormalLikelihood
    from arch.univariate import StudentsT as StudentTLikelihood
    from arch.univariate.base import ARCHModelResult

Law = Literal["gjr", "garch", "constant"]
Innovations = Literal["empirical", "student_t", "normal"]

#: Below this number of returns the standard error of the persistence exceeds its distance to one.
SHORTEST_SAMPLE = 500
#: Largest persistence per step. At 0.985 an hourly variance shock has a half-life of two days; slower changes are part
#: of the level, which the law of the worst month sets. Among 0.97, 0.985 and 0.999 it gives the smallest loss over
#: over 90 days they are within 2 % (docs/studies/path_shape.py).
PERSISTENCE_BOUND = 0.985
#: An optimum this close to the bound was stopped by it.
BOUND_TOLERANCE = 1e-4
#: Number of latest residuals kept for drawing: more would not change the quantiles that a month of hours can reach.
RESIDUALS_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A maximum-likelihood estimate, in the units of log returns per step.

    Parameters
    ----------
    name : str
        ``omega``, ``alpha``, ``gamma``, ``beta``, ``variance`` or ``dof``.
    estimate, standard_error : float
        Estimate and its robust (Bollerslev-Wooldridge) standard error; the error is NaN at the edge of the domain.
    """

    name: str
    estimate: float
    standard_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityFit:
    """A volatility law with its innovations, ready for a price model.

    Parameters
    ----------
    law : ConstantVolatility or Garch
        The law to simulate: long-run variance as targeted, persistence as bounded.
    innovations : Empirical, StudentT or Normal
        Law of the standardised shock.
    parameters : tuple of Parameter
        Estimates of the likelihood, before targeting.
    residuals : Series of float
        Standardised residuals of the likelihood fit, neither centred nor rescaled.
    persistence : float
        Share of a variance shock left one step later under ``innovations``; 0 for constant volatility.
    persistence_bounded : bool
        Whether the persistence is at its bound.
    annual_volatility : float
        Long-run volatility per year of the law, equal to that of the returns.
    fitted_annual_volatility : float
        Long-run volatility per year that the likelihood alone would imply.
    next_variance : float
        Forecast variance of the step after the last return.
    log_likelihood : float
        Log likelihood of the returns in log price units.
    n_returns : int
        Number of returns fitted.
    diagnostics : ResidualDiagnostics
        Tests on the standardised residuals.
    """

    law: VolatilityLaw
    innovations: InnovationLaw
    parameters: tuple[Parameter, ...]
    residuals: pd.Series = field(repr=False, metadata={"plain": False})
    persistence: float
    persistence_bounded: bool
    annual_volatility: float
    fitted_annual_volatility: float
    next_variance: float
    log_likelihood: float
    n_returns: int
    diagnostics: ResidualDiagnostics

    def to_frame(self) -> pd.DataFrame:
        """Return the estimates of the likelihood as a data frame: index ``name``; ``estimate``, ``standard_error``."""
        return frame_of(Parameter, self.parameters, index="name")


def fit_volatility(
    log_returns: pd.Series, *, step: timedelta, law: Law = "gjr", innovations: Innovations = "empirical"
) -> VolatilityFit:
    """Fit a volatility law to one-step log returns.

    Returns on both sides of a gap are treated as neighbours: the variance recursion continues across the gap.

    Parameters
    ----------
    log_returns : Series of float
        One-step log returns in order, at least 500.
    step : timedelta
        Length of a step.
    law : {"gjr", "garch", "constant"}
        GJR-GARCH(1,1,1), GARCH(1,1) or constant volatility.
    innovations : {"empirical", "student_t", "normal"}
        Shocks of the model: the latest 10,000 residuals, centred and scaled to unit variance; Student-t; normal. The
        likelihood is normal for ``"normal"`` and Student-t otherwise, because the tails are fat.

    Raises
    ------
    InsufficientDataError
        If there are too few returns, or they do not vary.
    NotConvergedError
        If the optimiser finds no maximum of the likelihood.
    InvalidModelError
        If ``law`` or ``innovations`` is not one of the names above.
    """
    _require_choice(law, get_args(Law), "law")
    _require_choice(innovations, get_args(Innovations), "innovations")
    variance = _sample_variance(log_returns)
    fitted = _maximise_likelihood(log_returns.to_numpy() / math.sqrt(variance), law, innovations)
    residuals = pd.Series(np.asarray(fitted.std_resid), index=log_returns.index, name="residual")
    shocks = _shocks(residuals.to_numpy(), innovations, fitted)
    parameters = _parameters(fitted, variance)
    target = _target(log_returns.to_numpy(), variance, shocks, step, {p.name: p.estimate for p in parameters})
    return VolatilityFit(
        law=target.law,
        innovations=shocks,
        parameters=parameters,
        residuals=residuals,
        persistence=target.persistence,
        persistence_bounded=target.bounded,
        annual_volatility=math.sqrt(variance * steps_per_year(step)),
        fitted_annual_volatility=math.sqrt(target.fitted_variance * steps_per_year(step)),
        next_variance=target.next_variance,
        log_likelihood=float(fitted.loglikelihood) - 0.5 * len(log_returns) * math.log(variance),
        n_returns=len(log_returns),
        diagnostics=examine_residuals(residuals.to_numpy()),
    )


def filter_variance(
    returns: FloatArray, *, omega: float, alpha: float, gamma: float, beta: float, initial_variance: float
) -> FloatArray:
    """Run the variance recursion of ``pricing.models.volatility.Garch`` over observed returns.

    Parameters
    ----------
    returns : ndarray of float, shape (n,)
        One-step log returns.
    omega, alpha, gamma, beta : float
        Coefficients.
    initial_variance : float
        Variance of the first return.

    Returns
    -------
    ndarray of float, shape (n + 1,)
        Variance of each return and of the step after the last.
    """
    news = omega + (alpha + gamma * (returns < 0.0)) * returns**2
    filtered, _ = lfilter([1.0], [1.0, -beta], news, zi=[beta * initial_variance])
    return np.append(initial_variance, filtered)


class _BoundedGarch(GARCH):
    """The GARCH of ``arch`` with its stationarity constraint moved from 1 to the bound."""

    def constraints(self) -> tuple[FloatArray, FloatArray]:
        coefficients, floor = super().constraints()
        floor[-1] = -PERSISTENCE_BOUND
        return coefficients, floor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A law whose long-run variance is that of the returns."""

    law: VolatilityLaw
    persistence: float = 0.0
    bounded: bool = False
    fitted_variance: float
    next_variance: float


def _require_choice(value: str, choices: tuple[str, ...], name: str) -> None:
    if value not in choices:
        raise InvalidModelError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def _sample_variance(log_returns: pd.Series) -> float:
    if len(log_returns) < SHORTEST_SAMPLE:
        raise InsufficientDataError(f"log_returns must hold at least {SHORTEST_SAMPLE} returns, got {len(log_returns)}")
    variance = float(np.mean(log_returns.to_numpy() ** 2))
    if variance == 0.0:
        raise InsufficientDataError(f"log_returns must vary, got {len(log_returns)} times 0 (a pegged or stale price)")
    return variance


def _maximise_likelihood(scaled: FloatArray, law: Law, innovations: Innovations) -> ARCHModelResult:
    """Fit returns scaled to unit variance, the scale at which the optimiser of ``arch`` works best."""
    volatility = ConstantVariance() if law == "constant" else _BoundedGarch(p=1, o=int(law == "gjr"), q=1)
    distribution = NormalLikelihood() if innovations == "normal" else StudentTLikelihood()
    model = ZeroMean(scaled, volatility=volatility, distribution=distribution, rescale=False)
    fitted = model.fit(disp="off", show_warning=False)
    if fitted.convergence_flag != 0:
        # arch starts at the mean of the first squares, which is no variance if the price stood still
        fitted = model.fit(disp="off", show_warning=False, backcast=1.0)
    if fitted.convergence_flag != 0:
        raise NotConvergedError(
            f"SLSQP found no maximum of the likelihood of {law} over {len(scaled)} returns (flag "
            f"{fitted.convergence_flag}); {np.mean(scaled == 0.0):.0%} of the returns are 0 (a coarse tick or a stale "
            "price does not follow such a law: use longer bars, or law='constant' with innovations='normal')"
        )
    return fitted


def _shocks(residuals: FloatArray, innovations: Innovations, fitted: ARCHModelResult) -> InnovationLaw:
    if innovations == "normal":
        return Normal()
    if innovations == "student_t":
        return StudentT(dof=float(fitted.params["nu"]))
    kept = residuals[-RESIDUALS_KEPT:]
    return Empirical(values=tuple(((kept - np.mean(kept)) / np.std(kept)).tolist()))


def _parameters(fitted: ARCHModelResult, variance: float) -> tuple[Parameter, ...]:
    """Name the estimates and scale variances back to log returns."""
    units = {"omega": variance, "sigma2": variance}
    names = {"alpha[1]": "alpha", "gamma[1]": "gamma", "beta[1]": "beta", "nu": "dof", "sigma2": "variance"}
    return tuple(
        Parameter(
            name=names.get(name, name),
            estimate=float(fitted.params[name]) * units.get(name, 1.0),
            standard_error=float(error) * units.get(name, 1.0),
        )
        for name, error in zip(fitted.params.index, _standard_errors(fitted), strict=True)
    )


def _standard_errors(fitted: ARCHModelResult) -> FloatArray:
    """Return robust standard errors, NaN if the estimate is at the edge and the Hessian cannot be inverted."""
    try:
        with np.errstate(invalid="ignore"):
            return np.asarray(fitted.std_err, dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full(len(fitted.params), np.nan)


def _target(
    returns: FloatArray, variance: float, shocks: InnovationLaw, step: timedelta, estimates: dict[str, float]
) -> _Target:
    """Bound the persistence and set the long-run variance to that of the returns."""
    if "beta" not in estimates:
        annual = math.sqrt(variance * steps_per_year(step))
        fitted = estimates["variance"]
        return _Target(law=ConstantVolatility(annual=annual), fitted_variance=fitted, next_variance=variance)
    alpha, beta = estimates["alpha"], estimates["beta"]
    # the optimiser keeps alpha + gamma >= 0 to the last digits only
    gamma = max(estimates.get("gamma", 0.0), -alpha)
    free = alpha + gamma * _downside(shocks) + beta
    shrinkage = PERSISTENCE_BOUND / free if free > PERSISTENCE_BOUND else 1.0
    coefficients = {"alpha": alpha * shrinkage, "gamma": gamma * shrinkage, "beta": beta * shrinkage}
    omega = variance * (1.0 - free * shrinkage)
    next_variance = float(filter_variance(returns, omega=omega, **coefficients, initial_variance=variance)[-1])
    at_bound = alpha + 0.5 * gamma + beta >= PERSISTENCE_BOUND - BOUND_TOLERANCE
    return _Target(
        law=Garch(omega=omega, **coefficients, initial_variance=next_variance),
        persistence=free * shrinkage,
        bounded=at_bound or shrinkage < 1.0,
        fitted_variance=estimates["omega"] / (1.0 - alpha - 0.5 * gamma - beta),
        next_variance=next_variance,
    )


def _downside(shocks: InnovationLaw) -> float:
    """Return the share of the variance from negative shocks: one half for a symmetric law."""
    if not isinstance(shocks, Empirical):
        return 0.5
    values = np.asarray(shocks.values)
    return float(np.mean(values**2 * (values < 0.0)))
