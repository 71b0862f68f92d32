"""Irregularities found, or repaired, in a price history that is still usable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import pandas as pd


class FindingKind(Enum):
    """Kind of irregularity of a price history."""

    GAP = "bars are missing; no return is taken across a gap, and a window counts a fall across it only if it spans it"
    OFF_GRID = "labels a little off the grid of the bars have been taken to it"
    DUPLICATE = "rows repeat the close of a bar; one of each was kept"
    UNSORTED = "rows were out of order and have been sorted"
    MISSING = "closes are NaN and count as missing bars"
    LABELS = "which end of a bar its time labels was inferred"
    SPLIT = "a redenomination was stated"
    POSSIBLE_SPLIT = "one step is close to a simple ratio or beyond tenfold: if the unit is new, state a split"
    REDENOMINATION = "the unit of the token seems to have changed; the earlier history is left out"
    TICKER_REUSE = "the ticker may name another asset; the earlier history is left out"
    STALE = "the close stays the same for a long time: left out of the shape of paths, but understates their level"
    OUTDATED = "the last close is older than it should be"
    COARSE_TICK = "the tick is coarse relative to the price, which overstates volatility"


#: Findings that cut off the earlier history.
BREAKS = frozenset({FindingKind.REDENOMINATION, FindingKind.TICKER_REUSE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One irregularity of a price history.

    Parameters
    ----------
    kind : FindingKind
        Kind of irregularity.
    time : datetime
        UTC label of the bar where it is worst, or where it first occurs.
    row : int
        Position of that bar in the prices as they were given, counted from 0.
    message : str
        The fact with its figures.
    """

    kind: FindingKind
    time: datetime
    row: int
    message: str


def findings_frame(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return findings as a data frame: columns ``kind``, ``time``, ``row`` and ``message``."""
    rows = [(each.kind.name, each.time, each.row, each.message) for each in findings]
    return pd.DataFrame(rows, columns=["kind", "time", "row", "message"])
