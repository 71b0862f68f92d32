"""The laws of the worst drop at a few nodes: the anchors of simulated paths."""

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from calibration.law.bar_lengths import fits
from calibration.law.drop_law import TERM, DropLaw
from pricing.models.anchors import Anchor
from pricing.tools.arrays import FloatArray

#: Terms at which a law is met; paths lead from one to the next.
TERMS = (timedelta(days=7), TERM, timedelta(days=90), timedelta(days=180), timedelta(days=360))
#: A window is empty when a term begins, so the first one sees this share of falls less than a later one: for falls of
#: 15 and 20 % in 24 hours, 0.19 to 0.34 on BTC and ETH in 2017 to 2020, 0.15 to 0.40 on the panel by year.
UNSEEN = 0.3
#: Of a drop that more months than this see, a month says little about a week: it has no anchor for shorter terms.
MOST_IN_A_MONTH = 0.5
#: Drops at which a law is met exactly; in between, the dynamics interpolate. They are so close that the curve has no
#: visible knee at a node, where all paths beyond it get another weight.
NODES = (
    *(0.02, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.225, 0.25, 0.275, 0.3, 0.325, 0.35, 0.375),
    *(0.4, 0.425, 0.45, 0.475, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9),
)
#: A node outside these probabilities has no effect on prices and paths.
LEAST_PROBABILITY, MOST_PROBABILITY = 1e-5, 0.995
#: Smallest difference in probability between neighbouring nodes, relative to the shallower one.
LEAST_STEP = 1e-3
#: Every drop within an hour is a drop within a day, but not vice versa: least ratio of the two probabilities, or of
#: their complements.
LEAST_RATIO = 1.05


def exceedance(law: DropLaw, drop: float, centre: float, rate: float) -> float:
    """Return the probability of a worst drop as deep as a fraction or deeper."""
    return float(law.exceedance(-math.log1p(-drop), np.array([centre]), np.array([rate]))[0])


def log_drop_exceeded(law: DropLaw, probability: float, centre: float, rate: float) -> float:
    """Return the worst log drop that a given share of the months exceeds."""
    centres, rates = np.array([centre]), np.array([rate])

    def gap(log_log_drop: float) -> float:
        return float(law.exceedance(math.exp(log_log_drop), centres, rates)[0]) - probability

    return math.exp(brentq(gap, -12.0, 5.0, xtol=1e-6))


def can_be_anchored(step: timedelta, laws: Sequence[DropLaw]) -> bool:
    """Return whether the longest window of the laws is a whole number of steps."""
    return fits(laws[-1].window, step)


def coherent_anchors(laws: Sequence[DropLaw], curves: Sequence[Sequence[float]], step: timedelta) -> tuple[Anchor, ...]:
    """Turn exceedance probabilities of a month at the nodes into anchors of all terms.

    Parameters
    ----------
    laws : sequence of DropLaw
        Shortest window first; those whose windows are no whole numbers of steps have no anchors.
    curves : sequence of sequence of float
        Exceedance probabilities in 30 days at ``NODES``; a curve below that of a shorter window is raised above it.
    step : timedelta
        Step of the paths.
    """
    held = [(law.window, curve) for law, curve in zip(laws, curves, strict=True) if fits(law.window, step)]
    windows, curves = [window for window, _ in held], [curve for _, curve in held]
    return tuple(anchor for term in TERMS for anchor in _anchors_of(term, windows, curves))


def over_term(probabilities: Sequence[float], window: timedelta, term: timedelta) -> FloatArray:
    """Return exceedance probabilities of a term, given those of 30 days: the hazard rate stays the same.

    Shocks of different months are independent, and on the panel as many falls came of those expected over 7, 90 and
    180 days as over 30.
    """
    months = (term - UNSEEN * window) / (TERM - UNSEEN * window)
    return np.asarray(1.0 - (1.0 - np.asarray(probabilities)) ** months)


def _anchors_of(term: timedelta, windows: Sequence[timedelta], curves: Sequence[Sequence[float]]) -> Iterator[Anchor]:
    """Return the anchors of one term, with a curve below that of a shorter window raised above it."""
    shorter = np.zeros(len(NODES))
    for window, curve in zip(windows, curves, strict=True):
        lifted = np.minimum(LEAST_RATIO * shorter, 1.0 - (1.0 - shorter) / LEAST_RATIO)
        shorter = np.maximum(over_term(curve, window, term), lifted)
        says_little = term < TERM and np.asarray(curve) > MOST_IN_A_MONTH
        yield _anchor(window, term, np.where(says_little, 1.0, shorter))


def _anchor(window: timedelta, term: timedelta, curve: FloatArray) -> Anchor:
    """Keep the informative nodes, strictly decreasing in probability."""
    nodes = zip(NODES, curve.tolist(), strict=True)
    kept = [(drop, p) for drop, p in nodes if LEAST_PROBABILITY < p < MOST_PROBABILITY]
    falling = kept[:1] + [after for before, after in pairwise(kept) if after[1] < before[1] * (1.0 - LEAST_STEP)]
    return Anchor(window=window, term=term, drops=[drop for drop, _ in falling], probabilities=[p for _, p in falling])
