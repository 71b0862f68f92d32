import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw
from scipy.stats import truncnorm

from calibration.hazard.factor import hazard_factor
from calibration.hazard.fit import fit_hazard
from calibration.hazard.risk_signals import RiskSignals
from calibration.hazard.slopes import SLOPES, Slope
from pricing.errors import DataError, InsufficientDataError

PRIORS = {"unlock": Slope(mean=0.5, sd=0.3, source=""), "inflow": Slope(mean=0.25, sd=0.15, source="")}


def level_only(counts, exposure, **options):
    return fit_hazard(counts, exposure, pd.DataFrame(index=range(len(counts))), {}, **options)


def panel(rng, slopes, log_rate, n):
    scores = pd.DataFrame(rng.normal(size=(n, len(slopes))), columns=list(PRIORS)[: len(slopes)])
    exposure = rng.uniform(0.5, 1.5, n)
    return rng.poisson(exposure * np.exp(log_rate + scores.to_numpy() @ slopes)), exposure, scores


# --- closed forms -----------------------------------------------------------------------------------------------------


@given(st.integers(1, 500), st.floats(0.1, 1e4))
def test_a_flat_prior_gives_crashes_over_exposure(crashes, exposure):
    fit = level_only([crashes], [exposure])
    assert fit.log_rate.value == pytest.approx(math.log(crashes / exposure), abs=1e-7)
    assert fit.log_rate.sd == pytest.approx(1.0 / math.sqrt(crashes), rel=1e-6)


@given(st.integers(0, 100), st.floats(0.1, 1e3), st.floats(-6.0, 2.0), st.floats(0.1, 2.0))
def test_a_normal_prior_of_the_rate_gives_lamberts_function(crashes, exposure, mean, sd):
    # n - E exp(b) - (b - m) / s ** 2 = 0 has the root m + s ** 2 n - W(s ** 2 E exp(m + s ** 2 n))
    argument = math.log(sd**2 * exposure) + mean + sd**2 * crashes
    if argument < 300.0:
        expected = mean + sd**2 * crashes - lambertw(math.exp(argument)).real
        fit = level_only([crashes], [exposure], log_rate=(mean, sd))
        assert fit.log_rate.value == pytest.approx(expected, abs=1e-6)
        assert fit.log_rate.sd == pytest.approx((exposure * math.exp(expected) + sd**-2) ** -0.5, rel=1e-5)


@given(st.floats(0.2, 5.0), st.floats(0.005, 1.0), st.integers(0, 20), st.floats(0.1, 100.0))
def test_a_gamma_prior_as_a_row_of_data_is_credibility(shape, prior_rate, crashes, exposure):
    # Gamma(a, a / m) before, Gamma(a + n, a / m + E) after (Buehlmann and Gisler 2005, section 2.4)
    fit = level_only([shape, crashes], [shape / prior_rate, exposure])
    assert math.exp(fit.log_rate.value) == pytest.approx((shape + crashes) / (shape / prior_rate + exposure), rel=1e-6)


def test_a_slope_between_two_groups_is_the_log_of_their_ratio():
    scores = pd.DataFrame({"unlock": [0.0, 1.0]})
    flat = {"unlock": Slope(mean=0.0, sd=1e4, source="")}
    fit = fit_hazard([10, 40], [100.0, 200.0], scores, flat)
    assert fit.slopes["unlock"].value == pytest.approx(math.log(2.0), abs=1e-5)
    assert fit.slopes["unlock"].normal_sd == pytest.approx(math.sqrt(1 / 10 + 1 / 40), rel=1e-5)
    reversed_sign = fit_hazard([40, 10], [100.0, 200.0], scores, flat)
    assert reversed_sign.slopes["unlock"].value == 0.0
    assert math.exp(reversed_sign.log_rate.value) == pytest.approx(50.0 / 300.0, rel=1e-6)


def test_without_data_the_posterior_is_the_prior():
    # a covariate that never varies from typical says nothing about its slope
    fit = fit_hazard([3], [10.0], pd.DataFrame({"unlock": [0.0]}), {"unlock": PRIORS["unlock"]})
    slope = fit.slopes["unlock"]
    cut = truncnorm(-0.5 / 0.3, math.inf, loc=0.5, scale=0.3)
    assert (slope.value, slope.prior_only) == (pytest.approx(0.5, abs=1e-6), True)
    assert (slope.lower, slope.upper) == (pytest.approx(cut.ppf(0.05)), pytest.approx(cut.ppf(0.95)))
    assert slope.sd == pytest.approx(cut.std())


# --- simulated panels -------------------------------------------------------------------------------------------------


def test_slopes_are_recovered_from_many_crashes():
    # seed 11, 20,000 rows, about 5,000 crashes: each within z 4 of the truth
    y, exposure, scores = panel(np.random.default_rng(11), [0.6, 0.2], math.log(0.2), 20_000)
    fit = fit_hazard(y, exposure, scores, PRIORS)
    for name, truth in zip(PRIORS, (0.6, 0.2), strict=True):
        slope = fit.slopes[name]
        assert abs(slope.value - truth) < 4.0 * slope.sd
        assert slope.sd < 0.02
        assert not slope.prior_only
    assert abs(fit.log_rate.value - math.log(0.2)) < 4.0 * fit.log_rate.sd


def test_intervals_hold_the_slopes_that_their_priors_drew():
    # seed 12, 400 panels of 300 rows with about 30 crashes: slopes drawn from the priors lie in their 90 % intervals,
    # 800 times within z 4 (4.2 points) and 1.5 points for Laplace's approximation
    rng, inside = np.random.default_rng(12), []
    for _ in range(400):
        truth = [
            float(truncnorm.rvs(-p.mean / p.sd, 50, loc=p.mean, scale=p.sd, random_state=rng)) for p in PRIORS.values()
        ]
        fit = fit_hazard(*panel(rng, truth, math.log(0.1), 300), PRIORS)
        inside += [s.lower <= t <= s.upper for s, t in zip(fit.slopes.values(), truth, strict=True)]
    assert np.mean(inside) == pytest.approx(0.90, abs=0.042 + 0.015)


def test_signs_hold_even_where_the_data_say_the_opposite():
    # seed 13: true slopes are negative; estimates stop at zero, intervals stay above, and they shrink against the prior
    y, exposure, scores = panel(np.random.default_rng(13), [-0.8, -0.5], math.log(0.2), 5000)
    fit = fit_hazard(y, exposure, scores, PRIORS)
    for slope in fit.slopes.values():
        assert slope.value == 0.0
        assert 0.0 < slope.lower < slope.upper < 0.05
        assert not slope.prior_only


def test_few_crashes_leave_a_judgement():
    # seed 14: two or three crashes cannot say more than the prior
    y, exposure, scores = panel(np.random.default_rng(14), [0.5, 0.25], math.log(0.01), 250)
    assert 1 <= y.sum() <= 5
    fit = fit_hazard(y, exposure, scores, PRIORS)
    assert all(slope.prior_only for slope in fit.slopes.values())


def test_the_gradient_is_zero_at_the_estimate():
    y, exposure, scores = panel(np.random.default_rng(15), [0.6, 0.2], math.log(0.2), 500)
    fit = fit_hazard(y, exposure, scores, PRIORS, log_rate=(math.log(0.1), 0.7))
    slopes = np.array([slope.value for slope in fit.slopes.values()])
    surplus = y - exposure * np.exp(fit.log_rate.value + scores.to_numpy() @ slopes)
    pull = [(prior.mean - slope) / prior.sd**2 for prior, slope in zip(PRIORS.values(), slopes, strict=True)]
    assert scores.to_numpy().T @ surplus + pull == pytest.approx(0.0, abs=1e-4)
    assert surplus.sum() + (math.log(0.1) - fit.log_rate.value) / 0.49 == pytest.approx(0.0, abs=1e-4)


def test_the_posterior_prices_and_is_the_next_prior():
    # seed 16: two halves in sequence come near the whole at once (Laplace's approximation apart)
    y, exposure, scores = panel(np.random.default_rng(16), [0.6, 0.2], math.log(0.2), 4000)
    first = fit_hazard(y[:2000], exposure[:2000], scores[:2000], PRIORS)
    second = fit_hazard(y[2000:], exposure[2000:], scores[2000:], first.posterior)
    whole = fit_hazard(y, exposure, scores, PRIORS)
    for name, slope in whole.slopes.items():
        assert second.slopes[name].value == pytest.approx(slope.value, abs=0.5 * slope.sd)
    factor = hazard_factor(signals=RiskSignals(unlock_share=0.1), slopes=dict(SLOPES) | whole.posterior)
    assert factor.on_rate == pytest.approx(2.0 ** whole.slopes["unlock"].value)
    assert factor.parts[1].source.startswith(f"fitted to {y.sum():g} crashes")


# --- the border -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "exposure", "scores", "message"),
    [
        ([1.0, -1.0], [1.0, 1.0], [0.0, 0.0], r"counts at row 1 must be finite and not negative, got -1"),
        ([1.0, 0.0], [1.0, 0.0], [0.0, 0.0], "exposure at row 1 must be positive and finite, got 0"),
        ([1.0, 0.0], [1.0, 1.0], [0.0, math.nan], r"covariates at row 1 must be finite, got \[nan\]"),
        ([1.0], [1.0, 1.0], [0.0, 0.0], "must be of equal length"),
    ],
)
def test_wrong_rows_are_refused(counts, exposure, scores, message):
    with pytest.raises(DataError, match=message):
        fit_hazard(counts, exposure, pd.DataFrame({"unlock": scores}), {"unlock": PRIORS["unlock"]})


def test_priors_and_columns_must_agree():
    with pytest.raises(DataError, match=r"priors must be of \['inflow'\], got \['unlock'\]"):
        fit_hazard([1.0], [1.0], pd.DataFrame({"inflow": [0.0]}), {"unlock": PRIORS["unlock"]})


def test_no_crash_needs_a_prior_of_the_rate():
    with pytest.raises(InsufficientDataError, match="counts must hold a crash"):
        level_only([0.0], [10.0])
