"""What was found, and repaired, in a price history without making it unusable."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class FindingKind(Enum):
    """What is remarkable about a price history."""

    GAP = "bars are missing; no return is taken across a gap"
    OFF_GRID = "labels do not lie on the grid of the step; no return is taken to or from them"
    DUPLICATE = "rows are repeated exactly; one of each was kept"
    UNSORTED = "rows were out of order and have been sorted"
    MISSING = "closes are NaN and count as missing bars"
    REDENOMINATION = "the unit of the token seems to have changed; the history before is cut off"
    TICKER_REUSE = "the ticker may name another asset; the history before is cut off"
    STALE = "the close stays the same for a long time, which understates volatility"
    OUTDATED = "the last close is older than it should be"
    COARSE_TICK = "the tick is coarse against the price, which overstates volatility"


#: Findings after which everything before was cut off.
BREAKS = frozenset({FindingKind.REDENOMINATION, FindingKind.TICKER_REUSE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One remarkable fact about a price history.

    Parameters
    ----------
    kind : FindingKind
        What was found.
    time : datetime
        UTC label of the bar where it is worst, or where it first shows.
    row : int
        Position of that bar in the prices as they were given, counted from 0.
    message : str
        The fact with its figures.
    """

    kind: FindingKind
    time: datetime
    row: int
    message: str
