from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calibration.law.own_record import (
    BLOCK,
    BLOCK_EPOCH,
    COMPLETE,
    CRASH_EXCESS,
    LARGEST_EXCESS,
    RECORD_HALF_LIFE,
    RECORD_PRIOR,
    block_number,
    log_worst_blocks,
    no_record,
    track_excesses,
)
from calibration.prices.worst_drops import rolling_log_drops

HOUR = timedelta(hours=1)
PER_BLOCK = 720
EXCESSES = st.integers(1, 30).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.one_of(st.just(np.nan), st.floats(-3.0, 3.0)))
)


def hours(n, start=BLOCK_EPOCH + HOUR):
    return pd.date_range(start, periods=n, freq=HOUR)


def walk(n, seed=5):
    return np.cumsum(0.01 * np.random.default_rng(seed).normal(size=(n, 2)), axis=0)


@pytest.mark.parametrize(
    ("hours_after", "number"), [(-721, -2), (-720, -2), (-719, -1), (0, -1), (1, 0), (720, 0), (721, 1), (7200, 9)]
)
def test_a_block_ends_with_the_close_at_which_the_next_begins(hours_after, number):
    assert block_number(BLOCK_EPOCH + hours_after * HOUR) == number


@given(st.integers(-(10**7), 10**7))
def test_a_block_is_thirty_days_open_on_the_left(minutes):
    time = BLOCK_EPOCH + pd.Timedelta(minutes=minutes)
    begin = BLOCK_EPOCH + block_number(time) * BLOCK
    assert begin < time <= begin + BLOCK


def test_a_block_holds_the_log_of_its_worst_drop():
    log_prices = walk(3 * PER_BLOCK)
    rolling = rolling_log_drops(log_prices, 24)
    first, blocks = log_worst_blocks(rolling, hours(len(rolling)), HOUR)
    expected = np.log(rolling.reshape(3, PER_BLOCK, 2).max(axis=1))
    assert first == 0
    assert np.array_equal(blocks, expected)


def test_a_fall_across_the_border_belongs_to_the_block_in_which_it_ends():
    log_prices = np.zeros((2 * PER_BLOCK, 1))
    log_prices[PER_BLOCK:] = np.log(0.5)  # from the last close of one block to the first of the next
    _, blocks = log_worst_blocks(rolling_log_drops(log_prices, 1), hours(2 * PER_BLOCK), HOUR)
    assert np.isnan(blocks[0, 0])
    assert blocks[1, 0] == pytest.approx(np.log(np.log(2.0)))


@given(st.integers(0, 1000), st.sampled_from([1, 24]))
def test_blocks_do_not_depend_on_where_the_history_starts(later, window):
    log_prices, times = walk(4 * PER_BLOCK), hours(4 * PER_BLOCK)
    first, blocks = log_worst_blocks(rolling_log_drops(log_prices, window), times, HOUR)
    cut_first, cut = log_worst_blocks(rolling_log_drops(log_prices[later:], window), times[later:], HOUR)
    assert cut_first + len(cut) == first + len(blocks)
    untouched = -(-(later + window) // PER_BLOCK)  # the first block whose windows all begin within the cut history
    assert np.array_equal(cut[untouched - cut_first :], blocks[untouched - first :])


def test_a_block_counts_when_its_last_close_is_there():
    rolling = rolling_log_drops(walk(PER_BLOCK), 24)
    assert len(log_worst_blocks(rolling, hours(PER_BLOCK), HOUR)[1]) == 1
    assert len(log_worst_blocks(rolling[:-1], hours(PER_BLOCK - 1), HOUR)[1]) == 0


def test_a_close_on_the_border_opens_no_block():
    rolling = rolling_log_drops(walk(PER_BLOCK + 1), 24)
    first, blocks = log_worst_blocks(rolling, hours(PER_BLOCK + 1, start=BLOCK_EPOCH), HOUR)
    assert first == -1  # the block that ends with the first close, of which nothing else is known
    assert np.isnan(blocks[0]).all()
    assert np.array_equal(blocks[1:], np.log(rolling[1:].max(axis=0))[None])


@pytest.mark.parametrize("n_bars", [1, 100, PER_BLOCK - 25])
def test_a_history_that_ends_within_its_first_block_has_none(n_bars):
    rolling = rolling_log_drops(walk(n_bars), 24)
    first, blocks = log_worst_blocks(rolling, hours(n_bars, start=BLOCK_EPOCH + 25 * HOUR), HOUR)
    assert (first, blocks.shape) == (0, (0, 2))


@pytest.mark.parametrize(("known", "counts"), [(round(COMPLETE * PER_BLOCK), True), (575, False)])
def test_a_block_counts_with_four_fifths_of_its_closes(known, counts):
    rolling = rolling_log_drops(walk(PER_BLOCK), 24)
    rolling[known:, 0] = np.nan
    _, blocks = log_worst_blocks(rolling, hours(PER_BLOCK), HOUR)
    assert np.isnan(blocks[0]).tolist() == [not counts, False]


def test_a_block_in_which_nothing_fell_is_unknown():
    _, blocks = log_worst_blocks(rolling_log_drops(np.zeros((PER_BLOCK, 1)), 24), hours(PER_BLOCK), HOUR)
    assert np.isnan(blocks).all()


@pytest.mark.parametrize(
    ("step", "start"), [("1h", "2021-04-01T00:30Z"), ("1D", "2021-04-01T16:00Z"), ("4h", "2021-04-01T02:00Z")]
)
def test_closes_need_not_fall_on_the_border_of_blocks(step, start):
    step = pd.Timedelta(step).to_pytimedelta()
    rolling = rolling_log_drops(walk(BLOCK // step), 1)
    first, blocks = log_worst_blocks(rolling, pd.date_range(start, periods=len(rolling), freq=step), step)
    assert first == 0
    assert np.array_equal(blocks, np.log(rolling.max(axis=0))[None])


@given(EXCESSES)
def test_an_excess_decays_and_shrinks_towards_none(excesses):
    track = track_excesses(excesses)
    for last in range(len(excesses)):
        age = np.arange(last, -1, -1)[:, None]
        weights = 0.5 ** (age / RECORD_HALF_LIFE) * ~np.isnan(excesses[: last + 1])
        capped = np.clip(np.nan_to_num(excesses[: last + 1]), -LARGEST_EXCESS, LARGEST_EXCESS)
        assert track.excess[last] == pytest.approx(
            (weights * capped).sum(axis=0) / (weights.sum(axis=0) + RECORD_PRIOR)
        )


@given(EXCESSES)
def test_crashes_are_counted_against_those_expected_of_as_many_blocks(excesses):
    track = track_excesses(excesses)
    for last in range(len(excesses)):
        seen, record = excesses[: last + 1], track.record(last, 0.02)
        assert np.array_equal(record.crashes, (seen > CRASH_EXCESS).sum(axis=0))
        assert record.expected == pytest.approx((~np.isnan(seen)).sum(axis=0) * 0.02)
        n_known = (~np.isnan(seen)).sum()
        assert track.crash_shares[last] == pytest.approx((seen > CRASH_EXCESS).sum() / max(n_known, 1))


@given(EXCESSES, st.integers(0, 29))
def test_later_blocks_do_not_change_earlier_records(excesses, last):
    last = min(last, len(excesses) - 1)
    early, whole = track_excesses(excesses[: last + 1]), track_excesses(excesses)
    for field in ("excess", "crashes", "known", "crash_shares"):
        assert np.array_equal(getattr(early, field)[last], getattr(whole, field)[last])


def test_an_excess_of_exactly_the_bound_is_no_crash():
    excesses = np.array([[CRASH_EXCESS, np.nextafter(CRASH_EXCESS, 1.0), np.nan]])
    track = track_excesses(excesses)
    assert track.crashes.tolist() == [[0.0, 1.0, 0.0]]
    assert track.known.tolist() == [[1.0, 1.0, 0.0]]
    assert track.crash_shares.tolist() == [0.5]


def test_blocks_that_nobody_knows_hold_no_crashes():
    track = track_excesses(np.full((2, 3), np.nan))
    assert track.crash_shares.tolist() == [0.0, 0.0]
    assert track.excess.tolist() == np.zeros((2, 3)).tolist()


def test_credibility_is_poisson_gamma():
    # 2 crashes in 40 blocks, where one in 80 is usual: (1 + 2) / (1 + 0.5)
    excesses = np.zeros((40, 1))
    excesses[[3, 17]] = 1.0
    assert track_excesses(excesses).record(-1, 1.0 / 80.0).credibility_factor[0] == pytest.approx(2.0)


def test_without_a_record_the_factor_is_one():
    nothing = no_record(3)
    assert np.array_equal(nothing.credibility_factor, np.ones(3))
    assert np.array_equal(nothing.excess, np.zeros(3))


def test_a_quiet_record_lowers_the_rate_and_never_to_nothing():
    track = track_excesses(np.zeros((500, 1)))
    factors = [track.record(last, 0.02).credibility_factor[0] for last in range(500)]
    assert np.all(np.diff(factors) < 0.0)
    assert factors[-1] == pytest.approx(1.0 / (1.0 + 500 * 0.02))
