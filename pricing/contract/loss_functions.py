"""The loss of a book as a few piecewise linear functions of worst drops."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from pricing.contract.book import Book, sum_by
from pricing.contract.observation import Observation
from pricing.contract.payouts import Payout, is_piecewise
from pricing.contract.thresholds import least_drop
from pricing.errors import InvalidTermsError
from pricing.tools.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LossFunction:
    """The loss of all covers with one asset and one observation.

    Parameters
    ----------
    asset : str
        Asset.
    observation : Observation
        Observation that decides the covers.
    points : ndarray of shape (n_nodes,)
        Worst drops at which the function steps or bends, in increasing order; the first is 0.
    values : ndarray of shape (n_nodes,)
        Loss at each point.
    slopes : ndarray of shape (n_nodes,)
        Slope of the loss from each point to the next.
    """

    asset: str
    observation: Observation
    points: FloatArray = field(repr=False)
    values: FloatArray = field(repr=False)
    slopes: FloatArray = field(repr=False)

    def loss(self, worst_drops: FloatArray) -> FloatArray:
        """Return the loss for each worst drop, in the currency of the book."""
        node = self._node(worst_drops)
        return np.asarray(self.values[node] + self.slopes[node] * np.maximum(worst_drops - self.points[node], 0.0))

    def node_averages(self, worst_drops: FloatArray, weights: FloatArray) -> FloatArray:
        """Average at each point the probability of reaching it, and the drop beyond it.

        Parameters
        ----------
        worst_drops, weights : ndarray of shape (n,)
            Drops and their weights.

        Returns
        -------
        ndarray of shape (2, n_nodes)
            Sums of weights, and of weights times the drop beyond the point.
        """
        node = self._node(worst_drops)
        reached = _sum_from(sum_by(node, weights, len(self.points)))
        depth = _sum_from(sum_by(node, weights * worst_drops, len(self.points)))
        return np.stack([reached, depth - self.points * reached])

    def _node(self, worst_drops: FloatArray) -> IntArray:
        return np.searchsorted(least_drop(self.points[1:]), worst_drops, side="right")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompressedBook:
    """A book as its loss functions, and the pieces from which they are built.

    Parameters
    ----------
    book : Book
        The covers.
    functions : tuple of LossFunction
        One per asset and observation with a cover, in the order of the book's lists.
    cover, node : ndarray of int, shape (n_pieces,)
        Cover and node of each piece; nodes are numbered through all functions.
    step, slope : ndarray of shape (n_pieces,)
        Step and change of slope of the cover's loss at the node.
    """

    book: Book
    functions: tuple[LossFunction, ...]
    cover: IntArray = field(repr=False)
    node: IntArray = field(repr=False)
    step: FloatArray = field(repr=False)
    slope: FloatArray = field(repr=False)

    def by_cover(self, node_averages: Sequence[FloatArray]) -> FloatArray:
        """Turn averages at the nodes of each function into the average loss of each cover, shape (n_covers,).

        Parameters
        ----------
        node_averages : sequence of ndarray of shape (2, n_nodes)
            See ``LossFunction.node_averages``, one per function.
        """
        reached, beyond = np.concatenate(node_averages, axis=1)
        averages = self.step * reached[self.node] + self.slope * beyond[self.node]
        return sum_by(self.cover, averages, len(self.book))


def compress(book: Book) -> CompressedBook:
    """Sum the covers of a book to one function per asset and observation.

    The sum is exact to rounding; a ramp adds rounding errors proportional to its slope.

    Raises
    ------
    InvalidTermsError
        If a payout does not consist of steps and ramps.
    """
    keys, function_of_cover = np.unique(book.asset * len(book.observations) + book.observation, return_inverse=True)
    cover, point, step, slope = _pieces(book)
    # One extra piece per function, without weight: every function begins at a drop of 0.
    function = np.append(function_of_cover[cover], np.arange(len(keys)))
    nothing = np.zeros(len(keys))
    cover = np.append(cover, nothing.astype(np.intp))
    point, step, slope = np.append(point, nothing), np.append(step, nothing), np.append(slope, nothing)
    node, first_piece = _number_nodes(function, point)
    points = point[first_piece]
    steps, slopes = sum_by(node, step, len(points)), sum_by(node, slope, len(points))
    bounds = np.searchsorted(function[first_piece], np.arange(len(keys) + 1))
    functions = tuple(
        _function(book, int(key), points[first:last], steps[first:last], slopes[first:last])
        for key, (first, last) in zip(keys, pairwise(bounds), strict=True)
    )
    return CompressedBook(book=book, functions=functions, cover=cover, node=node, step=step, slope=slope)


def _number_nodes(function: IntArray, point: FloatArray) -> tuple[IntArray, IntArray]:
    """Count the distinct points of all functions; return the number of each piece, and a piece of each number."""
    order = np.lexsort((point, function))
    is_new = (np.diff(function[order], prepend=-1) != 0) | (np.diff(point[order], prepend=-1.0) != 0.0)
    node = np.empty(len(order), dtype=np.intp)
    node[order] = np.cumsum(is_new) - 1
    return node, order[is_new]


def _pieces(book: Book) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Split covers into the points at which their loss steps or bends: cover, point, step and slope of each."""
    payouts = [_nodes(payout) for payout in book.payouts]
    counts = np.array([nodes.shape[1] for nodes in payouts])
    points, steps, slopes = np.concatenate(payouts, axis=1)
    cover = np.repeat(np.arange(len(book)), counts[book.payout])
    within = np.arange(len(cover)) - np.repeat(_before(counts[book.payout]), counts[book.payout])
    place = _before(counts)[book.payout][cover] + within
    # Steps of a payout before the trigger fires take effect when it fires.
    point = np.maximum(points[place], book.drop[cover])
    limit = book.limit[cover]
    return cover, point, limit * (steps[place] + slopes[place] * (point - points[place])), limit * slopes[place]


def _nodes(payout: Payout) -> FloatArray:
    """Return points, steps and changes of slope of a payout, shape (3, n_nodes)."""
    if not is_piecewise(payout):
        raise InvalidTermsError(f"payout must be made of steps and ramps to be summed up in a book, got {payout!r}")
    points, below, shares, slopes = np.array(payout.nodes()).T
    return np.stack([points, shares - below, np.diff(slopes, prepend=0.0)])


def _function(book: Book, key: int, points: FloatArray, steps: FloatArray, bends: FloatArray) -> LossFunction:
    asset, observation = divmod(key, len(book.observations))
    slopes = np.cumsum(bends)
    rises = np.append(0.0, slopes[:-1] * np.diff(points))
    return LossFunction(
        asset=book.assets[asset],
        observation=book.observations[observation],
        points=points,
        values=np.cumsum(steps + rises),
        slopes=slopes,
    )


def _before(counts: IntArray) -> IntArray:
    return np.cumsum(counts) - counts


def _sum_from(values: FloatArray) -> FloatArray:
    """Return the sum of each value and all later ones."""
    return np.asarray(np.cumsum(values[::-1])[::-1])
