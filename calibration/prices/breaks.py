"""Breaks in a price history: a redenomination, or a ticker that is reused for another asset.

A price alone cannot prove either, so the rules require evidence that a crash does not produce: trading that stopped for
days, or a sudden rise. A fall from one bar to the next is never a break, however deep, so a genuine collapse is kept.
"""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.prices.findings import Finding, FindingKind

#: A rise beyond this factor in one step means a new unit: the largest genuine daily rise among 339 pairs of two
#: exchanges in 2020-2025 is below 6, and reverse splits of leveraged tokens start at 8,800.
LARGEST_RISE = 20.0
#: The rise is measured from the highest close of this period, so that a recovery from a bad print is no break.
RISE_LOOKBACK = timedelta(days=7)
#: Exchanges stop trading for days to change a unit (3 to 8 days in the known cases); outages last hours.
SHORTEST_MIGRATION = timedelta(days=1)
#: A new unit is a power of ten times the old one, up to the market's move in the meantime (at most 1.29 in the known
#: cases).
POWER_OF_TEN_TOLERANCE = 1.35
#: After this many days without a price, a change by more than the factor is not read as a return.
LONG_HOLE, LONG_HOLE_FACTOR = timedelta(days=3), 5.0
#: After a month without any price there is no evidence that the asset is still the same.
RELISTING_HOLE = timedelta(days=30)


def find_breaks(
    closes: pd.Series, rows: npt.NDArray[np.int64], spacings: npt.NDArray[np.timedelta64], step: timedelta
) -> tuple[Finding, ...]:
    """Find the bars at which a new history begins.

    Parameters
    ----------
    closes : Series of float
        Positive closes in order, on a UTC DatetimeIndex.
    rows : ndarray of int, shape (n,)
        Position of each close in the prices as they were given.
    spacings : ndarray of timedelta64, shape (n - 1,)
        Time from each close to the next.
    step : timedelta
        Length of a bar.

    Returns
    -------
    tuple of Finding
        In order of time, of kind REDENOMINATION or TICKER_REUSE; empty if the history has no break.
    """
    values = closes.to_numpy()
    holes = spacings - np.timedelta64(step)
    ratios = values[1:] / values[:-1]
    earlier_highs = closes.rolling(RISE_LOOKBACK).max().to_numpy()[:-1]
    soaring = values[1:] > LARGEST_RISE * earlier_highs
    candidates = np.flatnonzero(soaring | (holes >= np.timedelta64(SHORTEST_MIGRATION)))
    found = []
    for before in candidates:
        kind = _kind(float(ratios[before]), pd.Timedelta(holes[before]).to_pytimedelta(), bool(soaring[before]))
        if kind is not None:
            found.append(_finding(kind, closes, rows, int(before), step))
    return tuple(found)


def _kind(ratio: float, hole: timedelta, soaring: bool) -> FindingKind | None:
    if hole >= RELISTING_HOLE:
        return FindingKind.TICKER_REUSE
    if soaring and hole < SHORTEST_MIGRATION:
        return FindingKind.REDENOMINATION
    if _near_power_of_ten(ratio) and (ratio < 1.0 or hole >= LONG_HOLE):
        return FindingKind.REDENOMINATION
    if hole >= LONG_HOLE and max(ratio, 1.0 / ratio) >= LONG_HOLE_FACTOR:
        return FindingKind.TICKER_REUSE
    return None


def _near_power_of_ten(ratio: float) -> bool:
    exponent = np.log10(ratio)
    return bool(abs(np.rint(exponent)) >= 1 and abs(exponent - np.rint(exponent)) <= np.log10(POWER_OF_TEN_TOLERANCE))


def _finding(
    kind: FindingKind, closes: pd.Series, rows: npt.NDArray[np.int64], before: int, step: timedelta
) -> Finding:
    old, new = closes.index[before], closes.index[before + 1]
    time: datetime = new.to_pydatetime()
    spacing = (new - old).to_pytimedelta()
    reason = "in one step" if spacing == step else f"after {spacing} without a close"
    message = (
        f"{closes.iloc[before]:g} at {old.isoformat()} becomes {closes.iloc[before + 1]:g} at {new.isoformat()} "
        f"{reason}; the {before + 1} earlier closes are left out"
    )
    return Finding(kind=kind, time=time, row=int(rows[before + 1]), message=message)
