"""A token's own crash record against its market's: months that were worse than those of other tokens.

Thirty-day blocks on a fixed calendar are compared with the mean block of the market, so a month in which all tokens
fell counts against none of them. There are two results: a decaying mean excess, shrunk towards zero, and a credibility
factor on the rate of the token's own crashes (Poisson-gamma; Buehlmann and Gisler 2005, section 2.4).
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from calibration.prices.grid import SHARE
from pricing.tools.arrays import FloatArray

#: Length of a block, and a time at which one starts.
BLOCK = timedelta(days=30)
BLOCK_EPOCH = pd.Timestamp("2021-04-01", tz="UTC")
#: A block counts if this share of its closes is known.
COMPLETE = 0.8
#: A worst log drop more than exp(0.8) = 2.2 times the market's mean is the token's own crash. If measured against the
#: token's usual excess instead, records ranked tokens less well.
CRASH_EXCESS = 0.8
#: No block counts for more than exp(1.5) = 4.5 times the market's mean.
LARGEST_EXCESS = 1.5
#: Half-life of an excess in blocks, and number of blocks without excess with which every token starts.
RECORD_HALF_LIFE = 24.0
RECORD_PRIOR = 3.0
#: Shape of the gamma law of crash rates across tokens. The panel's moments give 1.1 (24 h) and 1.9 (1 h).
CREDIBILITY_SHAPE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnRecord:
    """Records after a number of blocks.

    Parameters
    ----------
    excess : ndarray
        Decaying mean of the log worst drop relative to the market's mean, shrunk towards 0.
    crashes, expected : ndarray
        Own crashes seen, and the number expected for a token of the market in as many blocks.
    """

    excess: FloatArray
    crashes: FloatArray
    expected: FloatArray

    @property
    def credibility_factor(self) -> FloatArray:
        """Factor on the market's rate of own crashes."""
        return (CREDIBILITY_SHAPE + self.crashes) / (CREDIBILITY_SHAPE + self.expected)


def block_number(time: pd.Timestamp) -> int:
    """Return the number of the block that contains a time; a time on the border belongs to the earlier block."""
    return -int((BLOCK_EPOCH - time) // BLOCK) - 1


def log_worst_blocks(rolling: FloatArray, times: pd.DatetimeIndex, step: timedelta) -> tuple[int, FloatArray]:
    """Return the log of the worst log drop of every block, and the number of the first.

    Parameters
    ----------
    rolling : ndarray of shape (n_bars, n_tokens)
        Drops below the rolling high, see ``rolling_log_drops``.
    times : DatetimeIndex
        Closes of the bars, on a regular grid.
    step : timedelta
        Length of a bar.

    Returns
    -------
    first : int
        Block of the first row.
    blocks : ndarray of shape (n_blocks, n_tokens)
        NaN if too few closes are known or the price never fell, and for the last block until it is complete.
    """
    per_block = BLOCK // step
    start = times[0] - SHARE * step  # a label that little after the border of a block stands for the border
    first = block_number(start)
    begin = BLOCK_EPOCH + first * BLOCK
    lead = -((begin - start) // pd.Timedelta(step)) - 1  # rounded up: closes need not coincide with block borders
    n_blocks = (lead + len(rolling)) // per_block
    grid = np.full((n_blocks * per_block, rolling.shape[1]), np.nan)
    inside = rolling[: max(len(grid) - lead, 0)]
    grid[lead : lead + len(inside)] = inside
    stacked = grid.reshape(n_blocks, per_block, rolling.shape[1])
    known = np.mean(~np.isnan(stacked), axis=1)
    worst = np.fmax.reduce(stacked, axis=1)
    usable = (known >= COMPLETE) & (worst > 0.0)
    return first, np.log(worst, where=usable, out=np.full(worst.shape, np.nan))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """Record of tokens up to each block; arrays of shape (n_blocks, n_tokens).

    Parameters
    ----------
    excess : ndarray
        Decaying mean of the log worst drop relative to the market's mean, shrunk towards 0.
    crashes, known : ndarray
        Cumulative numbers of own crashes and of known blocks.
    """

    excess: FloatArray
    crashes: FloatArray
    known: FloatArray

    @property
    def crash_shares(self) -> FloatArray:
        """Share of own crashes among all tokens' blocks up to each block, shape (n_blocks,)."""
        return np.asarray(self.crashes.sum(axis=1) / np.maximum(self.known.sum(axis=1), 1.0))

    def record(self, block: int, crash_share: float) -> OwnRecord:
        """Return the records after one block, compared with the market's share of crashes."""
        return OwnRecord(
            excess=self.excess[block], crashes=self.crashes[block], expected=self.known[block] * crash_share
        )


def track_excesses(excesses: FloatArray, crash_excess: float = CRASH_EXCESS) -> Track:
    """Accumulate the record of tokens block by block.

    Parameters
    ----------
    excesses : ndarray of shape (n_blocks, n_tokens)
        Log worst drop of each block less the market's mean; NaN if unknown.
    crash_excess : float
        A block beyond it is an own crash.
    """
    decay = 0.5 ** (1.0 / RECORD_HALF_LIFE)
    known = ~np.isnan(excesses)
    capped = np.where(known, np.clip(excesses, -LARGEST_EXCESS, LARGEST_EXCESS), 0.0)
    total, weight = np.zeros(excesses.shape[1]), np.zeros(excesses.shape[1])
    usual = np.zeros(excesses.shape)
    for block in range(len(excesses)):
        total, weight = decay * total + capped[block], decay * weight + known[block]
        usual[block] = total / (weight + RECORD_PRIOR)
    return Track(
        excess=usual,
        crashes=np.cumsum(known & (excesses > crash_excess), axis=0, dtype=np.float64),
        known=np.cumsum(known, axis=0, dtype=np.float64),
    )


def no_record(n_tokens: int) -> OwnRecord:
    """Return the record of tokens that have no complete block."""
    nothing = np.zeros(n_tokens)
    return OwnRecord(excess=nothing, crashes=nothing, expected=nothing)
