from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from arch import arch_model
from arch.univariate import GARCH, ZeroMean

from calibration.paths.volatility import PERSISTENCE_BOUND, RESIDUALS_KEPT, filter_variance, fit_volatility
from pricing.errors import InsufficientDataError, InvalidModelError, NotConvergedError
from pricing.models.innovations import Empirical, Normal, StudentT
from pricing.models.volatility import ConstantVolatility, Garch
from tests.checkout import CHECKOUT

HOUR = timedelta(hours=1)
TRUE = {"omega": 4e-6, "alpha": 0.05, "gamma": 0.06, "beta": 0.88, "dof": 6.0}
TABLES = CHECKOUT / "tests/calibration/tables"


@pytest.fixture(scope="module")
def returns(gjr_returns):
    return gjr_returns(20_000, **TRUE, seed=11)


@pytest.fixture(scope="module")
def fit(returns):
    return fit_volatility(returns, step=HOUR)


def estimates(fit):
    return {parameter.name: parameter.estimate for parameter in fit.parameters}


# --- the recursion ----------------------------------------------------------------------------------------------------


def test_filter_reproduces_quantlibs_table():
    # constant returns of 0.1, started at their square; row k holds the volatility of step k + 1, to six digits
    table = pd.read_csv(TABLES / "quantlib_garch11_filter.csv")
    row = table.iloc[0]
    variances = filter_variance(
        np.full(10, row["constant_return"]),
        omega=row["omega"],
        alpha=row["alpha"],
        gamma=0.0,
        beta=row["beta"],
        initial_variance=row["constant_return"] ** 2,
    )
    np.testing.assert_allclose(np.sqrt(variances[table["step"] + 1]), table["ql_expected_vol"], atol=5e-7)


def test_filter_is_the_recursion_of_the_model():
    returns = np.random.default_rng(1).normal(scale=0.01, size=300)
    variance = [2e-4]
    for r in returns:
        variance.append(1e-6 + (0.05 + 0.1 * (r < 0)) * r**2 + 0.85 * variance[-1])
    filtered = filter_variance(returns, omega=1e-6, alpha=0.05, gamma=0.1, beta=0.85, initial_variance=2e-4)
    np.testing.assert_allclose(filtered, variance, rtol=1e-13)


def test_filter_on_log_returns_is_archs_filter_on_scaled_returns(returns):
    scale = 0.0123
    scaled = returns.to_numpy() / scale
    parameters = np.array([0.03, 0.05, 0.06, 0.88])
    process = GARCH(p=1, o=1, q=1)
    wide = np.tile([1e-300, 1e300], (len(scaled), 1))
    by_arch = process.compute_variance(parameters, scaled, np.empty_like(scaled), process.backcast(scaled), wide)
    own = filter_variance(
        returns.to_numpy(),
        omega=parameters[0] * scale**2,
        alpha=parameters[1],
        gamma=parameters[2],
        beta=parameters[3],
        initial_variance=by_arch[0] * scale**2,
    )
    np.testing.assert_allclose(own[:-1], by_arch * scale**2, rtol=1e-12)


# --- the likelihood ---------------------------------------------------------------------------------------------------


def test_true_parameters_are_recovered(fit):
    # seed 11, 20,000 returns, z = 4 with the reported standard errors
    for parameter in fit.parameters:
        assert abs(parameter.estimate - TRUE[parameter.name]) < 4.0 * parameter.standard_error, parameter
        assert parameter.standard_error < 0.3 * parameter.estimate
    assert not fit.persistence_bounded
    assert fit.persistence == pytest.approx(0.96, abs=0.02)


def test_likelihood_agrees_with_arch_in_per_cent(returns):
    fitted = fit_volatility(returns, step=HOUR, innovations="student_t")
    reference = arch_model(100.0 * returns.to_numpy(), mean="Zero", p=1, o=1, q=1, dist="t", rescale=False)
    reference = reference.fit(disp="off", show_warning=False)
    assert fitted.log_likelihood == pytest.approx(reference.loglikelihood + len(returns) * np.log(100.0), abs=1e-3)
    for name, other in {"alpha": "alpha[1]", "gamma": "gamma[1]", "beta": "beta[1]", "dof": "nu"}.items():
        assert estimates(fitted)[name] == pytest.approx(reference.params[other], rel=2e-3)


@pytest.mark.parametrize("unit", [2.0**-10, 64.0])  # exact in binary, so that the optimiser sees the same numbers
def test_unit_of_returns_scales_variances_only(returns, unit):
    one, other = (fit_volatility(r.iloc[:3000], step=HOUR) for r in (returns, unit * returns))
    assert other.law.omega == pytest.approx(unit**2 * one.law.omega, rel=1e-12)
    assert other.law.alpha == pytest.approx(one.law.alpha, rel=1e-12)
    assert other.next_variance == pytest.approx(unit**2 * one.next_variance, rel=1e-12)
    assert other.log_likelihood == pytest.approx(one.log_likelihood - 3000 * np.log(unit), abs=1e-6)
    np.testing.assert_allclose(other.innovations.values, one.innovations.values, rtol=1e-12)


def test_constant_volatility_with_normal_shocks_has_a_closed_form(returns):
    fitted = fit_volatility(returns, step=HOUR, law="constant", innovations="normal")
    variance = np.mean(returns**2)
    assert isinstance(fitted.law, ConstantVolatility)
    assert fitted.law.annual == pytest.approx(np.sqrt(8760 * variance))
    assert isinstance(fitted.innovations, Normal)
    n = len(returns)
    assert fitted.log_likelihood == pytest.approx(-0.5 * n * (np.log(2 * np.pi * variance) + 1.0), rel=1e-9)
    assert fitted.next_variance == pytest.approx(variance)
    assert fitted.persistence == 0.0


# --- what is handed to the model --------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", ["gjr", "garch"])
@pytest.mark.parametrize("innovations", ["empirical", "student_t", "normal"])
def test_long_run_variance_of_the_law_is_that_of_the_returns(returns, law, innovations):
    fitted = fit_volatility(returns, step=HOUR, law=law, innovations=innovations)
    downside = 0.5
    if innovations == "empirical":
        values = np.array(fitted.innovations.values)
        downside = np.mean(values**2 * (values < 0.0))
    persistence = fitted.law.alpha + fitted.law.gamma * downside + fitted.law.beta
    assert fitted.persistence == pytest.approx(persistence, rel=1e-12)
    assert fitted.law.omega / (1.0 - persistence) == pytest.approx(np.mean(returns**2), rel=1e-9)
    assert fitted.annual_volatility == pytest.approx(np.sqrt(8760 * np.mean(returns**2)), rel=1e-12)
    assert (fitted.law.gamma == 0.0) == (law == "garch")


def test_next_variance_continues_the_recursion(returns, fit):
    law, last = fit.law, returns.to_numpy()[-1]
    before = fit_volatility(returns, step=HOUR).law
    variances = filter_variance(
        returns.to_numpy(),
        omega=law.omega,
        alpha=law.alpha,
        gamma=law.gamma,
        beta=law.beta,
        initial_variance=float(np.mean(returns**2)),
    )
    expected = law.omega + (law.alpha + law.gamma * (last < 0)) * last**2 + law.beta * variances[-2]
    assert law.initial_variance == fit.next_variance == pytest.approx(expected, rel=1e-12)
    assert before == law


def test_empirical_shocks_are_the_latest_residuals_with_unit_variance(fit):
    values = np.array(fit.innovations.values)
    assert isinstance(fit.innovations, Empirical)
    assert len(values) == RESIDUALS_KEPT
    assert np.mean(values) == pytest.approx(0.0, abs=1e-14)
    assert np.var(values) == pytest.approx(1.0, rel=1e-12)
    tail = fit.residuals.to_numpy()[-RESIDUALS_KEPT:]
    np.testing.assert_allclose(values, (tail - tail.mean()) / tail.std(), rtol=1e-9)


def test_student_shocks_carry_the_fitted_degrees_of_freedom(returns):
    fitted = fit_volatility(returns, step=HOUR, innovations="student_t")
    assert fitted.innovations == StudentT(dof=estimates(fitted)["dof"])


def test_residuals_of_the_true_law_are_clean(fit):
    # seed 11; the p-values are uniform under the law that made the data
    assert fit.diagnostics.ljung_box_p_value > 1e-3
    assert fit.diagnostics.ljung_box_squared_p_value > 1e-3
    assert fit.diagnostics.variance == pytest.approx(1.0, abs=0.05)


# --- persistence ------------------------------------------------------------------------------------------------------


def test_persistence_near_one_is_bounded_and_said(gjr_returns):
    # 0.9995 is beyond the bound; seed 5
    returns = gjr_returns(6000, omega=1e-8, alpha=0.09, gamma=0.0, beta=0.9095, dof=8.0, seed=5)
    fitted = fit_volatility(returns, step=HOUR)
    assert fitted.persistence_bounded
    assert fitted.persistence <= PERSISTENCE_BOUND * (1.0 + 1e-12)
    assert isinstance(fitted.law, Garch)
    assert fitted.law.omega > 0.0


def test_asymmetric_shocks_cannot_push_the_persistence_beyond_the_bound(gjr_returns):
    returns = gjr_returns(6000, omega=1e-8, alpha=0.02, gamma=0.14, beta=0.9095, dof=4.0, seed=6)
    skewed = returns.where(returns > 0.0, 1.3 * returns)
    fitted = fit_volatility(skewed, step=HOUR)
    values = np.array(fitted.innovations.values)
    downside = np.mean(values**2 * (values < 0.0))
    assert downside > 0.55
    assert fitted.law.alpha + fitted.law.gamma * downside + fitted.law.beta <= PERSISTENCE_BOUND * (1.0 + 1e-12)
    assert fitted.persistence_bounded


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_short_samples_are_refused(returns):
    with pytest.raises(InsufficientDataError, match="at least 500 returns, got 499"):
        fit_volatility(returns.iloc[:499], step=HOUR)


def test_a_price_that_never_moves_is_refused(returns):
    with pytest.raises(InsufficientDataError, match="must vary"):
        fit_volatility(0.0 * returns, step=HOUR)


@pytest.mark.parametrize("choice", [{"law": "egarch"}, {"innovations": "bootstrap"}])
def test_unknown_choices_are_refused_with_the_known_ones(returns, choice):
    with pytest.raises(InvalidModelError, match=rf"{next(iter(choice))} must be one of .*, got"):
        fit_volatility(returns, step=HOUR, **choice)


def test_an_optimiser_without_an_optimum_is_refused(returns, monkeypatch):
    monkeypatch.setattr(ZeroMean, "fit", lambda *_, **__: SimpleNamespace(convergence_flag=9))
    with pytest.raises(NotConvergedError, match="flag 9"):
        fit_volatility(returns, step=HOUR)


def test_two_fits_of_the_same_returns_are_the_same(returns, fit):
    again = fit_volatility(returns, step=HOUR)
    assert (again.law, again.innovations, again.parameters) == (fit.law, fit.innovations, fit.parameters)
