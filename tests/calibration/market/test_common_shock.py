import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calibration.law.drop_law import MarketState
from calibration.market.common_shock import (
    CLUSTERING,
    LEVEL_PRIOR,
    SHOCK_DEVIATION,
    SHOCK_POINTS,
    SLOPE_PRIOR,
    SLOPE_PRIOR_DEVIATION,
    TOKEN_DEVIATION,
    TRANSLATION_DEVIATION,
    equal_points,
    fit_level,
    fit_month_effects,
)

#: Standard deviations of covariates between tokens, about those of the panel.
SPREADS = np.array([0.4, 0.25, 0.25, 0.25, 0.25])
SLOPES = np.array([0.7, 0.1, 0.3, 0.0, 0.5])


def simulated(rng, n_months, n_tokens, slopes=SLOPES, deviation=TOKEN_DEVIATION):
    """Draw token-months with known slopes and months."""
    month = np.repeat(np.arange(n_months), n_tokens)
    covariates = SPREADS * rng.normal(size=(len(month), 5))
    effects = rng.normal(-1.6, SHOCK_DEVIATION, n_months)
    log_worst = covariates @ slopes + effects[month] + deviation * rng.normal(size=len(month))
    return covariates, log_worst, month, effects


def states(log_volatilities, run_ups):
    return [MarketState(log_volatility=v, run_up=r) for v, r in zip(log_volatilities, run_ups, strict=True)]


# --- slopes and months ------------------------------------------------------------------------------------------------


def test_slopes_and_months_are_recovered():
    # 200 months of 60 tokens, seed 1: standard error of a slope 0.24 / (spread * sqrt(12000)), five of them allowed
    covariates, log_worst, month, effects = simulated(np.random.default_rng(1), 200, 60)
    found = fit_month_effects(covariates, log_worst, month, overlap=1.0)
    error = TOKEN_DEVIATION / (SPREADS * math.sqrt(len(month)))
    information = len(month) * SPREADS**2 / (TOKEN_DEVIATION**2 * CLUSTERING)
    precision = 1.0 / np.square(SLOPE_PRIOR_DEVIATION)
    expected = (information * SLOPES + precision * SLOPE_PRIOR) / (information + precision)
    assert np.all(np.abs(found.slopes - expected) < 5.0 * error)
    # a median of 60 normal deviations has the standard error 0.24 * sqrt(pi / 120) = 0.0389; the root mean square of
    # 200 of them has a relative error of 5 %, four of them allowed
    root_mean_square = np.sqrt(np.mean((found.months - effects) ** 2))
    assert root_mean_square == pytest.approx(TOKEN_DEVIATION * math.sqrt(math.pi / 120.0), rel=0.2)


def test_without_noise_months_are_exact():
    covariates, log_worst, month, effects = simulated(np.random.default_rng(2), 6, 11, np.array(SLOPE_PRIOR), 0.0)
    found = fit_month_effects(covariates, log_worst, month, overlap=6.0)
    assert found.slopes == pytest.approx(SLOPE_PRIOR, abs=1e-12)
    assert found.months == pytest.approx(effects, abs=1e-12)
    assert found.residuals == pytest.approx(0.0, abs=1e-12)


@given(st.integers(1, 8), st.integers(1, 12), st.integers(0, 1000))
def test_without_covariates_slopes_are_the_prior_and_months_are_medians(n_months, n_tokens, seed):
    rng = np.random.default_rng(seed)
    month = rng.permutation(np.repeat(np.arange(n_months), n_tokens + 1))
    log_worst = rng.normal(size=len(month))
    found = fit_month_effects(np.zeros((len(month), 5)), log_worst, month, overlap=6.0)
    assert found.slopes == pytest.approx(SLOPE_PRIOR, rel=1e-12)
    assert found.months == pytest.approx([np.median(log_worst[month == at]) for at in range(n_months)])
    assert found.residuals == pytest.approx(log_worst - found.months[month])


@pytest.mark.parametrize("n_months", [1, 10, 1000])
def test_a_slope_is_the_mean_of_data_and_prior_by_precision(n_months):
    # four tokens per month with volatility +-1 and a deviation +-0.3 independent of it: no row stands out
    volatility, deviation = np.tile([1.0, 1.0, -1.0, -1.0], n_months), np.tile([0.3, -0.3, 0.3, -0.3], n_months)
    covariates = np.zeros((4 * n_months, 5))
    covariates[:, 0] = volatility
    found = fit_month_effects(covariates, 0.55 * volatility + deviation, np.repeat(np.arange(n_months), 4), overlap=6.0)
    information, precision = 4 * n_months / (TOKEN_DEVIATION**2 * 6.0 * CLUSTERING), 1.0 / SLOPE_PRIOR_DEVIATION[0] ** 2
    expected = (information * 0.55 + precision * SLOPE_PRIOR[0]) / (information + precision)
    assert found.slopes == pytest.approx([expected, *SLOPE_PRIOR[1:]], rel=1e-12)


def test_crashes_of_some_tokens_move_neither_months_nor_slopes_far():
    # a tenth of 12,000 rows fall exp(1.5) times as deep, most of them of high volatility; least squares is misled
    rng = np.random.default_rng(3)
    covariates, log_worst, month, effects = simulated(rng, 200, 60)
    chance = 0.1 / (1.0 + np.exp(-covariates[:, 0] / SPREADS[0]))
    crashed = log_worst + 1.5 * (rng.random(len(month)) < 2.0 * chance)
    clean, found = (fit_month_effects(covariates, rows, month, overlap=1.0) for rows in (log_worst, crashed))
    dummies = np.eye(200)[month]
    ordinary = np.linalg.lstsq(np.hstack([covariates, dummies]), crashed, rcond=None)[0]
    assert abs(found.slopes[0] - clean.slopes[0]) < 0.5 * abs(ordinary[0] - SLOPES[0])
    assert np.mean(found.months - clean.months) < 0.4 * np.mean(ordinary[5:] - effects)


def test_no_month_can_own_a_slope():
    covariates, log_worst, month, _ = simulated(np.random.default_rng(4), 20, 30)
    stormy = np.where(month == 7, 2.0, 0.0)  # everything falls, and volatility was high before
    covariates_before = covariates + stormy[:, None]
    plain = fit_month_effects(covariates, log_worst, month, overlap=6.0)
    found = fit_month_effects(covariates_before, log_worst + stormy, month, overlap=6.0)
    assert found.slopes == pytest.approx(plain.slopes, abs=1e-9)
    assert found.residuals == pytest.approx(plain.residuals, abs=1e-9)


# --- level ------------------------------------------------------------------------------------------------------------


def test_a_level_like_its_prior_is_exact():
    volatilities, run_ups = np.linspace(-0.4, 0.6, 40), np.linspace(-1.0, 1.0, 40) ** 2
    effects = -1.7 + LEVEL_PRIOR[0] * volatilities + LEVEL_PRIOR[1] * run_ups
    level, shocks = fit_level(effects, states(volatilities, run_ups), np.ones(40), n_panel=40, overlap=1.0)
    # the intercept has a prior of standard deviation 1,000 around 0
    assert (level.intercept, level.volatility_slope, level.run_up_slope) == pytest.approx(
        (-1.7, *LEVEL_PRIOR), abs=1e-6
    )
    assert shocks == pytest.approx(0.0, abs=1e-6)


def test_many_months_overrule_the_prior():
    rng = np.random.default_rng(5)
    volatilities, run_ups = rng.normal(0.0, 0.3, 20_000), rng.normal(0.0, 0.4, 20_000)
    noise = SHOCK_DEVIATION * rng.normal(size=20_000)
    effects = -1.7 + 0.2 * volatilities - 0.3 * run_ups + noise
    level, shocks = fit_level(effects, states(volatilities, run_ups), np.ones(20_000), n_panel=20_000, overlap=1.0)
    # standard errors 0.36 / (0.3 sqrt(20000)) = 0.0085 and 0.0064: four of them allowed, and 0.002 for the prior
    assert level.volatility_slope == pytest.approx(0.2, abs=0.036)
    assert level.run_up_slope == pytest.approx(-0.3, abs=0.028)
    assert shocks.mean() == pytest.approx(0.0, abs=1e-6)


@given(st.floats(-3.0, 0.0), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_one_month_says_the_intercept_and_nothing_of_slopes(effect, volatility, run_up):
    level, _ = fit_level(np.array([effect]), states([volatility], [run_up]), np.ones(1), n_panel=1, overlap=1.0)
    surprise = effect - LEVEL_PRIOR[0] * volatility - LEVEL_PRIOR[1] * run_up
    assert level.intercept == pytest.approx(surprise, abs=1e-4)
    assert (level.volatility_slope, level.run_up_slope) == pytest.approx(LEVEL_PRIOR, abs=1e-4)


def test_two_months_of_half_weight_are_one():
    rng = np.random.default_rng(6)
    effects, volatilities, run_ups = rng.normal(size=(3, 10))
    once, shocks = fit_level(effects, states(volatilities, run_ups), np.ones(10), n_panel=10, overlap=2.0)
    twice, _ = fit_level(
        np.repeat(effects, 2),
        states(np.repeat(volatilities, 2), np.repeat(run_ups, 2)),
        np.full(20, 0.5),
        n_panel=10,
        overlap=2.0,
    )
    for field in ("intercept", "volatility_slope", "run_up_slope"):
        assert getattr(twice, field) == pytest.approx(getattr(once, field), rel=1e-9)
    expected = effects - [once.at(state) for state in states(volatilities, run_ups)]
    assert shocks == pytest.approx(expected)


def error_of(weights, n_panel, overlap):
    n = len(weights)
    return fit_level(
        np.zeros(n), states(np.zeros(n), np.zeros(n)), np.array(weights), n_panel=n_panel, overlap=overlap
    )[0].error


def test_the_level_is_as_uncertain_as_independent_months_are_few():
    # a panel of 12 months, six starts per month, and nothing else: both errors shrink with the root of 12
    alone = error_of([1.0] * 72, 72, 6.0)
    assert alone == pytest.approx(math.hypot(SHOCK_DEVIATION, TRANSLATION_DEVIATION) / math.sqrt(12.0))
    # four times the panel halves both
    assert error_of([1.0] * 288, 288, 6.0) == pytest.approx(0.5 * alone)
    # a long memory of half weight: Kish's effective number is (72 + 36) ** 2 / (72 + 18) of 144 starts
    remembered = math.hypot(SHOCK_DEVIATION / math.sqrt(108.0**2 / 90.0 / 6.0), TRANSLATION_DEVIATION / math.sqrt(12.0))
    assert error_of([1.0] * 72 + [0.5] * 72, 72, 6.0) == pytest.approx(remembered)
    assert remembered < alone


# --- equal points -----------------------------------------------------------------------------------------------------

SAMPLES = st.integers(1, 250).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.floats(-3.0, 3.0)), arrays(np.float64, n, elements=st.floats(0.1, 2.0))
    )
)


@given(SAMPLES)
def test_equal_points_keep_mean_order_and_range(sample):
    values, weights = sample
    points = equal_points(values, weights)
    assert len(points) == SHOCK_POINTS
    assert points.mean() == pytest.approx(np.average(values, weights=weights), abs=1e-12)
    assert np.all(np.diff(points) >= -1e-11)
    assert values.min() - 1e-11 <= points[0]
    assert points[-1] <= values.max() + 1e-11


@given(SAMPLES, st.randoms())
def test_equal_points_do_not_depend_on_the_order_of_the_sample(sample, random):
    values, weights = sample
    order = list(range(len(values)))
    random.shuffle(order)
    assert equal_points(values[order], weights[order]) == pytest.approx(equal_points(values, weights), abs=1e-11)


def test_a_hundred_equal_weights_are_the_sorted_sample():
    values = np.random.default_rng(7).normal(size=SHOCK_POINTS)
    assert equal_points(values, np.full(SHOCK_POINTS, 0.3)) == pytest.approx(np.sort(values), abs=1e-12)


def test_a_weight_is_a_number_of_copies():
    points = equal_points(np.array([1.0, -1.0]), np.array([1.0, 3.0]))
    assert points == pytest.approx(np.repeat([-1.0, 1.0], [75, 25]), abs=1e-12)
