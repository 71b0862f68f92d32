import gzip
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crashcover.files.prices import read_prices
from crashcover.files.tables import read_table
from pricing.errors import DataError, InsufficientDataError

HOURS = pd.date_range("2024-01-01T01:00Z", periods=3, freq="h", name="time")
LONG = "time,close\n2024-01-01T01:00Z,1.5\n2024-01-01T02:00Z,1.25\n2024-01-01T03:00Z,2\n"


def write(folder, text, name="prices.csv"):
    path = folder / name
    path.write_text(text)
    return path


def slip(folder, text, **options):
    path = write(folder, text)
    with pytest.raises(DataError) as caught:
        read_prices(path, **options)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


def assert_is(history, closes, index=HOURS):
    pd.testing.assert_series_equal(
        history.closes, pd.Series(closes, index=index, name="close"), check_freq=False, check_index_type=False
    )


def test_time_and_close_are_read_as_they_stand(tmp_path):
    history = read_prices(write(tmp_path, LONG))
    assert_is(history, [1.5, 1.25, 2.0])
    assert history.asset == "prices"
    assert history.notices == ("the file does not name its token: prices is the name of the file (or choose --asset)",)


def test_a_single_token_can_be_named(tmp_path):
    named = read_prices(write(tmp_path, LONG), asset="OM")
    assert named.asset == "OM"
    assert named.notices == ("the file does not name its token: OM is the name that --asset gives",)
    assert read_prices(write(tmp_path, LONG, "OMUSDT-1h.csv"), asset="OM").notices == ()


def test_csv_gz_and_parquet_hold_the_same(tmp_path):
    packed = tmp_path / "prices.csv.gz"
    packed.write_bytes(gzip.compress(LONG.encode()))
    frame = pd.DataFrame({"time": HOURS, "close": [1.5, 1.25, 2.0]})
    frame.to_parquet(tmp_path / "rows.parquet")
    frame.set_index("time").to_parquet(tmp_path / "index.parquet")
    for path in (packed, tmp_path / "rows.parquet", tmp_path / "index.parquet"):
        assert_is(read_prices(path), [1.5, 1.25, 2.0])


@pytest.mark.parametrize(
    "times",
    [
        ["2024-01-01T01:00:00+00:00", "2024-01-01T02:00:00+00:00", "2024-01-01T03:00:00+00:00"],
        ["2024-01-01 03:00+02:00", "2024-01-01 04:00+02:00", "2024-01-01 05:00+02:00"],
        ["2023-12-31 20:00:00-0500", "2023-12-31 21:00:00-0500", "2023-12-31 22:00:00-0500"],
        ["1704070800", "1704074400", "1704078000"],
        ["1704070800000", "1704074400000", "1704078000000"],
        ["1704070800000000", "1704074400000000", "1704078000000000"],
    ],
)
def test_every_way_to_write_a_time_means_the_same_instants(tmp_path, times):
    text = "time,close\n" + "".join(f"{time},{close}\n" for time, close in zip(times, (1.5, 1.25, 2), strict=True))
    assert_is(read_prices(write(tmp_path, text)), [1.5, 1.25, 2.0])


@pytest.mark.parametrize("column", ["open_time", "Open_Time", "open_time_ms"])
def test_a_label_of_the_open_moves_by_one_bar(tmp_path, column):
    history = read_prices(write(tmp_path, LONG.replace("time", column)), asset="prices")
    assert_is(history, [1.5, 1.25, 2.0], HOURS + timedelta(hours=1))
    assert history.notices == (f"column {column} labels the open of bars of 1h: closes moved to the bar's end",)


def test_the_label_can_be_said(tmp_path):
    assert_is(read_prices(write(tmp_path, LONG), label="open"), [1.5, 1.25, 2.0], HOURS + timedelta(hours=1))
    by_open = write(tmp_path, LONG.replace("time", "open_time"))
    assert_is(read_prices(by_open, label="close"), [1.5, 1.25, 2.0])


@given(minutes=st.integers(1, 1440), gaps=st.lists(st.booleans(), min_size=5, max_size=40))
def test_a_bar_is_the_most_common_spacing_whatever_is_missing(tmp_path_factory, minutes, gaps):
    bars = np.arange(3 * len(gaps))
    kept = [bar for bar in bars if bar < 2 * len(gaps) or gaps[bar - 2 * len(gaps)]]
    times = pd.Timestamp("2024-01-01T00:00Z") + pd.to_timedelta(np.array(kept) * minutes, unit="min")
    path = tmp_path_factory.mktemp("gaps") / "prices.csv"
    pd.DataFrame({"open_time": times, "close": 1.0}).to_csv(path, index=False)
    shifted = read_prices(path).closes.index - times
    assert set(shifted) == {pd.Timedelta(minutes=minutes)}


@pytest.mark.parametrize("column", ["timestamp", "date"])
def test_a_name_that_does_not_say_which_end_gives_a_notice(tmp_path, column):
    path = write(tmp_path, LONG.replace("time", column))
    history = read_prices(path, asset="prices")
    assert_is(history, [1.5, 1.25, 2.0])
    assert "--label open" in history.notices[0]
    assert read_prices(path, asset="prices", label="close").notices == ()


def test_the_close_time_wins_over_the_open_time(tmp_path):
    text = "open_time,close,close_time\n2024-01-01T00:00Z,1,2024-01-01T01:00Z\n2024-01-01T01:00Z,2,2024-01-01T02:00Z\n"
    assert_is(read_prices(write(tmp_path, text)), [1.0, 2.0], HOURS[:2])


def test_a_panel_gives_one_column_without_the_time_before_its_listing(tmp_path):
    text = "time,OM,BTC\n2024-01-01T01:00Z,,7\n2024-01-01T02:00Z,1.25,\n2024-01-01T03:00Z,2,9\n"
    assert_is(read_prices(write(tmp_path, text), asset="OM"), [1.25, 2.0], HOURS[1:])
    assert_is(read_prices(write(tmp_path, text), asset="BTC"), [7.0, np.nan, 9.0])


def test_a_panel_of_one_token_needs_no_choice(tmp_path):
    history = read_prices(write(tmp_path, LONG.replace("close", "OM")))
    assert history.asset == "OM"
    assert_is(history, [1.5, 1.25, 2.0])


def test_a_long_file_is_filtered_by_its_symbol(tmp_path):
    text = "time,symbol,close\n2024-01-01T01:00Z,OM,1\n2024-01-01T01:00Z,BTC,7\n2024-01-01T02:00Z,OM,2\n"
    assert_is(read_prices(write(tmp_path, text), asset="OM"), [1.0, 2.0], HOURS[:2])
    assert "choose one with --asset" in slip(tmp_path, text)


def test_blank_lines_count_as_lines_and_are_passed_over(tmp_path):
    text = LONG.replace("\n2024-01-01T02", "\n\n2024-01-01T02") + "\n"
    assert_is(read_prices(write(tmp_path, text)), [1.5, 1.25, 2.0])
    assert slip(tmp_path, text.replace("1.25", "-1")).startswith(", row 4: ")


@given(st.floats(min_value=1e-12, max_value=1e12))
def test_prices_are_read_to_the_last_bit(tmp_path_factory, price):
    path = write(tmp_path_factory.mktemp("bits"), f"time,close\n2024-01-01T01:00Z,{price!r}\n")
    assert read_prices(path).closes.iloc[0] == price


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("2024-01-01T02:00Z,0", "close must be positive, got 0 (a missing price is left empty)"),
        ("2024-01-01T02:00Z,-3", "close must be positive, got -3 (a missing price is left empty)"),
        ("2024-01-01T02:00Z,abc", "close must be a number, got 'abc'"),
        ("2024-01-01T02:00Z,inf", "close must be a number, got 'inf'"),
        (
            '2024-01-01T02:00Z,"1,250"',
            "close must be a number, got '1,250' (write digits and a decimal point, without thousands separators)",
        ),
        ("2024-13-01T02:00Z,1", "time must be a time, got '2024-13-01T02:00Z'"),
        ("yesterday,1", "time must be a time, got 'yesterday'"),
        (
            "2024-01-01T02:00,1",
            "time '2024-01-01T02:00' has no time zone (add Z for UTC, or an offset such as +00:00)",
        ),
        ("2024-01-01,1", "time '2024-01-01' has no time zone (add Z for UTC, or an offset such as +00:00)"),
        ("1970-01-01T02:00Z,1", "time must be between 2009 and 2100, got '1970-01-01T02:00Z'"),
        (
            "2024-01-01T01:00Z,1",
            "close 1 contradicts 1.5 of the same time 2024-01-01T01:00:00+00:00 "
            "(two tokens or two venues in one file?)",
        ),
        ("2024-01-01T02:00Z,1,9", "must have 2 fields like row 1, got 3"),
        ("2024-01-01T02:00Z", "must have 2 fields like row 1, got 1"),
        ('2024-01-01T02:00Z,"1', "must not break a field across lines, got an odd number of quotes"),
        (
            "2024-01-01T02:00Z,1\0",
            "must be text, got a NUL character (a damaged file, or UTF-16 without a byte order mark)",
        ),
    ],
)
def test_a_bad_row_is_named(tmp_path, wrong, message):
    text = LONG.replace("2024-01-01T02:00Z,1.25", wrong)
    assert slip(tmp_path, text) == f", row 3: {message}"


def test_an_empty_time_is_no_time(tmp_path):
    assert slip(tmp_path, LONG.replace("2024-01-01T02:00Z", "")) == ", row 3: time must be a time, got an empty cell"


def test_an_epoch_that_fits_no_unit_is_named(tmp_path):
    text = "time,close\n1704070800000,1\n170407440,2\n"
    assert slip(tmp_path, text) == ", row 3: time must be seconds or milliseconds since 1970, got 170407440"
    assert "seconds or milliseconds since 1970, got 5" in slip(tmp_path, "time,close\n5,1\n6,2\n")


def test_the_rows_of_a_parquet_file_count_from_one(tmp_path):
    path = tmp_path / "prices.parquet"
    pd.DataFrame({"time": HOURS, "close": [1.5, 0.0, 2.0]}).to_parquet(path)
    with pytest.raises(DataError, match="row 2: close must be positive"):
        read_prices(path)


def test_parquet_times_without_a_zone_are_refused(tmp_path):
    path = tmp_path / "prices.parquet"
    pd.DataFrame({"time": HOURS.tz_localize(None), "close": 1.0}).to_parquet(path)
    with pytest.raises(DataError, match=r"row 1: time 2024-01-01 01:00:00 has no time zone \(add Z"):
        read_prices(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "price,when\n1,2\n",
            "must have a time column (time, close_time, timestamp, date, open_time, open_time_ms, datetime, unix)",
        ),
        ("time,open,high,low\n2024-01-01T01:00Z,1,1,1\n", "must have a column close, or one column per token"),
        ("time\n2024-01-01T01:00Z\n", "must have a column close, or one column per token"),
        ("time,close\n", "must hold at least one row below the header, got none"),
        ("", "cannot be read: the file is empty"),
        ("time,close\n2024-01-01T01:00Z,\n", "must hold at least one price, got none"),
        ("time,close\n2024-01-01T01:00Z,1,\n2024-01-01T02:00Z,1,\n", "row 2: must have 2 fields like row 1, got 3"),
    ],
)
def test_a_file_without_prices_is_refused(tmp_path, text, message):
    assert message in slip(tmp_path, text)


def test_an_unknown_token_comes_with_names_that_look_alike(tmp_path):
    text = "time,LUNA,LUNC,BTC\n2024-01-01T01:00Z,1,1,1\n"
    assert "did you mean LUNA or LUNC?" in slip(tmp_path, text, asset="luna")
    assert "it holds LUNA, LUNC, BTC" in slip(tmp_path, text, asset="ZZZZZZ")
    assert "holds 3 tokens (LUNA, LUNC, BTC): choose one with --asset" in slip(tmp_path, text)


def test_one_close_has_no_bar_length(tmp_path):
    with pytest.raises(InsufficientDataError, match="at least two closes"):
        read_prices(write(tmp_path, "open_time,close\n2024-01-01T01:00Z,1\n"))


def test_two_columns_of_one_name_are_refused(tmp_path):
    text = "time,close , close\n2024-01-01T01:00Z,1,2\n"
    assert slip(tmp_path, text) == ", row 1: must have different column names, got 'close' twice"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("prices.pdf", b"", "must end in one of .csv, .tsv, .txt, .json, .xlsx, .parquet, .feather, .zip, got '.pdf'"),
        ("prices", b"", "must end in one of .csv, .tsv, .txt, .json, .xlsx, .parquet, .feather, .zip, got 'no ending'"),
        ("prices.xlsx", b"", "cannot be read: File is not a zip file"),
        ("prices.zip", b"PK", "cannot be read: File is not a zip file"),
        ("prices.csv.xz", b"xz", "cannot be read: "),
        ("prices.feather", b"no feather", "cannot be read: "),
        ("prices.json", b"{", "cannot be read: "),
        ("prices.csv.gz", b"no gzip at all", "cannot be read: Not a gzipped file"),
        ("prices.csv.gz", gzip.compress(LONG.encode(), mtime=0)[:-12], "cannot be read: Compressed file ended"),
        ("prices.csv", b"time,close\n\xff\xfe,1\n", "cannot be read: 'utf-8' codec can't decode byte 0xff"),
        ("prices.parquet", b"no parquet", "cannot be read: "),
    ],
)
def test_a_file_that_is_not_what_its_ending_says_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere.csv", "nowhere.parquet", "nowhere"])
def test_a_missing_file_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=rf"{name}: cannot be read: no such file or directory"):
        read_prices(tmp_path / name)


def test_the_panel_column_of_luna_is_moved_to_the_close(market_data):
    path = market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet"
    history = read_prices(path, asset="LUNA")
    panel = pd.read_parquet(path, columns=["open_time", "LUNA"]).set_index("open_time")["LUNA"].dropna()
    assert "open_time labels the open" in history.notices[0]
    at = pd.Timestamp("2022-05-07T00:00Z")
    assert history.closes[at] == panel[at - timedelta(hours=1)]
    assert history.closes.index[0] - panel.index[0] == timedelta(hours=1)


BARS = "time,open,high,low,close\n" + "".join(
    f"2025-01-01T0{hour}:00Z,{1 + hour},{2 + hour},{1 + hour},{2 + hour}\n" for hour in range(6)
)
ENDS = pd.date_range("2025-01-01T01:00Z", periods=6, freq="h", name="time")


@pytest.mark.parametrize("column", ["time", "timestamp", "date", "datetime", "unix"])
@pytest.mark.parametrize("bars", ["open,high,low", "Open,High,Low", "open,note,note2", "high,low,note"])
def test_bars_are_labelled_by_their_open_unless_stated_otherwise(tmp_path, column, bars):
    path = write(tmp_path, BARS.replace("time,open,high,low", f"{column},{bars}"))
    history = read_prices(path, asset="prices")
    assert_is(history, [2.0, 3.0, 4.0, 5.0, 6.0, 7.0], ENDS)
    assert f"column {column} is read as the open of the bar" in history.notices[0]
    assert "(if not: --label close)" in history.notices[0]
    said = read_prices(path, asset="prices", label="close")
    assert_is(said, [2.0, 3.0, 4.0, 5.0, 6.0, 7.0], ENDS - timedelta(hours=1))


def test_bars_that_are_labelled_by_their_last_instant_are_not_moved_on(tmp_path):
    path = write(tmp_path, BARS.replace(":00Z", ":59:59.999Z").replace("time,", "timestamp,"))
    assert_is(read_prices(path), [2.0, 3.0, 4.0, 5.0, 6.0, 7.0], ENDS)


def test_a_name_of_the_close_wins_over_bars(tmp_path):
    path = write(tmp_path, BARS.replace("time,", "close_time,"))
    assert_is(read_prices(path, asset="prices"), [2.0, 3.0, 4.0, 5.0, 6.0, 7.0], ENDS - timedelta(hours=1))


@pytest.mark.parametrize("end", [" UTC", " GMT", "utc", ".000 UTC", "+00:00 UTC", "Z"])
def test_names_of_the_zone_of_utc_are_read(tmp_path, end):
    text = LONG.replace("T", " ").replace(":00Z", f":00:00{end}")
    assert_is(read_prices(write(tmp_path, text)), [1.5, 1.25, 2.0])


UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}


@given(
    seconds=st.lists(st.integers(1_230_940_800, 4_102_444_799), min_size=2, max_size=8, unique=True),
    units=st.lists(st.sampled_from(sorted(UNITS)), min_size=8, max_size=8),
)
def test_every_number_is_read_in_its_own_unit_with_a_notice_of_the_row(tmp_path_factory, seconds, units):
    units = units[: len(seconds)]
    rows = [f"{second * UNITS[unit]},1\n" for second, unit in zip(seconds, units, strict=True)]
    path = write(tmp_path_factory.mktemp("units"), "time,close\n" + "".join(rows))
    history = read_prices(path, asset="prices")
    assert sorted(history.closes.index) == sorted(pd.to_datetime(seconds, unit="s", utc=True))
    change = next((at for at in range(1, len(units)) if units[at] != units[at - 1]), None)
    if change is None:
        assert history.notices == ()
    else:
        expected = f"column time is in {units[change - 1]} before row {change + 2} and in {units[change]} from there on"
        assert history.notices[0].startswith(expected)


@given(
    bars=st.integers(2, 60),
    wholes=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_longer_bars_keep_the_closes_at_their_ends_and_state_the_fall_inside(tmp_path_factory, bars, wholes, seed):
    fine = np.exp(np.random.default_rng(seed).normal(0.0, 0.1, bars * wholes + 1).cumsum())
    times = pd.date_range("2025-01-01T00:00Z", periods=len(fine), freq="1min")
    path = tmp_path_factory.mktemp("fine") / "OM.csv"
    pd.DataFrame({"time": times, "close": fine}).to_csv(path, index=False)
    history = read_prices(path, asset="OM", resample=f"{bars}min")
    expected = {time: close for time, close in zip(times, fine, strict=True) if time.value % (bars * 60 * 10**9) == 0}
    assert history.closes.to_dict() == expected
    known = [fine[at : at + bars + 1] for at in range(0, len(fine) - 1, bars) if times[at] in expected]
    falls = [max(1.0 - part[at] / part[:at].max() for at in range(1, len(part))) for part in known if len(part) > bars]
    if len(falls) == len(expected) - 1 and max(falls, default=0.0) > 0.0:
        assert f"the deepest fall inside one is {max(falls):.1%}" in history.notices[-1]


@pytest.mark.parametrize("length", ["90min", "30min"])
def test_bars_that_are_no_multiple_are_refused(tmp_path, length):
    with pytest.raises(DataError, match=f"has bars of 1h, which make no bars of {length}"):
        read_prices(write(tmp_path, LONG), resample=length)


def test_a_longer_bar_without_the_close_at_its_end_is_counted_and_the_unfinished_one_left_out(tmp_path):
    text = (
        LONG
        + "2024-01-01T04:00Z,3\n2024-01-01T05:00Z,4\n2024-01-01T07:00Z,5\n2024-01-01T08:00Z,6\n2024-01-01T09:00Z,7\n"
    )
    history = read_prices(write(tmp_path, text), asset="prices", resample="2h")
    assert_is(history, [1.25, 3.0, 4.0, 6.0], pd.date_range("2024-01-01T02:00Z", periods=4, freq="2h", name="time"))
    assert history.notices[-1] == "1 bars of 2h lack the close at their end, and have an earlier one"


def test_a_line_without_an_end_is_noticed(tmp_path):
    notices = read_prices(write(tmp_path, LONG.removesuffix("\n")), asset="prices").notices
    assert notices == ("the last line has no end: if the file was cut off there, its last price may be wrong",)


def test_rows_from_the_newest_to_the_oldest_are_turned_round(tmp_path):
    head, *rows = LONG.splitlines(keepends=True)
    assert_is(read_prices(write(tmp_path, head + "".join(reversed(rows)))), [1.5, 1.25, 2.0])
