"""Checks of closes: validation on input, reported repairs, and one-step log returns.

Labels are those of the bar CLOSE. A file labelled by the bar's open must be shifted by one step first: otherwise every
use of the label as "known at this time" looks one bar ahead.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.prices.breaks import find_breaks
from calibration.prices.findings import Finding, FindingKind
from calibration.prices.numeric import find_non_numbers
from calibration.prices.standstills import find_standstills
from pricing.errors import DataError, InsufficientDataError
from pricing.tools.units import Duration, format_duration, parse_duration

#: No token price is older than the first block of Bitcoin; earlier labels are epoch numbers read in the wrong unit.
FIRST_BLOCK = pd.Timestamp("2009-01-03", tz="UTC")
#: A tick above one per cent of the price makes the smallest possible move look like a large one.
COARSEST_TICK = 0.01
#: The smallest of this many moves is the tick, or too small to matter; the smallest of a few moves need not be the
#: tick.
TICK_SAMPLE = 100
#: Differences below this share of the price are rounding in the last digits, not ticks.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCloses:
    """A checked price history.

    Parameters
    ----------
    closes : Series of float
        Positive closes in order, on a UTC DatetimeIndex without repetition.
    step : timedelta
        Length of a bar.
    log_returns : Series of float
        Log returns over exactly one step, labelled by their later close; none spans a gap.
    as_of : datetime
        UTC time up to which closes were used: as requested, or the last close.
    findings : tuple of Finding
        Irregularities and repairs.
    """

    closes: pd.Series = field(repr=False)
    step: timedelta
    log_returns: pd.Series = field(repr=False)
    as_of: datetime
    findings: tuple[Finding, ...]


def check_closes(
    prices: pd.Series | pd.DataFrame, *, step: Duration | None = None, as_of: datetime | str | None = None
) -> CheckedCloses:
    """Check closes and turn them into one-step log returns.

    Parameters
    ----------
    prices : Series or one-column DataFrame of float
        Closes on a DatetimeIndex with a time zone, labelled by the CLOSE of the bar; NaN is a missing bar.
    step : timedelta or str, optional
        Length of a bar; by default the most common spacing.
    as_of : datetime or str, optional
        Use only closes labelled at or before this time, which needs a time zone. Nothing later is read.

    Raises
    ------
    DataError
        If labels are not times with a zone, a price is not a positive finite number, two prices contradict each other,
        or no close is left. The message names the row.
    InsufficientDataError
        If there are fewer than two closes.

    Examples
    --------
    >>> hours = pd.date_range("2024-01-01", periods=4, freq="1h", tz="UTC").delete(2)
    >>> checked = check_closes(pd.Series([1.0, 1.1, 1.2], index=hours))
    >>> len(checked.log_returns), [finding.kind.name for finding in checked.findings]
    (1, ['GAP'])
    """
    series = one_series(prices)
    frame = pd.DataFrame({"close": series.to_numpy(), "row": np.arange(len(series))}, index=utc_labels(series.index))
    instant = None if as_of is None else read_instant(as_of)
    if instant is not None:
        frame = frame[frame.index <= instant]
    if frame.empty:
        raise DataError(f"prices must hold at least one close{'' if as_of is None else f' by {as_of}'}, got none")
    frame = frame.assign(close=_positive(frame))
    frame, repairs = _repair(frame)
    length = _step(frame.index, step)
    breaks = find_breaks(frame["close"], frame["row"].to_numpy(), _spacings(frame.index), length)
    if breaks:
        frame = frame[frame.index >= breaks[-1].time]
    facts = (*_gaps(frame, length), *_stale(frame), *_coarse(frame), *_outdated(frame, length, instant))
    return CheckedCloses(
        closes=frame["close"],
        step=length,
        log_returns=_log_returns(frame["close"], length),
        as_of=(frame.index[-1] if instant is None else instant).to_pydatetime(),
        findings=(*repairs, *breaks, *facts),
    )


def one_series(prices: pd.Series | pd.DataFrame) -> pd.Series:
    """Return prices as one series."""
    if isinstance(prices, pd.Series):
        return prices
    if not isinstance(prices, pd.DataFrame):
        raise DataError(f"prices must be a Series or a one-column DataFrame, got {type(prices).__name__}")
    if prices.shape[1] != 1:
        raise DataError(
            f"prices must have one column, got {list(prices.columns)[:6]} "
            "(choose the closes and set the times as the index)"
        )
    return prices.iloc[:, 0]


def utc_labels(index: pd.Index) -> pd.DatetimeIndex:
    """Check that labels are times with a zone, and return them in UTC."""
    if not isinstance(index, pd.DatetimeIndex):
        unit = "unit='ms', " if index.dtype.kind in "iuf" else ""
        raise DataError(
            f"prices must be labelled by time, got {index.dtype} labels such as {index[:1].tolist()} "
            f"(convert: prices.index = pd.to_datetime(prices.index, {unit}utc=True))"
        )
    if index.tz is None:
        raise DataError(
            "prices must be labelled in UTC, got labels without a time zone "
            "(if they are in UTC: prices.tz_localize('UTC'))"
        )
    if index.hasnans:
        raise DataError(f"label at row {int(np.argmax(index.isna()))} must be a time, got NaT")
    early = index < FIRST_BLOCK
    if early.any():
        row = int(np.argmax(early))
        raise DataError(
            f"label at row {row} must not be before {FIRST_BLOCK.date()}, got {index[row]} "
            "(epoch seconds or milliseconds read as nanoseconds: pd.to_datetime(index, unit='ms', utc=True))"
        )
    return index.tz_convert("UTC")


def read_instant(as_of: datetime | str) -> pd.Timestamp:
    """Parse a time, which must have a time zone, and return it in UTC."""
    try:
        instant = pd.Timestamp(as_of)
    except (ValueError, TypeError) as error:
        raise DataError(f"as_of must be a time such as '2024-01-31T00:00Z', got {as_of!r}") from error
    if pd.isna(instant) or instant.tz is None:
        raise DataError(f"as_of must have a time zone, got {as_of!r} (in UTC: '2024-01-31T00:00Z')")
    return instant.tz_convert("UTC")


def _positive(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Read the closes as floats: positive, finite or NaN."""
    closes = frame["close"]
    _refuse(frame, find_non_numbers(closes), "a number", "(a text or a flag: read the column as numbers)")
    values = closes.to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse(frame, np.isinf(values), "finite", "(a division by zero upstream)")
    _refuse(frame, values == 0.0, "positive", "(a missing price is NaN, not 0)")
    _refuse(frame, values < 0.0, "positive", "(these are prices, not returns)")
    return values


def _refuse(frame: pd.DataFrame, bad: npt.NDArray[np.bool_], demand: str, slip: str) -> None:
    if bad.any():
        first = int(np.argmax(bad))
        row, value = frame["row"].iloc[first], frame["close"].iloc[first]
        raise DataError(f"close at row {row} ({_iso(frame, first)}) must be {demand}, got {value!r} {slip}")


def _repair(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Drop missing closes and exact repetitions and sort, reporting each."""
    findings = []
    missing = frame["close"].isna().to_numpy()
    if missing.any():
        first = int(np.argmax(missing))
        findings.append(_finding(FindingKind.MISSING, frame, first, f"{missing.sum()} closes are NaN"))
        frame = frame[~missing]
    if frame.empty:
        raise DataError("prices must hold at least one close, got only NaN")
    if not frame.index.is_monotonic_increasing:
        late = int(np.argmax(_spacings(frame.index) < np.timedelta64(0, "s"))) + 1
        message = f"row {frame['row'].iloc[late]} is the first that is earlier than its predecessor"
        findings.append(_finding(FindingKind.UNSORTED, frame, late, message))
        frame = frame.sort_index(kind="stable")
    repeated = frame.index.duplicated()
    if repeated.any():
        _refuse_contradictions(frame, repeated)
        first = int(np.argmax(repeated))
        findings.append(_finding(FindingKind.DUPLICATE, frame, first, f"{repeated.sum()} rows repeat another"))
        frame = frame[~repeated]
    return frame, tuple(findings)


def _refuse_contradictions(frame: pd.DataFrame, repeated: npt.NDArray[np.bool_]) -> None:
    closes = frame["close"].to_numpy()
    contradiction = repeated & np.append(False, closes[1:] != closes[:-1])
    if contradiction.any():
        at = int(np.argmax(contradiction))
        rows = frame["row"].to_numpy()
        raise DataError(
            f"close at row {rows[at]} ({_iso(frame, at)}) must agree with row {rows[at - 1]} of the same time, "
            f"got {closes[at]} and {closes[at - 1]} (two venues or two tokens in one column, or a clock set back)"
        )


def _spacings(index: pd.Index) -> npt.NDArray[np.timedelta64]:
    return np.diff(pd.DatetimeIndex(index).tz_convert(None).to_numpy())


def _step(index: pd.Index, step: Duration | None) -> timedelta:
    if len(index) < 2:
        raise InsufficientDataError(f"prices must hold at least two closes to make a return, got {len(index)}")
    spacings = _spacings(index)
    lengths, counts = np.unique(spacings, return_counts=True)
    common = pd.Timedelta(lengths[np.argmax(counts)]).to_pytimedelta()
    if step is None:
        return common
    length = parse_duration(step, "step")
    if not (spacings == np.timedelta64(length)).any():
        raise DataError(
            f"step must be a spacing of the closes, got {format_duration(length)} while they are mostly "
            f"{common} apart (resample first: prices.resample('1h', closed='right', label='right').last())"
        )
    return length


def _log_returns(closes: pd.Series, step: timedelta) -> pd.Series:
    one_step = _spacings(closes.index) == np.timedelta64(step)
    values = closes.to_numpy()
    returns = np.log(values[1:] / values[:-1])
    return pd.Series(returns[one_step], index=closes.index[1:][one_step], name="log_return")


def _gaps(frame: pd.DataFrame, step: timedelta) -> list[Finding]:
    spacings = _spacings(frame.index)
    length = np.timedelta64(step)
    findings = []
    wide = spacings > length
    if wide.any():
        longest = int(np.argmax(spacings))
        closes = frame["close"].to_numpy()
        fall = max(0.0, float(np.max(1.0 - closes[1:][wide] / closes[:-1][wide])))
        message = (
            f"{wide.sum()} gaps, {int((spacings[wide] // length - 1).sum())} bars missing, the longest spacing is "
            f"{pd.Timedelta(spacings[longest])}; the deepest fall across a gap, which is not counted, is {fall:.1%}"
        )
        findings.append(_finding(FindingKind.GAP, frame, longest + 1, message))
    off_grid = spacings % length != np.timedelta64(0, "s")
    if off_grid.any():
        first = int(np.argmax(off_grid)) + 1
        findings.append(_finding(FindingKind.OFF_GRID, frame, first, f"{off_grid.sum()} spacings are not whole steps"))
    return findings


def _stale(frame: pd.DataFrame) -> list[Finding]:
    starts, ends = find_standstills(frame["close"])
    if not len(starts):
        return []
    lengths = frame.index[ends] - frame.index[starts]
    longest = int(np.argmax(lengths))
    message = (
        f"{len(starts)} runs of an unchanged close, together {(ends - starts).sum()} bars, the longest "
        f"{lengths[longest]} at {frame['close'].iloc[starts[longest]]:g}"
    )
    return [_finding(FindingKind.STALE, frame, int(starts[longest]), message)]


def _coarse(frame: pd.DataFrame) -> list[Finding]:
    closes = frame["close"].to_numpy()
    moves = np.abs(np.diff(closes))
    moves = moves[moves > ROUNDING * closes[1:]]
    if moves.size < TICK_SAMPLE:
        return []
    tick = moves.min()
    coarse = tick > COARSEST_TICK * closes
    if not coarse.any():
        return []
    message = (
        f"{coarse.sum()} closes are below {tick / COARSEST_TICK:g}, so that the smallest move of {tick:g} exceeds 1 %"
    )
    return [_finding(FindingKind.COARSE_TICK, frame, int(np.argmax(coarse)), message)]


def _outdated(frame: pd.DataFrame, step: timedelta, instant: pd.Timestamp | None) -> list[Finding]:
    if instant is None or instant - frame.index[-1] < 2 * step:
        return []
    return [
        _finding(
            FindingKind.OUTDATED, frame, len(frame) - 1, f"{instant - frame.index[-1]} before {instant.isoformat()}"
        )
    ]


def _finding(kind: FindingKind, frame: pd.DataFrame, position: int, message: str) -> Finding:
    time: datetime = frame.index[position].to_pydatetime()
    return Finding(kind=kind, time=time, row=int(frame["row"].iloc[position]), message=message)


def _iso(frame: pd.DataFrame, position: int) -> str:
    return str(frame.index[position].isoformat())
