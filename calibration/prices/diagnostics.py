"""Summary of a price history: length, completeness and deepest falls."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from calibration.prices.bars import CheckedCloses
from pricing.tools.units import YEAR

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
#: A fall of this size within 24 hours is counted; 7.4 % of token-months of the panel had one.
COUNTED_DROP = 0.30


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """Figures of a price history.

    Parameters
    ----------
    first_close, last_close : datetime
        UTC labels of the closes used.
    n_closes, n_returns : int
        Closes used and one-step returns between them.
    years : float
        Time covered by one-step returns, in years of 365 days.
    longest_gap : timedelta
        Longest time between two closes in excess of one step; zero if none is missing.
    worst_drop_1h, worst_drop_24h : float or None
        Deepest fall from the highest close of the last hour or 24 hours, including falls across gaps; None if bars are
        longer.
    falls_of_30_percent : int
        Number of times that the price fell to 30 % or more below the highest close of 24 hours, counted anew only if
        the price was last at such a level at least 24 hours earlier.
    """

    first_close: datetime
    last_close: datetime
    n_closes: int
    n_returns: int
    years: float
    longest_gap: timedelta
    worst_drop_1h: float | None
    worst_drop_24h: float | None
    falls_of_30_percent: int


def diagnose(checked: CheckedCloses) -> Diagnostics:
    """Summarise a checked price history."""
    closes, step = checked.closes, checked.step
    drops_24h = _drops(closes, DAY)
    return Diagnostics(
        first_close=closes.index[0].to_pydatetime(),
        last_close=closes.index[-1].to_pydatetime(),
        n_closes=len(closes),
        n_returns=len(checked.log_returns),
        years=len(checked.log_returns) * (step / YEAR),
        longest_gap=_longest_gap(closes, step),
        worst_drop_1h=float(_drops(closes, HOUR).max()) if step <= HOUR else None,
        worst_drop_24h=float(drops_24h.max()) if step <= DAY else None,
        falls_of_30_percent=count_episodes(drops_24h.index[drops_24h >= COUNTED_DROP], DAY),
    )


def extend(diagnostics: Diagnostics, recent: pd.Series, checked: CheckedCloses, later: pd.Series) -> Diagnostics:
    """Add later closes to the summary.

    Parameters
    ----------
    diagnostics : Diagnostics
        Summary of the earlier closes.
    recent : Series of float
        Closes of at least the last day before the later ones.
    checked : CheckedCloses
        Some earlier closes, and the later ones.
    later : Series of float
        The later closes.
    """
    joined, step = pd.concat([recent, later]), checked.step
    n_returns = int((checked.log_returns.index >= later.index[0]).sum())
    drops = {window: _drops(joined, window)[later.index] for window in (HOUR, DAY)}
    return replace(
        diagnostics,
        last_close=later.index[-1].to_pydatetime(),
        n_closes=diagnostics.n_closes + len(later),
        n_returns=diagnostics.n_returns + n_returns,
        years=diagnostics.years + n_returns * (step / YEAR),
        longest_gap=max(diagnostics.longest_gap, _longest_gap(checked.closes, step)),
        worst_drop_1h=_deeper(diagnostics.worst_drop_1h, drops[HOUR]),
        worst_drop_24h=_deeper(diagnostics.worst_drop_24h, drops[DAY]),
        falls_of_30_percent=diagnostics.falls_of_30_percent
        + count_episodes(drops[DAY].index[drops[DAY] >= COUNTED_DROP], DAY),
    )


def _deeper(known: float | None, drops: pd.Series) -> float | None:
    return None if known is None else max(known, float(drops.max()))


def count_episodes(times: pd.Index, refractory_period: timedelta) -> int:
    """Count runs of times in order: a new run begins if the previous time is at least the refractory period ago."""
    if times.empty:
        return 0
    spacings = np.diff(pd.DatetimeIndex(times).tz_convert(None).to_numpy())
    return 1 + int(np.sum(spacings >= np.timedelta64(refractory_period)))


def _drops(closes: pd.Series, window: timedelta) -> pd.Series:
    """Return the fall of each close from the highest close of the window before it, including both ends."""
    return 1.0 - closes / closes.rolling(window, closed="both").max()


def _longest_gap(closes: pd.Series, step: timedelta) -> timedelta:
    spacings = closes.index.to_series().diff().dropna()
    if spacings.empty:
        return timedelta(0)
    return max(timedelta(0), pd.Timedelta(spacings.max()).to_pytimedelta() - step)
