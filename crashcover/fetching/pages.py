"""Bars page by page: every page must agree with what is held already."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter

from crashcover.fetching.bars import OVERLAP, Bar, show_time
from crashcover.fetching.patience import BadAnswerError
from crashcover.fetching.venue import Venue
from pricing.errors import DataError


def fetch_pages(
    venue: Venue, symbol: str, bar: str, *, start: int, end: int, held: Iterable[Bar] = ()
) -> Iterator[list[Bar]]:
    """Yield the closed bars that are not held yet, page by page, in the order of time.

    Each page begins with the last bar of the page before. A page without it is a repeated or damaged one and is asked
    for again.

    Parameters
    ----------
    venue : Venue
        Where to ask.
    symbol, bar : str
        Symbol, and length of its bars.
    start, end : int
        Time at which the first bar opens and up to which the last one closes, in milliseconds since 1970.
    held : iterable of Bar
        Last bars that are held already, if any; the bars after them are fetched.

    Raises
    ------
    DataError
        If two bars of one time differ, now or from what is held.
    VenueError
        If the venue does not answer.
    """
    length = venue.bar_length(bar)
    tail = deque(held, maxlen=OVERLAP)
    asked, missing = (tail[0].opened, tail[-1].opened + length) if tail else (start, start)
    ask = partial(_ask, venue, symbol, bar, end, tail)
    while missing + length <= end:
        bars = ask(asked)
        fresh = [each for each in bars if each.opened >= missing]
        if not fresh and asked < missing:  # nothing but what is held: ask for what follows it
            asked = bars[-1].opened if bars[-1].opened > asked else missing
            continue
        fresh = fresh or _bars_after_gap(ask, range(missing, end, max(venue.page_limit // 2, 1) * length))
        if not fresh:
            return
        tail.extend(fresh)
        yield fresh
        asked, missing = fresh[-1].opened, fresh[-1].opened + length


def _bars_after_gap(ask: Callable[[int], list[Bar]], times: Sequence[int]) -> list[Bar]:
    """Return the first bars after a time from which on there seem to be none, or nothing if there are none at all.

    Some venues answer with all that follows a time, others with a window of time, which is at least half as long as
    they promise. A busy venue may answer with nothing by mistake, so the beginning of the gap is asked for once more.
    """
    after = next(filter(None, map(ask, times[1:])), [])
    return ask(times[0]) or after


def _ask(venue: Venue, symbol: str, bar: str, until: int, tail: Sequence[Bar], since: int) -> list[Bar]:
    """Return the bars of a page from a time on, each once; nothing must be said twice to be believed."""
    is_held = any(each.opened == since for each in tail)

    def accept(bars: list[Bar]) -> None:
        if bars and bars[-1].opened < since:
            raise BadAnswerError(f"the page before {show_time(since)} is repeated")
        if is_held and all(each.opened != since for each in bars):
            raise BadAnswerError(f"the bar of {show_time(since)}, which was there before, is missing")

    bars = venue.page(symbol, bar, since, until, accept) or venue.page(symbol, bar, since, until, accept)
    once = [_only(symbol, list(same)) for _, same in groupby(bars, key=attrgetter("opened"))]
    page = [each for each in once if each.opened >= since]
    _require_agreement(symbol, since, page, tail)
    return page


def _only(symbol: str, same: list[Bar]) -> Bar:
    for each in same[1:]:
        if each.prices != same[0].prices:
            raise _contradiction(symbol, same[0], each)
    return same[0]


def _require_agreement(symbol: str, since: int, page: Sequence[Bar], tail: Sequence[Bar]) -> None:
    """Check that the bars that are in the page and in the tail, or should be, are the same."""
    if not (page and tail):
        return
    last = min(page[-1].opened, tail[-1].opened)
    before = {each.opened: each for each in tail if since <= each.opened <= last}
    now = {each.opened: each for each in page if tail[0].opened <= each.opened <= last}
    for opened in sorted({*before, *now}):
        old, new = before.get(opened), now.get(opened)
        if old is None or new is None or old.prices != new.prices:
            raise _contradiction(symbol, old, new)


def _contradiction(symbol: str, before: Bar | None, now: Bar | None) -> DataError:
    (opened,) = {each.opened for each in (before, now) if each}
    old, new = (f"{each.prices}" if each else "nothing" for each in (before, now))
    return DataError(
        f"{symbol}: two answers about the bar of {show_time(opened)} differ: open, high, low, close {old} before, "
        f"{new} now (another venue, quote or bar than before, or the venue has revised its prices: fetch into a new "
        "file)"
    )
