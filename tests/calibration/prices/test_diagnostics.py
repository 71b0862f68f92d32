from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from calibration.prices.bars import check_closes
from calibration.prices.diagnostics import diagnose


def hourly(values):
    return pd.Series(
        values, index=pd.date_range("2024-01-01", periods=len(values), freq="1h", tz="UTC"), dtype="float64"
    )


def test_figures_by_hand():
    values = np.full(200, 100.0)
    values[50:] = 80.0  # 20 % in one hour
    values[70:] = 65.0  # 35 % within 20 hours: counted
    values[100:] = 60.0  # slow
    values[150:] = 40.0  # a third in one hour: counted again
    found = diagnose(check_closes(hourly(values)))
    assert found.worst_drop_1h == pytest.approx(1 - 40 / 60)
    assert found.worst_drop_24h == pytest.approx(0.35)
    assert found.falls_of_30_percent == 2
    assert (found.n_closes, found.n_returns) == (200, 199)
    assert found.years == pytest.approx(199 / 8760)
    assert found.longest_gap == timedelta(0)


def test_windows_are_lengths_of_time_and_reach_across_gaps():
    prices = hourly([100.0] * 30 + [50.0] * 30)
    without = prices.drop(prices.index[25:35])
    found = diagnose(check_closes(without))
    assert found.worst_drop_24h == pytest.approx(0.5)
    assert found.worst_drop_1h == 0.0  # nothing fell within one hour that was seen
    assert found.longest_gap == timedelta(hours=10)
    # the same fall across more than a day is not within 24 hours
    assert diagnose(check_closes(prices.drop(prices.index[18:43]))).worst_drop_24h == 0.0


def test_both_ends_of_the_window_count():
    values = np.full(60, 100.0)
    values[30:] = 60.0
    values[30:54] = np.linspace(95.0, 72.0, 24)
    exactly = diagnose(check_closes(hourly(values)))
    # at hour 53 the close of hour 29 is 24 hours old and still counts: 1 - 72 / 100
    assert exactly.worst_drop_24h >= 0.28


def test_long_bars_cannot_tell_an_hour():
    days = pd.Series([1.0, 0.6, 0.6], index=pd.date_range("2024-01-01", periods=3, freq="1D", tz="UTC"))
    found = diagnose(check_closes(days))
    assert found.worst_drop_1h is None
    assert found.worst_drop_24h == pytest.approx(0.4)


def test_published_worst_falls(market_data):
    panel = pd.read_parquet(
        market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet", columns=["open_time", "LUNA", "FTT"]
    ).set_index("open_time")
    panel.index = (panel.index + pd.Timedelta("1h")).rename("close_time")
    for token, as_of, hour, day in (
        ("LUNA", "2022-05-13T01:00Z", 0.867, 1.0),
        ("FTT", "2022-11-15T05:00Z", 0.39, 0.793),
    ):
        found = diagnose(check_closes(panel[token], as_of=as_of))
        assert found.worst_drop_1h == pytest.approx(hour, abs=6e-4)
        assert found.worst_drop_24h == pytest.approx(day, abs=6e-4)
