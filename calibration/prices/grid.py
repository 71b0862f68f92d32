"""The grid of bars: their length, and the grid time of each label that lies a little off.

Labels that a collector stamps are late or early by seconds, and the last instant of a bar is written as .999 or as
.999999. A label within ``SHARE`` of a bar of the grid stands for the grid time; one further away is a mistake that only
the owner of the prices can mend. The phase of the grid may be anything: bars that all close at five past are a grid.
"""

import warnings
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd

from pricing.errors import DataError, DataWarning
from pricing.tools.arrays import BoolArray, LongArray
from pricing.tools.units import format_duration

_SECOND = pd.Timedelta("1s").value
#: A label stands for a grid time that is at most this share of a bar away.
SHARE = 0.05
#: Spacings of labels that lie that far off differ by this factor.
_SPREAD = (1.0 + 2.0 * SHARE) / (1.0 - 2.0 * SHARE)
#: Two labels per bar are closer to each other than bars by this factor; there are that many pairs, and as many bars up
#: to this share.
_TWINS, _FEWEST_TWINS, _AS_MANY = 5, 10, 0.8
#: A collector that waits for a bar and some milliseconds makes spacings that are longer by up to this share.
_DRIFT = 1e-3
#: Lengths and phases are whole numbers of the first of these units that fits, in nanoseconds.
_UNITS = tuple(
    pd.Timedelta(unit).value
    for unit in ("1D", "1h", "30min", "15min", "10min", "5min", "1min", "30s", "15s", "10s", "5s", "1s", "100ms", "1ms")
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridTimes:
    """Grid times of labels.

    Parameters
    ----------
    times : DatetimeIndex
        The nearest grid time of each label; the labels themselves if all of them are on the grid.
    offsets : ndarray of int
        Nanoseconds from the grid time to the label.
    """

    times: pd.DatetimeIndex
    offsets: LongArray = field(repr=False)

    @property
    def moved(self) -> BoolArray:
        """Flags of the labels that are off the grid."""
        return np.asarray(self.offsets != 0)

    def describe(self) -> str:
        """Return how many labels are off the grid, and how far."""
        farthest = int(np.abs(self.offsets).max())
        return f"{self.moved.sum()} labels, by up to {_seconds(farthest)}"


def usual_spacing(labels: pd.DatetimeIndex) -> timedelta:
    """Return the length of a bar: the most common spacing of labels that may lie a little off their grid.

    Parameters
    ----------
    labels : DatetimeIndex
        At least two different times, in any order.

    Examples
    --------
    >>> usual_spacing(pd.DatetimeIndex(["2024-01-01T00:00:03Z", "2024-01-01T01:00:01Z", "2024-01-01T02:00:02Z"]))
    datetime.timedelta(seconds=3600)
    """
    spacings = _of_bars(np.sort(np.diff(np.unique(_nanoseconds(labels))).astype(np.int64)))
    low, middle, high = np.quantile(spacings, (0.25, 0.5, 0.75))
    exact = low == high and middle % _SECOND == 0.0
    length = None if exact else _roundest(low * (1.0 - _DRIFT), high * (1.0 + _DRIFT))
    return pd.Timedelta(round(middle) if length is None else length).to_pytimedelta()


def _of_bars(ordered: LongArray) -> LongArray:
    """Return the spacings from one bar to the next; two labels per bar make as many short ones, which are none."""
    common = _most_common(ordered)
    longer = ordered[ordered > _TWINS * common[-1]]
    if len(common) < _FEWEST_TWINS or not len(longer):
        return common
    bars = _most_common(longer)
    return bars + round(np.median(common)) if len(bars) >= _AS_MANY * len(common) else common


def _most_common(ordered: LongArray) -> LongArray:
    first, stop = _densest(ordered, np.rint(ordered * _SPREAD).astype(np.int64))
    return ordered[first:stop]


def to_grid(
    labels: pd.DatetimeIndex, rows: LongArray, step: timedelta, *, through: pd.Timestamp | None = None
) -> GridTimes:
    """Return the nearest grid time of every label.

    Parameters
    ----------
    labels : DatetimeIndex
        Times in UTC.
    rows : ndarray of int
        Number of each label in the prices as they were given, for messages.
    step : timedelta
        Length of a bar.
    through : Timestamp, optional
        A time on the grid; by default the grid is the one that fits most labels.

    Raises
    ------
    DataError
        If a label is further than ``SHARE`` of a bar from the grid; the message names the first.
    """
    times, length = _nanoseconds(labels), pd.Timedelta(step).value
    phase = _phase(times % length, length) if through is None else through.as_unit("ns").value % length
    near = (times - phase + length // 2) // length * length + phase
    offsets = np.asarray(times - near)
    far = np.abs(offsets) > SHARE * length
    if far.any():
        raise DataError(_between_bars(labels, rows, near, int(np.argmax(far)), int(far.sum()), step))
    if not offsets.any():
        return GridTimes(times=labels, offsets=offsets)
    return GridTimes(times=pd.DatetimeIndex(near, tz="UTC", name=labels.name), offsets=offsets)


def panel_times(labels: pd.DatetimeIndex, step: timedelta) -> pd.DatetimeIndex:
    """Return the grid times of the rows of a panel, with a warning if any label was off the grid.

    Parameters
    ----------
    labels : DatetimeIndex
        Increasing times in UTC.
    step : timedelta
        Length of a bar.

    Raises
    ------
    DataError
        If a label lies between two bars, or two rows lie in one bar; the message names the row.
    """
    found = to_grid(labels, np.arange(len(labels)), step)
    if found.moved.any():
        warnings.warn(f"off the grid of {format_duration(step)}, and taken to it: {found.describe()}", DataWarning, 3)
    repeated = found.times.duplicated()
    if repeated.any():
        row = int(np.argmax(repeated))
        raise DataError(
            f"rows {row - 1} and {row} must not lie in one bar of {format_duration(step)}, got "
            f"{labels[row - 1].isoformat()} and {labels[row].isoformat()} (one row per bar)"
        )
    return found.times


def _between_bars(
    labels: pd.DatetimeIndex, rows: LongArray, near: LongArray, at: int, n_far: int, step: timedelta
) -> str:
    offset = int(labels[at].as_unit("ns").value - near[at])
    grid_time = pd.Timestamp(near[at], tz="UTC").isoformat()
    more = f", and {n_far - 1} other labels are as far off" if n_far > 1 else ""
    return (
        f"label at row {rows[at]} ({labels[at].isoformat()}) must be within {SHARE:.0%} of a bar of "
        f"{format_duration(step)} from its grid, got {_seconds(abs(offset))} {'after' if offset > 0 else 'before'} "
        f"{grid_time}{more} (a price between two bars: leave it out; bars of two lengths or two clocks: bring them to "
        "one grid, such as prices.resample('1h', closed='right', label='right').last())"
    )


def _phase(remainders: LongArray, length: int) -> int:
    """Return the offset of the grid that fits most labels: their own if most agree, else the roundest in reach."""
    values, counts = np.unique(remainders, return_counts=True)
    if 2 * counts.max() > len(remainders):
        return int(values[np.argmax(counts)])
    reach = round(SHARE * length)
    ordered = np.sort(remainders)
    around = np.concatenate([ordered, ordered + length])
    first, stop = _densest(around, around + 2 * reach)
    low, middle, high = np.quantile(around[first:stop], (0.05, 0.5, 0.95))
    turn = length if high >= length else 0
    phase = _roundest(high - reach - turn, low + reach - turn)
    return (round(middle) if phase is None else phase) % length


def _densest(ordered: LongArray, reach: LongArray) -> tuple[int, int]:
    """Return the slice of ordered values that holds most of them between one and its reach."""
    stops = np.searchsorted(ordered, reach, side="right")
    first = int(np.argmax(stops - np.arange(len(ordered))))
    return first, int(stops[first])


def _roundest(low: float, high: float) -> int | None:
    """Return the whole multiple of the largest unit that lies between two bounds; None if none does."""
    for unit in _UNITS:
        multiple = int(-(-low // unit)) * unit
        if multiple <= high:
            return multiple
    return None


def _nanoseconds(labels: pd.DatetimeIndex) -> LongArray:
    return np.asarray(labels.as_unit("ns").asi8)


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e9:g} s"
