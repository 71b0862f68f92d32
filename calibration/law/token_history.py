"""History of one token that the law needs to quote and to continue without the earlier bars."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd

from calibration.law.bar_lengths import BarEffect, measured_step
from calibration.law.drop_law import DropLaw, TokenState, token_state
from calibration.law.own_record import (
    BLOCK,
    BLOCK_EPOCH,
    CRASH_EXCESS,
    OwnRecord,
    block_number,
    log_worst_blocks,
    no_record,
    track_excesses,
)
from calibration.prices.horizons import RunningSquares, running_squares
from calibration.prices.worst_drops import rolling_log_drops
from pricing.errors import DataError
from pricing.tools.arrays import FloatArray
from pricing.tools.units import format_duration

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockRecord:
    """Complete blocks of one token for one window.

    Parameters
    ----------
    window : timedelta
        Window of the drops.
    first : int
        Number of the first block.
    logs : ndarray of shape (n_blocks,)
        Log of the worst log drop of each; NaN if too little is known.
    """

    window: timedelta
    first: int
    logs: FloatArray = field(repr=False)

    def against(self, law: DropLaw, *, crash_share: float, crash_excess: float) -> OwnRecord:
        """Return the record of these blocks against those of the market.

        Parameters
        ----------
        law : DropLaw
            Law of the same window.
        crash_share : float
            Share of the market's blocks that were own crashes.
        crash_excess : float
            A block beyond it is an own crash.
        """
        if not len(self.logs):
            return no_record(1)
        means = np.full(len(self.logs), np.nan)
        for place in range(len(self.logs)):
            at = self.first + place - law.first_block
            mean = law.block_means[at] if 0 <= at < len(law.block_means) else None
            means[place] = np.nan if mean is None else mean
        return track_excesses((self.logs - means)[:, None], crash_excess).record(-1, crash_share)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenHistory:
    """Running sums and complete blocks of a token, and the bars since the beginning of the current block.

    Bars of less than an hour are measured once an hour, so that they say the same as hourly bars.

    Parameters
    ----------
    step : timedelta
        Length of a bar.
    last_close : Timestamp
        Time of the last bar.
    squares : RunningSquares
        Running sums of squared returns.
    blocks : tuple of BlockRecord
        Complete blocks, one per window.
    recent : Series of float
        Log closes on a regular grid, from one day before the current block on.
    """

    step: timedelta
    last_close: pd.Timestamp
    squares: RunningSquares = field(repr=False)
    blocks: tuple[BlockRecord, ...]
    recent: pd.Series = field(repr=False)

    def state(self, laws: tuple[DropLaw, ...], effect: BarEffect) -> TokenState:
        """Return the state of the token that laws use, as hourly bars would show it.

        A law whose window is not a whole number of bars is given the record of the longest window.

        Parameters
        ----------
        laws : tuple of DropLaw
            Laws of closes of every hour, shortest window first.
        effect : BarEffect
            Effect of the length of the bars.
        """
        by_window = {record.window: record for record in self.blocks}
        longest = laws[-1].seen(effect.log_factor)
        records = []
        for law in laws:
            read = law if law.window in by_window and law.window < longest.window else longest
            record = by_window[read.window].against(
                read,
                crash_share=law.own.crash_share,
                crash_excess=CRASH_EXCESS + effect.crash_shift(law.window),
            )
            records.append(record)
        return effect.hourly(token_state(self.squares, tuple(records)))

    def advance(self, closes: pd.Series) -> "TokenHistory":
        """Add later bars; the work grows with their number only.

        Parameters
        ----------
        closes : Series of float
            Closes after the last one, in order, on a UTC DatetimeIndex.

        Raises
        ------
        DataError
            If none of them is a whole number of steps after the last one.
        """
        joined = _on_grid(pd.concat([self.recent, np.log(closes)]), self.step, self.last_close)
        if joined.index[-1] == self.last_close:
            raise DataError(
                f"closes must be whole steps of {format_duration(self.step)} after {self.last_close.isoformat()}, got "
                f"{closes.index[0].isoformat()} to {closes.index[-1].isoformat()} (bars of another venue, or shifted)"
            )
        measured, step = _measured(joined, self.step)
        returns = measured.diff()[measured.index > self.last_close].to_numpy()[:, None]
        squares = self.squares
        if len(returns):
            last = np.array([len(returns) - 1])
            (squares,) = running_squares(returns, last, per_day=squares.per_day, before=squares)
        blocks = tuple(_extended(record, measured, step) for record in self.blocks)
        return TokenHistory(
            step=self.step,
            last_close=joined.index[-1],
            squares=squares,
            blocks=blocks,
            recent=_since_block(joined),
        )


def observe(closes: pd.Series, step: timedelta, windows: tuple[timedelta, ...]) -> TokenHistory:
    """Build the history of a token from all its closes.

    Parameters
    ----------
    closes : Series of float
        Closes in order on a UTC DatetimeIndex.
    step : timedelta
        Length of a bar.
    windows : tuple of timedelta
        Windows for which blocks are kept, whole numbers of steps.
    """
    log_prices = _on_grid(np.log(closes), step, _usual_time(pd.DatetimeIndex(closes.index), step))
    measured, every = _measured(log_prices, step)
    returns = measured.diff().to_numpy()[:, None]
    return TokenHistory(
        step=step,
        last_close=log_prices.index[-1],
        squares=running_squares(returns, np.array([len(returns) - 1]), per_day=_DAY / every)[-1],
        blocks=tuple(_blocks(measured, every, window) for window in windows),
        recent=_since_block(log_prices),
    )


def _measured(log_prices: pd.Series, step: timedelta) -> tuple[pd.Series, timedelta]:
    """Return the closes at which a history is measured, and their spacing."""
    every = measured_step(step)
    phases = (pd.DatetimeIndex(log_prices.index) - BLOCK_EPOCH) % pd.Timedelta(every)
    return log_prices[phases < pd.Timedelta(step)], every


def _usual_time(times: pd.DatetimeIndex, step: timedelta) -> pd.Timestamp:
    """Return the last time on the most common grid."""
    offsets = (times - BLOCK_EPOCH) % pd.Timedelta(step)
    usual = offsets.to_series().mode().iloc[0]
    return times[offsets == usual].max()


def _on_grid(log_prices: pd.Series, step: timedelta, time: pd.Timestamp) -> pd.Series:
    """Put closes on the regular grid through a time; others are left out."""
    offsets = (pd.DatetimeIndex(log_prices.index) - time) % pd.Timedelta(step)
    kept: pd.Series = log_prices[offsets == pd.Timedelta(0)]
    return kept.reindex(pd.date_range(kept.index[0], kept.index[-1], freq=step))


def _blocks(log_prices: pd.Series, step: timedelta, window: timedelta) -> BlockRecord:
    rolling = rolling_log_drops(log_prices.to_numpy()[:, None], round(window / step))
    first, logs = log_worst_blocks(rolling, pd.DatetimeIndex(log_prices.index), step)
    return BlockRecord(window=window, first=first, logs=logs[:, 0])


def _extended(record: BlockRecord, recent: pd.Series, step: timedelta) -> BlockRecord:
    """Append the blocks that have become complete; the day before the current block is only used by its windows."""
    again = _blocks(recent, step, record.window)
    n_known = len(record.logs)
    fresh = again.logs[max(0, record.first + n_known - again.first) :]
    return BlockRecord(window=record.window, first=record.first, logs=np.concatenate([record.logs, fresh]))


def _since_block(log_prices: pd.Series) -> pd.Series:
    begin = BLOCK_EPOCH + block_number(log_prices.index[-1] + timedelta(microseconds=1)) * BLOCK
    return log_prices[log_prices.index > begin - _DAY]
