import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.special import ndtr

from calibration.market.own_crash import PRIOR, PRIOR_DEVIATION, _negative_log_posterior, _Rows, fit_own_crashes

THRESHOLD = 0.16
#: Log spread, its slope on the shock, log index, log rate, slopes of the rate on tail weight and log volatility.
TRUTH = np.array([-1.3, 0.2, math.log(3.0), -2.0, 0.8, 0.4])


def rows_of(data, weight=1.0):
    beyond = data["log_worst"] - math.log(THRESHOLD)
    return _Rows(
        residual=data["residuals"],
        beyond=np.maximum(beyond, 0.0),
        is_beyond=beyond >= 0.0,
        shock=data["shocks"],
        design=np.stack([np.ones_like(beyond), data["tail_weight"], data["log_volatility"]], axis=1),
        offset=data["log_credibility"],
        weight=weight,
    )


def simulated(n_rows, seed, truth=TRUTH):
    """Draw rows: the deeper of a normal month and of the deepest of Poisson many Pareto crashes."""
    rng = np.random.default_rng(seed)
    spread, spread_slope, log_index, log_rate, tail_slope, volatility_slope = truth
    centre, shocks = rng.normal(-2.0, 0.3, n_rows), 0.36 * rng.normal(size=n_rows)
    tail_weight, log_volatility = rng.exponential(0.3, n_rows), 0.4 * rng.normal(size=n_rows)
    log_credibility = np.log(rng.gamma(4.0, 0.25, n_rows))
    rate = np.exp(log_rate + tail_slope * tail_weight + volatility_slope * log_volatility + log_credibility)
    share = rng.exponential(size=n_rows) / rate  # of crashes as deep as the deepest: below one if there was any
    log_crash = np.where(share < 1.0, math.log(THRESHOLD) - np.log(share) / math.exp(log_index), -np.inf)
    ordinary = centre + np.exp(spread + spread_slope * shocks) * rng.normal(size=n_rows)
    log_worst = np.maximum(ordinary, log_crash)
    return {
        "residuals": log_worst - centre,
        "log_worst": log_worst,
        "shocks": shocks,
        "tail_weight": tail_weight,
        "log_volatility": log_volatility,
        "log_credibility": log_credibility,
    }


def fit(data, overlap=1.0):
    return fit_own_crashes(**data, threshold=THRESHOLD, crash_share=0.01, overlap=overlap)


def parameters(found):
    law = found.law
    rates = (law.log_rate, law.tail_slope, law.volatility_slope)
    return np.array([found.spread, found.spread_slope, math.log(law.index), *rates])


def one_row(residual, centre=-2.0):
    """A row with everything fixed except its depth."""
    values = {"residuals": residual, "log_worst": centre + residual, "shocks": 0.3, "tail_weight": 0.2}
    return {
        name: np.array([value]) for name, value in (values | {"log_volatility": 0.1, "log_credibility": 0.4}).items()
    }


def density(residual):
    value, _ = _negative_log_posterior(TRUTH, rows_of(one_row(residual)))
    pull = (TRUTH - PRIOR) / PRIOR_DEVIATION
    return math.exp(0.5 * pull @ pull - value)


def distribution(residual, centre=-2.0):
    rate = math.exp(-2.0 + 0.8 * 0.2 + 0.4 * 0.1 + 0.4)
    beyond = min(1.0, math.exp(-3.0 * (centre + residual - math.log(THRESHOLD))))
    return ndtr(residual / math.exp(-1.3 + 0.2 * 0.3)) * math.exp(-rate * beyond)


def test_the_likelihood_is_a_law():
    edge = math.log(THRESHOLD) + 2.0  # the residual at which own crashes begin
    total = quad(density, -4.0, edge)[0] + quad(density, edge, 2.0)[0] + quad(density, 2.0, 12.0)[0]
    assert total == pytest.approx(1.0, abs=1e-8)


@given(st.floats(-1.0, 3.0))
def test_the_likelihood_is_the_derivative_of_the_law(residual):
    step = 1e-5
    edge = math.log(THRESHOLD) + 2.0
    if abs(residual - edge) > step:
        slope = (distribution(residual + step) - distribution(residual - step)) / (2.0 * step)
        assert density(residual) == pytest.approx(slope, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_gradient_is_that_of_the_posterior(seed):
    rng = np.random.default_rng(seed)
    rows = rows_of(simulated(300, seed), weight=0.4)
    point = np.array(PRIOR) + 0.3 * rng.normal(size=6)
    numerical = approx_fprime(point, lambda at: _negative_log_posterior(at, rows)[0], 1e-7)
    assert _negative_log_posterior(point, rows)[1] == pytest.approx(numerical, rel=1e-4, abs=1e-4)


def test_the_law_of_simulated_rows_is_recovered():
    # 40,000 rows, seed 5, some 6,000 of them crashes; four standard errors allowed, from the curvature of the posterior
    data = simulated(40_000, 5)
    rows = rows_of(data, weight=0.5)
    curvature = np.array(
        [
            (_negative_log_posterior(TRUTH + step, rows)[1] - _negative_log_posterior(TRUTH - step, rows)[1]) / 2e-4
            for step in 1e-4 * np.eye(6)
        ]
    )
    covariance = np.linalg.inv(0.5 * (curvature + curvature.T))
    pulled = TRUTH + covariance @ ((np.array(PRIOR) - TRUTH) / np.square(PRIOR_DEVIATION))
    error = np.sqrt(0.5 * np.diag(covariance))  # rows count half: their errors are smaller than the posterior says
    assert np.all(error < 0.05)
    assert np.all(np.abs(parameters(fit(data)) - pulled) < 4.0 * error)


def test_without_weight_the_prior_stands():
    assert parameters(fit(simulated(200, 6), overlap=1e12)) == pytest.approx(PRIOR, abs=1e-6)


def test_the_posterior_is_flat_at_the_estimate():
    data = simulated(500, 7)
    _, gradient = _negative_log_posterior(parameters(fit(data, overlap=6.0)), rows_of(data, weight=1.0 / 12.0))
    assert gradient == pytest.approx(0.0, abs=1e-3)


def test_more_rows_of_the_same_kind_move_the_estimate_away_from_the_prior():
    once = simulated(400, 8)
    many = {name: np.tile(values, 20) for name, values in once.items()}
    distance = [np.abs(parameters(fit(data, overlap=6.0)) - PRIOR).sum() for data in (once, many)]
    assert distance[0] < distance[1]


def test_a_market_without_crashes_has_a_lower_rate_than_the_prior():
    calm = simulated(3000, 9, truth=np.array([*TRUTH[:3], -20.0, 0.0, 0.0]))
    found = fit(calm, overlap=6.0)
    assert found.law.log_rate < PRIOR[3] - 1.0
    # the index is told by nothing but the prior, and by crashes that did not hide in the normal tail
    assert math.log(found.law.index) == pytest.approx(PRIOR[2], abs=PRIOR_DEVIATION[2])


@pytest.mark.parametrize(("log_index", "expected"), [(math.log(2.0), 2.9), (math.log(5.0), 5.0)])
def test_deep_crashes_thin_out_at_least_as_fast_as_on_record(log_index, expected):
    """5,000 rows, seed 12; the index of so many crashes is known to a tenth."""
    truth = np.array([*TRUTH[:2], log_index, math.log(0.3), *TRUTH[4:]])
    law = fit(simulated(5000, 12, truth=truth)).law
    assert law.deep == pytest.approx(-math.log(0.7))
    assert law.deep_index == pytest.approx(expected, rel=0.1)
    assert law.deep_index >= max(law.index, 2.9)


def test_threshold_and_crash_share_are_passed_on():
    found = fit(simulated(100, 10))
    assert (found.law.threshold, found.law.crash_share) == (THRESHOLD, 0.01)
