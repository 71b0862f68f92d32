"""Prices of a distortion from tail sums: areas under the distorted exceedance curve, cumulated once per distortion.

A payout is a sum of steps and ramps. The price of a step is the step times the distorted exceedance g(S) of its drop;
the price of a ramp is its slope times the area under g(S) from its start to its end. The influence function, whose
deviation is the standard error, is built in the same way from the slope g'(S). So areas under the two curves, and sums
of powers of the second one, price every payout with one search per node.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from pricing.contract.payouts import PiecewisePayout
from pricing.contract.thresholds import least_drop
from pricing.principles import Distortion
from pricing.tools.arrays import FloatArray, IntArray, view_of

#: A reader keeps sums at intervals of this many groups.
STRIDE = 8
#: The sums of a ramp narrower than this would cancel.
LEAST_RAMP = 1e-4


class Reading(NamedTuple):
    """The sums of a tail from one drop on; each field is a number, or an array with one entry per cover.

    ``S`` is the exceedance, ``g`` the distortion, ``v`` the squared weight of a path, and ``a`` the area under g'(S)
    from its drop on.
    """

    distorted: Any
    """``g(S)``"""
    slope: Any
    """``g'(S)``"""
    tilted: Any
    """``S g'(S)``"""
    distorted_area: Any
    """Area under ``g(S)``."""
    slope_area: Any
    """Area under ``g'(S)``."""
    tilted_area: Any
    """Area under ``S g'(S)``."""
    squares: Any
    """Sum of ``v``."""
    squares_by_area: Any
    """Sum of ``v a``."""
    squares_by_area2: Any
    """Sum of ``v a^2``."""


class PriceSums(NamedTuple):
    """The price of a loss per unit of limit, and the sums over paths that give its standard error."""

    price: Any
    influence: Any
    """Mean of the influence function."""
    influence_squares: Any
    """Sum of the squares of the weighted influence function."""

    def scaled(self, factor: Any) -> "PriceSums":
        """Return the sums of the same loss times a factor, for a price that scales with the loss."""
        return PriceSums(factor * self.price, factor * self.influence, factor * factor * self.influence_squares)


@dataclass(frozen=True, slots=True, eq=False)
class DistortedTail:
    """The exceedance curve of a signal, as a distortion sees it; areas are computed only if a ramp needs them.

    Parameters
    ----------
    columns : ndarray of shape (3, n_groups + 1)
        Those of ``TailSums``.
    paths : int
        Number of paths.
    distortion : Distortion
        The distortion.
    """

    columns: FloatArray = field(repr=False)
    paths: int
    distortion: Distortion

    def rows(self) -> FloatArray:
        """Return the drop, 1 at the end, and the fields of ``Reading`` at it, shape (n_groups + 1, 10)."""
        rows = np.zeros((self.columns.shape[1], 1 + len(Reading._fields)))
        rows[:, 0] = np.append(self.columns[0, :-1], 1.0)
        rows[:, 1:4] = np.stack(self._curves(np.arange(len(rows))), axis=1)
        rows[:-1, 4:7] = _from_the_end(np.diff(rows[:, 0])[:, np.newaxis] * rows[1:, 1:4])
        area, squares = rows[:-1, 5], self.columns[2]
        weights = -np.diff(squares)
        rows[:, 7] = squares
        rows[:-1, 8:] = _from_the_end(np.stack([weights * area, weights * area**2], axis=1))
        return rows

    def reading(self, *, has_ramps: bool) -> Callable[[FloatArray, bool], Reading]:
        """Return a function that reads the tail at drops of shape (n,), for covers with or without ramps."""
        rows = self.rows() if has_ramps else None

        def read(drops: FloatArray, has_ramp: bool) -> Reading:
            place = np.searchsorted(self.columns[0], least_drop(drops), side="left")
            if has_ramp and rows is not None:
                return _extended(drops, *rows[place].T)
            return Reading(*self._curves(place), 0.0, 0.0, 0.0, self.columns[2, place], 0.0, 0.0)

        return read

    def reader(self) -> "DistortedReader":
        """Return a reader of single losses."""
        drops, reached, squares = map(view_of, self.columns)
        return DistortedReader(self, drops, reached, squares)

    def _curves(self, place: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return g(S), g'(S) and S g'(S) at groups."""
        exceedances = np.minimum(self.columns[1, place] / self.paths, 1.0)
        # All paths fire: a deficit of weight belongs to the smallest loss, as in LossDistribution.
        exceedances[(place == 0) & (self.columns.shape[1] > 1)] = 1.0
        seen, inside = exceedances > 0.0, (exceedances > 0.0) & (exceedances < 1.0)
        distorted, slope = np.zeros((2, len(place)))
        distorted[seen] = self.distortion.distort(exceedances[seen])
        slope[inside] = self.distortion.slope(exceedances[inside])
        return distorted, slope, slope * exceedances


@dataclass(frozen=True, slots=True, eq=False)
class DistortedReader:
    """Prices single losses; memory views return plain numbers faster than arrays do.

    Parameters
    ----------
    tail : DistortedTail
        The exceedance curve.
    drops, reached, squares : memoryview
        Its columns.
    ramps : list of memoryview
        For ramps, once one was priced: the drop with 1 at the end, and g(S), g'(S) and S g'(S) at it, then the sums of
        the other fields at every eighth group, row after row.
    """

    tail: DistortedTail
    drops: "memoryview[float]"
    reached: "memoryview[float]"
    squares: "memoryview[float]"
    ramps: "list[memoryview[float]]" = field(default_factory=list, repr=False)

    def sum_up(self, payout: PiecewisePayout, drop: float) -> PriceSums:
        """Price the loss of a cover.

        Parameters
        ----------
        payout : PiecewisePayout
            Payout of the cover.
        drop : float
            Drop of the trigger.
        """
        return distorted_sums(self._read, nodes_from(payout, drop))

    def _read(self, start: float, has_ramp: bool) -> Reading:
        place = bisect_left(self.drops, least_drop(start))
        if has_ramp:
            return self._read_ramp(start, place)
        square, chance = self.squares[place], min(self.reached[place] / self.tail.paths, 1.0)
        if not chance:
            return Reading(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, square, 0.0, 0.0)
        if place == 0 or chance == 1.0:
            return Reading(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, square, 0.0, 0.0)
        distorted, slope = self.tail.distortion.at(chance)
        return Reading(distorted, slope, slope * chance, 0.0, 0.0, 0.0, square, 0.0, 0.0)

    def _read_ramp(self, start: float, place: int) -> Reading:
        """Read the sums at the next eighth group, and add the groups before it."""
        drops, distorted, slopes, tilted, kept = self.ramps or self._keep_ramps()
        squares, block = self.squares, -(-place // STRIDE)
        sums: Sequence[float] = kept[5 * block : 5 * block + 5].tolist()
        distorted_area, slope_area, tilted_area, by_area, by_area2 = sums
        for each in range(min(block * STRIDE, len(drops) - 1), place, -1):
            gap, square = drops[each] - drops[each - 1], squares[each - 1] - squares[each]
            distorted_area += gap * distorted[each]
            slope_area += gap * slopes[each]
            tilted_area += gap * tilted[each]
            by_area += square * slope_area
            by_area2 += square * slope_area * slope_area
        curves, areas = (distorted[place], slopes[place], tilted[place]), (distorted_area, slope_area, tilted_area)
        return _extended(start, drops[place], *curves, *areas, squares[place], by_area, by_area2)

    def _keep_ramps(self) -> "list[memoryview[float]]":
        drop, distorted, slope, tilted, *areas, _, by_area, by_area2 = self.tail.rows().T
        last = len(drop) - 1
        places = np.minimum(np.arange(0, last + STRIDE, STRIDE), last)
        sums = np.stack([*areas, by_area, by_area2], axis=1)[places]
        found = [view_of(np.ascontiguousarray(each)) for each in (drop, distorted, slope, tilted, sums.ravel())]
        self.ramps[:] = found  # in one step: threads that meet here compute the same twice
        return found


def _from_the_end(terms: FloatArray) -> FloatArray:
    return np.cumsum(terms[::-1], axis=0)[::-1]


def _extended(start: Any, drop: Any, *fields: Any) -> Reading:
    """Extend the areas from a drop to one before it, below which the exceedance is the same."""
    distorted, slope, tilted, distorted_area, slope_area, tilted_area, *squares = fields
    gap = drop - start
    return Reading(
        distorted,
        slope,
        tilted,
        distorted_area + gap * distorted,
        slope_area + gap * slope,
        tilted_area + gap * tilted,
        *squares,
    )


def nodes_from(payout: PiecewisePayout, trigger: float) -> Iterator[tuple[float, float, float, bool]]:
    """Yield the nodes of a payout that begins when the trigger fires: drop, share, slope, and whether it has one."""
    nodes = payout.nodes()
    for (point, _, share, slope), (end, before, *_) in zip(nodes, (*nodes[1:], (np.inf, 1.0)), strict=True):
        if end > trigger:
            drop = max(point, trigger)
            yield drop, min(share + slope * (drop - point), before), slope, bool(slope)


def distorted_sums(read: Callable[[Any, bool], Reading], nodes: Iterable[tuple[Any, Any, Any, bool]]) -> PriceSums:
    """Sum a loss up, as numbers or as arrays with one entry per cover.

    Parameters
    ----------
    read : callable
        Reads a tail at a drop; areas and sums with areas are needed if a ramp begins or ends there.
    nodes : iterable of (drop, share, slope, rises)
        As ``nodes_from`` yields them; the last slope is zero.
    """
    price = influence = squares = bend = paid = slope = before = 0.0
    rose, start = False, None
    for drop, share, next_slope, rises in nodes:
        end = read(drop, rises or rose)
        if start and rose:
            foot = bend + slope * start.slope_area
            price = price + slope * (start.distorted_area - end.distorted_area)
            influence = influence + slope * (start.tilted_area - end.tilted_area)
            squares = squares + (
                foot * foot * (start.squares - end.squares)
                - 2.0 * foot * slope * (start.squares_by_area - end.squares_by_area)
                + slope * slope * (start.squares_by_area2 - end.squares_by_area2)
            )
            bend = foot - slope * end.slope_area
            paid = paid + slope * (drop - before)
        elif start:
            squares = squares + bend * bend * (start.squares - end.squares)
        step = share - paid
        price, influence, bend = price + step * end.distorted, influence + step * end.tilted, bend + step * end.slope
        start, before, paid, slope, rose = end, drop, share, next_slope, rises
    assert start is not None
    return PriceSums(price, influence, squares + bend * bend * start.squares)
