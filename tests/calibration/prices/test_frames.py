from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from calibration import FindingKind, calibrate, check_closes, update
from pricing.errors import DataError

CALM = {"law": "constant", "innovations": "normal"}
HOUR = timedelta(hours=1)


def bars_of(closes):
    """Return bars labelled by their open whose closes are given."""
    opens = closes.shift(1).fillna(closes.iloc[0]).to_numpy()
    high, low = np.maximum(opens, closes.to_numpy()), np.minimum(opens, closes.to_numpy())
    columns = {"open": opens, "high": high, "low": low, "close": closes.to_numpy(), "volume": 1.0}
    return pd.DataFrame(columns, index=closes.index - HOUR)


def of_ccxt(closes):
    bars = bars_of(closes)
    epoch = bars.index.as_unit("ms").asi8
    return bars.reset_index(drop=True).assign(timestamp=epoch)[["timestamp", *bars.columns]]


def of_yfinance(closes):
    bars = bars_of(closes).rename(columns=str.capitalize)
    bars["Adj Close"] = 0.5 * bars["Close"]
    return bars.set_axis(pd.MultiIndex.from_product([bars.columns, ["OM-USD"]], names=["Price", "Ticker"]), axis=1)


def of_one_ticker(closes):
    return of_yfinance(closes).swaplevel(axis=1)


@pytest.mark.parametrize("frame", [bars_of, of_ccxt, of_yfinance, of_one_ticker])
def test_frames_of_bars_go_straight_into_calibrate(hourly_closes, frame):
    closes = hourly_closes.iloc[:1600]
    found = calibrate(frame(closes), **CALM)
    assert found.model == calibrate(closes, **CALM).model
    assert found.as_of == closes.index[-1]
    assert [finding.kind for finding in found.findings] == [FindingKind.LABELS]
    assert "times are read as the open of bars: the open of most bars is the close" in found.findings[0].message
    assert calibrate(frame(closes), label="open", **CALM).findings == ()


def test_bars_labelled_by_their_open_do_not_look_ahead(hourly_closes):
    bars = of_ccxt(hourly_closes.iloc[:1600])
    as_of = hourly_closes.index[1500]
    expected = check_closes(hourly_closes.iloc[:1501])
    for label in (None, "open"):
        checked = check_closes(bars, as_of=as_of, label=label)
        assert list(checked.closes) == list(expected.closes)
        assert checked.closes.index[-1] == as_of


def test_later_opens_do_not_decide_what_times_label(hourly_closes):
    bars = bars_of(hourly_closes.iloc[:1600])
    as_of = bars.index[100]
    spoiled = bars.copy()
    spoiled.iloc[101:, 0] = 1e9
    one, other = (check_closes(each, as_of=as_of) for each in (bars, spoiled))
    assert one.findings == other.findings
    assert one.closes.equals(other.closes)


@pytest.mark.parametrize(("name", "shift"), [("open_time", -HOUR), ("close_time", -timedelta(milliseconds=1))])
def test_the_name_of_a_column_says_what_it_labels(hourly_closes, name, shift):
    closes = hourly_closes.iloc[:300]
    frame = pd.DataFrame({name: closes.index + shift, "close": closes.to_numpy()})
    checked = check_closes(frame)
    assert list(checked.closes.index) == list(closes.index if name == "open_time" else closes.index + shift)
    assert [finding.kind for finding in checked.findings] == [FindingKind.LABELS] * (name == "open_time")


def test_the_name_of_an_index_says_what_it_labels(hourly_closes):
    closes = hourly_closes.iloc[:300]
    opens = closes.shift(freq=-HOUR).rename_axis("open_time")
    for prices in (opens, opens.to_frame("close")):
        checked = check_closes(prices)
        assert list(checked.closes.index) == list(closes.index)
        assert [finding.kind for finding in checked.findings] == [FindingKind.LABELS]
    assert list(check_closes(opens, label="close").closes.index) == list(closes.index - HOUR)


def test_a_label_may_be_stated_for_a_series(hourly_closes):
    closes = hourly_closes.iloc[:300]
    assert list(check_closes(closes.shift(freq=-HOUR), label="open").closes.index) == list(closes.index)
    assert list(check_closes(bars_of(closes), label="close").closes.index) == list(closes.index - HOUR)


def test_later_bars_may_come_as_a_frame(hourly_closes):
    closes = hourly_closes.iloc[:1600]
    begun = calibrate(closes.iloc[:1500], **CALM)
    frame = of_ccxt(closes).iloc[1500:]
    assert update(begun, frame).worst_months == update(begun, closes.iloc[1500:]).worst_months
    assert update(begun, frame, label="open").as_of == closes.index[-1]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_epoch_numbers_are_read_in_their_unit(hourly_closes, unit):
    closes = hourly_closes.iloc[:300]
    frame = pd.DataFrame({"time": closes.index.as_unit(unit).asi8, "close": closes.to_numpy()})
    assert list(check_closes(frame).closes.index) == list(closes.index)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda bars: bars.drop(columns="close"), r"one column, or a column close, got \['open', 'high'"),
        (lambda bars: bars.drop(columns="timestamp"), "prices must be labelled by time, got int64 labels"),
        (lambda bars: bars.assign(timestamp=range(len(bars))), r"timestamp must be seconds or milliseconds since 1970"),
        (lambda bars: bars.assign(timestamp=pd.to_datetime(bars["timestamp"], unit="ms")), "without a time zone"),
        (lambda bars: pd.concat({"A": bars, "B": bars}, axis=1), r"of one token, got \['A', 'B'\] .*xs\('A', axis=1"),
        (lambda bars: pd.concat({"A": bars[["open"]]}, axis=1), "must have a column close"),
    ],
)
def test_other_frames_are_refused(hourly_closes, spoil, message):
    with pytest.raises(DataError, match=message):
        check_closes(spoil(of_ccxt(hourly_closes.iloc[:50])))


def test_another_label_is_refused(hourly_closes):
    with pytest.raises(DataError, match="label must be 'open' or 'close', got 'end'"):
        check_closes(hourly_closes.iloc[:50], label="end")
