"""Effects of the length of bars on what is seen of a token: shallower falls, other volatilities, less certainty.

Thinned closes of the panel show the effects. A fall that is watched every few hours is shallower than the same fall
watched every hour, by a factor on the log drop that is the same at every depth; so the law of one grid is the law of
another at deeper drops. Volatility, tail weight and record from longer bars are moved by their mean difference from
those of hourly closes, and what is left is an error of the level. ``docs/studies/bar_lengths.py`` makes the table; each
row is dated and knows nothing of later prices.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from calibration.law.drop_law import DropLaw, TokenState
from pricing.errors import InsufficientDataError, InvalidTermsError
from pricing.tools.units import Duration, format_duration, parse_duration

#: The laws are those of closes of every hour.
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BarEffect:
    """Effects of bars of one length, compared with hourly bars.

    Parameters
    ----------
    log_factor, log_factor_error : float
        Log of the factor by which a fall within a day is deeper if it is watched every hour, and its standard error.
    volatility_3d, volatility_10d, volatility_30d, volatility_240d, tail_weight, excess : float
        Mean difference of each measure of a token from that of hourly bars; of the logs of the volatilities.
    crash_shift_1h, crash_shift_24h : float
        Shift of the excess within a day that stands for an own crash within each window.
    error_1h, error_24h, rate_error_1h, rate_error_24h : float
        Standard deviation of what is left, as an error of the level of the law of each window, and of the log of the
        rate of own crashes.
    """

    log_factor: float = 0.0
    log_factor_error: float = 0.0
    volatility_3d: float = 0.0
    volatility_10d: float = 0.0
    volatility_30d: float = 0.0
    volatility_240d: float = 0.0
    tail_weight: float = 0.0
    excess: float = 0.0
    crash_shift_1h: float = 0.0
    crash_shift_24h: float = 0.0
    error_1h: float = 0.0
    error_24h: float = 0.0
    rate_error_1h: float = 0.0
    rate_error_24h: float = 0.0

    def hourly(self, state: TokenState) -> TokenState:
        """Return the state that hourly bars would have shown, on average."""
        volatilities = (self.volatility_3d, self.volatility_10d, self.volatility_30d, self.volatility_240d)
        return TokenState(
            log_volatilities=state.log_volatilities - np.array(volatilities)[:, None],
            tail_weight=state.tail_weight - self.tail_weight,
            records=tuple(replace(record, excess=record.excess - self.excess) for record in state.records),
        )

    def crash_shift(self, window: timedelta) -> float:
        """Return the shift of the excess that stands for an own crash within a window."""
        return self.crash_shift_1h if window == HOUR else self.crash_shift_24h

    def error(self, window: timedelta) -> float:
        """Return the error of the level of the law of a window."""
        return self.error_1h if window == HOUR else self.error_24h

    def rate_error(self, window: timedelta) -> float:
        """Return the error of the log of the rate of own crashes within a window."""
        return self.rate_error_1h if window == HOUR else self.rate_error_24h


HOURLY = BarEffect()
_COLUMNS = tuple(field.name for field in fields(BarEffect))


def bar_effect(step: timedelta, as_of: datetime) -> BarEffect:
    """Return the effects of bars of one length, by what was known at a time; lengths in between are interpolated.

    Parameters
    ----------
    step : timedelta
        Length of a bar, at most a day.
    as_of : datetime
        UTC time.

    Raises
    ------
    InsufficientDataError
        If bars are longer than an hour and the first table is later.
    """
    if step <= HOUR:
        return HOURLY
    table = _table()
    known = table[table["as_of"] <= pd.Timestamp(as_of)]
    if known.empty:
        raise InsufficientDataError(
            f"as_of must not be before {table['as_of'].min():%Y-%m-%d} for bars longer than an hour, got "
            f"{as_of:%Y-%m-%d} (what such bars show of falls was not known before)"
        )
    latest = known[known["as_of"] == known["as_of"].max()]
    lengths = np.log([1.0, *latest["hours"]])
    at = math.log(step / HOUR)
    return BarEffect(**{name: float(np.interp(at, lengths, [0.0, *latest[name]])) for name in _COLUMNS})


@cache
def _table() -> pd.DataFrame:
    with (files("calibration") / "data" / "bar_lengths.csv").open(encoding="utf-8") as text:
        return pd.read_csv(text, parse_dates=["as_of"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Bars of a token's history and grid of its covers, each with its effects.

    Parameters
    ----------
    grid : timedelta
        Time between two observations of a cover.
    bars, covers : BarEffect
        Effects of the bars of the history, and of the grid.
    """

    grid: timedelta
    bars: BarEffect = HOURLY
    covers: BarEffect = HOURLY

    def on_grid(self, laws: Sequence[DropLaw]) -> tuple[DropLaw, ...]:
        """Return the laws of drops on the grid.

        A law whose window is not a whole number of steps of the grid stays that of closes of every hour.
        """
        return tuple(law.seen(self.covers.log_factor) if fits(law.window, self.grid) else law for law in laws)

    def level_error(self, window: timedelta) -> float:
        """Return the standard error of the level of a law that the bars and the grid add."""
        return math.hypot(self.bars.error(window), self.covers.log_factor_error)


def fits(window: timedelta, step: timedelta) -> bool:
    """Return whether a window is a whole number of steps."""
    return window % step == timedelta(0)


def read_grid(grid: Duration) -> timedelta:
    """Read the time between two observations of a cover.

    Raises
    ------
    InvalidTermsError
        If it does not divide a day.
    """
    duration = parse_duration(grid, "grid")
    if duration <= timedelta(0) or not fits(DAY, duration):
        raise InvalidTermsError(
            f"grid must divide a day, got {format_duration(duration)} (the time between two observations, such as 1h)"
        )
    return duration


def measured_step(step: timedelta) -> timedelta:
    """Return the step at which a history is measured: bars of less than an hour are thinned to hours.

    Bars that do not divide an hour are thinned to the next longer time that divides a day, if there is one.

    Examples
    --------
    >>> [str(measured_step(timedelta(minutes=minutes))) for minutes in (5, 45, 60, 240)]
    ['1:00:00', '1:30:00', '1:00:00', '4:00:00']
    """
    if step >= HOUR or not fits(DAY, step):
        return step
    multiples = (count * step for count in range(math.ceil(HOUR / step), round(DAY / step) + 1))
    return next((each for each in multiples if fits(DAY, each)), DAY)
