from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.bounded import Bounded
from calibration.crash_prior import CrashPrior, published_prior
from calibration.crashes import (
    REFERENCE_HHI,
    concentration_factor,
    count_episodes,
    estimate_crashes,
    split_crash_bars,
)
from pricing.models import Jumps

HOUR = timedelta(hours=1)
PRIOR = published_prior(HOUR)
YEAR_OF_HOURS = 8760


def returns_with_falls(years, at=()):
    returns = pd.Series(
        0.001, index=pd.date_range("2020-01-01", periods=int(years * YEAR_OF_HOURS), freq="1h", tz="UTC")
    )
    returns.iloc[list(at)] = np.log(0.7)
    return returns


def with_rate(per_year):
    return CrashPrior(threshold_drop=0.2, per_year=per_year, severity=PRIOR.severity, source="test")


@pytest.mark.parametrize(
    ("crashes", "credibility", "rate"),
    [(0, 3.0 / 53.0, 1.0 / 53.0), (1, 3.0 / 53.0, 2.0 / 53.0)],  # 5.7 %, 1.89 % and 3.77 % a year
)
def test_poisson_gamma_credibility_by_hand(crashes, credibility, rate):
    estimate = estimate_crashes(returns_with_falls(3, range(crashes)), step=HOUR, prior=with_rate(0.02))
    assert estimate.crashes == crashes
    assert estimate.exposure_years == pytest.approx(3.0)
    assert estimate.credibility == pytest.approx(credibility)
    assert estimate.per_year == pytest.approx(rate)
    own = crashes / 3.0
    assert estimate.per_year == pytest.approx(credibility * own + (1.0 - credibility) * 0.02)


def test_crash_bars_of_one_day_are_one_crash():
    estimate = estimate_crashes(returns_with_falls(1, [100, 101, 124, 148, 400]), step=HOUR, prior=PRIOR)
    # 100, 101 and 124 hang together; 148 is 24 hours after 124
    assert (estimate.crash_bars, estimate.crashes) == (5, 3)
    assert estimate.deepest_drop == pytest.approx(0.3)


def test_the_threshold_itself_is_a_crash():
    returns = pd.Series(
        np.log1p([-0.2, -0.1999999, 0.3]), index=pd.date_range("2024-01-01", periods=3, freq="1h", tz="UTC")
    )
    quiet, crash = split_crash_bars(returns, PRIOR)
    assert (len(quiet), len(crash)) == (2, 1)
    assert crash.index[0] == returns.index[0]


@given(st.lists(st.integers(0, 2000), max_size=20), st.floats(1e-3, 1.0), st.floats(0.05, 3.0))
def test_rate_lies_between_the_prior_and_the_record(at, hhi, years):
    returns = returns_with_falls(years + 0.3, [])
    returns.iloc[[i for i in at if i < len(returns)]] = np.log(0.6)
    estimate = estimate_crashes(returns, step=HOUR, prior=PRIOR, hhi=Bounded(lower=hhi, upper=hhi))
    own, expected = estimate.crashes / estimate.exposure_years, PRIOR.per_year * estimate.concentration_factor
    assert min(own, expected) <= estimate.per_year * (1 + 1e-12)
    assert estimate.per_year <= max(own, expected) * (1 + 1e-12)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_rate_never_falls_with_concentration_and_is_capped(one, other):
    low, high = sorted((one, other))
    assert 0.5 <= concentration_factor(low) <= concentration_factor(high) <= 3.0
    rates = [
        estimate_crashes(returns_with_falls(0.1), step=HOUR, prior=PRIOR, hhi=Bounded(lower=0.0, upper=hhi)).per_year
        for hhi in (low, high)
    ]
    assert rates[0] <= rates[1]


def test_concentration_factor_by_hand():
    assert concentration_factor(REFERENCE_HHI) == 1.0
    assert concentration_factor(16.0 * 0.01) == pytest.approx((0.16 / REFERENCE_HHI) ** 0.25)
    # four times the index is half of it on the square root, 0.5 on the top share: 2 ** 0.5
    assert concentration_factor(4.0 * REFERENCE_HHI) == pytest.approx(np.sqrt(2.0))
    assert concentration_factor(REFERENCE_HHI / 16.0) == pytest.approx(0.5)
    assert concentration_factor(0.0) == concentration_factor(1e-4) == 0.5


def test_only_the_upper_bound_of_concentration_enters():
    returns = returns_with_falls(1)
    wide = estimate_crashes(returns, step=HOUR, prior=PRIOR, hhi=Bounded(lower=0.01, upper=0.3))
    sharp = estimate_crashes(returns, step=HOUR, prior=PRIOR, hhi=Bounded(lower=0.3, upper=0.3))
    assert wide == sharp


def test_without_holders_the_factor_is_one():
    assert estimate_crashes(returns_with_falls(1), step=HOUR, prior=PRIOR).concentration_factor == 1.0


def test_jumps_are_the_estimate():
    estimate = estimate_crashes(returns_with_falls(1), step=HOUR, prior=PRIOR)
    assert estimate.jumps == Jumps(per_year=estimate.per_year, sizes=PRIOR.severity)


def test_episodes():
    times = pd.DatetimeIndex(["2024-01-01T00Z", "2024-01-01T23Z", "2024-01-02T22Z", "2024-01-03T22Z"])
    assert count_episodes(times, timedelta(hours=24)) == 2
    assert count_episodes(times[:0], timedelta(hours=24)) == 0


def test_reference_is_the_median_of_the_published_lists(market_data):
    metrics = pd.read_csv(market_data / "holders" / "raw_list_metrics_recomputed.csv")
    assert len(metrics) == 42
    assert metrics["hhi_raw"].median() == pytest.approx(REFERENCE_HHI, abs=1e-5)
