"""A panel of hourly closes as rows for the fit: the state of each token at a start, and the outcome after it."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.law.drop_law import TERM, MarketState, TokenState, token_state
from calibration.law.own_record import BLOCK, BLOCK_EPOCH, OwnRecord, Track, log_worst_blocks, no_record, track_excesses
from calibration.pegs.recognise import DAYS, PEGGED_BELOW, find_wrapped, robust_volatility
from calibration.prices.grid import panel_times
from calibration.prices.horizons import RunningSquares, running_squares
from calibration.prices.instants import read_instant
from calibration.prices.labels import Label, closed_at
from calibration.prices.numeric import find_non_numbers
from calibration.prices.splits import PanelSplits, split_columns
from calibration.prices.worst_drops import rolling_log_drops, worst_log_drops
from pricing.errors import DataError, InsufficientDataError
from pricing.tools.arrays import FloatArray

STEP = timedelta(hours=1)
#: Distance between starts. Terms overlap six times; the fits account for it.
SPACING = timedelta(days=5)
#: Shortest and full history before a start, and the share of its closes that must be known.
LEAST_HISTORY, FULL_HISTORY, KNOWN_SHARE = timedelta(days=30), timedelta(days=90), 0.66
#: Fewest closes after a start.
FEWEST_AFTER = 24
#: Fewest tokens at a start, and fewest starts for a fit.
FEWEST_TOKENS, FEWEST_STARTS = 5, 3
#: A month that starts at a lower annual volatility is not learnt from.
LEAST_LEARNT_VOLATILITY = 0.10
#: Length of the market's run-up.
RUN_UP = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PanelGrid:
    """Closes on a regular hourly grid up to one time.

    Parameters
    ----------
    times : DatetimeIndex
        Closes of the bars.
    tokens : Index
        Columns of the panel that follow no other price.
    log_prices, returns : ndarray of shape (n_bars, n_tokens)
        Logs of closes and one-step log returns; NaN if missing.
    followers : dict of name to str
        Columns that follow another price, each with the reason.
    """

    times: pd.DatetimeIndex
    tokens: pd.Index
    log_prices: FloatArray
    returns: FloatArray
    followers: dict[Hashable, str] = field(default_factory=dict)

    @property
    def per_day(self) -> float:
        """Bars per day."""
        return timedelta(days=1) / STEP


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """Blocks of the market for one window.

    Parameters
    ----------
    first : int
        Number of the first.
    means : ndarray of shape (n_blocks,)
        Mean log worst drop over tokens.
    track : Track
        Record of each token up to each block.
    """

    first: int
    means: FloatArray
    track: Track

    @property
    def crash_share(self) -> float:
        """Share of all blocks that were a token's own crashes."""
        return float(self.track.crash_shares[-1]) if len(self.means) else 0.0

    def record_at(self, time: pd.Timestamp) -> OwnRecord:
        """Return all tokens' records after the last complete block at a time, as known then."""
        last = min(int((time - BLOCK_EPOCH) // BLOCK) - 1 - self.first, len(self.means) - 1)
        if last < 0:
            return no_record(self.track.known.shape[1])
        return self.track.record(last, float(self.track.crash_shares[last]))


def panel_grid(
    panel: pd.DataFrame,
    as_of: datetime | date | str | None,
    splits: PanelSplits | None = None,
    label: Label | None = None,
) -> PanelGrid:
    """Put a wide frame of hourly closes on a regular grid, in the latest unit of each token.

    Raises
    ------
    DataError
        If labels are not increasing times with a zone, near whole hours apart, a column occurs twice, a close is not a
        positive number, or a split contradicts the closes.
    InsufficientDataError
        If there is less than a month.
    """
    if not isinstance(panel, pd.DataFrame) or not isinstance(panel.index, pd.DatetimeIndex) or panel.index.tz is None:
        raise DataError(
            "panel must be a frame of closes on a DatetimeIndex with a time zone, one column per token, got "
            f"{_labels(panel)} (panel.set_index('time').tz_localize('UTC'), labelled by the CLOSE of the bar)"
        )
    if panel.columns.has_duplicates:
        repeated = panel.columns[panel.columns.duplicated()].tolist()
        raise DataError(f"panel must have one column per token, {repeated[:6]} occur twice (two venues or pairs)")
    frame = panel.set_axis(closed_at(panel.index, label, STEP))
    frame = frame if as_of is None else frame[frame.index <= read_instant(as_of)]
    if len(frame) < LEAST_HISTORY / STEP:
        raise InsufficientDataError(f"panel must hold at least a month of hourly closes, got {len(frame)} rows")
    frame = frame.set_axis(_hours(pd.DatetimeIndex(frame.index)))
    times = pd.date_range(frame.index[0], frame.index[-1], freq=STEP)
    log_prices = np.log(_positive(split_columns(frame, splits).reindex(times)))
    followers = _find_followers(pd.DataFrame(log_prices, index=times, columns=frame.columns))
    free = ~frame.columns.isin(list(followers))
    log_prices = log_prices[:, free]
    returns = np.diff(log_prices, axis=0, prepend=np.full((1, log_prices.shape[1]), np.nan))
    return PanelGrid(
        times=times, tokens=frame.columns[free], log_prices=log_prices, returns=returns, followers=followers
    )


def _find_followers(log_prices: pd.DataFrame) -> dict[Hashable, str]:
    """Return the columns that were pegged for most of their history, and those that follow another one now."""
    daily = log_prices.iloc[:: -round(timedelta(days=1) / STEP)].iloc[::-1]
    pegged = daily.columns[robust_volatility(daily.to_numpy()) < PEGGED_BELOW]
    free = daily.drop(columns=pegged)
    begins = {token: free[token].first_valid_index() or log_prices.index[-1] for token in free}
    slip = f"it moves less than {PEGGED_BELOW:.0%} a year on the median day"
    return dict.fromkeys(pegged, slip) | find_wrapped(free.iloc[-DAYS - 1 :], begins)


def _labels(panel: object) -> str:
    index = panel.index if isinstance(panel, pd.DataFrame) else None
    return type(panel).__name__ if index is None else f"{index.dtype} labels such as {index[:1].tolist()}"


def _hours(labels: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the hours that labels stand for."""
    falling = ~(labels[1:] > labels[:-1])
    if falling.any():
        row = int(np.argmax(falling)) + 1
        raise DataError(
            f"panel must be labelled by increasing times, got {labels[row]} in row {row} after {labels[row - 1]} "
            "(panel.sort_index(), and one row per time)"
        )
    return panel_times(labels.tz_convert("UTC"), STEP)


def _positive(frame: pd.DataFrame) -> FloatArray:
    """Read closes as floats: positive, finite or NaN."""
    for name, column in frame.items():
        _refuse(frame, name, find_non_numbers(column), "a number", "a text or a flag: read the column as numbers")
    closes = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = (closes <= 0.0) | np.isinf(closes)
    for name, marks in zip(frame.columns, bad.T, strict=True):
        _refuse(frame, name, marks, "positive and finite", "a missing price is NaN, not 0")
    return closes


def _refuse(frame: pd.DataFrame, name: Hashable, bad: npt.NDArray[np.bool_], demand: str, slip: str) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        value = frame[name].iloc[row]
        raise DataError(f"close of {name} at {frame.index[row]} must be {demand}, got {value} ({slip})")


def learning_starts(grid: PanelGrid) -> list[int]:
    """Return the rows of starts whose term has ended; the last start is as late as possible."""
    term, spacing, lead = round(TERM / STEP), round(SPACING / STEP), round(LEAST_HISTORY / STEP)
    last = len(grid.times) - 1 - term
    starts = list(range(last, lead - 1, -spacing))[::-1]
    if len(starts) < FEWEST_STARTS:
        raise InsufficientDataError(
            f"panel must reach back at least {LEAST_HISTORY + TERM + (FEWEST_STARTS - 1) * SPACING} before as_of, got "
            f"{grid.times[-1] - grid.times[0]}"
        )
    return starts


def eligible(grid: PanelGrid, start: int, states: TokenState) -> npt.NDArray[np.bool_]:
    """Return which tokens have enough history at a start and enough closes after it, and are not pegged."""
    known = ~np.isnan(grid.log_prices)
    history = min(start + 1, round(FULL_HISTORY / STEP))
    after = known[start + 1 : start + 1 + round(TERM / STEP)].sum(axis=0)
    return np.asarray(
        (known[start + 1 - history : start + 1].sum(axis=0) >= KNOWN_SHARE * history)
        & (after >= FEWEST_AFTER)
        & (states.log_volatility > np.log(LEAST_LEARNT_VOLATILITY))
    )


def market_blocks(grid: PanelGrid, window: int) -> Blocks:
    """Summarise the market's complete blocks, as they were known at the end of each."""
    first, logs = log_worst_blocks(rolling_log_drops(grid.log_prices, window), grid.times, STEP)
    counts = (~np.isnan(logs)).sum(axis=1)
    means = np.where(counts > 0, np.nansum(logs, axis=1) / np.maximum(counts, 1), np.nan)
    return Blocks(first=first, means=means, track=track_excesses(logs - means[:, None]))


def market_index(grid: PanelGrid) -> FloatArray:
    """Return the cumulated log return of the equally weighted market, shape (n_bars,)."""
    known = ~np.isnan(grid.returns)
    return np.cumsum(np.nansum(grid.returns, axis=1) / np.maximum(known.sum(axis=1), 1))


def states_at(grid: PanelGrid, rows: list[int], blocks: tuple[Blocks, ...]) -> list[TokenState]:
    """Return the states of all tokens at some rows."""
    squares: list[RunningSquares] = running_squares(grid.returns, np.array(rows), per_day=grid.per_day)
    return [
        token_state(sums, tuple(part.record_at(grid.times[row]) for part in blocks))
        for row, sums in zip(rows, squares, strict=True)
    ]


def market_state(
    state: TokenState, included: npt.NDArray[np.bool_] | npt.NDArray[np.intp], index: FloatArray, row: int
) -> MarketState:
    """Return the state of the market at a row."""
    return MarketState(
        log_volatility=float(state.log_volatility[included].mean()),
        run_up=float(index[row] - index[max(0, row - round(RUN_UP / STEP))]),
    )


def outcomes(grid: PanelGrid, starts: list[int], window: int) -> FloatArray:
    """Return the worst log drop of every token after every start, shape (n_starts, n_tokens)."""
    return worst_log_drops(grid.log_prices, starts, window=window, term=round(TERM / STEP))
