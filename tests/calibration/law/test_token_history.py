from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.law.bar_lengths import HOURLY
from calibration.law.own_record import BLOCK_EPOCH, CRASH_EXCESS
from calibration.law.token_history import BlockRecord, observe
from calibration.market.panel import market_blocks, panel_grid, states_at
from pricing.errors import DataError
from tests.calibration.drop_laws import a_law, a_panel

HOUR, DAY, BLOCK = timedelta(hours=1), timedelta(days=1), timedelta(days=30)
WINDOWS = (HOUR, DAY)
N_BARS = 100 * 24


def with_gaps(first, seed=1):
    """Hourly closes over four blocks from some hours after the start of a block, a twentieth missing, and two days."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(BLOCK_EPOCH + first * HOUR, periods=N_BARS, freq=HOUR)
    closes = pd.Series(np.exp(np.cumsum(0.008 * rng.standard_t(4, N_BARS))), index=times)
    missing = rng.random(N_BARS) < 0.05
    missing[1000:1048] = True
    return closes[~missing]


CLOSES = with_gaps(7)


def assert_same(found, expected):
    assert found.last_close == expected.last_close
    assert found.squares.squares == pytest.approx(expected.squares.squares, rel=1e-12)
    assert found.squares.weights == pytest.approx(expected.squares.weights, rel=1e-12)
    for one, other in zip(found.blocks, expected.blocks, strict=True):
        assert (one.window, one.first) == (other.window, other.first)
        assert np.array_equal(one.logs, other.logs, equal_nan=True)
    pd.testing.assert_series_equal(found.recent, expected.recent, check_freq=False)


def in_parts(closes, cuts):
    """Observe the first part, and advance through the others."""
    bounds = [*cuts, len(closes)]
    history = observe(closes.iloc[: bounds[0]], HOUR, WINDOWS)
    for begin, end in pairwise(bounds):
        if end > begin:
            history = history.advance(closes.iloc[begin:end])
    return history


WHOLE = observe(CLOSES, HOUR, WINDOWS)


@given(st.lists(st.integers(30, len(CLOSES) - 1), min_size=1, max_size=4))
def test_advancing_equals_observing_all(cuts):
    assert_same(in_parts(CLOSES, sorted(cuts)), WHOLE)


@pytest.mark.parametrize("hours", [-25, -24, -1, 0, 1, 23, 24, 25])
@pytest.mark.parametrize("block", [1, 2])
def test_a_cut_near_the_border_of_blocks_changes_nothing(block, hours):
    cut = int(CLOSES.index.searchsorted(BLOCK_EPOCH + block * BLOCK + hours * HOUR))
    assert_same(in_parts(CLOSES, [cut]), WHOLE)


@pytest.mark.parametrize("first", [-30, -23, -1, 0, 1, 2, 700])
def test_a_history_may_start_anywhere_in_a_block(first):
    closes = with_gaps(first, seed=2)
    whole = observe(closes, HOUR, WINDOWS)
    for cut in (30, 800, 1500):
        assert_same(in_parts(closes, [cut]), whole)


def test_bar_by_bar_equals_all():
    closes = CLOSES.iloc[:900]  # over the border of a block
    assert_same(in_parts(closes, range(650, 900)), observe(closes, HOUR, WINDOWS))


@pytest.mark.parametrize("days", [2, 31, 65])
def test_a_long_gap_is_passed_over(days):
    closes = pd.concat([CLOSES.iloc[:400], CLOSES.iloc[400 + 24 * days :]])
    assert_same(in_parts(closes, [400]), observe(closes, HOUR, WINDOWS))


@given(st.integers(30, len(CLOSES)))
def test_no_more_than_a_block_and_a_day_of_bars_is_kept(n_bars):
    history = observe(CLOSES.iloc[:n_bars], HOUR, WINDOWS)
    assert len(history.recent) <= 31 * 24
    assert history.recent.index[-1] == history.last_close == CLOSES.index[n_bars - 1]
    assert np.isfinite(history.recent.iloc[-1])


def test_the_bars_kept_do_not_grow_with_the_history():
    history = observe(CLOSES.iloc[:100], HOUR, WINDOWS)
    for begin in range(100, len(CLOSES), 50):
        history = history.advance(CLOSES.iloc[begin : begin + 50])
        assert len(history.recent) <= 31 * 24


def test_when_a_block_ends_only_its_last_day_is_kept():
    closes = CLOSES[: BLOCK_EPOCH + BLOCK]
    kept = observe(closes, HOUR, WINDOWS).recent
    assert (kept.index[0], kept.index[-1]) == (BLOCK_EPOCH + BLOCK - 23 * HOUR, BLOCK_EPOCH + BLOCK)


def test_a_history_does_not_change_when_it_is_advanced():
    history = observe(CLOSES.iloc[:1000], HOUR, WINDOWS)
    history.advance(CLOSES.iloc[1000:])
    assert_same(history, observe(CLOSES.iloc[:1000], HOUR, WINDOWS))


# --- bars off the grid ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 500, -1])
def test_a_bar_off_the_grid_is_left_out(place):
    times = CLOSES.index.to_series()
    times.iloc[place] += timedelta(minutes=13)
    shifted = CLOSES.set_axis(pd.DatetimeIndex(times))
    assert_same(observe(shifted, HOUR, WINDOWS), observe(CLOSES.drop(CLOSES.index[place]), HOUR, WINDOWS))


def test_the_grid_need_not_be_on_the_hour():
    shifted = observe(CLOSES.shift(freq=timedelta(minutes=-30)), HOUR, WINDOWS)
    assert np.array_equal(shifted.squares.squares, WHOLE.squares.squares)
    for one, other in zip(shifted.blocks, WHOLE.blocks, strict=True):
        assert np.array_equal(one.logs, other.logs, equal_nan=True)


def test_bars_that_lie_between_those_before_are_refused():
    history = observe(CLOSES.iloc[:1000], HOUR, WINDOWS)
    later = CLOSES.iloc[1000:1005].shift(freq=timedelta(minutes=20))
    with pytest.raises(
        DataError, match=r"closes must be whole steps of 1h after 2021-.*, got 2021-.* \(bars of another"
    ):
        history.advance(later)


# --- against the market -----------------------------------------------------------------------------------------------


def test_a_token_alone_is_known_as_in_the_panel():
    panel = a_panel(12, 130)
    grid = panel_grid(panel, None)
    blocks = tuple(market_blocks(grid, window // HOUR) for window in WINDOWS)
    (state,) = states_at(grid, [len(panel) - 1], blocks)
    laws = tuple(market_law(window, part) for window, part in zip(("1h", "24h"), blocks, strict=True))
    for place, name in ((3, "T3"), (11, "T11")):
        alone = observe(panel[name], HOUR, WINDOWS).state(laws, HOURLY)
        assert alone.log_volatilities[:, 0] == pytest.approx(state.log_volatilities[:, place], rel=1e-12)
        assert alone.tail_weight[0] == pytest.approx(state.tail_weight[place], abs=1e-12)
        for own, of_all in zip(alone.records, state.records, strict=True):
            for field in ("excess", "crashes", "expected"):
                assert getattr(own, field)[0] == pytest.approx(getattr(of_all, field)[place], abs=1e-12)


def market_law(window, blocks):
    law = a_law(window, crash_share=blocks.crash_share)
    return replace(law, first_block=blocks.first, block_means=tuple(blocks.means.tolist()))


def test_blocks_that_the_market_does_not_know_say_nothing():
    law = a_law()  # means of the blocks 0, 1 and 3
    logs = np.array([-1.0, -1.7, -1.9, -0.7, -1.7, -1.0])  # of the blocks -1 to 4
    record = BlockRecord(window=DAY, first=-1, logs=logs).against(law, crash_share=0.02, crash_excess=CRASH_EXCESS)
    known = BlockRecord(window=DAY, first=0, logs=np.array([-1.7, -1.9, np.nan, -1.7])).against(
        law, crash_share=0.02, crash_excess=CRASH_EXCESS
    )
    assert record.crashes[0] == known.crashes[0] == 0.0
    assert record.expected[0] == pytest.approx(3 * 0.02)
    assert known.excess[0] == pytest.approx(0.1 * 0.5 ** (3 / 24) / (3.0 + sum(0.5 ** (age / 24) for age in (0, 2, 3))))


def test_a_token_without_blocks_has_no_record():
    record = BlockRecord(window=DAY, first=0, logs=np.empty(0)).against(
        a_law(), crash_share=0.02, crash_excess=CRASH_EXCESS
    )
    assert record.credibility_factor.tolist() == [1.0]
    assert record.excess.tolist() == [0.0]
