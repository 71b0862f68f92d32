import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from backtest import PeriodBootstrap

EQUAL = np.full(40, 3.0)


@pytest.fixture(scope="module")
def bootstrap():
    return PeriodBootstrap.draw(40, seed=1, n_resamples=1000)


def test_every_resample_holds_as_many_periods_as_there_are(bootstrap):
    assert (bootstrap.draws.sum(axis=1) == 40).all()
    assert (PeriodBootstrap.draw(40, seed=1, n_resamples=1000).draws == bootstrap.draws).all()


def test_periods_that_agree_leave_no_doubt(bootstrap):
    interval = bootstrap.ratio(2.0 * EQUAL, EQUAL)
    assert interval.value == pytest.approx(2.0, rel=1e-15)
    assert interval.lower == pytest.approx(2.0, rel=1e-6)
    assert interval.upper == pytest.approx(2.0, rel=1e-6)


def test_the_interval_of_a_ratio_scales_with_it(bootstrap):
    random = np.random.default_rng(2)
    numerator, denominator = random.gamma(1.0, size=40), random.gamma(5.0, size=40)
    one, ten = bootstrap.ratio(numerator, denominator), bootstrap.ratio(10.0 * numerator, denominator)
    for end in ("value", "lower", "upper"):
        assert getattr(ten, end) == pytest.approx(10.0 * getattr(one, end), rel=1e-9)


def test_the_ends_are_those_of_a_studentised_bootstrap_of_the_logarithm():
    """Hall (1992), section 3.10, with loops: ends are the order statistics of distances at 2.5 and 97.5 %."""
    random = np.random.default_rng(4)
    numerator, denominator = random.gamma(2.0, size=12), random.gamma(5.0, size=12)
    bootstrap = PeriodBootstrap.draw(12, seed=2, n_resamples=199)

    def log_ratio_and_error(weights):
        ratio = sum(weights * numerator) / sum(weights * denominator)
        squares = sum(w * (x - ratio * y) ** 2 for w, x, y in zip(weights, numerator, denominator, strict=True))
        return math.log(ratio), math.sqrt(squares) / sum(weights * numerator)

    value, error = log_ratio_and_error(np.ones(12))
    found = sorted((log - value) / each for log, each in map(log_ratio_and_error, bootstrap.draws))
    near, far = found[math.ceil(0.025 * 198)], found[math.ceil(0.975 * 198)]
    interval = bootstrap.ratio(numerator, denominator)
    assert interval.lower == pytest.approx(math.exp(value - far * error), rel=1e-9)
    assert interval.upper == pytest.approx(math.exp(value - near * error), rel=1e-9)


def test_a_resample_that_is_almost_certain_of_another_ratio_leaves_no_upper_end():
    """Its distance is about a million standard errors, so the upper end is beyond the largest number."""
    bootstrap = PeriodBootstrap(draws=np.array([[2.0, 0.0, 2.0, 0.0]]))
    interval = bootstrap.ratio(np.array([1.0, 2.0, 1.0 + 1e-6, 2.0]), np.ones(4))
    assert interval.upper == np.inf


def test_nothing_that_came_has_no_interval(bootstrap):
    interval = bootstrap.ratio(0.0 * EQUAL, EQUAL)
    assert interval.value == 0.0
    assert np.isnan([interval.lower, interval.upper]).all()


def test_events_of_two_periods_are_not_bounded_above(bootstrap):
    """With probability (1 - 2/40)^40 = 13 %, more than the tail of 2.5 %, a resample holds neither of them."""
    numerator = np.zeros(40)
    numerator[[3, 20]] = 5.0
    interval = bootstrap.ratio(numerator, EQUAL)
    assert 0.0 < interval.lower < interval.value < interval.upper == np.inf


def test_percentiles_of_a_linear_statistic_are_those_of_the_normal_law():
    """The mean of 400 draws from a sample has the normal law of error deviation / 20, to a few per cent."""
    values = np.random.default_rng(3).normal(size=400)
    interval = PeriodBootstrap.draw(400, seed=1, n_resamples=4000).percentiles(lambda weights: weights @ values / 400)
    half = -ndtri(0.025) * values.std() / 20.0
    assert interval.value == pytest.approx(values.mean(), rel=1e-12)
    assert interval.lower == pytest.approx(values.mean() - half, abs=0.12 * half)
    assert interval.upper == pytest.approx(values.mean() + half, abs=0.12 * half)


@pytest.mark.parametrize(("frequency", "lowest"), [(0.3, 0.92), (0.08, 0.91), (0.02, 0.87)])
def test_the_interval_of_a_true_forecast_covers_one(frequency, lowest):
    """Panels of 50 periods with 170 tokens each, whose log worst drops share a normal shock, as the real ones do.

    400 panels, seed 7: the standard error of a coverage of 95 % is 1.1 points. At 2 % a handful of periods holds most
    events, and no interval from 50 periods covers fully; one that took tokens for independent would cover 20 to 40 %.
    """
    common, own, periods, tokens = 0.35, 0.33, 50, 170
    random = np.random.default_rng(7)
    shocks = random.normal(0.0, common, (400, periods))
    threshold = -ndtri(frequency) * np.hypot(common, own)
    came = random.binomial(tokens, ndtr((shocks - threshold) / own)).astype(float)
    expected = np.full(periods, tokens * frequency)
    bootstrap = PeriodBootstrap.draw(periods, seed=1, n_resamples=500)
    clustered = [bootstrap.ratio(events, expected) for events in came]
    covered = np.mean([interval.lower <= 1.0 <= interval.upper for interval in clustered])
    assert lowest <= covered <= 0.98
    total, naive = came.sum(axis=1) / expected.sum(), np.sqrt((1.0 - frequency) / expected.sum())
    assert np.mean(np.abs(total - 1.0) < 1.96 * naive) < 0.45


def test_resamples_in_which_a_statistic_is_not_defined_are_left_out():
    bootstrap = PeriodBootstrap(draws=np.array([[2.0, 0.0, 1.0], [0.0, 2.0, 1.0], [1.0, 1.0, 1.0]]))
    first = np.array([1.0, 0.0, 0.0])
    inverse = bootstrap.percentiles(lambda weights: 1.0 / (weights @ first))
    assert (inverse.lower, inverse.value, inverse.upper) == pytest.approx((0.5125, 1.0, 0.9875))
    share = bootstrap.percentiles(lambda weights: (weights @ first) / (weights @ first))
    assert (share.lower, share.upper) == (1.0, 1.0)


def test_a_statistic_that_is_never_defined_has_no_interval(bootstrap):
    assert np.isnan(bootstrap.percentiles(lambda weights: np.full(len(weights), np.nan))).all()
