"""Cumulated sums over the deep end of a grouped sample, so that a loss is priced without a pass over the sample.

With the drop ``d``, the weight ``w`` and the squared weights ``v`` of each group, a payout needs sums of ``w d^r`` and
``v d^r`` over groups from some drop on. Sums with ``r = 0`` are kept at every group, those for ramps at every eighth
group.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import sub
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pricing.contract.payouts import Node, Payout, PiecewisePayout, is_piecewise
from pricing.contract.thresholds import least_drop
from pricing.principles import Distortion
from pricing.rates.distorted_tail import DistortedReader, DistortedTail
from pricing.rates.grouped_sample import GroupedSample, error_of_mean
from pricing.surface.estimates import Estimate
from pricing.tools.arrays import FloatArray, view_of

Powers = tuple[float, ...] | FloatArray

#: Powers are kept at intervals of this many groups.
STRIDE = 8
#: For a ramp narrower than this, sums of powers cancel; its few groups are summed one by one.
NARROW = 0.05


class LossSums(NamedTuple):
    """Sums over paths that principles of two moments need of a simulated loss.

    ``x`` are losses as shares of the limit, ``w`` weights of paths.
    """

    fired: float
    """Sum of the weights of the paths that fire the trigger."""
    fired_squares: float
    """Sum of their squared weights."""
    first: float
    """``w x``"""
    second: float
    """``w x^2``"""
    squares: float
    """``w^2 x^2``"""
    cubes: float
    """``w^2 x^3``"""
    fourths: float
    """``w^2 x^4``"""


@dataclass(frozen=True, slots=True, eq=False)
class TailSums:
    """A grouped sample as cumulated sums from the deepest drop on.

    Parameters
    ----------
    columns : ndarray of shape (3, n_groups + 1)
        Drops in increasing order, ended by infinity; summed weights and squared weights of each group and all deeper
        ones.
    powers : ndarray of shape (n_groups // 8 + 2, 6)
        At every eighth group, for it and all deeper groups: ``w d, w d^2, v d, v d^2, v d^3, v d^4``.
    paths : int
        Number of paths.
    largest_weight : float
        Weight of the heaviest path.
    """

    columns: FloatArray = field(repr=False)
    powers: FloatArray = field(repr=False)
    paths: int
    largest_weight: float

    @classmethod
    def of_sample(cls, sample: GroupedSample) -> "TailSums":
        """Cumulate a sample from its deepest drop on."""
        weights = sample.weighted(np.ones(len(sample.drops)))
        columns = np.zeros((3, len(weights) + 1))
        columns[:, :-1] = np.stack([sample.drops, np.cumsum(weights), np.cumsum(sample.squares)])[:, ::-1]
        columns[0, -1] = np.inf
        return cls(columns, power_sums(columns)[_places(len(weights))], sample.paths, sample.largest_weight)

    def sample(self) -> GroupedSample:
        """Return the sample that was cumulated."""
        drops, reached, squares = self.columns
        return GroupedSample(
            drops=drops[-2::-1],
            weights=-np.diff(reached)[::-1],
            squares=-np.diff(squares)[::-1],
            paths=self.paths,
            largest_weight=self.largest_weight,
        )

    def at(self, drops: FloatArray) -> FloatArray:
        """Return summed weights and squared weights of drops at least as deep as each given drop, shape (2, n)."""
        return self.columns[1:, np.searchsorted(self.columns[0], least_drop(drops), side="left")]

    def powers_at(self, drops: FloatArray) -> FloatArray:
        """Return ``w, w d, w d^2, v, v d, v d^2, v d^3, v d^4`` summed in the same way, shape (8, n)."""
        place = np.searchsorted(self.columns[0], least_drop(drops), side="left")
        block = -(-place // STRIDE)
        between = place[:, np.newaxis] + np.arange(STRIDE - 1)
        is_between = between < np.minimum(block * STRIDE, self.columns.shape[1] - 1)[:, np.newaxis]
        between = np.where(is_between, between, 0)
        drop = self.columns[0, between]
        weights, squares = np.where(is_between, self.columns[1:, between] - self.columns[1:, between + 1], 0.0)
        w1, w2, *v = self.powers[block].T + np.stack([term.sum(axis=1) for term in _terms(drop, weights, squares)])
        reached, squared = self.columns[1:, place]
        return np.stack([reached, w1, w2, squared, *v])

    def reader(self) -> "TailReader":
        """Return a reader of single losses."""
        drops, reached, squares = (view_of(column) for column in self.columns)
        return TailReader(drops, reached, squares, view_of(self.powers.ravel()), self)


def power_sums(columns: FloatArray) -> FloatArray:
    """Sum powers of drops from each group on, shape (n_groups + 1, 6); see ``TailSums``."""
    drops = columns[0, :-1]
    weights, squares = -np.diff(columns[1:])
    terms = np.stack(list(_terms(drops, weights, squares)))
    sums = np.zeros((len(drops) + 1, len(terms)))
    sums[:-1] = np.cumsum(terms[:, ::-1], axis=1)[:, ::-1].T
    return sums


def _terms(drops: FloatArray, weights: FloatArray, squares: FloatArray) -> Iterator[FloatArray]:
    """Yield the powers of ``TailSums`` group by group, by multiplication: powers take ten times as long."""
    for factors, n_powers in ((weights, 2), (squares, 4)):
        term = factors
        for _ in range(n_powers):
            term = term * drops
            yield term


def tail_shapes(n_groups: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the shapes of the columns and the powers for a number of groups."""
    return (3, n_groups + 1), (n_groups // STRIDE + 2, 6)


def _places(n_groups: int) -> npt.NDArray[np.intp]:
    """Return the groups at which powers are kept; the end of the sample, where all sums are zero, is the last one."""
    return np.minimum(np.arange(tail_shapes(n_groups)[1][0]) * STRIDE, n_groups)


@dataclass(frozen=True, slots=True, eq=False)
class TailReader:
    """Computes single losses from tail sums; memory views return plain numbers faster than arrays do.

    Parameters
    ----------
    drops, reached, squares, powers : memoryview
        As in ``TailSums``, row after row.
    sums : TailSums
        The tail sums.
    distortions : dict of Distortion to DistortedReader
        The tail as each distortion sees it, computed when it is first needed.
    """

    drops: "memoryview[float]"
    reached: "memoryview[float]"
    squares: "memoryview[float]"
    powers: "memoryview[float]"
    sums: TailSums
    distortions: dict[Distortion, DistortedReader] = field(default_factory=dict, repr=False)

    def loss_sums(self, payout: PiecewisePayout, drop: float) -> LossSums:
        """Sum a loss.

        Parameters
        ----------
        payout : PiecewisePayout
            Payout of the cover.
        drop : float
            Drop of the trigger.
        """
        drops, reached, squares = self.drops, self.reached, self.squares
        fired = place = bisect_left(drops, least_drop(drop))
        first = second = squared = cubes = fourths = below = below2 = below3 = below4 = 0.0
        ramp: Node | None = None
        for node in payout.nodes():
            point, _, share, slope = node
            start = place
            # Steps of a payout before the trigger fires take effect when it fires.
            place = bisect_left(drops, least_drop(point), fired) if point > drop else fired
            if ramp:
                w1, w2, v2, v3, v4 = self._ramp(payout, ramp, point, start, place)
                first += w1
                second += w2
                squared += v2
                cubes += v3
                fourths += v4
            if share != below:
                weight, square = reached[place], squares[place]
                share2 = share * share
                share3, share4 = share2 * share, share2 * share2
                first += (share - below) * weight
                second += (share2 - below2) * weight
                squared += (share2 - below2) * square
                cubes += (share3 - below3) * square
                fourths += (share4 - below4) * square
                below, below2, below3, below4 = share, share2, share3, share4
            ramp = node if slope else None
        return LossSums(reached[fired], squares[fired], first, second, squared, cubes, fourths)

    def steps(self, payout: Payout, drop: float) -> tuple[GroupedSample, FloatArray] | None:
        """Group paths by their payment, and return the payments; None if the payout does not consist of steps.

        Parameters
        ----------
        payout : Payout
            Payout of the cover.
        drop : float
            Drop of the trigger.
        """
        if not is_piecewise(payout) or any(slope for *_, slope in payout.nodes()):
            return None
        # All tiers no deeper than the trigger are reached when it fires; the deepest of them is paid.
        paid = {max(point, drop): share for point, _, share, _ in payout.nodes()}
        depths, shares = np.array(list(paid.items())).T[:, ::-1]
        depths = np.append(depths, 0.0)  # the last group are the paths on which the trigger does not fire
        weights, squares = np.diff(self.sums.at(depths), prepend=0.0)
        seen = weights > 0.0  # an amount that no path pays is not part of the law
        sample = GroupedSample(
            drops=depths[seen],
            weights=weights[seen],
            squares=squares[seen],
            paths=self.sums.paths,
            largest_weight=self.sums.largest_weight,
        )
        return sample, shares[seen[:-1]]

    def distorted(self, distortion: Distortion) -> DistortedReader:
        """Return a reader of the tail as a distortion sees it."""
        reader = self.distortions.get(distortion)
        if reader is None:  # threads that meet here compute the same twice
            reader = DistortedTail(self.sums.columns, self.sums.paths, distortion).reader()
            self.distortions[distortion] = reader
        return reader

    def fired(self, drop: float) -> Estimate[float]:
        """Return the probability that a trigger fires."""
        place, n_paths = bisect_left(self.drops, least_drop(drop)), self.sums.paths
        probability = self.reached[place] / n_paths
        error = error_of_mean(self.squares[place], probability, n_paths, self.sums.largest_weight)
        return Estimate(probability, error)

    def _ramp(self, payout: Payout, node: Node, end: float, start: int, stop: int) -> tuple[float, ...]:
        """Sum the excess of the powers of the share, from each node to the next, over those at the node."""
        point, _, share, slope = node
        if end - point < NARROW:
            sums = self._summed_ramp(payout, start, stop)
        else:
            sums = self._cumulated_ramp(point - share / slope, slope, start, stop)
        if not share:
            return sums
        weight, square = self.reached[start] - self.reached[stop], self.squares[start] - self.squares[stop]
        flat = (share * weight, share**2 * weight, share**2 * square, share**3 * square, share**4 * square)
        return tuple(map(sub, sums, flat))

    def _summed_ramp(self, payout: Payout, start: int, full: int) -> tuple[float, ...]:
        drops, reached, squares = self.sums.columns[:, start : full + 1]
        shares = payout.share(drops[:-1])
        weights, squared = -np.diff(reached), -np.diff(squares) * shares**2
        sums = (weights @ shares, weights @ shares**2, squared.sum(), squared @ shares, squared @ shares**2)
        return tuple(float(value) for value in sums)

    def _cumulated_ramp(self, foot: float, slope: float, start: int, full: int) -> tuple[float, ...]:
        w1, w2, v1, v2, v3, v4 = self._power_sums(start)
        beyond_w1, beyond_w2, beyond_v1, beyond_v2, beyond_v3, beyond_v4 = self._power_sums(full)
        weighted = (self.reached[start] - self.reached[full], w1 - beyond_w1, w2 - beyond_w2)
        squared = (
            self.squares[start] - self.squares[full],
            v1 - beyond_v1,
            v2 - beyond_v2,
            v3 - beyond_v3,
            v4 - beyond_v4,
        )
        return shifted_powers(foot, slope, weighted, squared)

    def _power_sums(self, place: int) -> tuple[float, ...]:
        """Return sums of powers of drops from a group on: stored sums from the next eighth group, and those between."""
        block = -(-place // STRIDE)
        sums: Sequence[float] = self.powers[6 * block : 6 * block + 6].tolist()
        w1, w2, v1, v2, v3, v4 = sums
        drops, reached, squares = self.drops, self.reached, self.squares
        weight, square = reached[place], squares[place]
        for each in range(place, min(block * STRIDE, len(drops) - 1)):
            drop, lower_weight, lower_square = drops[each], reached[each + 1], squares[each + 1]
            weighted, squared = (weight - lower_weight) * drop, (square - lower_square) * drop
            w1 += weighted
            w2 += weighted * drop
            v1 += squared
            squared *= drop
            v2 += squared
            squared *= drop
            v3 += squared
            v4 += squared * drop
            weight, square = lower_weight, lower_square
        return w1, w2, v1, v2, v3, v4


def shifted_powers(
    foot: float | FloatArray, slope: float | FloatArray, weighted: Powers, squared: Powers
) -> tuple[Any, ...]:
    """Turn sums of powers of drops into those of a ramp, for numbers or for arrays.

    Parameters
    ----------
    foot, slope : float
        Drop at which the ramp, or its continuation, leaves 0; and its slope.
    weighted : sequence of 3
        ``w d^r`` for r from 0 to 2.
    squared : sequence of 5
        ``v d^r`` for r from 0 to 4.

    Returns
    -------
    tuple of 5
        With the share ``x``: ``w x, w x^2, v x^2, v x^3, v x^4``.
    """
    a = foot
    w0, w1, w2 = weighted
    v0, v1, v2, v3, v4 = squared
    return (
        (w1 - a * w0) * slope,
        (w2 - a * (2.0 * w1 - a * w0)) * slope**2,
        (v2 - a * (2.0 * v1 - a * v0)) * slope**2,
        (v3 - a * (3.0 * v2 - a * (3.0 * v1 - a * v0))) * slope**3,
        (v4 - a * (4.0 * v3 - a * (6.0 * v2 - a * (4.0 * v1 - a * v0)))) * slope**4,
    )
