"""Many tokens: every one is fetched or named with its reason, and a second call continues."""

import pandas as pd
import pytest

from backtest.panel import make_panel
from crashcover.fetching.history import Span
from crashcover.fetching.panel import fetch_panel, join_closes
from crashcover.files.panels import read_panel
from crashcover.files.prices import read_prices
from crashcover.runs.locks import locked
from pricing.errors import DataError, FolderInUseError, InvalidTermsError, VenueError
from tests.crashcover.fetching.conftest import SINCE
from tests.crashcover.fetching.fake_binance import HOUR, START, make_bars

TOKENS = ("AAA", "BBB", "CCC")


@pytest.fixture
def fetch_all(fetch):
    """Fetch a panel of three tokens, of which one was listed later and one is no longer traded."""
    fetch.fake.bars = {
        "AAAUSDT": make_bars(50, seed=1),
        "BBBUSDT": make_bars(20, start=START + 30 * HOUR, seed=2),
        "CCCUSDT": make_bars(30, seed=3),
    }
    fetch.fake.now = START + 50 * HOUR
    folder = fetch.path.with_name("prices")

    def call(tokens=TOKENS, **options):
        options = {"span": Span(since=SINCE), "out": folder, "exchange": fetch.open()} | options
        return fetch_panel(tokens, tell=fetch.told.append, sleep=fetch.slept.append, **options)

    call.fake, call.folder, call.rows = fetch.fake, folder, fetch.rows
    return call


def test_every_token_has_a_file_that_is_named_by_it(fetch_all):
    panel = fetch_all()
    assert list(panel.fetched) == list(TOKENS)
    assert panel.failed == {}
    for token in TOKENS:
        path = fetch_all.folder / f"{token}.csv"
        assert fetch_all.rows(path) == fetch_all.fake.truth(f"{token}USDT")
        assert read_prices(path, asset=token).asset == token


def test_all_tokens_of_the_venue_are_fetched_if_none_is_named(fetch_all):
    assert list(fetch_all(None).fetched) == list(TOKENS)


def test_a_token_that_fails_is_named_and_stops_no_other(fetch_all):
    fetch_all.fake.bars["BBBUSDT"][3][0] += 3_000
    panel = fetch_all(("AAB", *TOKENS))
    assert list(panel.fetched) == ["AAA", "CCC"]
    assert "does not list 'AAB' in USDT (did you mean AAA?)" in str(panel.failed["AAB"])
    assert "BBB/USDT: bars must open at multiples of their length" in str(panel.failed["BBB"])
    assert all(isinstance(error, DataError) for error in panel.failed.values())


def test_a_venue_that_is_lost_ends_the_call_and_the_next_one_continues(fetch_all):
    fetch_all.fake.moods = ["honest"] * 2 + ["failing"] * 99
    panel = fetch_all()
    assert list(panel.fetched) == ["AAA"]
    assert "no good answer within 10min" in str(panel.failed["BBB"])
    assert "not asked for, because the venue was lost before" in str(panel.failed["CCC"])
    assert all(isinstance(error, VenueError) for error in panel.failed.values())
    fetch_all.fake.moods = []
    again = fetch_all()
    assert [each.n_new for each in again.fetched.values()] == [0, 20, 30]


def test_one_call_at_a_time_writes_to_a_folder(fetch_all):
    with locked(fetch_all.folder), pytest.raises(FolderInUseError):
        fetch_all()


@pytest.mark.parametrize("name", ["panel.csv", "panel.parquet"])
def test_the_closes_in_one_file_are_a_panel(fetch_all, name, capsys):
    path = fetch_all.folder.with_name(name)
    join_closes(list(fetch_all().fetched.values()), path)
    closes = read_panel(path, leave_out=()).closes
    assert capsys.readouterr().err == ""
    expected = pd.DataFrame({token: read_prices(fetch_all.folder / f"{token}.csv").closes for token in TOKENS})
    pd.testing.assert_frame_equal(
        closes, make_panel(expected, leave_out=()).closes, check_freq=False, check_names=False
    )


def test_a_panel_is_written_as_csv_or_parquet(fetch_all):
    with pytest.raises(InvalidTermsError, match=r"must end in .csv or .parquet, got 'panel.txt'"):
        join_closes(list(fetch_all().fetched.values()), fetch_all.folder.with_name("panel.txt"))
