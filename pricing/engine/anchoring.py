"""Reweight paths so that their worst drops meet the anchors of a model, changing the weights as little as possible.

Of all laws on the simulated paths that meet the anchored probabilities, the one with the least relative entropy to the
simulation is chosen (Csiszar 1975; for Monte Carlo prices Avellaneda et al. 2001). The anchors divide the paths into
cells, and iterative proportional fitting over the cells finds that law with only additions, multiplications and
divisions (Deming and Stephan 1940), so the weights have the same bits on every machine.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pricing.contract.thresholds import least_drop
from pricing.errors import PrecisionWarning, SimulationError
from pricing.models.anchors import Anchor
from pricing.surface.surface import Anchoring
from pricing.tools.arrays import FloatArray, LongArray

Nodes = tuple[FloatArray, FloatArray]


#: A node that fewer paths reach, or fewer effective paths after anchoring, is left to the model's own tail, because
#: weights based on so few paths would be noise.
FEWEST_PATHS = 10


#: A node left out although this many paths were expected there means that the dynamics cannot produce the drop.
MOST_EXPECTED = 100.0


#: Anchors above this probability that cannot be met together contradict each other; below it, there are too few paths
#: to decide.
RARE = 0.05


#: Anchored probabilities are met to this relative error.
TOLERANCE = 1e-7


_MOST_SWEEPS = 300


def anchored_weights(
    worst_drops: Sequence[FloatArray], weights: FloatArray, anchors: Sequence[Anchor]
) -> tuple[FloatArray, Anchoring]:
    """Reweight paths until every anchor is met.

    Parameters
    ----------
    worst_drops : sequence of ndarray of shape (n_paths,)
        Worst drop of each path for the signal of each anchor.
    weights : ndarray of shape (n_paths,)
        Likelihood ratios of the simulation; ones for plain simulation.
    anchors : sequence of Anchor
        Anchors to meet.

    Returns
    -------
    weights : ndarray of shape (n_paths,)
        Weights with mean one.
    anchoring : Anchoring
        Size of the change of weights.

    Raises
    ------
    SimulationError
        If no weights meet all anchors at once.
    """
    nodes = [_reached(drops, anchor) for drops, anchor in zip(worst_drops, anchors, strict=True)]
    while (thin := _too_thin(fitted := _fit(worst_drops, weights, nodes))) or fitted is None:
        nodes = _without_rarest(nodes) if fitted is None else _without(nodes, thin)
    _report_left_out(anchors, nodes, len(weights))
    n_nodes = sum(len(drops) for drops, _ in nodes)
    return fitted.weights, Anchoring(
        relative_entropy=float(np.mean(fitted.weights * np.log(fitted.factors))),
        effective_share=1.0 / float(np.mean(fitted.weights * fitted.factors)),
        smallest_factor=float(fitted.factors.min()),
        largest_factor=float(fitted.factors.max()),
        nodes=n_nodes,
        left_out=sum(len(anchor.drops) for anchor in anchors) - n_nodes,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fitted:
    """Factor and new weight of every path, and effective paths beyond every node of every anchor (Kish 1965)."""

    factors: FloatArray
    weights: FloatArray
    effective: list[FloatArray]


def _reached(worst_drops: FloatArray, anchor: Anchor) -> Nodes:
    """Keep the nodes with enough paths between each node and the previous one, and beyond the last."""
    drops, probabilities = np.array(anchor.drops), np.array(anchor.probabilities)
    n_before, kept = len(worst_drops), []
    for node, drop in enumerate(drops):
        n_beyond = int(np.count_nonzero(worst_drops >= least_drop(drop)))
        if n_beyond >= FEWEST_PATHS and n_before - n_beyond >= FEWEST_PATHS:
            kept.append(node)
            n_before = n_beyond
    return drops[kept], probabilities[kept]


def _fit(worst_drops: Sequence[FloatArray], weights: FloatArray, nodes: Sequence[Nodes]) -> _Fitted | None:
    """Reweight the cells defined by the nodes; None if the nodes cannot be met together."""
    bins = [
        np.searchsorted(least_drop(drops), worst, side="right")
        for worst, (drops, _) in zip(worst_drops, nodes, strict=True)
    ]
    targets = [-np.diff([1.0, *probabilities, 0.0]) for _, probabilities in nodes]
    shape = tuple(len(target) for target in targets)
    codes, cell_of_path = np.unique(np.ravel_multi_index(tuple(bins), shape), return_inverse=True)
    cells = np.array(np.unravel_index(codes, shape))
    total = np.asarray(np.bincount(cell_of_path, weights), dtype=np.float64)
    simulated = total / math.fsum(total)
    anchored = _scale(simulated, cells, targets)
    if anchored is None:
        return None
    by_cell = anchored / simulated
    squares = np.bincount(cell_of_path, weights * weights)
    factors = by_cell[cell_of_path]
    moved = factors * weights
    return _Fitted(
        factors=factors,
        weights=moved * (len(moved) / math.fsum(moved)),
        effective=[
            _beyond(row, by_cell * total, n) ** 2 / _beyond(row, by_cell * by_cell * squares, n)
            for row, n in zip(cells, shape, strict=True)
        ],
    )


def _beyond(bins: LongArray, values: FloatArray, n_bins: int) -> FloatArray:
    """Sum values of cells beyond each node of one anchor."""
    sums = np.bincount(bins, values, minlength=n_bins)
    return np.asarray(np.cumsum(sums[::-1])[::-1][1:])


def _too_thin(fitted: _Fitted | None) -> list[tuple[int, int]]:
    """Return the deepest node of each anchor that has too few effective paths beyond it."""
    if fitted is None:
        return []
    thin = [np.flatnonzero(effective < FEWEST_PATHS) for effective in fitted.effective]
    return [(place, int(found[-1])) for place, found in enumerate(thin) if len(found)]


def _without(nodes: Sequence[Nodes], thin: Sequence[tuple[int, int]]) -> list[Nodes]:
    left_out = dict(thin)
    return [
        (np.delete(drops, left_out[place]), np.delete(p, left_out[place])) if place in left_out else (drops, p)
        for place, (drops, p) in enumerate(nodes)
    ]


def _scale(simulated: FloatArray, cells: LongArray, targets: Sequence[FloatArray]) -> FloatArray | None:
    """Scale the cells to each anchor's margin in turn until all of them hold; None if that does not converge."""
    mass = simulated
    for _ in range(_MOST_SWEEPS):
        error = 0.0
        for bins, target in zip(cells, targets, strict=True):
            factors = target / np.bincount(bins, mass, minlength=len(target))
            error = max(error, float(np.abs(factors - 1.0).max()))
            mass = mass * factors[bins]
        if error < TOLERANCE:
            return mass
    return None


def _without_rarest(nodes: Sequence[Nodes]) -> list[Nodes]:
    """Leave out the deepest node with the smallest probability."""
    place = min((place for place in range(len(nodes)) if len(nodes[place][0])), key=lambda place: nodes[place][1][-1])
    if nodes[place][1][-1] > RARE:
        rarest = ", ".join(f"{drops[-1]:.0%} with {p[-1]:.1%}" for drops, p in nodes if len(drops))
        raise SimulationError(
            f"no weights of the paths meet the anchored probabilities of their worst drops, got {rarest} "
            "(simulate more paths; a price that mostly stands still needs longer bars; of your own anchors, a drop "
            "within a short window is also one within every longer window, so it cannot be more probable)"
        )
    return [(drops[:-1], p[:-1]) if k == place else (drops, p) for k, (drops, p) in enumerate(nodes)]


def _report_left_out(anchors: Sequence[Anchor], nodes: Sequence[Nodes], n_paths: int) -> None:
    for anchor, (drops, _) in zip(anchors, nodes, strict=True):
        for drop, probability in zip(anchor.drops, anchor.probabilities, strict=True):
            deepest = float(drops[-1]) if len(drops) else 0.0
            if drop > deepest and probability * n_paths > MOST_EXPECTED:
                warnings.warn(
                    f"too few of {n_paths} paths reach the anchored drop of {drop:.0%}, whose "
                    f"probability is {probability:.2g}: the dynamics of the model are too calm for its anchors",
                    PrecisionWarning,
                    stacklevel=4,
                )
                return
