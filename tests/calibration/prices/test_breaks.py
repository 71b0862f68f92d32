import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.prices.bars import check_closes
from calibration.prices.findings import BREAKS, FindingKind

START = pd.Timestamp("2024-01-01", tz="UTC")


def history(before, after, hours):
    """Twelve closes at about one level, a hole, and twelve at another; ``hours`` from the last to the first."""
    wobble = 1.0 + 0.01 * np.cos(np.arange(12))
    first = pd.date_range(START, periods=12, freq="1h")
    second = pd.date_range(first[-1] + pd.Timedelta(hours=hours), periods=12, freq="1h")
    values = np.concatenate([before * wobble / wobble[-1], after * wobble / wobble[0]])
    return pd.Series(values, index=first.append(second))


def breaks(prices):
    return [finding for finding in check_closes(prices).findings if finding.kind in BREAKS]


@pytest.mark.parametrize(
    ("before", "after", "hours", "kind"),
    [
        (27.572, 0.02955, 97, FindingKind.REDENOMINATION),  # SUN, 1000 new for one old
        (1.423, 0.1535, 198, FindingKind.REDENOMINATION),  # STRAX, 10 for 1
        (375.0, 48.28, 96, FindingKind.REDENOMINATION),  # BTCST, 10 for 1 and a rise of 29 %
        (0.0263, 2.828, 96, FindingKind.REDENOMINATION),  # DREP, 1 for 100
        (0.00032, 3.37, 1, FindingKind.REDENOMINATION),  # reverse split of a leveraged token, no bar missing
        (1.0, 0.1, 25, FindingKind.REDENOMINATION),  # a tenth after a day
        (5e-5, 8.56, 438, FindingKind.TICKER_REUSE),  # LUNA, another asset
        (1.0, 1.0, 31 * 24, FindingKind.TICKER_REUSE),  # a month without a price
    ],
)
def test_what_is_no_return_cuts_the_history(before, after, hours, kind):
    prices = history(before, after, hours)
    checked = check_closes(prices)
    (found,) = breaks(prices)
    assert found.kind is kind
    assert found.time == prices.index[12]
    assert found.row == 12
    assert "the 12 earlier closes are left out" in found.message
    np.testing.assert_array_equal(checked.closes, prices.iloc[12:])
    assert len(checked.log_returns) == 11


@pytest.mark.parametrize(
    ("before", "after", "hours"),
    [
        (1.0, 1e-6, 1),  # a total loss in one bar
        (1.0, 0.1, 1),  # a fall to a tenth in one bar
        (1.0, 0.1, 20),  # the same across an outage of hours
        (1.0, 0.5, 29 * 24),  # a halving across four weeks
        (1.0, 4.9, 80),
        (1.0, 19.0, 1),  # the best day of a lucky token
    ],
)
def test_what_may_be_a_return_stays(before, after, hours):
    prices = history(before, after, hours)
    assert breaks(prices) == []
    assert len(check_closes(prices).closes) == 24


def test_the_way_back_from_a_bad_print_is_no_break():
    prices = pd.Series(1.0, index=pd.date_range(START, periods=10, freq="1h"))
    prices.iloc[5] = 0.001
    assert breaks(prices) == []


def test_only_the_last_of_several_breaks_decides():
    first, second = history(1.0, 0.001, 100), history(0.001, 1.0, 100)
    second.index += first.index[-1] - second.index[0] + pd.Timedelta("100h")
    prices = pd.concat([first, second])
    assert len(breaks(prices)) == 2
    assert len(check_closes(prices).closes) == 12


@given(st.lists(st.floats(-8.0, 2.9), min_size=1, max_size=40))
def test_no_fall_between_neighbours_is_ever_a_break(log_returns):
    # rises of up to 18 in a step; from a week's high such a rise is below the bound
    prices = pd.Series(
        np.exp(np.minimum.accumulate(np.cumsum([0.0, *log_returns]))),
        index=pd.date_range(START, periods=len(log_returns) + 1, freq="1h"),
    )
    assert breaks(prices) == []


# --- real data --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hourly_panel(market_data):
    names = ["LUNA", "FTT", "SUN", "STRAX", "BTC", "ETH"]
    path = market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet"
    panel = pd.read_parquet(path, columns=["open_time", *names]).set_index("open_time")
    panel.index = (panel.index + pd.Timedelta("1h")).rename("close_time")
    return panel


@pytest.mark.parametrize(
    ("token", "last_before", "first_after"),
    [
        ("LUNA", "2022-05-13T01:00Z", "2022-05-31T07:00Z"),
        ("FTT", "2022-11-15T05:00Z", "2023-09-22T09:00Z"),
        ("SUN", "2021-06-14T04:00Z", "2021-06-18T05:00Z"),
        ("STRAX", "2024-03-20T03:00Z", "2024-03-28T09:00Z"),
    ],
)
def test_the_known_breaks_of_the_hourly_panel(hourly_panel, token, last_before, first_after):
    prices = hourly_panel[token]
    assert [found.time for found in breaks(prices)] == [pd.Timestamp(first_after)]
    assert check_closes(prices).closes.index[0] == pd.Timestamp(first_after)
    before = check_closes(prices, as_of=last_before)
    assert not {finding.kind for finding in before.findings} & BREAKS
    assert before.closes.index[-1] == pd.Timestamp(last_before)


@pytest.mark.parametrize("token", ["BTC", "ETH"])
def test_tokens_of_one_piece_keep_their_history(hourly_panel, token):
    assert breaks(hourly_panel[token]) == []


def test_the_fall_of_luna_is_never_cut(hourly_panel):
    checked = check_closes(hourly_panel["LUNA"], as_of="2022-05-13T01:00Z")
    assert not {finding.kind for finding in checked.findings} & BREAKS
    assert -np.expm1(checked.log_returns.min()) == pytest.approx(0.867, abs=5e-4)
    assert FindingKind.COARSE_TICK in {finding.kind for finding in checked.findings}


def test_luna_by_the_minute(market_data):
    bars = pd.read_csv(market_data / "intraday" / "LUNAUSDT_binance_1m_202205.csv.gz")
    index = pd.to_datetime(bars["open_time_ms"], unit="ms", utc=True) + pd.Timedelta("1min")
    prices = pd.Series(bars["close"].to_numpy(), index=index.rename("close_time"))
    (found,) = breaks(prices)
    assert found.kind is FindingKind.TICKER_REUSE
    assert found.time == pd.Timestamp("2022-05-31T06:01Z")
    assert breaks(prices[:"2022-05-14"]) == []


def test_the_known_redenominations_of_the_daily_panel_and_no_others(market_data):
    daily = pd.read_parquet(market_data / "panel" / "binance_spot_daily_202101_202209.parquet")
    found = {}
    for symbol, bars in daily.groupby("symbol"):
        index = pd.to_datetime(bars["date"], utc=True) + pd.Timedelta("1D")
        dates = [
            str((f.time - pd.Timedelta("1D")).date()) for f in breaks(pd.Series(bars["close"].to_numpy(), index=index))
        ]
        if dates:
            found[symbol] = dates
    leveraged = {symbol for symbol in found if symbol.endswith("DOWNUSDT")}
    assert {symbol: dates for symbol, dates in found.items() if symbol not in leveraged} == {
        "BTCSTUSDT": ["2021-03-19"],
        "COCOSUSDT": ["2021-01-23"],
        "DREPUSDT": ["2021-04-02"],
        "LUNAUSDT": ["2022-05-31"],
        "SUNUSDT": ["2021-06-18"],
    }
    assert leveraged == {f"{coin}DOWNUSDT" for coin in ("ADA", "BNB", "DOT", "ETH", "LINK", "TRX", "XRP")}
