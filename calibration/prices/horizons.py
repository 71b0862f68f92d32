"""Volatility over several horizons at once, from three days to eight months, none of them dominated by a single crash.

Exponentially weighted mean squares of log returns (RiskMetrics 1996) at several half-lives carry the information that
HARCH and HAR models use (Mueller et al. 1997; Corsi 2009), can start with sixty days of data, skip gaps, and are
updated bar by bar. Returns beyond four running standard deviations are cut to that level before they enter, so that one
crash bar does not set the volatility of the next year; the excess is kept as the tail weight.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from pricing.tools.arrays import FloatArray

#: Half-lives in days of the volatilities that enter the law, shortest first.
HALF_LIVES = (3.0, 10.0, 30.0, 240.0)
#: Half-life in days of the running standard deviation that sets the cut.
CUT_HALF_LIFE = 10.0
#: Returns beyond this many running standard deviations are cut.
CUT = 4.0
#: Half-life in days over which the cut and the uncut volatility are compared.
TAIL_HALF_LIFE = 30.0

_DAYS_A_YEAR = 365.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunningSquares:
    """Exponentially weighted sums at one time, from which volatilities are computed.

    Parameters
    ----------
    squares, weights : ndarray of shape (n_sums, n_tokens)
        Weighted sums of squared returns and of ones: uncut for the cut and for the tail, then cut, one per half-life.
    per_day : float
        Bars per day.
    """

    squares: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)
    per_day: float

    def volatilities(self) -> FloatArray:
        """Return annual volatilities of cut returns, shape (n_half_lives, n_tokens)."""
        return self._annual()[2:]

    def tail_weight(self) -> FloatArray:
        """Return the log of the ratio of uncut to cut volatility, shape (n_tokens,); 0 if nothing was cut."""
        annual = self._annual()
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.log(annual[1] / annual[2 + HALF_LIVES.index(TAIL_HALF_LIFE)]))

    def _annual(self) -> FloatArray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(self.squares / self.weights * self.per_day * _DAYS_A_YEAR)


def running_squares(
    returns: FloatArray, rows: npt.NDArray[np.intp], *, per_day: float, before: RunningSquares | None = None
) -> list[RunningSquares]:
    """Update the sums over returns and return them after each of the given rows.

    Parameters
    ----------
    returns : ndarray of shape (n_bars, n_tokens)
        One-step log returns on a regular grid; NaN if missing.
    rows : ndarray of int
        Rows after which the sums are returned.
    per_day : float
        Bars per day.
    before : RunningSquares, optional
        Sums up to the bar before the first; by default there is no earlier bar.
    """
    squares = np.square(returns)
    half_lives = (CUT_HALF_LIFE, TAIL_HALF_LIFE, *HALF_LIVES)
    start = np.zeros((2, len(half_lives), returns.shape[1]))
    if before is not None:
        start = np.stack([before.squares, before.weights])
    valid = ~np.isnan(squares)
    running = np.stack([_smooth(part, CUT_HALF_LIFE * per_day, start[k, 0]) for k, part in enumerate((squares, valid))])
    cut = _cut(squares, running, start[:, 0])
    read = np.empty((2, len(half_lives), len(rows), returns.shape[1]))
    for place, half_life in enumerate(half_lives):
        for k, part in enumerate((squares if place < 2 else cut, valid)):
            read[k, place] = _smooth(part, half_life * per_day, start[k, place])[rows]
    return [RunningSquares(squares=read[0, :, at], weights=read[1, :, at], per_day=per_day) for at in range(len(rows))]


def _smooth(values: npt.NDArray[np.generic], half_life: float, start: FloatArray) -> FloatArray:
    decay = 0.5 ** (1.0 / half_life)
    smoothed, _ = lfilter([1.0 - decay], [1.0, -decay], np.nan_to_num(values), axis=0, zi=decay * start[None])
    return np.asarray(smoothed)


def _cut(squares: FloatArray, running: FloatArray, start: FloatArray) -> FloatArray:
    """Cut squares to a multiple of the running mean square one bar earlier, if there is one."""
    earlier = np.concatenate([start[:, None], running[:, :-1]], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = earlier[0] / earlier[1]
    return np.minimum(squares, np.where(mean > 0.0, CUT * CUT * mean, np.inf))
