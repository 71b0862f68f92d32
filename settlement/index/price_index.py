"""Index: one price of a token at every close, with its confidence and state.

A source's value in a bar is the volume-weighted mean of its ticks, and is held until it is stale. The index is the
weighted median of the live sources. A tick at the very close belongs to the bar that ends there.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pricing.errors import DataError
from pricing.show.frames import make_frame
from pricing.tools.arrays import BoolArray, FloatArray, LongArray
from pricing.tools.units import format_duration
from settlement.index.medians import weighted_median
from settlement.index.rules import IndexRule
from settlement.index.ticks import Ticks, check_ticks

if TYPE_CHECKING:
    import pandas as pd

_MOST_CLOSES = 10_000_000
#: Sums of weights that are short of the quorum by their rounding reach it.
_ROUNDING = 1e-12


class IndexState(StrEnum):
    """State of an index at a close."""

    LIVE = "LIVE"
    """There is a value, and at least one source traded in the bar."""
    STALE = "STALE"
    """There is a value, but no source traded in the bar: all prices are held, none longer than ``stale_after``."""
    INDETERMINATE = "INDETERMINATE"
    """There is no value: too few sources, or too little weight, are live."""


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Price of a token at every close.

    Parameters
    ----------
    rule : IndexRule
        Rule by which it was made.
    closes : ndarray of datetime64[ns]
        Closes in UTC, one bar apart.
    value, confidence : ndarray of float
        Price in the currency of the rule, and the larger distance to its quartiles; NaN if INDETERMINATE.
    traded : ndarray of bool
        Whether a source traded in the bar.
    """

    rule: IndexRule
    closes: npt.NDArray[np.datetime64]
    value: FloatArray
    confidence: FloatArray
    traded: BoolArray

    @property
    def states(self) -> list[IndexState]:
        """State at every close."""
        named = np.where(self.traded, IndexState.LIVE.value, IndexState.STALE.value)
        return [IndexState(name) for name in np.where(np.isnan(self.value), IndexState.INDETERMINATE.value, named)]

    def to_frame(self) -> "pd.DataFrame":
        """Return value, confidence and state by close; the index ``time`` is in UTC."""
        frame = make_frame(
            {"time": self.closes, "value": self.value, "confidence": self.confidence, "state": self.states},
            index="time",
        )
        return frame.tz_localize("UTC")


def build_index(ticks: "pd.DataFrame", rule: IndexRule) -> Index:
    """Make the index of one token.

    Parameters
    ----------
    ticks : DataFrame
        Columns time (with offsets from UTC), venue, price, and optionally volume and currency, one row per trade or
        per bar; the time of a bar is its close. Order and repeated rows change nothing. Venues that are no source of
        the rule do not count.
    rule : IndexRule
        Rule of the index.

    Returns
    -------
    Index
        From the close of the first tick to the close of the last.

    Raises
    ------
    DataError
        If a column or cell is invalid, no tick is of a source, or there would be more than 10 million closes.

    Examples
    --------
    >>> import pandas as pd
    >>> from settlement import IndexRule, Source, build_index
    >>> rule = IndexRule(sources=[Source(name=name, weight=1.0) for name in ("kraken", "coinbase", "gemini")])
    >>> ticks = pd.DataFrame({"venue": ["kraken", "coinbase", "gemini"], "price": [100.0, 101.0, 15.0]})
    >>> ticks["time"] = pd.Timestamp("2025-10-10 21:20:30", tz="UTC")
    >>> build_index(ticks, rule).to_frame().loc["2025-10-10 21:21:00+00:00", "value"]
    np.float64(100.0)
    """
    checked = check_ticks(ticks, rule)
    bar = _nanoseconds(rule.bar)
    ends = -(-checked.time // bar)  # a tick at the very close belongs to the bar that ends there
    first, last = int(ends.min()), int(ends.max())
    if last - first >= _MOST_CLOSES:
        raise DataError(
            f"ticks span {last - first + 1} closes of {format_duration(rule.bar)}, which is more than {_MOST_CLOSES} "
            "(is a time in the wrong unit?)"
        )
    return _index(_Bars(checked, ends - first, (np.arange(first, last + 1)) * bar), rule, 0)


@dataclass(frozen=True, slots=True)
class _Bars:
    """Ticks, the place of the bar of each, and all closes in nanoseconds."""

    ticks: Ticks
    place: LongArray
    closes: LongArray


def _index(bars: _Bars, rule: IndexRule, first_source: int) -> Index:
    """Make an index whose sources are those from `first_source` on, followed by those of its conversions."""
    n_sources = len(rule.sources)
    rates = _rates(bars, rule, first_source + n_sources)
    columns = [_source(bars, rule, first_source + each) for each in range(n_sources)]
    values, volumes, traded, live = (np.stack(parts, axis=1) for parts in zip(*columns, strict=True))
    for each, source in enumerate(rule.sources):
        if source.currency != rule.currency:
            values[:, each] *= rates[source.currency]
    live &= np.isfinite(values)
    weights = _weights(rule, volumes)
    median, confidence = weighted_median(values, weights, live)
    whole, present = weights.sum(axis=1), np.where(live, weights, 0.0).sum(axis=1)
    quorum = (live.sum(axis=1) >= rule.quorum_sources) & (present >= (rule.quorum_weight - _ROUNDING) * whole)
    median, confidence = (np.where(quorum, part, np.nan) for part in (median, confidence))
    if rule.average is not None:
        median, confidence = (_averaged(part, rule.average // rule.bar) for part in (median, confidence))
    closes = bars.closes.view("datetime64[ns]")
    return Index(rule, closes, median, confidence, (traded & live).any(axis=1))


def _rates(bars: _Bars, rule: IndexRule, first_source: int) -> dict[str, FloatArray]:
    rates = {}
    for currency, conversion in rule.rules_by_currency.items():
        rates[currency] = _index(bars, conversion, first_source).value
        first_source += len(conversion.venues)
    return rates


def _source(bars: _Bars, rule: IndexRule, source: int) -> tuple[FloatArray, FloatArray, BoolArray, BoolArray]:
    """Return value, volume, whether it traded in the bar, and whether it is live, at every close."""
    begin, end = np.searchsorted(bars.ticks.source, [source, source + 1])
    price, volume = bars.ticks.price[begin:end], bars.ticks.volume[begin:end]
    time, place = bars.ticks.time[begin:end], bars.place[begin:end]
    n_closes = len(bars.closes)
    real = price > 0.0 if not rule.allow_nonpositive else np.ones(len(price), dtype=bool)
    halted = np.zeros(n_closes, dtype=bool)
    halted[place[~real]] = True
    values, volumes, times = np.full(n_closes, np.nan), np.zeros(n_closes), np.zeros(n_closes, dtype=np.int64)
    if real.any():
        price, volume, time, place = price[real], volume[real], time[real], place[real]
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        at = place[starts]
        values[at], volumes[at] = _means(price, volume, starts)
        times[at] = time[np.append(starts[1:], len(place)) - 1]
    traded = ~np.isnan(values)
    last = _last(traded)
    held = np.maximum(last, 0)
    ages = bars.closes - times[held]
    valid = (last >= 0) & (last > _last(halted))
    live = _live(valid, ages, rule, seen=last >= 0)
    return values[held], np.where(last >= 0, volumes[held], 0.0), traded, live


def _means(prices: FloatArray, volumes: FloatArray, starts: LongArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and volume of each run of ticks: volume-weighted, plain if there is no volume.

    The mean is taken from the lowest price up, so that equal prices have exactly this mean.
    """
    sizes = np.diff(np.append(starts, len(prices)))
    lowest, largest = np.minimum.reduceat(prices, starts), np.maximum.reduceat(volumes, starts)
    scaled = np.where(
        np.repeat(largest, sizes) > 0.0, volumes / np.repeat(np.where(largest > 0.0, largest, 1.0), sizes), 1.0
    )
    totals = np.add.reduceat(scaled, starts)
    with np.errstate(over="ignore"):  # a sum of prices that is out of range is no finite price, and does not count
        excess = np.add.reduceat((prices - np.repeat(lowest, sizes)) * (scaled / np.repeat(totals, sizes)), starts)
        return lowest + excess, largest * np.where(largest > 0.0, totals, 0.0)


def _last(holds: BoolArray) -> LongArray:
    """Return the place of the last true so far, or -1."""
    return np.maximum.accumulate(np.where(holds, np.arange(len(holds)), -1))


def _live(valid: BoolArray, ages: LongArray, rule: IndexRule, *, seen: BoolArray) -> BoolArray:
    """Return whether a source counts: it leaves when it is stale or halts, and comes back only when it is fresh."""
    stale_after = _nanoseconds(rule.stale_after)
    leaves = ~valid | (ages > stale_after)
    enters = valid & (ages <= rule.readmit_at * stale_after)
    enters[np.argmax(seen)] |= True  # a source that has never been excluded needs no readmission
    changes = _last(leaves | enters)
    return np.asarray(~leaves[np.maximum(changes, 0)] & (changes >= 0) & seen)


def _weights(rule: IndexRule, volumes: FloatArray) -> FloatArray:
    """Return the weights of all sources at every close, none above the largest share of their sum."""
    given = [source.weight for source in rule.sources if source.weight is not None]
    weights = np.broadcast_to(np.array(given), volumes.shape) if given else volumes
    largest = np.max(weights, axis=1, keepdims=True)
    weights = weights / np.where(largest > 0.0, largest, 1.0)  # so that no sum is out of range
    return np.asarray(np.minimum(weights, rule.max_weight * weights.sum(axis=1, keepdims=True)), dtype=np.float64)


def _averaged(values: FloatArray, n_bars: int) -> FloatArray:
    """Return the mean of the last closes; NaN if one of them has no value, or there are not yet enough."""
    averaged = np.full(len(values), np.nan)
    if len(values) >= n_bars:
        windows = np.lib.stride_tricks.sliding_window_view(values, n_bars)
        lowest = windows.min(axis=1)
        averaged[n_bars - 1 :] = lowest + (windows - lowest[:, None]).sum(axis=1) / n_bars
    return averaged


def _nanoseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1) * 1000
