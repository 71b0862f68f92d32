"""Shares of the laws of a mixture: they minimise the largest variance over all levels of drop.

With shares ``a`` the relative second moment of the probability of a level is convex in ``a`` (He and Owen 2014). The
largest over the levels is minimised by reweighting the levels (more for the worse ones) and the laws in turn.
"""

from dataclasses import dataclass

import numpy as np

from pricing.tools.arrays import FloatArray, LongArray

LARGEST_PROBABILITY = 0.2
"""Probability of the shallowest level; more common drops are left to the paths that follow the model."""
SMALLEST_PROBABILITY = 1e-12
"""Probability of the deepest level."""
LARGEST_DROP = 0.95
"""No level is deeper than this."""

_N_LEVELS = 24
_FEWEST_PATHS = 10  # beyond a level, otherwise chance dominates
_N_ROUNDS = 60  # more rounds would overfit the few paths of the pilot
_PACE = 5.0


def best_shares(ratios: FloatArray, worst_drops: FloatArray, shares: FloatArray) -> FloatArray:
    """Find the shares of a mixture that minimise the largest relative variance over all signals and levels.

    Parameters
    ----------
    ratios : ndarray of shape (n_laws, n_paths)
        Ratio of the likelihood of each path under each law to that under the model. The first law is the model: ones.
    worst_drops : ndarray of shape (n_signals, n_paths)
        Worst drops of the same paths.
    shares : ndarray of shape (n_laws,)
        Shares with which the paths were drawn. The first is a minimum.

    Returns
    -------
    ndarray of shape (n_laws,)
        Better shares; `shares` themselves if no level has enough paths.
    """
    weights = 1.0 / (shares @ ratios)
    found = [_levels(drops, weights) for drops in worst_drops]
    places, scales = np.array([place for place, _ in found]), np.array([scale for _, scale in found])
    if not scales.any():
        return shares
    return _smallest_largest(ratios, Levels(places=places, scales=scales, weights=weights), shares)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """Levels of drop at which a sample of paths is evaluated.

    Parameters
    ----------
    places : ndarray of shape (n_signals, n_paths)
        Deepest level that each path reaches, from 0, the deepest, to n_levels for none.
    scales : ndarray of shape (n_signals, n_levels)
        Inverse of the number of paths times the squared probability of each level; 0 if a level does not count.
    weights : ndarray of shape (n_paths,)
        Weights with which the paths were drawn.
    """

    places: LongArray
    scales: FloatArray
    weights: FloatArray

    def moments(self, mixture: FloatArray) -> FloatArray:
        """Return the relative second moment of each level, shape (n_signals, n_levels), under a mixture."""
        n_signals, n_levels = self.scales.shape
        cells = self.places + (n_levels + 1) * np.arange(n_signals)[:, None]
        parts = np.bincount(cells.ravel(), np.tile(self.weights / mixture, n_signals), n_signals * (n_levels + 1))
        return np.asarray(np.cumsum(parts.reshape(n_signals, -1), axis=1)[:, :-1] * self.scales)

    def costs(self, attention: FloatArray) -> FloatArray:
        """Return the contribution of each path to the moments, times attention and its density, shape (n_paths,)."""
        beyond = np.cumsum((attention * self.scales)[:, ::-1], axis=1)[:, ::-1]
        beyond = np.concatenate([beyond, np.zeros((len(beyond), 1))], axis=1)
        return np.asarray(self.weights * np.take_along_axis(beyond, self.places, axis=1).sum(axis=0))


def _levels(drops: FloatArray, weights: FloatArray) -> tuple[LongArray, FloatArray]:
    """Return the levels and scales of one signal."""
    order = np.argsort(-drops, kind="stable")
    tail = np.cumsum(weights[order]) / len(weights)
    ends = np.searchsorted(tail, np.geomspace(SMALLEST_PROBABILITY, LARGEST_PROBABILITY, _N_LEVELS))
    first = max(_FEWEST_PATHS, int(np.count_nonzero(drops > LARGEST_DROP)))
    counts = (ends >= first) & (ends < len(drops))
    scales = np.where(counts, 1.0 / (len(drops) * tail[np.minimum(ends, len(drops) - 1)] ** 2), 0.0)
    places = np.empty_like(order)
    places[order] = np.searchsorted(ends, np.arange(len(order)))
    return places, scales


def _smallest_largest(ratios: FloatArray, levels: Levels, shares: FloatArray) -> FloatArray:
    least, attention = shares[0], (levels.scales > 0.0) / np.count_nonzero(levels.scales)
    best, smallest = shares, np.inf
    for _ in range(_N_ROUNDS):
        mixture = shares @ ratios
        moments = levels.moments(mixture)
        if moments.max() < smallest:
            best, smallest = shares, moments.max()
        attention = attention * np.exp(_PACE * (moments / moments.max() - 1.0))
        attention /= attention.sum()
        shares = shares * np.sqrt(ratios @ (levels.costs(attention) / mixture**2))
        model = max(least, shares[0] / shares.sum())
        shares = np.concatenate([[model], shares[1:] * ((1.0 - model) / shares[1:].sum())])
    return best
