"""A venue as ccxt knows it: its tokens, its clock and its bars."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from email.utils import parsedate_to_datetime
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from crashcover.fetching.bars import Bar, read_bar, read_time, wrong_price
from crashcover.fetching.patience import BadAnswerError, Patience, Tell
from pricing.errors import DataError, InvalidTermsError
from pricing.tools.libraries import load_library
from pricing.tools.near_names import did_you_mean
from pricing.tools.units import Duration, parse_duration

_DAY = 86_400_000  # milliseconds
_USUAL_LIMIT = 100  # bars per page, if ccxt does not know it
_NOTABLE_SKEW = 2_000  # milliseconds
#: Answers that no patience changes, other than ccxt takes them.
_REFUSALS = {"400": "ExchangeError", "404": "ExchangeError", "405": "ExchangeError", "410": "ExchangeError"}
_REFUSALS |= {"401": "PermissionDenied", "403": "PermissionDenied", "451": "PermissionDenied"}


def open_exchange(name: str, *, url: str | None = None) -> Any:
    """Return the ccxt exchange of a venue, for spot prices without an account.

    Parameters
    ----------
    name : str
        Name of the venue in ccxt, such as ``"binance"``.
    url : str, optional
        Address to use instead of the venue's own, such as that of a mirror.

    Raises
    ------
    InvalidTermsError
        If ccxt does not know the venue, or the address is invalid.
    MissingLibraryError
        If ccxt is not installed.
    """
    ccxt = load_library("ccxt", extra="fetch")
    if name not in ccxt.exchanges:
        raise InvalidTermsError(f"venue must be one that ccxt knows, got {name!r}{did_you_mean(name, ccxt.exchanges)}")
    refusals = {code: getattr(ccxt, kind) for code, kind in _REFUSALS.items()}
    exchange = getattr(ccxt, name)({"enableRateLimit": True, "requests_trust_env": True, "httpExceptions": refusals})
    kinds = exchange.options.get("fetchMarkets")
    if isinstance(kinds, dict) and "types" in kinds:
        kinds["types"] = ["spot"]
    if url is not None:
        exchange.urls["api"] = _redirected(exchange.urls["api"], _parse_address(url))
    return exchange


def _parse_address(url: str) -> Mapping[str, str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidTermsError(f"url must be an address such as https://data-api.binance.vision, got {url!r}")
    return {"scheme": parts.scheme, "netloc": parts.netloc}


def _redirected(urls: Any, address: Mapping[str, str]) -> Any:
    if isinstance(urls, dict):
        return {name: _redirected(each, address) for name, each in urls.items()}
    return urlsplit(urls)._replace(**address).geturl()


@contextmanager
def open_venue(
    name: str,
    *,
    url: str | None,
    exchange: Any,
    patience: Duration,
    tell: Tell,
    sleep: Callable[[float], None] | None,
) -> Iterator["Venue"]:
    """Open a venue by its name in ccxt, or around a ccxt exchange of the caller, which stays open afterwards."""
    limit = parse_duration(patience, "patience")
    opened = open_exchange(name, url=url) if exchange is None else exchange
    try:
        yield Venue(opened, patience=limit, tell=tell, sleep=sleep)
    finally:
        if exchange is None:
            opened.close()


class Venue:
    """A venue to fetch bars from.

    Parameters
    ----------
    exchange : ccxt exchange
        As ``open_exchange`` returns it, or one of your own.
    patience : timedelta
        Time after which an unanswered question is given up.
    tell : callable
        Told about waits and about anything notable.
    sleep : callable, optional
        Waits for a number of seconds.
    """

    def __init__(
        self, exchange: Any, *, patience: timedelta, tell: Tell, sleep: Callable[[float], None] | None = None
    ) -> None:
        self._exchange = exchange
        self._tell = tell
        self._doubted: set[tuple[str, int]] = set()  # symbol and time of bars whose price was wrong once
        self._left_out: set[tuple[str, int]] = set()
        self._patience = Patience(exchange=exchange, limit=patience, tell=tell, sleep=sleep or time.sleep)

    @property
    def name(self) -> str:
        """Name of the venue."""
        return str(self._exchange.id)

    def symbols(self, quote: str) -> dict[str, str]:
        """Return the symbol of every token with a spot price in a quote currency.

        Raises
        ------
        DataError
            If there is none.
        """
        found = {pair[0]: symbol for symbol, pair in self._pairs().items() if pair[1] == quote}
        if not found:
            quotes = {pair[1] for pair in self._pairs().values()}
            raise DataError(f"{self.name} quotes no token in {quote!r}{did_you_mean(quote, quotes)}")
        return found

    def symbol(self, token: str, quote: str) -> str:
        """Return the symbol of a token in a quote currency.

        Raises
        ------
        DataError
            If the venue does not list it; the message says what it may be.
        """
        symbols = self.symbols(quote)
        if token in symbols:
            return symbols[token]
        others = sorted(pair[1] for pair in self._pairs().values() if pair[0] == token)
        hint = did_you_mean(token, symbols) or " (it may have been delisted)"
        if others:
            hint = f", but in {', '.join(others)} (--quote)"
        raise DataError(f"{self.name} does not list {token!r} in {quote}{hint}")

    def _pairs(self) -> dict[str, tuple[str, str]]:
        """Return token and quote currency of every spot symbol."""
        return {symbol: (m["base"], m["quote"]) for symbol, m in self._markets().items() if m.get("spot")}

    def _markets(self) -> dict[str, Any]:
        if not self._exchange.markets:
            self._patience.ask(self._load)
        markets: dict[str, Any] = self._exchange.markets
        return markets

    def _load(self) -> None:
        if not self._exchange.load_markets(True):
            raise BadAnswerError("the list of tokens is empty or damaged")

    def bar_length(self, bar: str) -> int:
        """Return the length of a bar in milliseconds.

        Raises
        ------
        InvalidTermsError
            If the venue has no such bars, or a day is no multiple of them.
        """
        names = [name for name in self._exchange.timeframes or () if re.fullmatch(r"\d+[smhd]", name)]
        lengths = {name: int(self._exchange.parse_timeframe(name) * 1000) for name in names}
        usable = {name: length for name, length in lengths.items() if _DAY % length == 0}
        if not usable:
            raise InvalidTermsError(f"venue must be one that gives bars, got {self.name}")
        if bar not in usable:
            raise InvalidTermsError(f"bar must be one of {', '.join(usable)} at {self.name}, got {bar!r}")
        return usable[bar]

    @property
    def page_limit(self) -> int:
        """Number of bars that the venue gives at once."""
        return int(self._exchange.feature_value_by_type("spot", None, "fetchOHLCV", "limit") or _USUAL_LIMIT)

    def time(self) -> int:
        """Return the time at the venue, or a little earlier, in milliseconds since 1970."""
        before = time.time()
        venue = self._patience.ask(self._time)
        ahead = venue - int(500 * (before + time.time()))
        if abs(ahead) > _NOTABLE_SKEW:
            way = "ahead of" if ahead > 0 else "behind"
            self._tell(
                f"the clock of {self.name} is {abs(ahead) / 1000:,.0f} s {way} that of this machine; "
                "the clock of the venue decides which bars are closed"
            )
        return venue

    def _time(self) -> int:
        if self._exchange.has.get("fetchTime"):
            try:
                return read_time(self._exchange.fetch_time())
            except DataError as error:
                raise BadAnswerError(f"the time is damaged: {error}") from error
        self._load()
        date = (self._exchange.last_response_headers or {}).get("Date")
        if date:
            return int(parsedate_to_datetime(date).timestamp() * 1000)
        self._tell(f"{self.name} tells no time: the clock of this machine decides which bars are closed")
        return int(time.time() * 1000)

    def page(self, symbol: str, bar: str, since: int, until: int, accept: Callable[[list[Bar]], None]) -> list[Bar]:
        """Return one page of closed bars in the order of time.

        A bar with a price that is no positive number is asked for again; if it is wrong again, it is left out and told.

        Parameters
        ----------
        symbol, bar : str
            Symbol, and length of its bars.
        since : int
            Time at which the first bar opens, in milliseconds since 1970.
        until : int
            Time up to which bars are closed.
        accept : callable
            Raises a ``BadAnswerError`` if the question must be repeated.

        Raises
        ------
        DataError
            If a time is invalid.
        """
        length, limit = self.bar_length(bar), self.page_limit

        def question() -> list[Bar]:
            with _unsifted(self._exchange):
                rows = self._exchange.fetch_ohlcv(symbol, bar, since, limit)
            closed = [row for row in rows if read_time(row[0]) + length <= until]
            bars = [read_bar(row, length) for row in self._priced(symbol, closed)]
            bars.sort(key=attrgetter("opened"))
            accept(bars)
            return bars

        try:
            return self._patience.ask(question)
        except DataError as error:
            raise DataError(f"{symbol}: {error}") from error

    def _priced(self, symbol: str, rows: list[Any]) -> list[Any]:
        """Return the rows whose prices are positive numbers; the others must be said twice to be believed."""
        wrong = {(symbol, read_time(row[0])): slip for row in rows if (slip := wrong_price(row))}
        new = sorted(wrong.keys() - self._left_out)
        if not self._doubted.issuperset(new):
            self._doubted.update(new)
            raise BadAnswerError(wrong[new[0]])
        for place in new:
            self._tell(f"{symbol}: {wrong[place]}, twice: the bar is left out")
        self._left_out.update(new)
        return [row for row in rows if (symbol, read_time(row[0])) not in wrong]


@contextmanager
def _unsifted(exchange: Any) -> Iterator[None]:
    """Let ccxt return all rows of an answer: by default it drops early ones, and a repeated page looks empty."""

    def parse(rows: Any, market: Any = None, *_args: Any, **_options: Any) -> list[Any]:
        if not (isinstance(rows, list) and all(isinstance(row, list | dict) for row in rows)):
            raise BadAnswerError(f"bars must be a list, got {str(rows)[:40]!r}")
        return [exchange.parse_ohlcv(row, market) for row in rows]

    exchange.parse_ohlcvs = parse
    try:
        yield
    finally:
        del exchange.parse_ohlcvs
