"""The losses of many covers, priced before expenses: ``tail_losses`` in columns, with one entry per cover.

All covers of a cell, that is, of an asset and an observation, are priced from one sample together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np

from pricing.contract.book import Book
from pricing.contract.payouts import Node, Payout, is_piecewise
from pricing.errors import QuoteRefusedError
from pricing.premiums.basis import PricingBasis
from pricing.principles import PremiumPrinciple
from pricing.rates.cover_losses import is_distortion, is_of_moments, is_of_sums, moment_sums, principles_of, tail_losses
from pricing.rates.distorted_tail import DistortedTail, distorted_sums
from pricing.rates.grouped_sample import errors_of_means
from pricing.rates.tail_sums import NARROW, LossSums, TailSums, shifted_powers
from pricing.surface.estimates import Estimate
from pricing.tools.arrays import CodeArray, FloatArray, IntArray

#: Drops, shares and slopes of one node of each cover, and whether any has a slope.
NodeColumns = tuple[FloatArray, FloatArray, FloatArray, bool]

_ONE_BY_ONE, _FULL, _TIERED, _RAMP = range(4)
#: Nodes of a payout that pays the whole limit whenever the trigger fires.
_WHOLE = ((0.0, 0.0, 1.0, 0.0),)


@dataclass(frozen=True, slots=True, eq=False)
class LossColumns:
    """Estimates per unit of limit, shape (2, n_covers) each: values and standard errors.

    They are NaN if there is no sample, or if the basis cannot measure the loss.

    Parameters
    ----------
    fired, mean, price, capital : ndarray of shape (2, n_covers)
        As in ``Losses``.
    refusal : ndarray of int8, shape (n_covers,)
        Code of the reason why a loss cannot be priced; 0 for all others.
    """

    fired: FloatArray
    mean: FloatArray
    price: FloatArray
    capital: FloatArray
    refusal: CodeArray


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Assignment of samples to covers.

    Parameters
    ----------
    cell : ndarray of int, shape (n_covers,)
        Cell of each cover.
    tails : sequence of TailSums or None
        Sample of each cell, if there is one.
    factors : ndarray of shape (n_cells,)
        Discount factor of each cell.
    """

    cell: IntArray = field(repr=False)
    tails: Sequence[TailSums | None] = field(repr=False)
    factors: FloatArray = field(repr=False)

    @property
    def paths(self) -> FloatArray:
        """Number of paths of each cell; NaN if there is no sample."""
        return np.array([np.nan if tail is None else tail.paths for tail in self.tails])

    @property
    def largest_weights(self) -> FloatArray:
        """Weight of the heaviest path of each cell; NaN if there is no sample."""
        return np.array([np.nan if tail is None else tail.largest_weight for tail in self.tails])

    def by_cell(self, covers: IntArray) -> Iterator[tuple[TailSums, IntArray]]:
        """Yield each sample with the indices, among the given covers, of the covers that it decides."""
        # Few distinct cells in a narrow type are sorted by counting.
        cell = self.cell[covers].astype(np.min_scalar_type(len(self.tails)))
        order = np.argsort(cell, kind="stable")
        bounds = np.searchsorted(cell[order], np.arange(len(self.tails) + 1))
        for tail, (first, last) in zip(self.tails, pairwise(bounds), strict=True):
            if tail is not None and first < last:
                yield tail, order[first:last]

    def read(self, covers: IntArray, drops: FloatArray) -> FloatArray:
        """Return ``TailSums.at`` for one drop of each given cover, shape (2, n)."""
        found = np.full((2, len(covers)), np.nan)
        for tail, places in self.by_cell(covers):
            found[:, places] = tail.at(drops[places])
        return found


def loss_columns(book: Book, cells: Cells, basis: PricingBasis) -> LossColumns:
    """Price the losses of a book before expenses.

    Parameters
    ----------
    book : Book
        Covers.
    cells : Cells
        Samples of the covers.
    basis : PricingBasis
        Loadings.
    """
    shapes = _Shapes.of_payouts(book.payouts)
    kind = shapes.kind[book.payout] if is_of_sums(basis) else np.zeros(len(book), dtype=np.intp)
    if kind.any():
        columns = _columns_of_sums(_loss_sums(book, cells, shapes, kind), cells, basis)
        if any(map(is_distortion, principles_of(basis))):
            _price_by_distortions(columns, np.flatnonzero(kind), book, cells, shapes, basis)
    else:
        columns = _columns_of_nothing(len(book))
    _price_one_by_one(columns, np.flatnonzero(kind == _ONE_BY_ONE), book, cells, basis)
    return columns


@dataclass(frozen=True, slots=True, eq=False)
class _Shapes:
    """Payouts as columns: kinds; feet, ends and slopes of ramps; the steps of tiers, concatenated; and all nodes.

    Nodes have the shape (n_nodes, 5, n_payouts): drop, share and slope, then the drop of the next node and the share
    just below it. Payouts with fewer nodes end in nodes beyond every drop.
    """

    kind: IntArray
    ramps: FloatArray
    n_steps: IntArray
    drops: FloatArray
    rises: FloatArray
    nodes: FloatArray

    @classmethod
    def of_payouts(cls, payouts: Sequence[Payout]) -> "_Shapes":
        nodes = [payout.nodes() if is_piecewise(payout) else () for payout in payouts]
        kind = [_kind(each) for each in nodes]
        tiers = [each if of_kind == _TIERED else () for each, of_kind in zip(nodes, kind, strict=True)]
        steps = np.array([(point, share) for each in tiers for point, _, share, _ in each]).reshape(-1, 2)
        n_steps = np.array([len(each) for each in tiers])
        powers = np.stack([steps[:, 1] ** power for power in (1, 2, 3, 4)])
        before = np.roll(powers, 1, axis=1)
        before[:, (np.cumsum(n_steps) - n_steps)[n_steps > 0]] = 0.0
        ramps = [
            (each[0][0], each[1][0], each[0][3]) if of_kind == _RAMP else (np.nan, np.nan, np.nan)
            for each, of_kind in zip(nodes, kind, strict=True)
        ]
        return cls(np.array(kind), np.array(ramps).T, n_steps, steps[:, 0], powers - before, _padded(nodes))

    def nodes_from(self, payouts: IntArray, triggers: FloatArray) -> list[NodeColumns]:
        """Return the nodes of payouts that begin when triggers fire: ``distorted_tail.nodes_from`` in columns."""
        found = []
        for point, share, slope, end, before in self.nodes[:, :, payouts]:
            drop = np.maximum(point, triggers)
            reached = np.minimum(share + slope * (drop - point), before)
            found.append((drop, np.where(end > triggers, reached, 0.0), slope, bool(slope.any())))
        return found


def _padded(nodes: Sequence[Sequence[Node]]) -> FloatArray:
    padded = np.empty((max(map(len, nodes)), 5, len(nodes)))
    padded[:] = np.array([2.0, 1.0, 0.0, 3.0, 1.0])[:, np.newaxis]
    for payout, each in enumerate(nodes):
        for place, ((point, _, share, slope), (end, before, *_)) in enumerate(pairwise((*each, (2.0, 1.0)))):
            padded[place, :, payout] = point, share, slope, end, before
    return padded


def _kind(nodes: Sequence[Node]) -> int:
    """Return the shapes that are summed column by column."""
    if not nodes:
        return _ONE_BY_ONE
    points, _, shares, slopes = zip(*nodes, strict=True)
    if not any(slopes):
        return _FULL if nodes == _WHOLE else _TIERED
    if shares == (0.0, 1.0) and not slopes[-1] and points[1] - points[0] >= NARROW:
        return _RAMP
    return _ONE_BY_ONE


def _loss_sums(book: Book, cells: Cells, shapes: _Shapes, kind: IntArray) -> LossSums:
    """Sum the losses; NaN for covers that are priced one by one."""
    sums = np.full((7, len(book)), np.nan)
    sums[:2] = cells.read(np.arange(len(book)), book.drop)
    full = np.flatnonzero(kind == _FULL)
    sums[2:, full] = sums[:, full][[0, 0, 1, 1, 1]]
    tiered = np.flatnonzero(kind == _TIERED)
    if tiered.size:
        sums[2:, tiered] = _tiered_sums(book, cells, shapes, tiered)
    ramps = np.flatnonzero(kind == _RAMP)
    if ramps.size:
        sums[2:, ramps] = _ramp_sums(book, cells, shapes, ramps)
    return LossSums(*sums)


def _tiered_sums(book: Book, cells: Cells, shapes: _Shapes, covers: IntArray) -> FloatArray:
    n_steps = shapes.n_steps[book.payout[covers]]
    ends = np.cumsum(n_steps)
    cover = np.repeat(covers, n_steps)
    first = np.cumsum(shapes.n_steps) - shapes.n_steps
    step = np.arange(len(cover)) - np.repeat(ends - n_steps, n_steps) + first[book.payout[cover]]
    # Tiers above the trigger's drop are reached when it fires.
    reached, squares = cells.read(cover, np.maximum(shapes.drops[step], book.drop[cover]))
    first_rise, second_rise, third_rise, fourth_rise = shapes.rises[:, step]
    terms = (
        first_rise * reached,
        second_rise * reached,
        second_rise * squares,
        third_rise * squares,
        fourth_rise * squares,
    )
    return np.stack([np.add.reduceat(term, ends - n_steps) for term in terms])


def _ramp_sums(book: Book, cells: Cells, shapes: _Shapes, covers: IntArray) -> FloatArray:
    attachment, exhaustion, slope = shapes.ramps[:, book.payout[covers]]
    start = np.maximum(attachment, book.drop[covers])
    full = np.maximum(exhaustion, start)
    sums = np.full((5, len(covers)), np.nan)
    for tail, places in cells.by_cell(covers):
        depths, depth = np.unique(full[places], return_inverse=True)  # many covers share a payout, and so its end
        beyond = tail.powers_at(depths)[:, depth]
        between = tail.powers_at(start[places]) - beyond
        ramp = shifted_powers(attachment[places], slope[places], between[:3], between[3:])
        sums[:, places] = np.stack(ramp) + beyond[[0, 0, 3, 3, 3]]
    return sums


def _columns_of_nothing(n_covers: int) -> LossColumns:
    fired, mean, price, capital = np.full((4, 2, n_covers), np.nan)
    return LossColumns(fired, mean, price, capital, np.zeros(n_covers, dtype=np.int8))


def _columns_of_sums(sums: LossSums, cells: Cells, basis: PricingBasis) -> LossColumns:
    """Price as ``tail_losses`` does; what distortions price is left out."""
    paths, largest, factor = cells.paths[cells.cell], cells.largest_weights[cells.cell], cells.factors[cells.cell]
    probability, mean = sums.fired / paths, factor * sums.first / paths

    def estimate(values: FloatArray, squares: FloatArray | float, average: FloatArray) -> FloatArray:
        return np.stack([values, errors_of_means(squares, average, paths, largest)])

    price, capital = np.full((2, 2, len(mean)), np.nan)
    if is_of_moments(basis.risk_load):
        of_moments = moment_sums(basis.risk_load, sums, paths, factor, root=np.sqrt)
        price = estimate(of_moments.price, of_moments.influence_squares, of_moments.influence)
    if basis.capital is None or basis.capital.measures is None:
        capital[0], capital[1] = basis.capital.capital if basis.capital else 0.0, 0.0
    return LossColumns(
        fired=estimate(probability, sums.fired_squares, probability),
        mean=estimate(mean, factor * factor * sums.squares, mean),
        price=price,
        capital=capital,
        refusal=np.zeros(len(mean), dtype=np.int8),
    )


def _price_by_distortions(
    columns: LossColumns, covers: IntArray, book: Book, cells: Cells, shapes: _Shapes, basis: PricingBasis
) -> None:
    for tail, places in cells.by_cell(covers):
        chosen = covers[places]
        of_cell = basis.over(book.observations[book.observation[chosen[0]]].term)
        nodes = shapes.nodes_from(book.payout[chosen], book.drop[chosen])
        price = partial(_distorted_price, tail, nodes, cells.factors[cells.cell[chosen[0]]])
        if is_distortion(of_cell.risk_load):
            columns.price[:, chosen] = _pair(price(of_cell.risk_load))
        if of_cell.capital and of_cell.capital.measures:
            columns.capital[:, chosen] = _pair(of_cell.capital.allotted(price, larger=np.maximum))


def _distorted_price(
    tail: TailSums, nodes: Sequence[NodeColumns], factor: float, principle: PremiumPrinciple
) -> Estimate[FloatArray]:
    assert is_distortion(principle)
    read = DistortedTail(tail.columns, tail.paths, principle).reading(has_ramps=any(rises for *_, rises in nodes))
    price, influence, squares = distorted_sums(read, nodes).scaled(factor)
    return Estimate(price, errors_of_means(squares, influence, tail.paths, tail.largest_weight))


def _pair(estimate: Estimate[FloatArray]) -> FloatArray:
    return np.stack([estimate.value, estimate.standard_error])


def _price_one_by_one(columns: LossColumns, covers: IntArray, book: Book, cells: Cells, basis: PricingBasis) -> None:
    """Price covers without sums: other principles, other payouts, and ramps too narrow for sums of powers."""
    for tail, places in cells.by_cell(covers):
        reader = tail.reader()
        of_cell = basis.over(book.observations[book.observation[covers[places[0]]]].term)
        for cover in covers[places]:
            payout, drop = book.payouts[book.payout[cover]], float(book.drop[cover])
            try:
                losses = tail_losses(reader, payout, drop, of_cell, float(cells.factors[cells.cell[cover]]))
            except QuoteRefusedError as error:
                columns.refusal[cover] = error.reason.code
                continue
            for name in ("fired", "mean", "price", "capital"):
                estimate = getattr(losses, name)
                getattr(columns, name)[:, cover] = estimate.value, estimate.standard_error
