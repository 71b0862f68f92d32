"""A book of covers as columns, and its loss as a few piecewise linear functions of worst drops.

A payout is a step or a ramp of the worst drop, so all covers with one asset and one observation sum to one such
function: a million covers cost a few hundred functions. The same pieces, read the other way, turn averages at the nodes
of a function into averages of every cover.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from pricing.cover import Cover, Payment
from pricing.errors import InvalidTermsError
from pricing.payouts import FullPayout, LinearPayout, Payout, TieredPayout
from pricing.triggers import Reference, check_reference, check_window
from pricing.units import Duration, parse_duration

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is watched of an asset: the worst drop below one reference over one stretch of time, and when it pays.

    Parameters
    ----------
    reference : Reference
        What the fall is measured from.
    window : timedelta or str, optional
        How far the reference looks back; None, whatever was given, for references without a window.
    term, waiting_period : timedelta or str
        As in the cover.
    payment : Payment
        As in the cover.
    """

    reference: Reference = Reference.ROLLING_HIGH
    window: Duration | None = timedelta(hours=24)
    term: Duration = timedelta(days=30)
    waiting_period: Duration = timedelta(0)
    payment: Payment = Payment.AT_HIT

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", check_window(self.window, check_reference(self.reference)))
        object.__setattr__(self, "term", parse_duration(self.term, "term"))
        object.__setattr__(self, "waiting_period", parse_duration(self.waiting_period, "waiting_period"))

    @classmethod
    def of(cls, cover: Cover) -> "Observation":
        """Return what decides a cover."""
        return cls(
            reference=cover.trigger.reference,
            window=cover.trigger.window,
            term=cover.term,
            waiting_period=cover.waiting_period,
            payment=cover.payment,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Book:
    """Covers as columns: short lists of what differs, and one entry a cover that points into them.

    Parameters
    ----------
    currency : str
        Currency of all limits.
    assets : sequence of str
        Distinct assets.
    observations : sequence of Observation
        Distinct observations.
    payouts : sequence of FullPayout, LinearPayout or TieredPayout
        Distinct payouts.
    asset, observation, payout : ndarray of int, shape (n_covers,)
        Places in the three lists.
    drop : ndarray of shape (n_covers,)
        Fall that fires the trigger, a fraction.
    limit : ndarray of shape (n_covers,)
        Largest payment, in `currency`.

    Raises
    ------
    InvalidTermsError
        If the columns differ in length or an entry makes no sense; the message names the row.
    """

    currency: str
    assets: Sequence[str]
    observations: Sequence[Observation]
    payouts: Sequence[Payout]
    asset: IntArray = field(repr=False)
    observation: IntArray = field(repr=False)
    payout: IntArray = field(repr=False)
    drop: FloatArray = field(repr=False)
    limit: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        if not len(self.limit):
            raise InvalidTermsError("limit must hold at least one cover, got an empty book")
        for name, values in (("asset", self.assets), ("observation", self.observations), ("payout", self.payouts)):
            self._set_column(name, np.intp)
            column = getattr(self, name)
            _require_rows(name, column, (column >= 0) & (column < len(values)), f"from 0 to below {len(values)}")
        for name in ("drop", "limit"):
            self._set_column(name, np.float64)
        drop, limit = self.drop, self.limit
        _require_rows("drop", drop, (drop > 0.0) & (drop < 1.0), "between 0 and 1 (a fraction: 30 % is 0.30)")
        _require_rows("limit", limit, (limit > 0.0) & np.isfinite(limit), "positive and finite")

    def __len__(self) -> int:
        """Return the number of covers."""
        return len(self.limit)

    @classmethod
    def of_covers(cls, covers: Iterable[Cover]) -> "Book":
        """Make the columns from covers.

        Raises
        ------
        InvalidTermsError
            If there is no cover, or they are in several currencies.

        Examples
        --------
        >>> from pricing import DropTrigger
        >>> cover = Cover(
        ...     cover_id="C-1",
        ...     asset="OM",
        ...     trigger=DropTrigger(drop=0.5),
        ...     payout=FullPayout(),
        ...     limit=1e5,
        ...     currency="USD",
        ... )
        >>> len(Book.of_covers([cover, cover]))
        2
        """
        covers = list(covers)
        currencies = sorted({cover.currency for cover in covers})
        if len(currencies) != 1:
            raise InvalidTermsError(f"covers of a book must be in one currency, got {', '.join(currencies) or 'none'}")
        assets, asset = _encode(covers, lambda cover: cover.asset)
        observations, observation = _encode(covers, Observation.of)
        payouts, payout = _encode(covers, lambda cover: cover.payout)
        return cls(
            currency=currencies[0],
            assets=assets,
            observations=observations,
            payouts=payouts,
            asset=asset,
            observation=observation,
            payout=payout,
            drop=np.array([cover.trigger.drop for cover in covers]),
            limit=np.array([cover.limit for cover in covers]),
        )

    def limits_by_asset(self) -> FloatArray:
        """Sum the limits on each asset, shape (n_assets,)."""
        return sum_by(self.asset, self.limit, len(self.assets))

    def _set_column(self, name: str, dtype: type[np.generic]) -> None:
        column = np.asarray(getattr(self, name))
        if column.shape != np.shape(self.limit) or column.ndim != 1:
            raise InvalidTermsError(f"{name} must be one entry a cover, {np.shape(self.limit)}, got {column.shape}")
        if dtype is np.intp and not np.issubdtype(column.dtype, np.integer):
            raise InvalidTermsError(f"{name} must be whole numbers, places in a list, got {column.dtype}")
        object.__setattr__(self, name, column.astype(dtype, copy=False))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LossFunction:
    """The loss of all covers with one asset and one observation.

    Parameters
    ----------
    asset : str
        Asset.
    observation : Observation
        What of it decides the covers.
    points : ndarray of shape (n_nodes,)
        Worst drops at which the function steps or bends, rising; the first is 0.
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
        return np.asarray(self.values[node] + self.slopes[node] * (worst_drops - self.points[node]))

    def node_averages(self, worst_drops: FloatArray, weights: FloatArray) -> FloatArray:
        """Average at each point the chance of a drop that reaches it, and how far drops go beyond it.

        Parameters
        ----------
        worst_drops, weights : ndarray of shape (n,)
            Drops, and what each counts.

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
        return np.searchsorted(self.points[1:], worst_drops, side="right")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompressedBook:
    """A book as its loss functions, and the pieces that they are made of.

    Parameters
    ----------
    book : Book
        The covers.
    functions : tuple of LossFunction
        One for each asset and observation that has a cover, in the order of the book's lists.
    cover, node : ndarray of int, shape (n_pieces,)
        Cover and node of each piece; nodes are counted through all functions.
    step, slope : ndarray of shape (n_pieces,)
        What the cover's loss steps up and bends by at the node.
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
            See ``LossFunction.node_averages``, one for each function.
        """
        reached, beyond = np.concatenate(node_averages, axis=1)
        averages = self.step * reached[self.node] + self.slope * beyond[self.node]
        return sum_by(self.cover, averages, len(self.book))


def compress(book: Book) -> CompressedBook:
    """Sum the covers of a book to one function for each asset and observation.

    The sum is exact to rounding; a ramp adds rounding errors in proportion to its slope.

    Raises
    ------
    InvalidTermsError
        If a payout is not made of steps and ramps.
    """
    keys, function_of_cover = np.unique(book.asset * len(book.observations) + book.observation, return_inverse=True)
    cover, point, step, slope = _pieces(book)
    # One piece more a function, of no weight: every function begins at a drop of 0.
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
    """Take covers apart into the points at which their loss steps or bends: cover, point, step and slope of each."""
    payouts = [_nodes(payout) for payout in book.payouts]
    counts = np.array([nodes.shape[1] for nodes in payouts])
    points, steps, slopes = np.concatenate(payouts, axis=1)
    cover = np.repeat(np.arange(len(book)), counts[book.payout])
    within = np.arange(len(cover)) - np.repeat(_before(counts[book.payout]), counts[book.payout])
    place = _before(counts)[book.payout][cover] + within
    # What a payout does before the trigger fires happens when it fires.
    point = np.maximum(points[place], book.drop[cover])
    limit = book.limit[cover]
    return cover, point, limit * (steps[place] + slopes[place] * (point - points[place])), limit * slopes[place]


def _nodes(payout: Payout) -> FloatArray:
    """Return points, steps and changes of slope of a payout, shape (3, n_nodes)."""
    if isinstance(payout, FullPayout):
        return np.array([[0.0], [1.0], [0.0]])
    if isinstance(payout, LinearPayout):
        slope = 1.0 / (payout.exhaustion - payout.attachment)
        return np.array([[payout.attachment, payout.exhaustion], [0.0, 0.0], [slope, -slope]])
    if isinstance(payout, TieredPayout):
        drops, shares = np.array(tuple(payout.tiers)).T
        return np.stack([drops, np.diff(shares, prepend=0.0), np.zeros_like(drops)])
    raise InvalidTermsError(f"payout must be full, linear or tiered to be summed up in a book, got {payout!r}")


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


def sum_by(codes: IntArray, values: FloatArray, n_codes: int) -> FloatArray:
    """Sum values by code, shape (n_codes,)."""
    return np.asarray(np.bincount(codes, values, minlength=n_codes), dtype=np.float64)


def _before(counts: IntArray) -> IntArray:
    return np.cumsum(counts) - counts


def _sum_from(values: FloatArray) -> FloatArray:
    """Sum each value and all behind it."""
    return np.asarray(np.cumsum(values[::-1])[::-1])


def _encode(covers: Sequence[Cover], read: Callable[[Cover], Any]) -> tuple[tuple[Any, ...], IntArray]:
    """List what is distinct, in order of appearance, and say where each cover's stands."""
    places: dict[Any, int] = {}
    codes = [places.setdefault(read(cover), len(places)) for cover in covers]
    return tuple(places), np.array(codes, dtype=np.intp)


def _require_rows(name: str, column: npt.NDArray[Any], is_right: npt.NDArray[np.bool_], wanted: str) -> None:
    if not is_right.all():
        row = int(np.argmin(is_right))
        raise InvalidTermsError(f"{name} of row {row} must be {wanted}, got {column[row]}")
