import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.prices.bars import check_closes
from calibration.prices.findings import FindingKind
from pricing.errors import DataError, InsufficientDataError

START = pd.Timestamp("2024-01-01", tz="UTC")


def closes(values, freq="1h", start=START):
    return pd.Series(values, index=pd.date_range(start, periods=len(values), freq=freq), dtype="float64")


def kinds(checked):
    return {finding.kind for finding in checked.findings}


def find(checked, kind):
    return next(finding for finding in checked.findings if finding.kind is kind)


# --- what is taken as it is -------------------------------------------------------------------------------------------


def test_a_clean_history_is_taken_as_it_is():
    prices = closes([1.0, 1.1, 1.21, 1.0])
    checked = check_closes(prices)
    np.testing.assert_array_equal(checked.closes, prices)
    np.testing.assert_allclose(checked.log_returns, np.log([1.1, 1.1, 1 / 1.21]), rtol=1e-14)
    assert checked.findings == ()
    assert checked.step == pd.Timedelta("1h")
    assert list(checked.log_returns.index) == list(prices.index[1:])


def test_a_one_column_frame_is_its_column():
    prices = closes([1.0, 1.1, 1.2])
    pd.testing.assert_series_equal(check_closes(prices.to_frame("x")).log_returns, check_closes(prices).log_returns)


def test_other_zones_are_converted():
    prices = closes([1.0, 1.1, 1.2])
    checked = check_closes(prices.tz_convert("Asia/Tokyo"))
    assert str(checked.closes.index.tz) == "UTC"
    assert list(checked.closes.index) == list(prices.index)


@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=30), st.floats(1e-3, 1e3))
def test_returns_do_not_depend_on_the_unit_of_the_price(values, unit):
    one, other = check_closes(closes(values)), check_closes(closes(np.multiply(values, unit)))
    if not {FindingKind.REDENOMINATION} & (kinds(one) | kinds(other)):
        np.testing.assert_allclose(one.log_returns, other.log_returns, atol=1e-12)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.0, r"row 2 \(2024-01-01T02:00:00\+00:00\) must be positive, got .*0\.0.*a missing price is NaN"),
        (-1.0, r"row 2 .* must be positive, got .*-1\.0.*prices, not returns"),
        (np.inf, r"row 2 .* must be finite"),
    ],
)
def test_a_wrong_price_is_refused_with_its_row(value, message):
    with pytest.raises(DataError, match=message):
        check_closes(closes([1.0, 1.1, value, 1.2]))


@pytest.mark.parametrize("value", ["1.2", True, 1j])
def test_a_price_that_is_no_number_is_refused(value):
    prices = pd.Series([1.0, value, 1.2], index=closes([1, 1, 1]).index, dtype=object)
    with pytest.raises(DataError, match="row 1 .* must be a number"):
        check_closes(prices)


def test_two_prices_at_one_time_are_refused():
    prices = closes([1.0, 1.1, 1.2])
    with pytest.raises(DataError, match=r"row 3 \(2024-01-01T01:00:00\+00:00\) must agree with row 1 .* 1\.3 and 1\.1"):
        check_closes(pd.concat([prices, pd.Series([1.3], index=prices.index[1:2])]))


def test_labels_without_a_zone_are_refused():
    with pytest.raises(DataError, match=r"time zone.*tz_localize\('UTC'\)"):
        check_closes(closes([1.0, 1.1]).tz_localize(None))


def test_epoch_numbers_as_labels_are_refused_with_the_way_out():
    prices = pd.Series([1.0, 1.1], index=[1704067200000, 1704070800000])
    with pytest.raises(DataError, match=r"int64 labels such as \[1704067200000\].*unit='ms', utc=True"):
        check_closes(prices)
    converted = pd.Series(prices.to_numpy(), index=pd.to_datetime(prices.index, unit="ms", utc=True))
    assert check_closes(converted).step == pd.Timedelta("1h")


def test_epoch_numbers_read_in_the_wrong_unit_are_refused():
    index = pd.to_datetime([1704067200000, 1704070800000], utc=True)
    with pytest.raises(DataError, match="row 0 must not be before 2009-01-03, got 1970.*nanoseconds"):
        check_closes(pd.Series([1.0, 1.1], index=index))


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ([1.0, 1.1], "Series or a DataFrame, got list"),
        (pd.Series([], dtype="float64", index=pd.DatetimeIndex([], tz="UTC")), "at least one close, got none"),
        (pd.Series([1.0, 1.0], index=pd.DatetimeIndex([START, pd.NaT])), "row 1 must be a time, got NaT"),
        (pd.Series([1.0, 1.0], index=["2024-01-01", "2024-01-02"]), "must be labelled by time"),
        (closes([np.nan, np.nan]), "only NaN"),
    ],
)
def test_other_shapes_are_refused(prices, message):
    with pytest.raises(DataError, match=message):
        check_closes(prices)


def test_one_close_makes_no_return():
    with pytest.raises(InsufficientDataError, match="two closes"):
        check_closes(closes([1.0]))


def test_a_step_that_no_spacing_has_is_refused_with_the_way_out():
    with pytest.raises(DataError, match="step must be a spacing of the closes, got 1h .*resample"):
        check_closes(closes([1.0, 1.1, 1.2], freq="1min"), step="1h")


def test_as_of_needs_a_zone():
    with pytest.raises(DataError, match="as_of must have a time zone"):
        check_closes(closes([1.0, 1.1]), as_of="2024-01-01T01:00")


# --- what is repaired and reported ------------------------------------------------------------------------------------


def test_no_return_is_taken_across_a_gap():
    checked = check_closes(closes([1.0, 1.1, 1.2, 0.6, 0.7, 0.8]).drop(START + pd.Timedelta("2h")))
    assert len(checked.log_returns) == 3
    assert START + pd.Timedelta("3h") not in checked.log_returns.index
    gap = find(checked, FindingKind.GAP)
    assert "1 gaps, 1 bars missing, the longest spacing is 0 days 02:00:00" in gap.message
    assert f"{1 - 0.6 / 1.1:.1%}" in gap.message
    assert gap.time == START + pd.Timedelta("3h")
    assert gap.row == 2


def test_missing_closes_are_gaps():
    checked = check_closes(closes([np.nan, 1.0, 1.1, np.nan, 1.2, 1.3, np.nan]))
    assert kinds(checked) == {FindingKind.MISSING, FindingKind.GAP}
    assert find(checked, FindingKind.MISSING).message == "3 closes are NaN"
    np.testing.assert_allclose(checked.log_returns, np.log([1.1, 1.3 / 1.2]), rtol=1e-14)


def test_unsorted_rows_are_sorted_and_repetitions_dropped():
    prices = closes([1.0, 1.1, 1.3, 1.2])
    shuffled = prices.iloc[[2, 0, 0, 3, 1]]
    checked = check_closes(shuffled)
    pd.testing.assert_series_equal(checked.log_returns, check_closes(prices).log_returns, check_freq=False)
    assert kinds(checked) == {FindingKind.UNSORTED, FindingKind.DUPLICATE}
    assert find(checked, FindingKind.UNSORTED).row == 1
    assert find(checked, FindingKind.DUPLICATE).row == 2


def test_a_label_between_two_bars_is_refused_with_its_row():
    prices = closes([1.0, 1.1, 1.2, 1.3, 1.4])
    index = prices.index.to_list()
    index[2] += pd.Timedelta("7min")
    with pytest.raises(DataError, match=r"label at row 2 \(2024-01-01T02:07.*got 420 s after 2024-01-01T02:00:00"):
        check_closes(pd.Series(prices.to_numpy(), index=pd.DatetimeIndex(index)))


def test_a_price_that_stands_still_is_reported():
    moving = np.linspace(1.0, 1.5, 20)
    stale = check_closes(closes([*moving, *[1.5] * 12, 1.4]))
    assert find(stale, FindingKind.STALE).row == 19
    assert "12 bars" in find(stale, FindingKind.STALE).message
    assert FindingKind.STALE not in kinds(check_closes(closes([*moving, *[1.5] * 11, 1.4])))


def test_a_coarse_tick_is_reported_from_the_first_close_it_touches():
    falling = np.arange(150, 1, -1) * 1e-5
    finding = find(check_closes(closes(falling)), FindingKind.COARSE_TICK)
    assert finding.row == np.argmax(falling < 99.5e-5)
    assert finding.message == "98 closes are below 0.001, so that the smallest move of 1e-05 exceeds 1 %"
    assert FindingKind.COARSE_TICK not in kinds(check_closes(closes(falling[:51])))


def test_an_old_last_close_is_reported():
    prices = closes([1.0, 1.1, 1.2])
    assert FindingKind.OUTDATED in kinds(check_closes(prices, as_of="2024-01-01T04:00Z"))
    assert FindingKind.OUTDATED not in kinds(check_closes(prices, as_of="2024-01-01T03:59Z"))


def test_a_last_close_more_than_three_bars_ago_needs_consent():
    prices = closes([1.0, 1.1, 1.2])
    assert FindingKind.OUTDATED in kinds(check_closes(prices, as_of="2024-01-01T05:00Z"))
    with pytest.raises(DataError, match=r"at most 3 bars after the last close at 2024-01-01T02:00.*--stale-ok"):
        check_closes(prices, as_of="2024-01-01T05:01Z")
    assert FindingKind.OUTDATED in kinds(check_closes(prices, as_of="2024-03-01T00:00Z", stale_ok=True))


# --- no look ahead ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("poison", [0.0, -5.0, np.inf, np.nan, 1e9, "text"])
def test_later_prices_change_nothing(poison):
    prices = closes([1.0, 1.1, 1.2, 1.15, 1.3, 1.4])
    as_of = prices.index[3]
    poisoned = prices.astype(object)
    poisoned.iloc[4:] = poison
    expected, checked = check_closes(prices.iloc[:4], as_of=as_of), check_closes(poisoned, as_of=as_of)
    pd.testing.assert_series_equal(checked.closes, expected.closes, check_freq=False)
    assert checked.findings == expected.findings == ()


def test_later_labels_do_not_decide_the_step():
    later = closes(np.linspace(2.0, 3.0, 50), freq="1min", start=START + pd.Timedelta("5h"))
    prices = pd.concat([closes([1.0, 1.1, 1.2, 1.3]), later])
    assert check_closes(prices).step == pd.Timedelta("1min")
    assert check_closes(prices, as_of=START + pd.Timedelta("3h")).step == pd.Timedelta("1h")


def test_a_close_labelled_as_of_is_known():
    prices = closes([1.0, 1.1, 1.2])
    assert len(check_closes(prices, as_of="2024-01-01T01:00Z").closes) == 2
    assert check_closes(prices, as_of="2024-01-01T10:30+09:00").as_of == pd.Timestamp("2024-01-01T01:30Z")
    assert check_closes(prices).as_of == prices.index[-1]


# --- real data --------------------------------------------------------------------------------------------------------


def test_real_repetitions_are_dropped(market_data):
    daily = pd.read_parquet(market_data / "panel" / "binance_spot_daily_202101_202209.parquet")
    juv = daily[daily["symbol"] == "JUVUSDT"]
    prices = pd.Series(juv["close"].to_numpy(), index=pd.to_datetime(juv["date"], utc=True) + pd.Timedelta("1D"))
    checked = check_closes(prices)
    assert "93 rows" in find(checked, FindingKind.DUPLICATE).message
    assert len(checked.closes) == prices.index.nunique()
    assert checked.step == pd.Timedelta("1D")


def test_bitcoin_has_the_published_gaps(market_data):
    bars = pd.read_csv(market_data / "intraday" / "BTCUSDT_binance_1h_2017_202210.csv.gz")
    index = pd.to_datetime(bars["open_time_ms"], unit="ms", utc=True) + pd.Timedelta("1h")
    checked = check_closes(pd.Series(bars["close"].to_numpy(), index=index))
    gap = find(checked, FindingKind.GAP)
    assert gap.message.startswith("27 gaps")
    assert "1 days 10:00:00" in gap.message
    assert len(checked.log_returns) == len(bars) - 1 - 27
    assert -np.expm1(checked.log_returns.min()) == pytest.approx(0.182, abs=5e-4)


def test_coinbase_series_that_stop_are_no_breaks(market_data):
    daily = pd.read_csv(market_data / "panel" / "coinbase_spot_daily_2020_202510.csv.gz")
    for symbol, bars in daily.groupby("symbol"):
        index = pd.to_datetime(bars["date"], utc=True) + pd.Timedelta("1D")
        checked = check_closes(pd.Series(bars["close"].to_numpy(), index=index))
        assert not kinds(checked) & {FindingKind.REDENOMINATION, FindingKind.TICKER_REUSE}, symbol
