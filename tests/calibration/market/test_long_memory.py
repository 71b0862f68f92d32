from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from calibration.market import long_memory
from calibration.market.long_memory import ELASTICITY, SLOPE, VOLATILITY_SLOPE, months_before

EPOCH = pd.Timestamp("2021-04-01", tz="UTC")
TERM = timedelta(days=30)


def read_file():
    """Months of BTC and ETH, as shipped."""
    return long_memory._shipped()


@pytest.fixture
def months(monkeypatch):
    """Two years of invented months, five days apart: their volatility, their run-up and how deep they went."""
    rng = np.random.default_rng(1)
    index = pd.date_range(EPOCH - timedelta(days=500), periods=146, freq="5D", name="start")
    frame = pd.DataFrame(
        {
            "log_volatility": rng.normal(-0.2, 0.3, len(index)),
            "run_up": rng.normal(0.1, 0.4, len(index)),
            "log_worst_1h": rng.normal(-3.2, 0.4, len(index)),
            "log_worst_24h": rng.normal(-2.2, 0.4, len(index)),
        },
        index=index,
    )
    monkeypatch.setattr(long_memory, "_shipped", lambda: frame)
    return frame


def translate(starts, effects, log_volatilities, as_of, window="24h"):
    return months_before(
        window, starts=starts, effects=effects, log_volatilities=log_volatilities, as_of=pd.Timestamp(as_of)
    )


def panel_of(n_starts=30, seed=2):
    """The panel's own months: starts from its first on, levels and volatilities."""
    rng = np.random.default_rng(seed)
    starts = pd.date_range(EPOCH, periods=n_starts, freq="5D")
    return starts, rng.normal(-1.6, 0.3, n_starts), rng.normal(0.2, 0.2, n_starts)


def test_months_before_the_panel_are_translated_by_the_months_that_both_cover(months):
    starts, effects, volatilities = panel_of()
    found = translate(starts, effects, volatilities, starts[-1] + TERM)
    shared, before = months[EPOCH : starts[-1]], months[: EPOCH - timedelta(hours=1)]
    shocks = months["log_worst_24h"] - ELASTICITY * months["log_volatility"]
    surprise = shocks[before.index] - shocks[shared.index].mean()
    volatility = volatilities.mean() + VOLATILITY_SLOPE * (before["log_volatility"] - shared["log_volatility"].mean())
    level = np.mean(effects - ELASTICITY * volatilities)
    assert found.effects == pytest.approx((level + SLOPE * surprise + ELASTICITY * volatility).to_numpy())
    assert [state.log_volatility for state in found.states] == pytest.approx(volatility.to_numpy())
    assert [state.run_up for state in found.states] == before["run_up"].tolist()


def test_a_month_like_those_of_the_panel_is_at_its_level(months):
    months[["log_volatility", "run_up", "log_worst_24h"]] = [-0.2, 0.0, -2.2]
    starts, effects, _ = panel_of()
    found = translate(starts, effects, np.full(30, 0.3), starts[-1] + TERM)
    assert found.effects == pytest.approx(effects.mean())
    assert {round(state.log_volatility, 12) for state in found.states} == {0.3}


@pytest.mark.parametrize("depth", [-1.0, 0.5])
def test_a_deeper_month_is_deeper_by_the_slope(months, depth):
    starts, effects, volatilities = panel_of()
    plain = translate(starts, effects, volatilities, starts[-1] + TERM)
    months.loc[months.index[3], "log_worst_24h"] += depth
    moved = translate(starts, effects, volatilities, starts[-1] + TERM)
    assert moved.effects - plain.effects == pytest.approx(
        np.where(np.arange(len(plain.effects)) == 3, SLOPE * depth, 0)
    )


@pytest.mark.parametrize("window", ["1h", "24h"])
def test_months_that_end_later_are_not_looked_at(months, window):
    starts, effects, volatilities = panel_of(n_starts=8)
    as_of = starts[-1] + timedelta(days=10)  # the last four of these months have not ended
    known = translate(starts, effects, volatilities, as_of, window)
    months.loc[months.index > as_of - TERM] = np.random.default_rng(9).normal(
        50.0, 9.0, (sum(months.index > as_of - TERM), 4)
    )
    poisoned = translate(starts, effects, volatilities, as_of, window)
    assert np.array_equal(poisoned.effects, known.effects)
    assert poisoned.states == known.states


@pytest.mark.usefixtures("months")
def test_each_window_has_its_own_depths():
    starts, effects, volatilities = panel_of()
    hourly, daily = (translate(starts, effects, volatilities, starts[-1] + TERM, window) for window in ("1h", "24h"))
    assert hourly.states == daily.states
    assert not np.allclose(hourly.effects, daily.effects)


@pytest.mark.usefixtures("months")
@pytest.mark.parametrize("years", [-4, 2])
def test_without_months_in_common_or_before_there_is_no_memory(years):
    starts, effects, volatilities = panel_of()
    starts = starts + timedelta(days=365 * years)
    found = translate(starts, effects, volatilities, starts[-1] + TERM)
    assert (len(found.effects), found.states) == (0, [])


def test_the_file_holds_complete_months_five_days_apart():
    months = read_file()
    assert months.index[0] == pd.Timestamp("2017-09-19", tz="UTC")
    assert months.index[-1] <= pd.Timestamp("2022-10-31", tz="UTC") - TERM
    assert set(np.diff(months.index)) == {np.timedelta64(5, "D")}
    assert (months.index[0] - EPOCH) % timedelta(days=5) == timedelta(0)
    assert np.isfinite(months.to_numpy()).all()
    # a fall within an hour is one within a day
    assert (months["log_worst_1h"] <= months["log_worst_24h"]).all()


def test_the_file_holds_what_prices_say(market_data):
    with (long_memory.files("calibration") / "data" / "long_memory.csv").open(encoding="utf-8") as file:
        rows = pd.read_csv(file, comment="#", parse_dates=["start"])
    for asset, start in (("BTC", "2020-02-20"), ("ETH", "2018-01-06"), ("BTC", "2021-05-01"), ("ETH", "2022-05-01")):
        bars = pd.read_csv(market_data / "intraday" / f"{asset}USDT_binance_1h_2017_202210.csv.gz")
        times = pd.DatetimeIndex(pd.to_datetime(bars["open_time_ms"], unit="ms", utc=True)) + timedelta(hours=1)
        closes = pd.Series(bars["close"].to_numpy(), index=times).groupby(level=0).first()
        later = rows[(rows["asset"] == asset) & (rows["start"] >= pd.Timestamp(start, tz="UTC"))].iloc[0]
        term = closes[later["start"] : later["start"] + TERM]
        for window in ("1h", "24h"):
            worst = np.log(term.rolling(pd.Timedelta(window), closed="both").max() / term).max()
            assert later[f"log_worst_{window}"] == pytest.approx(np.log(worst), abs=6e-6)
        assert later["run_up"] == pytest.approx(
            np.log(closes[later["start"]] / closes[later["start"] - timedelta(days=90)]), abs=6e-6
        )
