"""Venues differ: some answer with a window of time, tell no time, or give no bars at all."""

import time
from datetime import timedelta

import ccxt
import pytest

from crashcover.fetching.bars import read_bar, read_time, wrong_price
from crashcover.fetching.venue import open_venue
from pricing.errors import DataError, InvalidTermsError
from tests.crashcover.fetching.conftest import SINCE
from tests.crashcover.fetching.fake_binance import HOUR, START, make_bars


class WindowVenue(ccxt.Exchange):
    """A venue without a clock, which answers with a window of time that is half as long as it promises."""

    def describe(self):
        return self.deep_extend(
            super().describe(),
            {
                "id": "window",
                "timeframes": {"1h": "60", "1M": "month"},
                "has": {"fetchOHLCV": True, "fetchTime": False},
                "features": {"spot": {"fetchOHLCV": {"limit": 20}}},
            },
        )

    def load_markets(self, reload=False, params=()):  # noqa: ARG002
        market = {"id": "om", "symbol": "OM/USD", "base": "OM", "quote": "USD", "spot": True, "type": "spot"}
        swap = market | {"symbol": "OM/USD:USD", "spot": False, "type": "swap"}
        self.markets = {each["symbol"]: each for each in (market, swap)}
        return self.markets

    def fetch_ohlcv(self, symbol, timeframe="1m", since=None, limit=None, params=()):  # noqa: ARG002
        page = [bar for bar in self.bars if since <= bar[0] < since + limit // 2 * HOUR]
        return self.parse_ohlcvs(page, self.markets[symbol], timeframe, since, limit)


@pytest.fixture
def window():
    exchange = WindowVenue({"enableRateLimit": False})
    exchange.bars = [[bar[0], *map(float, bar[1:6])] for bar in make_bars(60) + make_bars(40, start=START + 300 * HOUR)]
    return exchange


def test_a_venue_that_answers_with_windows_is_followed_across_holes(fetch, window):
    until = SINCE + timedelta(hours=420)
    fetched = fetch(exchange=window, quote="USD", since=SINCE - timedelta(hours=333), until=until)
    assert fetch.rows() == [tuple(bar[:5]) for bar in window.bars]
    assert [hole.n_bars for hole in fetched.holes] == [240]
    assert fetched.n_after == 80


def test_a_venue_without_a_clock_goes_by_the_clock_of_this_machine_and_says_so(fetch, window, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: (START + 30.5 * HOUR) / 1000)
    assert fetch(exchange=window, quote="USD").n_bars == 30
    assert fetch.told == ["window tells no time: the clock of this machine decides which bars are closed"]


def test_the_date_of_an_answer_is_a_clock(fetch, window):
    load = window.load_markets

    def load_with_date(*arguments):
        window.last_response_headers = {"Date": "Tue, 02 Jan 2024 06:30:00 GMT"}
        return load(*arguments)

    window.load_markets = load_with_date
    assert fetch(exchange=window, quote="USD").n_bars == 30


def test_only_the_spot_market_is_fetched(fetch, window):
    del window.bars[:]
    with pytest.raises(DataError, match=r"window does not list 'XX' in USD \(it may have been delisted\)"):
        fetch("XX", exchange=window, quote="USD")
    with pytest.raises(DataError, match="window has no closed bar of OM/USD from"):
        fetch(exchange=window, quote="USD")


def test_a_token_in_another_currency_is_named(fetch, window):
    window.load_markets()
    window.load_markets = lambda *_arguments: window.markets
    window.markets["BTC/EUR"] = {"symbol": "BTC/EUR", "base": "BTC", "quote": "EUR", "spot": True}
    with pytest.raises(DataError, match=r"window does not list 'OM' in EUR, but in USD \(--quote\)"):
        fetch(exchange=window, quote="EUR")


@pytest.mark.parametrize(("bar", "slip"), [("1M", "bar must be one of 1h at window, got '1M'"), ("5m", "got '5m'")])
def test_bars_that_no_day_is_a_multiple_of_are_refused(fetch, window, bar, slip):
    with pytest.raises(InvalidTermsError, match=slip):
        fetch(exchange=window, quote="USD", bar=bar)


def test_a_venue_without_bars_is_refused(fetch, window):
    window.timeframes = None
    with pytest.raises(InvalidTermsError, match="venue must be one that gives bars, got window"):
        fetch(exchange=window, quote="USD")


def test_an_exchange_of_the_caller_stays_as_it_was(fetch, window):
    fetch(exchange=window, quote="USD", until=SINCE + timedelta(hours=40))
    assert "parse_ohlcvs" not in vars(window)


def test_an_exchange_that_was_opened_is_closed(fake, monkeypatch):
    closed = []
    monkeypatch.setattr(ccxt.binance, "close", lambda self: closed.append(self.id))
    with open_venue("binance", url=fake.url, exchange=None, patience="1min", tell=print, sleep=None) as venue:
        assert venue.name == "binance"
    assert closed[:1] == ["binance"]


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000])
def test_times_are_read_in_their_own_unit(unit):
    assert read_time(START * unit) == START
    assert read_bar([START * unit, 1, 1, 1, 1], HOUR).opened == START


@pytest.mark.parametrize("time", [None, "2024", 0, START / 1000, START * 1e9, START + 0.5])
def test_what_is_no_time_is_an_error(time):
    with pytest.raises(DataError, match="a time must be milliseconds since 1970, got"):
        read_time(time)


@pytest.mark.parametrize("price", [0.0, -1.0, float("nan"), float("inf"), None, "1"])
@pytest.mark.parametrize("position", [1, 2, 3, 4])
def test_what_is_no_price_is_found(price, position):
    row = [START, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert wrong_price(row) == ""
    row[position] = price
    name = ("open", "high", "low", "close")[position - 1]
    slip = f"{name} of the bar of 2024-01-01T00:00:00Z must be a positive number, got {price!r}"
    assert wrong_price(row) == slip
