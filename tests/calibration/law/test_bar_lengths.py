from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.law.bar_lengths import DAY, HOUR, HOURLY, BarEffect, Sight, bar_effect, measured_step
from calibration.law.own_record import BLOCK_EPOCH
from calibration.law.token_history import observe
from docs.studies import bar_lengths as study
from docs.studies import fine_bars
from docs.studies.panel import read_panel
from pricing.errors import InsufficientDataError
from tests.calibration.drop_laws import a_law, a_record, a_state

LATEST = datetime(2025, 7, 1, tzinfo=UTC)
LENGTHS = (2, 3, 4, 6, 8, 12, 24)


def minutes(number):
    return timedelta(minutes=number)


# --- the law of a grid ------------------------------------------------------------------------------------------------


@given(st.floats(0.0, 0.6), st.floats(0.02, 2.0), st.floats(-2.5, -1.0), st.floats(0.0, 0.2))
def test_the_law_of_a_grid_is_that_of_deeper_falls(log_factor, log_drop, intercept, rate):
    law = a_law(intercept=intercept)
    seen = law.seen(log_factor)
    centres = [np.array([each.level.intercept]) for each in (law, seen)]
    deeper = law.exceedance(np.exp(log_factor) * log_drop, centres[0], np.array([rate]))
    assert seen.exceedance(log_drop, centres[1], np.array([rate])) == pytest.approx(deeper, rel=1e-9)
    shifts = [b - a for a, b in zip(law.block_means, seen.block_means, strict=True) if a is not None]
    assert shifts == pytest.approx([-log_factor] * 3)


def test_a_window_that_is_no_whole_number_of_steps_stays_that_of_hours():
    sight = Sight(grid=4 * HOUR, covers=BarEffect(log_factor=0.13))
    hour, day = sight.on_grid((a_law("1h"), a_law("24h")))
    assert hour == a_law("1h")
    assert day == a_law("24h").seen(0.13)


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [minutes(1), minutes(15), HOUR])
def test_an_hour_or_less_needs_no_correction(step):
    assert bar_effect(step, datetime(2010, 1, 1, tzinfo=UTC)) == HOURLY


def test_lengths_in_between_are_interpolated_by_their_logs():
    shorter, longer = (bar_effect(hours * HOUR, LATEST) for hours in (2, 4))
    between = bar_effect(timedelta(hours=float(np.sqrt(2.0 * 3.0))), LATEST).log_factor
    assert between == pytest.approx(0.5 * (shorter.log_factor + bar_effect(3 * HOUR, LATEST).log_factor), rel=1e-6)
    half = bar_effect(timedelta(hours=float(np.sqrt(2.0))), LATEST)
    assert half.log_factor == pytest.approx(0.5 * shorter.log_factor, rel=1e-6)
    assert 0.0 < half.error_24h < shorter.error_24h < longer.error_24h


def test_the_longer_the_bars_the_less_is_seen_at_every_date():
    table = pd.read_csv(str(files("calibration") / "data" / "bar_lengths.csv"))
    for _, known in table.groupby("as_of"):
        assert tuple(known["hours"]) == LENGTHS
        assert all(before < after for before, after in pairwise(known["log_factor"]))
        assert (known[["error_1h", "error_24h", "rate_error_24h"]] > 0.0).all(axis=None)


def test_nothing_later_is_used():
    table = pd.read_csv(str(files("calibration") / "data" / "bar_lengths.csv"), parse_dates=["as_of"])
    first, second = sorted(table["as_of"].unique())[:2]
    expected = table[(table["as_of"] == first) & (table["hours"] == 4)]["log_factor"].item()
    just_before = (second - pd.Timedelta("1s")).to_pydatetime()
    assert bar_effect(4 * HOUR, just_before).log_factor == pytest.approx(expected)
    with pytest.raises(InsufficientDataError, match="as_of must not be before 2021-04-01 for bars longer than an hour"):
        bar_effect(4 * HOUR, (first - pd.Timedelta("1s")).to_pydatetime())


# --- the state --------------------------------------------------------------------------------------------------------


def test_measures_are_moved_by_their_mean_difference():
    effect = BarEffect(volatility_3d=-0.1, volatility_30d=-0.05, tail_weight=0.02, excess=0.03)
    state = effect.hourly(a_state((0.1, 0.0, -0.1, 0.2), tail_weight=0.5, record=a_record(excess=0.2, crashes=1.0)))
    assert state.log_volatilities[:, 0] == pytest.approx([0.2, 0.0, -0.05, 0.2])
    assert state.tail_weight[0] == pytest.approx(0.48)
    assert [record.excess[0] for record in state.records] == pytest.approx([0.17, 0.17])
    assert state.records[0].crashes[0] == 1.0


@pytest.mark.parametrize(
    ("length", "measured"), [(1, 60), (5, 60), (7, 7), (16, 80), (25, 25), (40, 80), (45, 90), (60, 60), (240, 240)]
)
def test_short_bars_are_measured_once_an_hour(length, measured):
    assert measured_step(minutes(length)) == minutes(measured)


def closes_every(length, days, seed=4):
    """Closes from ten to an hour on, so that the first hour is not whole."""
    times = pd.date_range(BLOCK_EPOCH - minutes(10), periods=round(days * DAY / minutes(length)), freq=minutes(length))
    rng = np.random.default_rng(seed)
    return pd.Series(np.exp(np.cumsum(0.002 * rng.standard_t(4, len(times)))), index=times)


def test_five_minutes_say_what_hours_say():
    fine = closes_every(5, days=70)
    laws = (a_law("1h"), a_law("24h"))
    windows = (HOUR, DAY)
    whole = observe(fine, minutes(5), windows).state(laws, HOURLY)
    hourly = observe(fine[fine.index.minute == 0], HOUR, windows).state(laws, HOURLY)
    assert whole.log_volatilities == pytest.approx(hourly.log_volatilities, rel=1e-12)
    assert whole.tail_weight == pytest.approx(hourly.tail_weight, abs=1e-12)
    assert [each.excess for each in whole.records] == [each.excess for each in hourly.records]


def test_five_minutes_are_continued_bar_by_bar():
    fine = closes_every(5, days=40)
    history = observe(fine.iloc[:9000], minutes(5), (HOUR, DAY))
    for begin in (9000, 9001, 9005, 9030):
        end = {9000: 9001, 9001: 9005, 9005: 9030, 9030: len(fine)}[begin]
        history = history.advance(fine.iloc[begin:end])
    whole = observe(fine, minutes(5), (HOUR, DAY))
    assert history.squares.squares == pytest.approx(whole.squares.squares, rel=1e-12)
    assert history.last_close == whole.last_close
    for one, other in zip(history.blocks, whole.blocks, strict=True):
        assert np.array_equal(one.logs, other.logs, equal_nan=True)


# --- on real closes ---------------------------------------------------------------------------------------------------


def test_daily_closes_say_what_hourly_closes_say_of_covers_observed_daily(market_data):
    """The reach: the median of 40 tokens within 5 %, and most tokens within 15 % or two standard errors."""
    assert market_data == study.DATA
    closes = study.one_asset(read_panel())
    found = study.agreement(closes, 24, *study.sampled(closes, study.N_TOKENS))
    ratio = found["coarse"] / found["hourly"]
    medians = ratio.groupby(found["drop"]).median()
    assert len(found) == 120
    assert medians.between(0.95, 1.05).all(), medians
    near = np.abs(np.log(ratio)) <= np.maximum(np.log(1.15), 2.0 * found["error"])
    assert near.mean() > 0.85


def test_the_finer_the_closes_the_deeper_the_falls(market_data):
    assert market_data == fine_bars.DATA
    for window in fine_bars.WINDOWS:
        found = fine_bars.deeper("NEARUSDT_binance_1m_202504", 1, window)
        means = [found[length].mean() for length in fine_bars.MINUTES]
        assert all(finer > coarser for finer, coarser in pairwise([*means, 0.0]))
