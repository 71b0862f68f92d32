import pandas as pd

from calibration import RiskSignals
from crashcover.offers.stated_market import market_signals

CLOSES = pd.Series([2.0, 4.0, float("nan")], index=pd.date_range("2024-01-01", periods=3, freq="h", tz="UTC"))


def test_depth_refers_to_the_last_close():
    found = market_signals(CLOSES, as_of=None, depth=8.0, daily_volume=None)
    assert found == RiskSignals(depth_usd=8.0, price_usd=4.0)
    earlier = market_signals(CLOSES, as_of=CLOSES.index[0], depth=8.0, daily_volume=3.0)
    assert earlier == RiskSignals(depth_usd=8.0, price_usd=2.0, daily_volume=3.0)


def test_without_figures_there_are_no_signals():
    assert market_signals(CLOSES, as_of=None, depth=None, daily_volume=None) is None
