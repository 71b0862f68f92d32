"""Starts of the covers, and the tokens that can be quoted at each."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.cells import Cell
from backtest.panel import Panel
from pricing.errors import InsufficientDataError, InvalidTermsError
from pricing.tools.units import format_duration, in_steps

#: A token can be quoted if it has closes for two thirds of the bars of the last 90 days: 1,440 hours.
HISTORY, HISTORY_SHARE = timedelta(days=90), 2.0 / 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Events that a backtest quotes, and its starts.

    Parameters
    ----------
    cells : tuple of Cell
        Events to quote.
    every : timedelta
        Time from one start to the next.
    first_start : datetime, optional
        First start; by default 90 days after the panel's first bar opens.
    warm_up : int
        Periods at the beginning that are used for fitting but not scored, at least 1.
    seed : int
        Seed of the forecasters' simulations.

    Raises
    ------
    InvalidTermsError
        If there is no cell, or there is no warm-up period.
    """

    cells: tuple[Cell, ...]
    every: timedelta = timedelta(days=30)
    first_start: datetime | None = None
    warm_up: int = 1
    seed: int = 1

    def __post_init__(self) -> None:
        if not self.cells:
            raise InvalidTermsError("cells must hold at least one event to quote, got none")
        if self.warm_up < 1:
            raise InvalidTermsError(f"warm_up must be at least 1, got {self.warm_up} (the first period has no past)")
        if self.first_start is not None and self.first_start.tzinfo is None:
            raise InvalidTermsError(f"first_start must have a time zone, got {self.first_start}")

    def require_apart(self) -> None:
        """Check that no term is longer than the time between starts.

        Raises
        ------
        InvalidTermsError
            If one is.
        """
        if self.every < self.longest_term:
            raise InvalidTermsError(
                f"every must not be shorter than the longest term {format_duration(self.longest_term)}, got "
                f"{format_duration(self.every)} (terms that overlap share their crashes and count them twice)"
            )

    @property
    def longest_term(self) -> timedelta:
        """Longest term of any cell."""
        return max(cell.span.term for cell in self.cells)


def find_starts(panel: Panel, plan: Plan) -> pd.DatetimeIndex:
    """Return the starts whose longest term ends within the panel.

    Raises
    ------
    InvalidTermsError
        If a window, a term or the distance between starts is not a whole number of bars.
    InsufficientDataError
        If there is nothing to score after the warm-up.
    """
    for field, length in _lengths(plan):
        in_steps(length, panel.step, field)
    first = panel.closes.index[0] - panel.step + HISTORY if plan.first_start is None else plan.first_start
    last = panel.closes.index[-1] - plan.longest_term
    starts = pd.date_range(pd.Timestamp(first).tz_convert("UTC"), last, freq=plan.every, name="start")
    if len(starts) <= plan.warm_up:
        raise InsufficientDataError(
            f"the panel must span more than {plan.warm_up} starts with their terms, got {len(starts)} from {first} on "
            f"({panel.closes.index[0]} to {panel.closes.index[-1]})"
        )
    return starts


def _lengths(plan: Plan) -> list[tuple[str, timedelta]]:
    spans = [cell.span for cell in plan.cells]
    return [
        ("every", plan.every),
        *(("window", span.window) for span in spans),
        *(("term", span.term) for span in spans),
    ]


def can_be_quoted(history: pd.DataFrame, start: pd.Timestamp, step: timedelta) -> npt.NDArray[np.bool_]:
    """Return which tokens have enough closes in the 90 days up to a start.

    Returns
    -------
    ndarray of bool, shape (n_tokens,)
    """
    recent = recent_closes(history, start)
    return np.asarray(np.isfinite(recent.to_numpy()).sum(axis=0) >= HISTORY_SHARE * (HISTORY / step))


def count_quotable(panel: Panel, starts: pd.DatetimeIndex) -> int:
    """Count the token-periods that can be quoted."""
    return sum(int(can_be_quoted(panel.until(start).closes, start, panel.step).sum()) for start in starts)


def recent_closes(history: pd.DataFrame, start: pd.Timestamp) -> pd.DataFrame:
    """Return the closes of the 90 days up to a start."""
    return history.loc[start - HISTORY + pd.Timedelta(1, "ns") : start]


def annual_volatility(history: pd.DataFrame, start: pd.Timestamp, step: timedelta) -> npt.NDArray[np.float64]:
    """Measure the volatility of the 90 days up to a start.

    Returns
    -------
    ndarray of float, shape (n_tokens,)
        Standard deviation of one-bar log returns, per square root of a year of 365 days; NaN without two returns.
    """
    recent = recent_closes(history, start)
    returns = np.diff(np.log(recent.to_numpy()), axis=0)
    returns[np.diff(recent.index) != step] = np.nan
    n_returns = np.isfinite(returns).sum(axis=0)
    deviations = returns - np.nansum(returns, axis=0) / np.maximum(n_returns, 1)
    variance = np.nansum(deviations**2, axis=0) / np.maximum(n_returns - 1, 1)
    return np.where(n_returns > 1, np.sqrt(variance * (timedelta(days=365) / step)), np.nan)
