"""The laws of the worst drop at a few nodes: the anchors of simulated paths."""

import math
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq

from calibration.law.drop_law import TERM, DropLaw
from pricing.models.anchors import Anchor
from pricing.tools.arrays import FloatArray

#: Drops at which a law is met exactly; in between, the dynamics interpolate.
NODES = (0.02, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
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
    """Return whether every window of the laws is a whole number of bars."""
    return all(law.window % step == timedelta(0) for law in laws)


def coherent_anchors(laws: Sequence[DropLaw], curves: Sequence[Sequence[float]]) -> tuple[Anchor, ...]:
    """Turn exceedance probabilities at the nodes into anchors.

    Parameters
    ----------
    laws : sequence of DropLaw
        Shortest window first.
    curves : sequence of sequence of float
        Exceedance probabilities at ``NODES``; a curve below that of a shorter window is raised above it.
    """
    anchors, shorter = [], np.zeros(len(NODES))
    for law, curve in zip(laws, curves, strict=True):
        lifted = np.minimum(LEAST_RATIO * shorter, 1.0 - (1.0 - shorter) / LEAST_RATIO)
        shorter = np.maximum(curve, lifted)
        anchors.append(_anchor(law, shorter))
    return tuple(anchors)


def _anchor(law: DropLaw, curve: FloatArray) -> Anchor:
    """Keep the informative nodes, strictly decreasing in probability."""
    nodes = zip(NODES, curve.tolist(), strict=True)
    kept = [(drop, p) for drop, p in nodes if LEAST_PROBABILITY < p < MOST_PROBABILITY]
    falling = kept[:1] + [after for before, after in pairwise(kept) if after[1] < before[1] * (1.0 - LEAST_STEP)]
    return Anchor(
        window=law.window, term=TERM, drops=[drop for drop, _ in falling], probabilities=[p for _, p in falling]
    )
