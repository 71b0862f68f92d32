import numpy as np
import pandas as pd
import pytest

from calibration import RiskSignals, calibrate
from calibration.prices.volume import daily_volume

TIMES = pd.date_range("2024-01-01T01:00Z", periods=24 * 40, freq="h", name="close_time")


def bars(volume, times=TIMES):
    return pd.DataFrame({"close": np.linspace(1.0, 2.0, len(times)), "volume": volume}, index=times)


def test_the_volume_is_the_median_of_the_latest_thirty_days():
    by_day = np.arange(1.0, 41.0)  # days 11 to 40 count: their median is 25.5
    assert daily_volume(bars(np.repeat(by_day / 24.0, 24))) == pytest.approx(25.5)


def test_later_bars_and_a_begun_day_take_no_part():
    by_day = np.repeat(np.arange(1.0, 41.0), 24)
    whole = daily_volume(bars(by_day).iloc[: 24 * 35])
    assert daily_volume(bars(by_day).iloc[: 24 * 35 + 5]) == whole
    assert daily_volume(bars(by_day), as_of=TIMES[24 * 35 - 1]) == whole


@pytest.mark.parametrize("volume", [0.0, np.nan, "none"])
def test_bars_without_volume_say_nothing(volume):
    assert daily_volume(bars(volume)) is None
    assert daily_volume(bars(1.0)["close"]) is None
    assert daily_volume(bars(1.0).iloc[: 24 * 5]) is None


def test_volume_of_bars_says_what_the_market_bears_unless_it_is_stated(hourly_closes):
    holders = pd.DataFrame({"address": ["a", "pool"], "balance": [60.0, 40.0], "label": ["team", "staking"]})
    frame = hourly_closes.to_frame("close").assign(volume=1e-3)
    frame.index.name = "close_time"
    thin = calibrate(frame, holders=holders, supply=100.0)
    assert thin.hazard.overhang.limit == "volume"
    assert thin.hazard.sale.daily_volume == pytest.approx(0.024)
    stated = calibrate(frame, holders=holders, supply=100.0, signals=RiskSignals(daily_volume=50.0))
    assert stated.hazard.sale.daily_volume == 50.0
    assert calibrate(frame).hazard == calibrate(hourly_closes).hazard
    shares = holders.rename(columns={"balance": "share"}).assign(share=[0.6, 0.4])
    assert not calibrate(frame, holders=shares).hazard.sale.volume_known
