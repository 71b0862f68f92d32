"""Events that the law itself expects, drawn together: tokens share the shock of each month.

A quote says how likely one event is. How much the number of events may differ from its expectation depends on what
tokens share, which the law of the worst month knows: the shock of the month, and the error of the level. Own crashes
are independent of each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from scipy.special import ndtr

from backtest.cells import Cell
from calibration.law.drop_law import TERM, DropLaw
from pricing.tools.arrays import BoolArray, FloatArray, IntArray

#: Halvings of the interval that holds the centre of a row.
_HALVINGS = 40
#: No more than this share of a probability is left to own crashes.
_MOST_OWN = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """Quoted events: when each begins, and the law of its day.

    Parameters
    ----------
    times : ndarray of shape (n,)
        Starts in days after the first.
    laws : sequence of tuple of DropLaw
        Laws of the day, shortest window first, one per start in order.
    start : ndarray of int, shape (n,)
        Number of the start of each event.
    """

    times: FloatArray
    laws: Sequence[tuple[DropLaw, ...]]
    start: IntArray


def draw_events(quoted: FloatArray, cell: Cell, ground: Ground, *, n_draws: int, seed: int) -> BoolArray:
    """Draw whether quoted events come, with the shocks of calendar months shared by all.

    Parameters
    ----------
    quoted : ndarray of shape (n,)
        Probabilities.
    cell : Cell
        The event.
    ground : Ground
        Starts and laws.
    n_draws : int
        Number of draws.
    seed : int
        Seed.

    Returns
    -------
    ndarray of bool, shape (n_draws, n)
    """
    rng = np.random.default_rng(seed)
    laws = [_law_for(cell, laws) for laws in ground.laws]
    month = -np.expm1(np.log1p(-quoted) * (TERM / cell.span.term))
    own = np.minimum(np.array([_own(law, cell.drop) for law in laws])[ground.start], _MOST_OWN * month)
    common = 1.0 - (1.0 - month) / (1.0 - own)
    shocks = np.array([law.shocks for law in laws])[ground.start]
    spread = np.exp(np.array([[law.spread, law.spread_slope] for law in laws]))[ground.start]
    widths = spread[:, :1] * spread[:, 1:] ** shocks
    errors = np.array([law.level.error for law in laws])[ground.start]
    centres = _centres(common, shocks, np.hypot(widths, errors[:, None]))
    shares = _shares(ground.times, cell.span.term)
    places = rng.integers(shocks.shape[1], size=(n_draws, shares.shape[1]))
    levels = rng.standard_normal(n_draws)
    uniform = rng.random((n_draws, len(quoted)))
    hazard = -np.log1p(-own) * (cell.span.term / TERM) * np.ones((n_draws, 1))
    for block in np.flatnonzero(shares.any(axis=0)):
        rows = np.flatnonzero(shares[:, block])
        shock, width = shocks[rows][:, places[:, block]].T, widths[rows][:, places[:, block]].T
        chance = ndtr((centres[rows] + shock + levels[:, None] * errors[rows]) / width)
        hazard[:, rows] -= np.log1p(-np.minimum(chance, 1.0 - 1e-12)) * shares[rows, block]
    return np.asarray(uniform < -np.expm1(-hazard))


def _law_for(cell: Cell, laws: tuple[DropLaw, ...]) -> DropLaw:
    """Return the law whose window is nearest."""
    return min(laws, key=lambda law: abs(math.log(law.window / cell.span.window)))


def _own(law: DropLaw, drop: float) -> float:
    """Return the probability of an own crash as deep as a drop in a month, for an ordinary token."""
    return -math.expm1(-math.exp(law.own.log_rate) * law.own.beyond(-math.log1p(-drop)))


def _centres(chances: FloatArray, shocks: FloatArray, widths: FloatArray) -> FloatArray:
    """Return the centre of each row at which the mean probability over its shocks is that given."""
    low, high = np.full(len(chances), -12.0), np.full(len(chances), 12.0)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        above = ndtr((middle[:, None] + shocks) / widths).mean(axis=1) > chances
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray(0.5 * (low + high))


def _shares(times: FloatArray, term: timedelta) -> FloatArray:
    """Return by how many months each term overlaps each calendar month, shape (n, n_months)."""
    month, length = TERM / timedelta(days=1), term / timedelta(days=1)
    begins = month * np.arange(int((times.max() + length) // month) + 1)
    overlap = np.minimum(times[:, None] + length, begins + month) - np.maximum(times[:, None], begins)
    return np.asarray(np.maximum(overlap, 0.0) / month)
