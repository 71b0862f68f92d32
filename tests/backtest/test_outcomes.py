from datetime import timedelta
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from backtest import Span, make_panel, outcome_table, worst_drops
from tests.backtest.conftest import make_closes

DAY_SPAN = Span(timedelta(hours=24), timedelta(days=30))
HOUR_SPAN = Span(timedelta(hours=1), timedelta(days=30))
PRICES = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 30), st.integers(1, 3)),
    elements=st.one_of(st.just(np.nan), st.floats(0.01, 100.0)),
)


def by_definition(closes, window):
    """Look at every close and every earlier one in its window."""
    worst = np.full(closes.shape[1], np.nan)
    for token in range(closes.shape[1]):
        for now in range(len(closes)):
            before = closes[max(0, now - window) : now + 1, token]
            if np.isfinite(closes[now, token]):
                drop = 1.0 - closes[now, token] / np.nanmax(before)
                worst[token] = np.fmax(worst[token], drop)
    return worst


@given(closes=PRICES, window=st.integers(1, 40))
def test_worst_drops_are_those_of_the_definition(closes, window):
    assert worst_drops(closes, window) == pytest.approx(by_definition(closes, window), abs=1e-12, nan_ok=True)


@given(closes=PRICES, window=st.integers(1, 40))
def test_a_longer_window_never_lowers_a_worst_drop(closes, window):
    assert not (worst_drops(closes, window + 1) < worst_drops(closes, window)).any()


def table_of(closes, start="2023-05-01T00:00Z", spans=(HOUR_SPAN, DAY_SPAN)):
    return outcome_table(make_panel(closes), pd.DatetimeIndex([start]), spans).set_index("token")


def with_close(closes, time, price):
    changed = closes.copy()
    changed.loc[pd.Timestamp(time), "T0"] = price
    return changed


def test_the_outcome_looks_at_closes_from_the_start_to_the_end_of_the_term():
    closes = make_closes()
    before = table_of(closes)
    start, end = pd.Timestamp("2023-05-01T00:00Z"), pd.Timestamp("2023-05-31T00:00Z")
    price = closes["T0"]
    for time, column in (
        (start - pd.Timedelta("1h"), None),
        (start, "1h in 30d"),
        (end, "1h in 30d"),
        (end + pd.Timedelta("1h"), None),
    ):
        # ten times the price at the start is a fall of 90 % afterwards, a tenth at any other time is one at that time
        changed = table_of(with_close(closes, time, price[time] * (10.0 if time == start else 0.1)))
        moved = before["1h in 30d"]["T0"] != changed["1h in 30d"]["T0"]
        assert moved == (column is not None), time
        if moved:
            assert changed["1h in 30d"]["T0"] > 0.8


def test_the_window_counts_both_ends():
    closes = make_closes() * 0.0 + 1.0
    closes["T0"] = 1.0 + 0.001 * np.sin(np.arange(len(closes)))  # a price that never moves cannot be quoted
    peak = pd.Timestamp("2023-05-10T00:00Z")
    closes.loc[: peak - pd.Timedelta("1h"), "T0"] *= 0.5
    closes.loc[peak:, "T0"] = np.linspace(1.0, 0.4, len(closes.loc[peak:]))
    closes.loc[peak + pd.Timedelta("1h") : peak + pd.Timedelta("23h"), "T0"] = 0.9
    for hours, expected in ((24, 0.5), (23, 0.4444)):
        crash = closes.copy()
        crash.loc[peak + pd.Timedelta("24h") :, "T0"] = 0.5
        span = Span(timedelta(hours=hours), timedelta(days=30))
        found = table_of(crash, spans=(span,))[span.name]["T0"]
        assert found == pytest.approx(expected, abs=1e-4)


def test_a_token_that_stops_within_a_day_has_no_outcome():
    closes = make_closes()
    start = pd.Timestamp("2023-05-01T00:00Z")
    closes.loc[start + pd.Timedelta("23h30min") :, "T0"] = np.nan
    closes.loc[start + pd.Timedelta("24h30min") :, "T1"] = np.nan
    found = table_of(closes)["24h in 30d"]
    assert np.isnan(found["T0"])
    assert np.isfinite(found["T1"])


def test_a_token_that_never_moved_cannot_be_quoted():
    closes = make_closes()
    closes["T0"] = 1.0
    assert "T0" not in table_of(closes).index


def test_another_unit_is_no_outcome():
    """After five days without a price, T0 trades at a thousandth: what follows says nothing of the old unit."""
    closes = make_closes()
    hole = pd.Timestamp("2023-05-10T00:00Z")
    closes.loc[hole : hole + pd.Timedelta("5D"), "T0"] = np.nan
    closes.loc[hole + pd.Timedelta("5D") :, "T0"] *= 1e-3
    before = closes.copy()
    before.loc[hole:, "T0"] = np.nan
    pd.testing.assert_frame_equal(table_of(closes), table_of(before))
    late = table_of(closes, start="2023-05-12T00:00Z")
    assert late.loc["T0", [HOUR_SPAN.name, DAY_SPAN.name]].isna().all()
    assert late.drop("T0").notna().all(axis=None)


def test_outcomes_of_other_assets_are_masked_on_the_panel(market_data):
    starts = {"LUNA": "2022-05-26", "SUN": "2021-06-18", "STRAX": "2024-03-28"}
    file = market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet"
    closes = pd.read_parquet(file, columns=["open_time", *starts]).set_index("open_time")
    panel = make_panel(closes, label="open")
    with mock.patch("backtest.outcomes.asset_changes", return_value={}):
        seen = worst_of(panel, starts)
    masked = worst_of(panel, starts)
    assert min(seen.values()) > 0.2  # what the next asset, or the next unit, did
    assert all(np.isnan(worst) for worst in masked.values())


def worst_of(panel, starts):
    """Return the worst drop in a day of each token in the month after its start."""
    return {
        token: outcome_table(panel, pd.DatetimeIndex([pd.Timestamp(day, tz="UTC")]), (DAY_SPAN,))
        .set_index("token")[DAY_SPAN.name]
        .get(token, np.nan)
        for token, day in starts.items()
    }
