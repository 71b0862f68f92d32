"""A file holds what the exchange has, neither more nor less, and labels are the closes of bars."""

import time
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from crashcover.fetching.history import fetch_prices
from crashcover.fetching.venue import open_exchange
from crashcover.files.prices import read_prices
from crashcover.runs.locks import locked_file
from pricing.errors import DataError, FolderInUseError, InvalidTermsError
from tests.crashcover.fetching.conftest import SINCE
from tests.crashcover.fetching.fake_binance import HOUR, START, make_bars

COLUMNS = "close_time,asset,open,high,low,close,volume"


def test_a_file_holds_every_closed_bar_and_not_the_running_one(fetch):
    fetched = fetch()
    assert fetch.rows() == fetch.fake.truth()
    assert fetched.n_bars == fetched.n_new == 200
    assert fetched.holes == ()
    assert fetched.n_after == 0


def test_labels_are_the_closes_of_bars_in_utc(fetch):
    fetched = fetch()
    lines = fetch.path.read_text().splitlines()
    assert lines[0] == COLUMNS
    assert lines[1].startswith("2024-01-01T01:00:00Z,OM,1,")
    assert fetched.first_close == SINCE + timedelta(hours=1)
    assert fetched.last_close == SINCE + timedelta(hours=200)


def test_the_reader_of_prices_takes_the_file_without_an_option_or_a_notice(fetch):
    fetch()
    history = read_prices(fetch.path)
    assert history.asset == "OM"
    assert history.notices == ()
    index = pd.DatetimeIndex([pd.Timestamp(row[0] + HOUR, unit="ms", tz=UTC) for row in fetch.fake.truth()])
    assert (history.closes.index == index).all()
    assert history.closes.tolist() == [row[4] for row in fetch.fake.truth()]


def test_small_prices_are_written_with_all_digits_and_without_an_exponent(fetch):
    fetch.fake.bars["PEPEUSDT"] = [[START, "0.00001234", "0.0000124", "0.000012", "0.00001239", "1e9", 0]]
    fetch("PEPE", out=fetch.path.with_name("pepe.csv"))
    row = fetch.path.with_name("pepe.csv").read_text().splitlines()[1]
    assert row == "2024-01-01T01:00:00Z,PEPE,0.00001234,0.0000124,0.000012,0.00001239,1000000000"


def test_a_bar_is_closed_from_the_moment_at_which_the_next_one_opens(fetch):
    fetch.fake.now = START + 10 * HOUR - 1
    assert fetch().n_bars == 9
    fetch.fake.now += 1
    assert fetch().n_bars == 10


def test_until_and_since_choose_bars_that_lie_between_them_as_a_whole(fetch):
    fetch(since=SINCE + timedelta(minutes=30), until=SINCE + timedelta(hours=9, minutes=59))
    assert fetch.rows() == fetch.fake.truth()[1:9]


def test_the_clock_of_the_venue_decides_and_its_distance_is_told(fetch, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: (START + 90 * HOUR) / 1000)  # this machine is 110 hours behind
    assert fetch().n_bars == 200
    (notice,) = fetch.told
    assert notice.startswith("the clock of binance is 397,200 s ahead of that of this machine")


def test_clocks_that_agree_are_not_mentioned(fetch, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: fetch.fake.now / 1000 + 0.5)
    fetch()
    assert fetch.told == []


def test_holes_are_left_and_counted(fetch):
    holes = {*range(50, 63), 120, 121, 199}
    fetch.fake.bars["OMUSDT"] = make_bars(201, holes=holes)
    fetched = fetch()
    assert fetch.rows() == fetch.fake.truth()
    assert [((hole.opened - START) // HOUR, hole.n_bars) for hole in fetched.holes] == [(50, 13), (120, 2)]
    assert fetched.n_after == 1
    assert "15 bars missing in 2 holes, the longest of 13 from 2024-01-03T02:00:00Z" in fetched.summary
    assert "nothing for 1 bar after that" in fetched.summary


@pytest.mark.parametrize("place", [30, 39, 40, 199])
def test_a_bar_whose_price_stays_wrong_is_a_hole_and_stops_nothing(fetch, place):
    """In the middle of a page, at its end, at the beginning of the next one, and as the last bar of all."""
    truth = fetch.fake.truth()
    fetch.fake.bars["OMUSDT"][place][3] = "0"
    fetched = fetch()
    assert fetch.rows() == [row for row in truth if row[0] != START + place * HOUR]
    assert sum(hole.n_bars for hole in fetched.holes) + fetched.n_after == 1
    opened = pd.Timestamp(START + place * HOUR, unit="ms").strftime("%Y-%m-%dT%H:%M:%SZ")
    slip = f"low of the bar of {opened} must be a positive number, got 0.0"
    asked, left_out = (text for text in fetch.told if "clock" not in text)
    assert asked == f"binance: {slip}: asking again in 1 s"
    assert left_out == f"OM/USDT: {slip}, twice: the bar is left out"
    assert fetch().n_new == 0


def test_a_venue_without_a_single_price_is_an_error(fetch):
    for bar in fetch.fake.bars["OMUSDT"]:
        bar[1] = "0"
    with pytest.raises(DataError, match="binance has no closed bar of OM/USDT"):
        fetch()


def test_a_hole_longer_than_any_page_does_not_end_the_history(fetch):
    fetch.fake.bars["OMUSDT"] = make_bars(30) + make_bars(30, start=START + 5_000 * HOUR)
    fetch.fake.now = START + 9_000 * HOUR
    fetched = fetch()
    assert fetch.rows() == fetch.fake.truth()
    assert [hole.n_bars for hole in fetched.holes] == [4_970]
    assert fetched.n_after == 3_970


def test_a_continued_file_equals_one_that_was_fetched_at_once(fetch):
    fetch(until=SINCE + timedelta(hours=77))
    assert fetch.rows() == fetch.fake.truth()[:77]
    fetched = fetch()
    assert (fetched.n_bars, fetched.n_new) == (200, 123)
    at_once = fetch.path.with_name("once.csv")
    fetch(out=at_once)
    assert fetch.path.read_bytes() == at_once.read_bytes()


def test_a_file_that_is_up_to_date_is_left_as_it_is(fetch):
    fetch()
    before = fetch.path.stat().st_mtime_ns, fetch.path.read_bytes()
    assert fetch().n_new == 0
    assert (fetch.path.stat().st_mtime_ns, fetch.path.read_bytes()) == before


def test_a_line_that_was_cut_off_is_fetched_again(fetch):
    fetch(until=SINCE + timedelta(hours=77))
    fetch.path.write_bytes(fetch.path.read_bytes()[:-9])
    assert fetch().n_new == 124
    assert fetch.rows() == fetch.fake.truth()


@pytest.mark.parametrize("place", [0, 23])
def test_last_rows_that_do_not_agree_are_an_error(fetch, place):
    fetch(until=SINCE + timedelta(hours=77))
    before = fetch.path.read_bytes()
    fetch.fake.bars["OMUSDT"][76 - place][4] = "0.5"
    with pytest.raises(DataError, match=r"OM/USDT: two answers about the bar of 2024-01-0\d\S+ differ: .* 0\.5\) now"):
        fetch()
    assert fetch.path.read_bytes() == before


@pytest.mark.parametrize(("before", "now"), [({60}, ()), ((), {60})])
def test_a_bar_that_comes_or_goes_among_the_last_rows_is_an_error(fetch, before, now):
    fetch.fake.bars["OMUSDT"] = make_bars(201, holes=before)
    fetch(until=SINCE + timedelta(hours=77))
    fetch.fake.bars["OMUSDT"] = make_bars(201, holes=now)
    with pytest.raises(DataError, match="bar of 2024-01-03T12:00:00Z differ: .*nothing"):
        fetch()


def test_a_file_of_another_bar_length_is_not_continued(fetch):
    hours, fetch.fake.bars["OMUSDT"] = fetch.fake.bars["OMUSDT"], make_bars(9, length=24 * HOUR)
    fetch(bar="1d")
    fetch.fake.bars["OMUSDT"] = hours
    for since in (SINCE, SINCE + timedelta(hours=23)):  # a day that began at midnight ends with the bar of 23:00
        with pytest.raises(DataError, match="fetch into a new file"):
            fetch(since=since)


@pytest.mark.parametrize(
    ("head", "row", "slip"),
    [
        ("time,close", "", "row 1: is not as `crashcover fetch` wrote it: columns must be close_time, asset"),
        (COLUMNS, "2024-01-01T01:00:00Z,OMG,1,1,1,1,1", "asset must be OM, got 'OMG'"),
        (COLUMNS, "2024-01-01T01:00:03Z,OM,1,1,1,1,1", "on the grid of the bars"),
        (COLUMNS, "2024-01-01T01:00:00Z,OM,1,1,1,1", "row 2: .* must have 7 cells, got 6"),
        (COLUMNS, "2024-01-01T01:00:00Z,OM,1,1,1,one,1", "row 2: .*'one'"),
    ],
)
def test_a_file_of_somebody_else_is_not_touched(fetch, head, row, slip):
    fetch.path.write_text(f"{head}\n{row}\n")
    with pytest.raises(DataError, match=slip):
        fetch()
    assert fetch.path.read_text() == f"{head}\n{row}\n"


def test_a_file_that_begins_too_late_is_an_error(fetch):
    fetch(since=SINCE + timedelta(hours=48), until=SINCE + timedelta(hours=77))
    with pytest.raises(DataError, match=r"begins with the bar of 2024-01-03\S+, but binance has bars from 2024-01-01"):
        fetch()


def test_a_file_may_begin_later_than_asked_for_if_the_token_does(fetch):
    since = SINCE - timedelta(days=400)
    fetch(since=since, until=SINCE + timedelta(hours=77))
    assert fetch(since=since).n_bars == 200
    assert fetch.rows() == fetch.fake.truth()


def test_there_is_no_file_without_a_bar(fetch):
    with pytest.raises(DataError, match="binance has no closed bar of OM/USDT from 2024-03-01"):
        fetch(since=SINCE + timedelta(days=60))
    assert not fetch.path.exists()


def test_a_time_off_the_grid_is_an_error_and_the_bars_before_it_are_kept(fetch):
    truth, fetch.fake.most = fetch.fake.truth(), 10
    fetch.fake.bars["OMUSDT"][30][0] = START + 30 * HOUR + 3_000
    slip = "bars must open at multiples of their length, got one at 2024-01-02T06:00:03Z"
    with pytest.raises(DataError, match=slip):
        fetch()
    assert fetch.rows() == truth[:28]  # a page of ten, and two more that each begin with the last bar of the one before


def test_rows_of_one_time_that_differ_are_an_error(fetch):
    bars = fetch.fake.bars["OMUSDT"]
    bars.insert(31, [*bars[30][:4], "0.5", *bars[30][5:]])
    with pytest.raises(DataError, match="two answers about the bar of 2024-01-02T06:00:00Z differ"):
        fetch()


@pytest.mark.parametrize(
    ("token", "options", "slip"),
    [
        ("OMG", {}, r"does not list 'OMG' in USDT \(did you mean OM\?\)"),
        ("om", {}, r"does not list 'om' in USDT \(did you mean OM\?\)"),
        ("ZZZZ", {}, r"does not list 'ZZZZ' in USDT \(it may have been delisted\)"),
        ("OM", {"quote": "USD"}, r"quotes no token in 'USD' \(did you mean USDT\?\)"),
    ],
)
def test_an_unknown_token_is_an_error_that_says_what_is_meant(fetch, token, options, slip):
    with pytest.raises(DataError, match=slip):
        fetch(token, **options)


@pytest.mark.parametrize(
    ("options", "slip"),
    [
        ({"bar": "45m"}, "bar must be one of 1s, 1m, .* at binance, got '45m'"),
        ({"bar": "1w"}, "bar must be one of .*, got '1w'"),
        ({"until": SINCE}, "until must be later than since"),
        ({"since": datetime(2024, 1, 1)}, "since must be a time with an offset from UTC"),
        ({"out": "om.txt"}, "out must end in .csv, got 'om.txt'"),
        ({"patience": "long"}, "patience must be a duration"),
    ],
)
def test_a_question_that_makes_no_sense_is_an_error(fetch, options, slip):
    with pytest.raises(InvalidTermsError, match=slip):
        fetch(**options)


@pytest.mark.parametrize(
    ("venue", "url", "slip"),
    [
        ("binanse", None, r"venue must be one that ccxt knows, got 'binanse' \(did you mean binance"),
        ("binance", "data-api.binance.vision", "url must be an address such as https://"),
    ],
)
def test_a_venue_that_ccxt_does_not_know_is_an_error(tmp_path, venue, url, slip):
    with pytest.raises(InvalidTermsError, match=slip):
        fetch_prices("OM", venue, since=SINCE, out=tmp_path / "om.csv", url=url)


def test_a_file_is_written_by_one_call_at_a_time(fetch):
    with locked_file(fetch.path), pytest.raises(FolderInUseError, match="om.csv is in use by another run"):
        fetch()


def test_the_limits_of_the_venue_are_kept(fetch, monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    exchange = open_exchange("binance", url=fetch.fake.url)
    exchange.rateLimit = 100_000  # milliseconds between two questions of the lightest kind
    fetch(exchange=exchange)
    exchange.close()
    assert len(slept) == len(fetch.fake.asked) - 1  # the first question need not wait
    assert min(slept) > 10.0
