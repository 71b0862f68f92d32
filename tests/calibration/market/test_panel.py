from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from calibration.law.drop_law import token_state
from calibration.law.own_record import BLOCK_EPOCH, CRASH_EXCESS
from calibration.market.panel import (
    eligible,
    learning_starts,
    market_blocks,
    market_index,
    market_state,
    outcomes,
    panel_grid,
    states_at,
)
from calibration.prices.horizons import running_squares
from pricing.errors import DataError, DataWarning, InsufficientDataError
from tests.calibration.drop_laws import a_panel, a_record, a_state

DAY = 24


@pytest.fixture(scope="module")
def closes():
    """A hundred days of twelve tokens from the start of a block on."""
    return a_panel(12, 100, start=BLOCK_EPOCH + timedelta(hours=1))


@pytest.fixture(scope="module")
def grid(closes):
    return panel_grid(closes, None)


# --- the grid ---------------------------------------------------------------------------------------------------------


def test_a_grid_holds_logs_and_their_differences(closes, grid):
    assert np.array_equal(grid.log_prices, np.log(closes.to_numpy()))
    assert np.isnan(grid.returns[0]).all()
    assert np.array_equal(grid.returns[1:], np.diff(grid.log_prices, axis=0))
    assert grid.per_day == 24.0


def test_missing_rows_become_missing_closes(closes):
    grid = panel_grid(closes.drop(closes.index[100:103]), None)
    assert len(grid.times) == len(closes)
    assert np.isnan(grid.log_prices[100:103]).all()
    assert np.isnan(grid.returns[100:104]).all()
    assert np.isfinite(grid.returns[104]).all()


def test_times_may_be_of_any_zone(closes, grid):
    assert (panel_grid(closes.tz_convert("Asia/Tokyo"), None).times == grid.times).all()


def test_as_of_is_the_last_close_that_is_used(closes):
    as_of = closes.index[900]
    assert panel_grid(closes, as_of).times[-1] == as_of
    assert panel_grid(closes, as_of + timedelta(minutes=59)).times[-1] == as_of
    assert panel_grid(closes, as_of.isoformat()).times[-1] == as_of


def test_opens_are_moved_before_anything_is_left_out(closes, grid):
    """The close of the bar that opens at a time is not known then."""
    opens = closes.set_axis(closes.index - timedelta(hours=1))
    as_of = closes.index[900]
    assert panel_grid(opens, as_of, label="open").times[-1] == as_of
    moved = panel_grid(opens, None, label="open")
    assert moved.times.equals(grid.times)
    assert np.array_equal(moved.log_prices, grid.log_prices)
    with pytest.warns(DataWarning, match="open_time is read as the open of bars"):
        assert panel_grid(opens.rename_axis("open_time"), None).times.equals(grid.times)


def with_close(closes, value):
    changed = closes.astype(object)
    changed.iloc[7, 3] = value
    return changed


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.to_numpy(), r"panel must be a frame of closes on a DatetimeIndex with a time zone.*got ndarray"),
        (lambda p: p.tz_localize(None), r"got datetime64.* labels such as \[Timestamp\('2021-04-01 01:00:00'\)\]"),
        (lambda p: p.reset_index(drop=True), r"got int64 labels such as \[0\] \(panel.set_index"),
        (lambda p: p.iloc[::-1], r"increasing times, got 2021-07-09 23:00.* in row 1 after 2021-07-10 00:00"),
        (lambda p: pd.concat([p, p.iloc[-1:]]), r"increasing times, got .* in row 2400 .*one row per time"),
        (lambda p: p.set_axis(p.index.delete(5).insert(5, pd.NaT)), r"increasing times, got NaT in row 5"),
        (
            lambda p: p.set_axis(p.index.delete(5).insert(5, p.index[5] + timedelta(minutes=7))),
            r"label at row 5 \(2021-04-01T06:07.*\) must be within 5% of a bar of 1h .* 420 s after .*resample",
        ),
        (lambda p: pd.concat([p, p[["T3"]]], axis=1), r"one column per token, \['T3'\] occur twice"),
        (
            lambda p: with_close(p, 0.0),
            r"close of T3 at 2021-04-01 08:00.* must be positive and finite, got .*NaN, not 0",
        ),
        (lambda p: with_close(p, -1.0), r"close of T3 at .* must be positive and finite, got -1.0"),
        (lambda p: with_close(p, np.inf), r"close of T3 at .* must be positive and finite, got inf"),
        (lambda p: with_close(p, "1.5"), r"close of T3 at 2021-04-01 08:00.* must be a number, got 1.5 \(a text"),
    ],
)
def test_errors_name_the_field_the_value_and_the_slip(closes, spoil, message):
    with pytest.raises(DataError, match=message):
        panel_grid(spoil(closes), None)


def test_as_of_needs_a_time_zone(closes):
    with pytest.raises(DataError, match="as_of must have a time zone, got '2021-05-01T00:00'"):
        panel_grid(closes, "2021-05-01T00:00")


def test_less_than_a_month_is_too_little(closes):
    with pytest.raises(InsufficientDataError, match="at least a month of hourly closes, got 719 rows"):
        panel_grid(closes.iloc[:719], None)


# --- what to learn from -----------------------------------------------------------------------------------------------


def test_starts_are_five_days_apart_and_the_last_term_has_just_ended(grid):
    starts = learning_starts(grid)
    assert starts[-1] + 30 * DAY == len(grid.times) - 1
    assert set(np.diff(starts)) == {5 * DAY}
    assert 30 * DAY <= starts[0] < 35 * DAY


def test_three_starts_are_the_fewest(closes):
    assert len(learning_starts(panel_grid(closes.iloc[: 70 * DAY + 1], None))) == 3
    with pytest.raises(InsufficientDataError, match="reach back at least 70 days.*got 69 days"):
        learning_starts(panel_grid(closes.iloc[: 70 * DAY], None))


def test_a_token_needs_history_outcome_and_a_price_that_moves(closes):
    start = 60 * DAY
    changed = closes.copy()
    history, term = changed.index[: start + 1], changed.index[start + 1 : start + 1 + 30 * DAY]
    known = round(0.66 * len(history)) + 1
    changed.loc[history[: len(history) - known], "T0"] = np.nan  # 66 % of the time since the panel began
    changed.loc[history[: len(history) - known + 2], "T1"] = np.nan
    changed.loc[term[24:], "T2"] = np.nan
    changed.loc[term[23:], "T3"] = np.nan
    changed["T4"] = 1.0 + 1e-4 * (np.arange(len(changed)) % 2)
    grid = panel_grid(changed, None)
    state = token_state(running_squares(grid.returns, np.array([start]), per_day=24.0)[0], (a_record(),))
    assert grid.returns.shape[1] == changed.shape[1] - 1  # the pegged token is no part of the market
    assert eligible(grid, start, state).tolist() == [True, False, True, False, *[True] * 7]


def test_outcomes_are_those_of_the_term(closes, grid):
    prices = closes["T5"].to_numpy()[50 * DAY : 80 * DAY + 1]
    worst = max(np.log(prices[max(0, low - 24) : low + 1].max() / prices[low]) for low in range(len(prices)))
    assert outcomes(grid, [50 * DAY], 24)[0, 5] == pytest.approx(worst, rel=1e-12)


# --- the market -------------------------------------------------------------------------------------------------------


def test_the_index_is_the_mean_return_of_those_that_trade(closes):
    changed = closes.copy()
    changed.loc[changed.index[200:900], "T0"] = np.nan
    index = market_index(panel_grid(changed, None))
    expected = np.log(changed).diff().mean(axis=1).cumsum().fillna(0.0)
    assert index == pytest.approx(expected.to_numpy(), abs=1e-12)


def test_the_state_of_the_market_by_hand():
    index = np.cumsum(np.full(4000, 0.001))
    state = a_state(log_volatilities=(0.0, 0.0, 0.3, 0.0))
    found = market_state(state, np.array([True]), index, 3000)
    assert (found.log_volatility, found.run_up) == pytest.approx((0.3, 90 * DAY * 0.001))
    assert market_state(state, np.array([True]), index, 100).run_up == pytest.approx(0.1)  # since the panel began


def test_blocks_hold_the_mean_of_the_market(grid):
    blocks = market_blocks(grid, 24)
    assert blocks.first == 0
    worst = [outcomes(grid, [block * 30 * DAY], 24)[0] for block in (1, 2)]  # but for what began in the block before
    assert blocks.means[1:] == pytest.approx([np.log(values).mean() for values in worst], abs=0.1)
    assert len(blocks.means) == 3


def test_a_crash_of_all_counts_against_nobody(closes, grid):
    twins = pd.DataFrame(dict.fromkeys(closes.columns, closes["T4"]))
    twins.iloc[40 * DAY :] *= 0.4
    crashed = market_blocks(replace(grid, log_prices=np.log(twins.to_numpy())), 24)  # as a panel, T4 and its followers
    assert crashed.means[1] == pytest.approx(np.log(-np.log(0.4)), abs=0.1)
    assert np.abs(crashed.track.excess).max() < 1e-12
    assert crashed.track.crashes.max() == crashed.crash_share == 0.0


def test_a_crash_of_one_counts_against_it_alone(closes, grid):
    changed = closes.copy()
    changed.loc[changed.index[40 * DAY :], "T4"] *= 0.3
    blocks, before = market_blocks(panel_grid(changed, None), 24), market_blocks(grid, 24)
    assert blocks.track.crashes[-1].tolist() == [float(name == "T4") for name in changed.columns]
    assert blocks.crash_share == pytest.approx(1.0 / 36.0)
    others = np.arange(12) != 4
    assert blocks.track.excess[-1, 4] > before.track.excess[-1, 4] + 0.1
    assert np.all(blocks.track.excess[-1, others] < before.track.excess[-1, others])
    assert np.log(-np.log(0.3)) - blocks.means[1] > CRASH_EXCESS


def test_a_record_is_read_as_it_was_known(closes, grid):
    blocks = market_blocks(grid, 24)
    for day, n_complete in ((29, 0), (30, 1), (59, 1), (60, 2), (90, 3), (99, 3)):
        record = blocks.record_at(BLOCK_EPOCH + timedelta(days=day))
        assert record.excess.shape == (12,)
        known = market_blocks(panel_grid(closes.iloc[: max(day, 30) * DAY], None), 24) if n_complete else None
        expected = known.track.record(-1, known.crash_share) if n_complete else a_record()
        assert np.array_equal(record.excess, np.broadcast_to(expected.excess, 12))
        assert np.array_equal(record.expected, np.broadcast_to(expected.expected, 12))


def test_states_are_what_was_known_at_each_row(closes, grid):
    blocks = (market_blocks(grid, 1), market_blocks(grid, 24))
    for row, state in zip([800, 2000], states_at(grid, [800, 2000], blocks), strict=True):
        early = panel_grid(closes.iloc[: row + 1], None)
        (known,) = states_at(early, [row], (market_blocks(early, 1), market_blocks(early, 24)))
        assert np.array_equal(state.log_volatilities, known.log_volatilities)
        assert np.array_equal(state.tail_weight, known.tail_weight)
        for now, then in zip(state.records, known.records, strict=True):
            assert np.array_equal(now.excess, then.excess)
            assert np.array_equal(now.credibility_factor, then.credibility_factor)
