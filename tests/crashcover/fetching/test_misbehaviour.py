"""However an exchange misbehaves: the file is right, or there is one error and a file that the next call continues."""

import errno
import itertools
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pricing.errors import DataError, PricingError, VenueError
from tests.crashcover.fetching.conftest import SINCE, Fetching
from tests.crashcover.fetching.fake_binance import HOUR, PASSING, REFUSALS, START, FakeBinance, make_bars, serving
from tests.crashcover.stopping import Stopped

#: Moods whose answer may be empty; a venue that says nothing again and again is believed.
MAYBE_EMPTY = {"empty", "repeated"}


@pytest.mark.parametrize("mood", PASSING)
@pytest.mark.parametrize("place", [0, 1, 5])
def test_what_passes_leaves_no_trace_in_the_file(fetch, mood, place):
    fetch.fake.moods = ["honest"] * place + [mood]
    assert fetch().n_bars == 200
    assert fetch.rows() == fetch.fake.truth()
    assert fetch.fake.moods == []


@pytest.mark.parametrize(
    ("mood", "reason", "wait"),
    [
        ("busy", "429 Too Many Requests", 7),
        ("banned", "418 I'm a Teapot", 120),
        ("failing", "503 Service Unavailable", 1),
        ("closed", "klines", 1),
        ("cut off", "bars must be a list, got", 1),
        ("cut short", "klines", 1),
        ("no JSON", "bars must be a list, got '<html>not now</html>'", 1),
        ("repeated", "the page before 2024-01-02T16:00:00Z is repeated", 1),
        ("empty", "the bar of 2024-01-02T15:00:00Z, which was there before, is missing", 1),
    ],
)
def test_every_wait_is_told_with_its_reason(fetch, mood, reason, wait):
    # A page that ends where the last one did may be all there is; if it comes again for what follows, it is repeated.
    fetch.fake.moods = ["honest", mood, mood] if mood == "repeated" else ["honest", mood]
    fetch()
    (notice,) = [text for text in fetch.told if "asking again" in text]
    assert notice.startswith("binance: ")
    assert reason in notice
    assert notice.endswith(f"asking again in {wait} s")
    assert fetch.slept == [wait]


def test_waits_grow_until_patience_ends_and_what_was_fetched_is_kept(fetch):
    fetch.fake.moods = ["honest"] * 2 + ["failing"] * 99
    with pytest.raises(VenueError, match=r"binance gives no good answer within 5min: .*503.*the same call continues"):
        fetch(patience="5min")
    assert fetch.slept == [1, 2, 4, 8, 16, 32, 60, 60, 60]  # another wait would end after more than five minutes
    assert fetch.rows() == fetch.fake.truth()[:79]
    fetch.fake.moods = []
    assert fetch().n_new == 121
    assert fetch.rows() == fetch.fake.truth()


def test_a_ban_that_outlasts_patience_ends_the_call_at_once(fetch):
    fetch.fake.moods = ["honest", "banned for long"]
    with pytest.raises(VenueError, match=r"within 10min: .*418.*; it asks to wait 7200 s \(what was fetched is kept"):
        fetch()
    assert fetch.slept == []
    assert fetch.rows() == fetch.fake.truth()[:40]


def test_a_venue_that_does_not_serve_a_place_is_not_asked_twice(fetch):
    fetch.fake.moods = ["forbidden"] * 2
    with pytest.raises(VenueError, match="binance does not serve this machine: .*451"):
        fetch()
    assert fetch.fake.moods == ["forbidden"]


def test_a_venue_that_repeats_a_page_for_ever_is_an_error_not_a_hole(fetch):
    fetch.fake.moods = ["honest", "one bar"] + ["repeated"] * 99
    with pytest.raises(DataError, match="OM/USDT: .* within 10min: the page before .* is repeated"):
        fetch()
    assert fetch.rows() == fetch.fake.truth()[:40]


def test_a_gap_that_only_empty_answers_tell_of_is_asked_for_once_more(fetch):
    fetch.fake.moods = ["honest", "one bar", "empty", "empty"]
    assert fetch().holes == ()
    assert fetch.rows() == fetch.fake.truth()
    assert fetch.slept == []


def test_waits_of_an_answer_before_are_forgotten(fetch):
    fetch.fake.moods = ["honest", "busy", "closed", "failing"]
    fetch()
    assert fetch.slept == [7, 2, 4]


def test_an_answer_that_does_not_come_in_time_is_asked_for_again(fetch):
    never, exchange = threading.Event(), fetch.open()
    exchange.load_markets()
    exchange.timeout = 50  # milliseconds
    pauses = itertools.chain([lambda: None, never.wait], itertools.repeat(lambda: None))
    fetch.fake.before_answer = lambda: next(pauses)()
    fetch(exchange=exchange)
    never.set()
    assert fetch.slept == [1]
    assert fetch.rows() == fetch.fake.truth()


def test_a_list_of_tokens_that_was_cut_off_is_no_list_without_the_token(fetch, monkeypatch):
    whole = FakeBinance.exchange_info
    answers = iter(["<html>", {}])
    monkeypatch.setattr(FakeBinance, "exchange_info", lambda self: next(answers, whole(self)))
    fetch()
    assert fetch.rows() == fetch.fake.truth()
    assert len(fetch.slept) == 2


def test_a_full_disk_leaves_the_file_as_it_was(fetch, monkeypatch):
    def fail(_path):
        raise OSError(errno.ENOSPC, "No space left on device", str(fetch.path))

    fetch(until=SINCE + timedelta(hours=77))
    before = fetch.path.read_bytes()
    with monkeypatch.context() as full:
        full.setattr("pricing.tools.whole_files.flush", fail)
        with pytest.raises(OSError, match="No space left"):
            fetch()
    assert fetch.path.read_bytes() == before
    assert sorted(path.name for path in fetch.path.parent.iterdir() if path.suffix != ".lock") == ["om.csv"]
    fetch()
    assert fetch.rows() == fetch.fake.truth()


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NO_PROXY", "127.0.0.1")
        with serving(FakeBinance({"OMUSDT": make_bars(2)}, now=START + HOUR)) as exchange:
            fetching = Fetching(exchange, None)
            yield exchange, fetching.open()
            fetching.close()


CALLS = st.tuples(st.lists(st.sampled_from([*PASSING, *REFUSALS]), max_size=8), st.integers(0, 5), st.integers(1, 40))


@settings(max_examples=10)
@given(
    calls=st.lists(CALLS, min_size=1, max_size=2),
    most=st.integers(4, 30),
    holes=st.sets(st.integers(0, 38), max_size=20),
)
def test_whatever_happens_the_file_begins_like_the_truth_and_an_honest_call_completes_it(
    server, tmp_path_factory, calls, most, holes
):
    fake, exchange = server
    fake.bars, fake.most = {"OMUSDT": make_bars(41, holes=holes)}, most
    fetch = Fetching(fake, tmp_path_factory.mktemp("any") / "om.csv")
    fake.now = START
    for moods, stop, hours in calls:
        assume(not any({*four} <= MAYBE_EMPTY for four in zip(*(moods[place:] for place in range(4)), strict=False)))
        fake.moods, fake.now = list(moods), max(fake.now, START + hours * HOUR + HOUR // 2)
        rows, ended = call_and_kill(fetch, exchange, stop)
        assert rows == fake.truth()[: len(rows)]
        assert not ended or rows == fake.truth()
    fake.moods, fake.now = [], START + 40 * HOUR
    fetched = fetch(exchange=exchange)
    assert fetch.rows() == fake.truth()
    assert fetched.n_bars + sum(hole.n_bars for hole in fetched.holes) + fetched.n_after == 40 - lead(holes)


def call_and_kill(fetch, exchange, stop):
    """Return the rows of the file, and whether the call ended without an error."""
    with pytest.MonkeyPatch.context() as killed:
        kill_before(killed, stop)
        try:
            fetch(exchange=exchange)
            ended = True
        except (Stopped, PricingError):
            ended = False
    return fetch.rows() if fetch.path.exists() else [], ended


def lead(holes):
    """Return the number of bars that are missing before the first."""
    return next(place for place in itertools.count() if place not in holes)


def kill_before(monkeypatch, number):
    """Stop before the file is replaced for the n-th time, as a kill would; for 0, do not."""
    rename, count = Path.replace, itertools.count(1)

    def replace(path, target):
        if next(count) >= number > 0:
            raise Stopped
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", replace)
