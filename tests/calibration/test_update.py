from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration import Verdict, calibrate, shipped_market, update
from calibration.law.own_record import BLOCK_EPOCH
from pricing.errors import DataError

#: Without a likelihood to maximise a calibration takes milliseconds.
CALM = {"law": "constant", "innovations": "normal"}
MARKET = shipped_market(pd.Timestamp("2023-01-01", tz="UTC").to_pydatetime())
N_BARS = 130 * 24


def history():
    """Closes over five blocks with crashes of the token's own, a twentieth of the bars missing."""
    rng = np.random.default_rng(11)
    returns = 0.008 * rng.standard_t(4, N_BARS)
    returns[[900, 2100]] = np.log([0.6, 0.4])
    times = pd.date_range("2023-01-01T01:00Z", periods=N_BARS, freq="1h")
    kept = rng.random(N_BARS) > 0.05
    return pd.Series(np.exp(np.cumsum(returns)), index=times)[kept]


CLOSES = history()
WHOLE = calibrate(CLOSES, market=MARKET, **CALM)


def assert_same(found, expected):
    """Check for the same state, law and rates to 1e-12, and the same description."""
    assert found.as_of == expected.as_of
    for name in ("log_volatilities", "tail_weight"):
        assert getattr(found.state, name) == pytest.approx(getattr(expected.state, name), abs=1e-12)
    for own, other in zip(found.state.records, expected.state.records, strict=True):
        for name in ("excess", "crashes", "expected"):
            assert getattr(own, name) == pytest.approx(getattr(other, name), abs=1e-12)
    for month, other in zip(found.worst_months, expected.worst_months, strict=True):
        assert month.probabilities == pytest.approx(other.probabilities, abs=1e-12)
        assert month.certain_probabilities == pytest.approx(other.certain_probabilities, abs=1e-12)
        assert (month.centre, month.median_drop) == pytest.approx((other.centre, other.median_drop), abs=1e-12)
    for rate, other in zip(found.crashes, expected.crashes, strict=True):
        assert rate.rate == pytest.approx(other.rate, rel=1e-12)
    assert found.market_state == expected.market_state
    assert_same_description(found.diagnostics, expected.diagnostics)


def assert_same_description(found, expected):
    floats = ("years", "worst_drop_1h", "worst_drop_24h")
    for name in floats:
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-12)
    zeros = dict.fromkeys((*floats, "falls_of_30_percent"), 0)
    assert replace(found, **zeros) == replace(expected, **zeros)


def begun_with(n_bars, **options):
    return calibrate(CLOSES.iloc[:n_bars], market=MARKET, **(CALM | options))


@settings(max_examples=20)
@given(st.integers(1500, len(CLOSES) - 10))
def test_updating_equals_calibrating_on_all(split):
    assert_same(update(begun_with(split), CLOSES.iloc[split:]), WHOLE)


@pytest.mark.parametrize("hours", [-24, -1, 0, 1, 24])
def test_a_split_at_the_border_of_blocks_changes_nothing(hours):
    border = BLOCK_EPOCH + 24 * timedelta(days=30)
    split = int(CLOSES.index.searchsorted(border + hours * timedelta(hours=1)))
    assert 1500 < split < len(CLOSES) - 10
    assert_same(update(begun_with(split), CLOSES.iloc[split:]), WHOLE)


@settings(max_examples=10)
@given(st.lists(st.integers(1500, len(CLOSES) - 10), min_size=2, max_size=4, unique=True))
def test_many_updates_equal_one(splits):
    splits = sorted(splits)
    if min(np.diff(splits)) >= 10:
        found = begun_with(splits[0])
        for begin, end in zip(splits, [*splits[1:], len(CLOSES)], strict=True):
            found = update(found, CLOSES.iloc[begin:end])
        assert_same(found, WHOLE)


def test_single_bars_may_follow_one_by_one():
    times = pd.date_range(CLOSES.index[0], periods=1500, freq="1h")
    closes = CLOSES.reindex(times).ffill()
    found = calibrate(closes.iloc[:1460], market=MARKET, **CALM)
    for bar in range(1460, 1500):
        found = update(found, closes.iloc[bar : bar + 1])
    assert_same(found, calibrate(closes, market=MARKET, **CALM))


def test_a_gap_may_lie_between():
    kept = pd.concat([CLOSES.iloc[:1500], CLOSES.iloc[1800:]])
    found = update(begun_with(1500), CLOSES.iloc[1800:])
    assert_same(found, calibrate(kept, market=MARKET, **CALM))
    assert Verdict.GAPS in found.verdict


def test_no_more_than_31_days_of_bars_are_kept():
    found = begun_with(1500)
    for begin in range(1500, len(CLOSES) - 10, 200):
        found = update(found, CLOSES.iloc[begin : begin + 200])
        assert len(found.history.recent) <= 31 * 24


def test_the_variance_of_the_paths_goes_on_where_the_shape_stays():
    begun = begun_with(2500, law="garch", innovations="student_t")
    found = update(begun, CLOSES.iloc[2500:])
    law, before = found.volatility.law, begun.volatility.law
    assert (law.omega, law.alpha, law.beta) == (before.omega, before.alpha, before.beta)
    assert found.volatility.innovations == begun.volatility.innovations
    logs = np.log(CLOSES.iloc[2499:])
    one_step = np.diff(logs.index) == np.timedelta64(1, "h")
    variance = before.initial_variance
    for value in np.diff(logs)[one_step]:
        variance = law.omega + law.alpha * value**2 + law.beta * variance
    assert law.initial_variance == pytest.approx(variance, rel=1e-9)


def test_a_later_market_may_come_with_the_bars():
    later = shipped_market(CLOSES.index[-1].to_pydatetime())
    assert later.as_of > MARKET.as_of
    found = update(begun_with(2000), CLOSES.iloc[2000:], market=later)
    assert_same(found, calibrate(CLOSES, market=later, **CALM))
    assert found.market is later


def test_the_calibration_before_is_left_alone():
    begun = begun_with(2000)
    text = begun.to_json()
    update(begun, CLOSES.iloc[2000:])
    assert begun.to_json() == text


def test_a_frame_of_one_column_will_do():
    assert_same(update(begun_with(2000), CLOSES.iloc[2000:].to_frame("close")), WHOLE)


@pytest.mark.parametrize(
    ("closes", "message"),
    [
        (CLOSES.iloc[1999:], r"new_prices must follow the last close at 2023-.*, got 2023-.*pass the new bars only"),
        (CLOSES.iloc[:2010], r"new_prices must follow the last close"),
        (CLOSES.iloc[:0], r"new_prices must follow the last close at .*, got none"),
        (0.0 * CLOSES.iloc[2000:], r"close at row .*2023-03-29T09:00.* must be positive"),
    ],
)
def test_bars_that_do_not_follow_are_refused(closes, message):
    with pytest.raises(DataError, match=message):
        update(begun_with(2000), closes)
