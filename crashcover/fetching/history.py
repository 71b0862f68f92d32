"""The history of one token, fetched into a file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crashcover.fetching.bars import show_time
from crashcover.fetching.pages import fetch_pages
from crashcover.fetching.patience import Tell
from crashcover.fetching.price_file import Hole, PriceFile
from crashcover.fetching.venue import Venue, open_venue
from crashcover.runs.locks import locked_file
from pricing.errors import DataError, InvalidTermsError
from pricing.show.frames import make_frame
from pricing.tools.progress import Progress, silent
from pricing.tools.times import to_utc
from pricing.tools.units import Duration

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bars to fetch.

    Parameters
    ----------
    since : datetime
        Time at which the first bar opens.
    until : datetime, optional
        Time up to which the last bar closes; by default the time at the venue.
    bar : str
        Length of a bar as ccxt writes it, such as ``"1m"``, ``"1h"`` or ``"1d"``.
    quote : str
        Currency of the prices.

    Raises
    ------
    InvalidTermsError
        If a time has no offset from UTC, or nothing lies between them.
    """

    since: datetime
    until: datetime | None = None
    bar: str = "1h"
    quote: str = "USDT"

    def __post_init__(self) -> None:
        since = to_utc(self.since, "since")
        if self.until is not None and to_utc(self.until, "until") <= since:
            raise InvalidTermsError(
                f"until must be later than since, {since.isoformat()}, got {self.until.isoformat()}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file of bars, and what is in it.

    Parameters
    ----------
    symbol, venue, bar : str
        Token and quote currency, where they trade, and the length of a bar as ccxt writes it.
    path : Path
        The file, which ``read_prices`` and ``crashcover quote --prices`` read.
    n_bars, n_new : int
        Bars in the file, and those of them that were fetched now.
    first_close, last_close : datetime
        Labels of the first and the last bar: the UTC times at which they close.
    holes : tuple of Hole
        Bars that the venue does not have, or gives no valid prices for, between the first and the last.
    n_after : int
        Bars that the venue does not have after the last one: many if the token is no longer traded.
    """

    symbol: str
    venue: str
    bar: str
    path: Path
    n_bars: int
    n_new: int
    first_close: datetime
    last_close: datetime
    holes: tuple[Hole, ...] = field(repr=False)
    n_after: int

    def to_frame(self) -> "pd.DataFrame":
        """Return the holes as a data frame: ``opened``, the UTC time at which each begins, and ``n_bars``."""
        columns = {
            "opened": [_time(hole.opened) for hole in self.holes],
            "n_bars": [each.n_bars for each in self.holes],
        }
        return make_frame(columns)

    @property
    def summary(self) -> str:
        """All of it in one line."""
        return (
            f"{self.symbol} at {self.venue}: {_count(self.n_bars, 'bar')} of {self.bar} ({self.n_new:,} new), closes "
            f"from {self.first_close:%Y-%m-%dT%H:%M}Z to {self.last_close:%Y-%m-%dT%H:%M}Z{self._missing}"
        )

    @property
    def _missing(self) -> str:
        after = f"; nothing for {_count(self.n_after, 'bar')} after that (no longer traded?)" if self.n_after else ""
        if not self.holes:
            return after
        longest = max(self.holes, key=lambda hole: hole.n_bars)
        n_missing = sum(hole.n_bars for hole in self.holes)
        return (
            f"; {_count(n_missing, 'bar')} missing in {_count(len(self.holes), 'hole')}, the longest of "
            f"{longest.n_bars:,} from {show_time(longest.opened)}{after}"
        )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def fetch_prices(
    token: str,
    venue: str = "binance",
    *,
    since: datetime,
    out: Path | str,
    until: datetime | None = None,
    bar: str = "1h",
    quote: str = "USDT",
    patience: Duration = "10min",
    url: str | None = None,
    exchange: Any = None,
    begin: Progress = silent,
    tell: Tell = lambda _notice: None,
    sleep: Callable[[float], None] | None = None,
) -> Fetched:
    """Fetch the closed bars of one token into a file; continue the file if it exists.

    The file is complete at any moment. Bars that the venue does not have are left out and counted; so are those whose
    price is no positive number, with a notice about each. The last bars of a
    file that is continued are fetched again and must agree.

    Parameters
    ----------
    token : str
        Name of the token, such as ``"OM"``.
    venue : str
        Name of the venue in ccxt.
    since, until, bar, quote
        As in ``Span``.
    out : Path or str
        File to write: .csv with the columns close_time (the close of the bar in UTC), asset, open, high, low, close,
        volume.
    patience : timedelta or str
        Time after which an unanswered question is given up.
    url : str, optional
        Address to use instead of the venue's own, such as that of a mirror.
    exchange : ccxt exchange, optional
        An exchange of your own instead of `venue` and `url`.
    begin : callable
        Begins a display of progress.
    tell : callable
        Told about waits and about anything notable.
    sleep : callable, optional
        Waits for a number of seconds.

    Raises
    ------
    VenueError
        If the venue cannot be reached in time, or refuses to serve this machine; what was fetched is kept.
    DataError
        If the venue does not list the token, contradicts itself or the file, or gives an invalid time.
    FolderInUseError
        If another call writes the same file.
    """
    path, span = Path(out), Span(since=since, until=until, bar=bar, quote=quote)
    if path.suffix != ".csv":
        raise InvalidTermsError(f"out must end in .csv, got {path.name!r}")
    opened = open_venue(venue, url=url, exchange=exchange, patience=patience, tell=tell, sleep=sleep)
    with opened as place, locked_file(path):
        return fetch_token(place, token, span, path, closed=place.time(), begin=begin)


def fetch_token(venue: Venue, token: str, span: Span, path: Path, *, closed: int, begin: Progress) -> Fetched:
    """Fetch the bars of one token that are closed at a time, in milliseconds since 1970."""
    symbol, length = venue.symbol(token, span.quote), venue.bar_length(span.bar)
    start = -(-_milliseconds(span.since) // length) * length
    end = min(closed, _milliseconds(span.until) if span.until else closed) // length * length
    file = PriceFile(path, token, length)
    n_before = file.n_bars
    _require_beginning(venue, symbol, span.bar, start, end, file, path)
    report = begin(symbol, max((end - start) // length, 0))
    try:
        for bars in fetch_pages(venue, symbol, span.bar, start=start, end=end, held=file.tail):
            file.add(bars)
            report((bars[-1].opened + length - start) // length)
    finally:
        file.save()
    if file.first is None or file.last is None:
        raise DataError(f"{venue.name} has no closed bar of {symbol} from {show_time(start)} to {show_time(end)}")
    return Fetched(
        symbol=symbol,
        venue=venue.name,
        bar=span.bar,
        path=path,
        n_bars=file.n_bars,
        n_new=file.n_bars - n_before,
        first_close=_time(file.first.opened + length),
        last_close=_time(file.last.opened + length),
        holes=tuple(file.holes),
        n_after=max(end - file.last.opened - length, 0) // length,
    )


def _require_beginning(venue: Venue, symbol: str, bar: str, start: int, end: int, file: PriceFile, path: Path) -> None:
    """Check that a file that begins later than asked for lacks no bar of the venue."""
    if file.first is None or file.first.opened <= start:
        return
    earlier = next(fetch_pages(venue, symbol, bar, start=start, end=min(end, file.first.opened)), None)
    if earlier:
        raise DataError(
            f"{path} begins with the bar of {show_time(file.first.opened)}, but {venue.name} has bars from "
            f"{show_time(earlier[0].opened)} on (fetch into a new file)"
        )


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
