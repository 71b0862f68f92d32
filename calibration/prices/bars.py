"""Checks of closes: validation on input, reported repairs, and one-step log returns.

Labels are those of the bar CLOSE. Bars that are labelled by their open are moved by one step first: otherwise every use
of the label as "known at this time" looks one bar ahead.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.prices.breaks import find_breaks
from calibration.prices.findings import Finding, FindingKind
from calibration.prices.frames import read_closes
from calibration.prices.gaps import describe_gaps
from calibration.prices.grid import SHARE, to_grid, usual_spacing
from calibration.prices.instants import read_instant
from calibration.prices.labels import Label
from calibration.prices.numeric import find_non_numbers
from calibration.prices.splits import Split, Splits, apply_splits, read_splits, suspect_splits
from calibration.prices.standstills import find_standstills
from pricing.errors import DataError, InsufficientDataError
from pricing.tools.units import Duration, format_duration, parse_duration

#: The last close may be this many bars before the time of a quote.
LATEST_BARS = 3
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
    prices: pd.Series | pd.DataFrame,
    *,
    step: Duration | None = None,
    as_of: datetime | date | str | None = None,
    label: Label | None = None,
    splits: Splits | None = None,
    stale_ok: bool = False,
    one_asset: bool = False,
    through: pd.Timestamp | None = None,
) -> CheckedCloses:
    """Check closes and turn them into one-step log returns.

    Parameters
    ----------
    prices : Series or DataFrame of float
        Closes on a DatetimeIndex with a time zone, labelled by the CLOSE of the bar; NaN is a missing bar. Or a frame
        of bars with a column ``close``, such as those of ccxt and ``yf.download``.
    step : timedelta or str, optional
        Length of a bar; by default the most common spacing.
    as_of : datetime, date or str, optional
        Use only closes labelled at or before this time, which needs a time zone; a date is midnight UTC at its
        beginning. Nothing later is read.
    label : {"open", "close"}, optional
        End of the bar that times label; by default the close, and for bars with an open it is judged by the opens.
    splits : mapping, Series or DataFrame, optional
        Redenominations: by the time of the first close in the new unit, the number of new units per old one (4, or
        "1:4").
    stale_ok : bool
        Whether the last close may be more than three bars before `as_of`.
    one_asset : bool
        Whether all closes are known to be of one asset in one unit, so that nothing is cut off.
    through : Timestamp, optional
        A time on the grid of the bars; by default the grid is the one that fits most labels.

    Raises
    ------
    DataError
        If labels are not times with a zone, a price is not a positive finite number, two prices contradict each other,
        a label lies between two bars, a split contradicts the prices, or no close is left or near `as_of`. The message
        names the row.
    InsufficientDataError
        If there are fewer than two closes.

    Examples
    --------
    >>> hours = pd.date_range("2024-01-01", periods=4, freq="1h", tz="UTC").delete(2)
    >>> checked = check_closes(pd.Series([1.0, 1.1, 1.2], index=hours))
    >>> len(checked.log_returns), [finding.kind.name for finding in checked.findings]
    (1, ['GAP'])
    """
    instant = None if as_of is None else read_instant(as_of)
    stated = None if step is None else parse_duration(step, "step")
    frame, remark = read_closes(prices, label=label, step=stated, as_of=instant)
    if frame.empty:
        raise DataError(f"prices must hold at least one close{'' if as_of is None else f' by {as_of}'}, got none")
    frame, repairs = _in_order(frame.assign(close=_positive(frame)))
    length = _step(pd.DatetimeIndex(frame.index), stated)
    frame, moves = _one_per_bar(frame, length, through)
    frame, units = _in_one_unit(frame, length, read_splits(splits), one_asset=one_asset)
    facts = (*_gaps(frame, length), *_stale(frame), *_coarse(frame), *_outdated(frame, length, instant, stale_ok))
    labels = [_finding(FindingKind.LABELS, frame, 0, remark)] if remark else ()
    return CheckedCloses(
        closes=frame["close"],
        step=length,
        log_returns=_log_returns(frame["close"], length),
        as_of=(frame.index[-1] if instant is None else instant).to_pydatetime(),
        findings=(*labels, *repairs, *moves, *units, *facts),
    )


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


def _in_order(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Drop missing closes and sort, reporting both."""
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
    return frame, findings


def _one_per_bar(
    frame: pd.DataFrame, step: timedelta, through: pd.Timestamp | None
) -> tuple[pd.DataFrame, list[Finding]]:
    """Take labels to the grid and drop exact repetitions, reporting both."""
    findings = []
    found = to_grid(pd.DatetimeIndex(frame.index), frame["row"].to_numpy(), step, through=through)
    if found.moved.any():
        worst = int(np.argmax(np.abs(found.offsets)))
        findings.append(_finding(FindingKind.OFF_GRID, frame, worst, found.describe()))
        frame = frame.set_axis(found.times)
    repeated = frame.index.duplicated()
    if repeated.any():
        _refuse_contradictions(frame, repeated)
        first = int(np.argmax(repeated))
        findings.append(_finding(FindingKind.DUPLICATE, frame, first, f"{repeated.sum()} rows repeat another"))
        frame = frame[~repeated]
    return frame, findings


def _refuse_contradictions(frame: pd.DataFrame, repeated: npt.NDArray[np.bool_]) -> None:
    closes = frame["close"].to_numpy()
    contradiction = repeated & np.append(False, closes[1:] != closes[:-1])
    if contradiction.any():
        at = int(np.argmax(contradiction))
        rows = frame["row"].to_numpy()
        raise DataError(
            f"close at row {rows[at]} ({_iso(frame, at)}) must agree with row {rows[at - 1]} of the same bar, "
            f"got {closes[at]} and {closes[at - 1]} (two venues or two tokens in one column, or a clock set back)"
        )


def _spacings(index: pd.Index) -> npt.NDArray[np.timedelta64]:
    return np.diff(pd.DatetimeIndex(index).tz_convert(None).to_numpy())


def _step(index: pd.DatetimeIndex, stated: timedelta | None) -> timedelta:
    if index[0] == index[-1]:
        raise InsufficientDataError(f"prices must hold at least two closes to make a return, got {len(index)}")
    common = usual_spacing(index)
    if stated is None:
        return common
    off = np.abs(_spacings(index) - np.timedelta64(stated))
    if (off > 2.0 * SHARE * np.timedelta64(stated)).all():
        raise DataError(
            f"step must be a spacing of the closes, got {format_duration(stated)} while they are mostly "
            f"{common} apart (resample first: prices.resample('1h', closed='right', label='right').last())"
        )
    return stated


def _in_one_unit(
    frame: pd.DataFrame, step: timedelta, splits: tuple[Split, ...], *, one_asset: bool
) -> tuple[pd.DataFrame, list[Finding]]:
    """Apply the stated splits, cut the history at breaks, and name the steps that look like a split."""
    closes, applied = apply_splits(frame["close"], frame["row"].to_numpy(), splits)
    frame = frame.assign(close=closes)
    breaks = () if one_asset else find_breaks(closes, frame["row"].to_numpy(), _spacings(frame.index), step)
    if breaks:
        frame = frame[frame.index >= breaks[-1].time]
    return frame, [*applied, *breaks, *suspect_splits(frame["close"], frame["row"].to_numpy())]


def _log_returns(closes: pd.Series, step: timedelta) -> pd.Series:
    one_step = _spacings(closes.index) == np.timedelta64(step)
    values = closes.to_numpy()
    returns = np.log(values[1:] / values[:-1])
    return pd.Series(returns[one_step], index=closes.index[1:][one_step], name="log_return")


def _gaps(frame: pd.DataFrame, step: timedelta) -> list[Finding]:
    found = describe_gaps(frame["close"], step)
    return [] if found is None else [_finding(FindingKind.GAP, frame, *found)]


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


def _outdated(frame: pd.DataFrame, step: timedelta, instant: pd.Timestamp | None, stale_ok: bool) -> list[Finding]:
    last = frame.index[-1]
    if instant is None or instant - last < 2 * step:
        return []
    if instant - last > LATEST_BARS * step and not stale_ok:
        raise DataError(
            f"as_of must be at most {LATEST_BARS} bars after the last close at {last.isoformat()}, got "
            f"{instant.isoformat()}, {instant - last} later (a quote of today needs prices of today; --stale-ok or "
            "stale_ok=True uses older ones)"
        )
    return [_finding(FindingKind.OUTDATED, frame, len(frame) - 1, f"{instant - last} before {instant.isoformat()}")]


def _finding(kind: FindingKind, frame: pd.DataFrame, position: int, message: str) -> Finding:
    time: datetime = frame.index[position].to_pydatetime()
    return Finding(kind=kind, time=time, row=int(frame["row"].iloc[position]), message=message)


def _iso(frame: pd.DataFrame, position: int) -> str:
    return str(frame.index[position].isoformat())
