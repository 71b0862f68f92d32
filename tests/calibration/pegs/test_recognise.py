"""Robust volatility against its closed form, and who follows whom."""

import math

import numpy as np
import pandas as pd
import pytest

from calibration import calibrate
from calibration.pegs.recognise import daily_log_prices, find_wrapped, robust_volatility, volatility_of
from pricing.errors import PeggedTokenError

#: Daily move at which the median day of a pegged token is at the limit of 8 % a year.
LIMIT = 0.08 * 0.6745 / math.sqrt(365.25)
DAYS = pd.date_range("2024-01-01", periods=91, freq="1D", tz="UTC")


def swinging(move, days=91):
    """Log prices that go up and down by the same move every day."""
    return move * (np.arange(days) % 2.0)


def closes_of(move, hours=100 * 24):
    """Hourly closes whose days end a move up and a move down in turn."""
    index = pd.date_range("2024-01-01T01:00Z", periods=hours, freq="1h")
    return pd.Series(np.exp(move * (np.arange(1, hours + 1) // 24 % 2)), index=index)


def test_the_volatility_of_equal_moves_is_that_of_the_move():
    assert robust_volatility(swinging(LIMIT)[:, None]) == pytest.approx([0.08], rel=1e-12)


def test_the_median_of_an_even_number_of_moves_is_between_the_middle_two():
    moves = np.arange(1.0, 91.0) / 1000.0  # the middle two of 90 are 0.045 and 0.046
    expected = 0.0455 / 0.6745 * math.sqrt(365.25)
    assert robust_volatility(np.cumsum([0.0, *moves])[:, None]) == pytest.approx([expected], rel=1e-12)


def test_normal_returns_have_their_own_volatility():
    returns = np.random.default_rng(3).normal(0.0, 0.4 / math.sqrt(365.25), (90, 400))
    found = robust_volatility(np.cumsum(returns, axis=0))
    # The median of 89 absolute values deviates by 12 %, the mean of 400 of them by 0.6 %: seed 3, z up to 4.
    assert found.mean() == pytest.approx(0.4, rel=4 * 0.006)


def test_days_without_a_close_do_not_count_and_too_few_give_no_answer():
    prices = np.column_stack([swinging(LIMIT)] * 2)
    prices[46:, 0] = np.nan  # 45 returns
    prices[45:, 1] = np.nan
    assert robust_volatility(prices) == pytest.approx([0.08, np.nan], rel=1e-12, nan_ok=True)


def test_a_lost_peg_is_recognised_on_the_days_of_its_loss():
    closes = closes_of(0.5 * LIMIT)
    closes.iloc[-72:] *= 0.87
    assert volatility_of(closes) == pytest.approx(0.04, rel=1e-9)


def test_days_are_counted_back_from_the_last_close_over_missing_hours_but_not_over_days():
    closes = closes_of(LIMIT)
    last = closes.index[-1]
    short = daily_log_prices(closes.drop(last - pd.Timedelta("1D")))
    assert short.index[-1] == last
    assert len(short) == 91
    assert short.loc[last - pd.Timedelta("1D")] == pytest.approx(np.log(closes.loc[last - pd.Timedelta("25h")]))
    gone = closes[(closes.index <= last - pd.Timedelta("2D")) | (closes.index > last - pd.Timedelta("1D"))]
    assert np.isnan(daily_log_prices(gone).loc[last - pd.Timedelta("1D")])


def test_a_pegged_token_is_not_calibrated_by_the_laws_of_others():
    assert volatility_of(closes_of(1.001 * LIMIT)) > 0.08
    with pytest.raises(PeggedTokenError, match="prices must move by at least 8% a year, got 7.99% by the median day"):
        calibrate(closes_of(0.999 * LIMIT))


# --- wrapped tokens ---------------------------------------------------------------------------------------------------


def a_panel(**followers):
    """Log prices of two tokens, and of others that swing around one of them by a move per day."""
    walks = np.cumsum(np.random.default_rng(8).normal(0.0, 0.04, (91, 2)), axis=0)
    panel = pd.DataFrame(walks, index=DAYS, columns=["BTC", "ETH"])
    return panel.assign(**{name: panel[of] + swinging(move) for name, (of, move) in followers.items()})


def begins(panel, **later):
    return {name: DAYS[0] + pd.Timedelta(days=later.get(name, 0)) for name in panel}


def test_a_token_follows_another_if_their_ratio_hardly_moves():
    panel = a_panel(WBTC=("BTC", 0.999 * LIMIT), STETH=("ETH", 0.1 * LIMIT), NEAR=("ETH", 1.001 * LIMIT))
    found = find_wrapped(panel, begins(panel))
    assert set(found) == {"WBTC", "STETH"}
    assert found["WBTC"].startswith("it follows BTC: their ratio moves by 8.0% a year, less than 8%")
    assert found["STETH"].startswith("it follows ETH: their ratio moves by 0.8% a year")


def test_the_one_that_was_listed_later_follows():
    panel = a_panel(A=("BTC", 0.1 * LIMIT))
    assert set(find_wrapped(panel, begins(panel, A=1))) == {"A"}
    assert set(find_wrapped(panel, begins(panel, BTC=1))) == {"BTC"}
    assert set(find_wrapped(panel, begins(panel))) == {"BTC"}  # the longer name
    assert set(find_wrapped(panel[panel.columns[::-1]], begins(panel))) == {"BTC"}  # whatever their order


def test_pegged_tokens_do_not_follow_each_other():
    panel = a_panel().assign(USDT=0.0, USDC=swinging(0.5 * LIMIT))
    assert find_wrapped(panel, begins(panel)) == {}


def test_too_few_common_days_decide_nothing():
    panel = a_panel(WBTC=("BTC", 0.1 * LIMIT))
    panel.loc[DAYS[45:], "WBTC"] = np.nan
    assert find_wrapped(panel, begins(panel)) == {}
    assert find_wrapped(panel[["BTC"]], begins(panel)) == {}


def test_one_price_under_two_names_is_no_wrapped_token():
    moves = {"COPY": ("BTC", 0.99 * LIMIT / 80.0), "WBTC": ("BTC", 1.01 * LIMIT / 80.0)}
    panel = a_panel(**moves)
    assert set(find_wrapped(panel, begins(panel))) == {"WBTC"}
