"""Reweight paths so that their worst drops meet the anchors of a model, and move the weights no more than they must.

Of all laws on the simulated paths that meet the anchored probabilities, the one with the least entropy relative to the
simulation is taken (Csiszar 1975; for Monte Carlo prices Avellaneda et al. 2001). The anchors cut the paths into cells,
and iterative proportional fitting over the cells finds that law with additions, multiplications and divisions alone
(Deming and Stephan 1940), so the weights have the same bits on every machine.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from pricing.anchors import Anchor
from pricing.errors import PrecisionWarning, SimulationError
from pricing.signals import Signal, make_signal
from pricing.triggers import Reference

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: A node that fewer paths reach is left to the model's own tail: a weight made from them would be noise.
FEWEST_PATHS = 10
#: A node left out although this many paths were expected there says that the dynamics cannot make the drop.
MOST_EXPECTED = 100.0
_TOLERANCE = 1e-10
_MOST_SWEEPS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """How far the weights of a simulation had to move.

    Parameters
    ----------
    relative_entropy : float
        Of the anchored law relative to the simulated one, in nats; 0 where nothing moved.
    effective_share : float
        Effective number of paths after anchoring as a share of all, without the weights of rare-drop sampling.
    smallest_factor, largest_factor : float
        Range of the factors on the probability of a path.
    nodes : int
        Anchored probabilities that are met.
    left_out : int
        Nodes that too few paths reached.
    """

    relative_entropy: float
    effective_share: float
    smallest_factor: float
    largest_factor: float
    nodes: int
    left_out: int


def anchor_signal(anchor: Anchor, step: timedelta) -> Signal:
    """Return what has to be simulated to meet an anchor.

    Raises
    ------
    InvalidTermsError
        If the window or the term is not a whole number of steps.
    """
    return make_signal(
        reference=Reference.ROLLING_HIGH,
        window=anchor.window,
        term=anchor.term,
        waiting_period=timedelta(0),
        step=step,
    )


def anchored_weights(
    worst_drops: Sequence[FloatArray], weights: FloatArray, anchors: Sequence[Anchor]
) -> tuple[FloatArray, Anchoring]:
    """Reweight paths until every anchor is met.

    Parameters
    ----------
    worst_drops : sequence of ndarray of shape (n_paths,)
        Worst drop of each path for the signal of each anchor.
    weights : ndarray of shape (n_paths,)
        Likelihood ratios of the simulation; ones where it is plain.
    anchors : sequence of Anchor
        What to meet.

    Returns
    -------
    weights : ndarray of shape (n_paths,)
        Of mean one.
    anchoring : Anchoring
        How far they moved.

    Raises
    ------
    SimulationError
        If no weights meet all anchors at once.
    """
    reached = [_reached(drops, anchor) for drops, anchor in zip(worst_drops, anchors, strict=True)]
    bins = [np.searchsorted(drops, worst, side="right") for worst, (drops, _) in zip(worst_drops, reached, strict=True)]
    targets = [-np.diff([1.0, *probabilities, 0.0]) for _, probabilities in reached]
    cells, cell_of_path = np.unique(np.array(bins), axis=1, return_inverse=True)
    simulated = np.asarray(np.bincount(cell_of_path, weights), dtype=np.float64)
    simulated /= math.fsum(simulated)
    anchored = _fit(simulated, cells, targets)
    factors = anchored / simulated
    moved = factors[cell_of_path] * weights
    n_left_out = sum(len(anchor.drops) - len(drops) for anchor, (drops, _) in zip(anchors, reached, strict=True))
    return moved * (len(moved) / math.fsum(moved)), Anchoring(
        relative_entropy=math.fsum(anchored * np.log(factors)),
        effective_share=1.0 / math.fsum(anchored * factors),
        smallest_factor=float(factors.min()),
        largest_factor=float(factors.max()),
        nodes=sum(len(drops) for drops, _ in reached),
        left_out=n_left_out,
    )


def _reached(worst_drops: FloatArray, anchor: Anchor) -> tuple[FloatArray, FloatArray]:
    """Keep the nodes with enough paths between each and the one before, and beyond the last."""
    drops, probabilities = np.array(anchor.drops), np.array(anchor.probabilities)
    n_beyond = np.array([np.count_nonzero(worst_drops >= drop) for drop in drops])
    kept: list[int] = []
    for node, n_paths in enumerate(n_beyond):
        n_before = n_beyond[kept[-1]] if kept else len(worst_drops)
        if n_paths >= FEWEST_PATHS and n_before - n_paths >= FEWEST_PATHS:
            kept.append(node)
        elif n_paths < FEWEST_PATHS and probabilities[node] * len(worst_drops) > MOST_EXPECTED:
            warnings.warn(
                f"only {n_paths} of {len(worst_drops)} paths reach a drop of {drops[node]:.0%}, whose probability is "
                f"anchored at {probabilities[node]:.2g}: the dynamics of the model are too tame for its anchor",
                PrecisionWarning,
                stacklevel=4,
            )
    return drops[kept], probabilities[kept]


def _fit(simulated: FloatArray, cells: IntArray, targets: Sequence[FloatArray]) -> FloatArray:
    """Scale the cells to each anchor's margin in turn until all of them hold."""
    mass = simulated
    for _ in range(_MOST_SWEEPS):
        gap = 0.0
        for bins, target in zip(cells, targets, strict=True):
            margin = np.bincount(bins, mass, minlength=len(target))
            gap = max(gap, float(np.abs(margin - target).max()))
            mass = mass * (target / margin)[bins]
        if gap < _TOLERANCE:
            return mass
    raise SimulationError(
        f"no weights meet all anchors at once: after {_MOST_SWEEPS} sweeps a probability is still off by {gap:.1e} "
        "(a drop within a short window is also a drop within every longer one, so its probability cannot be larger)"
    )
