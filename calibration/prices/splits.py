"""Redenominations: those that are stated are applied, and steps that look like one are named.

A price alone cannot tell a new unit from a crash: 1 OM became 4 MANTRA, and FTT lost three quarters in an hour. So a
fall is never taken for a new unit. A step close to a simple ratio is named, and whoever knows better states it.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.prices.findings import Finding, FindingKind
from calibration.prices.instants import read_instant
from pricing.errors import DataError

#: Splits as a user states them: ratios by time, or a frame with the columns time and ratio.
Splits = Mapping[Any, Any] | pd.Series | pd.DataFrame

#: Splits of the columns of a panel.
PanelSplits = Mapping[str, Splits]

#: A step close to one of these ratios is named, and every step beyond the last.
SIMPLE_RATIOS = (2.0, 3.0, 4.0, 5.0, 8.0, 10.0)
#: A step is close to a ratio up to the usual move of this many bars, at least and at most by these shares.
_USUAL_MOVES, _LEAST_NEAR, _MOST_NEAR = 6.0, 0.03, 0.12
#: A stated split has to bring the price before and after it closer together, up to a market's move.
_MARKET_MOVE = math.log(1.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A redenomination.

    Parameters
    ----------
    time : Timestamp
        UTC time of the first close in the new unit.
    ratio : float
        New units per old one: 4 if 1 old token became 4 new ones, 0.001 if 1,000 became 1.
    """

    time: pd.Timestamp
    ratio: float


def read_splits(splits: Splits | None) -> tuple[Split, ...]:
    """Read splits in the order of time.

    Parameters
    ----------
    splits : mapping, Series or DataFrame, optional
        Ratios by time, or a frame with the columns ``time`` and ``ratio``. A ratio is the number of new units per old
        one, or a text such as "1:4" (1 old unit became 4 new ones).

    Raises
    ------
    DataError
        If a time or a ratio makes no sense.

    Examples
    --------
    >>> read_splits({"2025-03-25T08:00Z": "1:4"})
    (Split(time=Timestamp('2025-03-25 08:00:00+0000', tz='UTC'), ratio=4.0),)
    """
    pairs = sorted((read_instant(time, "time of a split"), read_ratio(ratio)) for time, ratio in _pairs(splits))
    for (one, _), (other, _) in pairwise(pairs):
        if one == other:
            raise DataError(f"splits must hold one ratio per time, got two for {one.isoformat()}")
    return tuple(Split(time=time, ratio=ratio) for time, ratio in pairs)


def _pairs(splits: Splits | None) -> Iterable[tuple[Any, Any]]:
    if splits is None:
        return ()
    if isinstance(splits, pd.DataFrame):
        if not {"time", "ratio"} <= set(splits.columns):
            raise DataError(f"splits must have the columns time and ratio, got {list(splits.columns)[:6]}")
        return zip(splits["time"], splits["ratio"], strict=True)
    if isinstance(splits, Mapping | pd.Series):
        return splits.items()
    raise DataError(f"splits must be ratios by time, such as {{'2025-03-25T08:00Z': 4}}, got {type(splits).__name__}")


def read_ratio(ratio: object) -> float:
    """Read the number of new units per old one, or old and new units as "1:4".

    Raises
    ------
    DataError
        If it is not a positive number.
    """
    try:
        parts = [float(part) for part in str(ratio).split(":")]
        value = parts[1] / parts[0] if len(parts) == 2 else float(*parts)
    except (ValueError, TypeError, ZeroDivisionError):
        value = math.nan
    if not 0.0 < value < math.inf:
        raise DataError(
            f"ratio of a split must be the number of new units per old one, or a text such as 1:4, got {ratio!r}"
        )
    return value


def apply_splits(
    closes: pd.Series, rows: npt.NDArray[np.int64], splits: tuple[Split, ...]
) -> tuple[pd.Series, list[Finding]]:
    """Convert the closes before each split into the unit after it.

    Parameters
    ----------
    closes : Series of float
        Closes in order, on a UTC DatetimeIndex.
    rows : ndarray of int
        Position of each close in the prices as they were given.
    splits : tuple of Split
        Stated splits.

    Raises
    ------
    DataError
        If the price does not change in the direction of the split.
    """
    values, findings = closes.to_numpy(dtype=np.float64, copy=True), []
    for split in splits:
        first = int(closes.index.searchsorted(split.time))
        if 0 < first < len(values):
            _require_step(closes, rows, first, split)
            values[:first] /= split.ratio
            message = f"1 old unit is {split.ratio:g} new ones from {split.time.isoformat()} on, as stated: {first}"
            findings.append(_finding(FindingKind.SPLIT, closes, rows, first, f"{message} closes before it converted"))
        else:
            message = f"the split of {split.ratio:g} at {split.time.isoformat()} is not between two closes: not applied"
            findings.append(_finding(FindingKind.SPLIT, closes, rows, min(first, len(values) - 1), message))
    return pd.Series(values, index=closes.index, name=closes.name), findings


def split_columns(panel: pd.DataFrame, splits: PanelSplits | None) -> pd.DataFrame:
    """Convert the columns of a panel into their latest unit.

    Raises
    ------
    DataError
        If splits are stated for a column that is not there, or contradict its closes.
    """
    converted = {}
    for name, stated in (splits or {}).items():
        if name not in panel.columns:
            raise DataError(f"splits must be those of columns of the panel, got {name!r}")
        known = panel[name].dropna()
        rows = panel.index.get_indexer(known.index)
        converted[name] = apply_splits(known, rows, read_splits(stated))[0].reindex(panel.index)
    return panel.assign(**converted) if converted else panel


def _require_step(closes: pd.Series, rows: npt.NDArray[np.int64], first: int, split: Split) -> None:
    step = math.log(closes.iloc[first] / closes.iloc[first - 1])
    if abs(step + math.log(split.ratio)) > abs(step) + _MARKET_MOVE:
        raise DataError(
            f"split of {split.ratio:g} at {split.time.isoformat()} must change the price by a factor of about "
            f"{1.0 / split.ratio:g}, got {math.exp(step):.4g} at row {rows[first]} "
            f"({closes.index[first].isoformat()}) (prices that are adjusted already, another time, or the ratio turned "
            "round: 4 means that 1 old unit became 4 new ones)"
        )


def suspect_splits(closes: pd.Series, rows: npt.NDArray[np.int64]) -> list[Finding]:
    """Name the steps that are close to a simple ratio, or beyond tenfold; they stay in the history.

    Parameters
    ----------
    closes, rows
        As for ``apply_splits``.
    """
    steps = np.diff(np.log(closes.to_numpy()))
    moves = np.abs(steps)
    near = np.clip(_USUAL_MOVES * np.median(moves), _LEAST_NEAR, _MOST_NEAR) if len(moves) else 0.0
    distances = np.min([np.abs(moves - math.log(ratio)) for ratio in SIMPLE_RATIOS], axis=0)
    suspects = np.flatnonzero((distances <= near) | (moves >= math.log(SIMPLE_RATIOS[-1])))
    if not len(suspects):
        return []
    at = int(suspects[np.argmax(moves[suspects])])
    factor = math.exp(moves[at])
    others = f" (the largest of {len(suspects)} such steps)" if len(suspects) > 1 else ""
    message = (
        f"{closes.iloc[at]:g} {'rises' if steps[at] > 0.0 else 'falls'} to {closes.iloc[at + 1]:g}, by a factor of "
        f"{factor:.4g}{others}; it counts as a move of the market (a new unit: --splits, or splits=)"
    )
    return [_finding(FindingKind.POSSIBLE_SPLIT, closes, rows, at + 1, message)]


def _finding(kind: FindingKind, closes: pd.Series, rows: npt.NDArray[np.int64], position: int, message: str) -> Finding:
    time: datetime = closes.index[position].to_pydatetime()
    return Finding(kind=kind, time=time, row=int(rows[position]), message=message)
