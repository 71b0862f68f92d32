"""The losses of many covers, priced before expenses: ``tail_losses`` in columns, with one entry per cover.

All covers of a cell, that is, of an asset and an observation, are priced from one sample together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from pricing.contract.book import Book
from pricing.contract.payouts import Node, Payout, is_piecewise
from pricing.errors import UnmeasurableLossError
from pricing.premiums.basis import PricingBasis
from pricing.principles import ExpectedValuePrinciple, StandardDeviationPrinciple, VariancePrinciple
from pricing.principles.moments import variance_of
from pricing.rates.cover_losses import fixed_capital, needs_two_moments, tail_losses
from pricing.rates.tail_sums import NARROW, TailSums, shifted_powers
from pricing.surface.estimates import ROUNDING
from pricing.tools.arrays import FloatArray, IntArray

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
    """

    fired: FloatArray
    mean: FloatArray
    price: FloatArray
    capital: FloatArray


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
    kind = shapes.kind[book.payout] if needs_two_moments(basis) else np.zeros(len(book), dtype=np.intp)
    largest = np.array([np.nan if tail is None else tail.largest_weight / tail.paths for tail in cells.tails])
    paths = np.array([np.nan if tail is None else tail.paths for tail in cells.tails])
    if needs_two_moments(basis):
        sums = _loss_sums(book, cells, shapes, kind)
        columns = _two_moment_columns(sums, paths[cells.cell], largest[cells.cell], cells.factors[cells.cell], basis)
    else:
        columns = LossColumns(*np.full((4, 2, len(book)), np.nan))
    _price_one_by_one(columns, np.flatnonzero(kind == _ONE_BY_ONE), book, cells, basis)
    return columns


@dataclass(frozen=True, slots=True, eq=False)
class _Shapes:
    """Payouts as columns: kinds; feet, ends and slopes of ramps; and the steps of tiers, concatenated."""

    kind: IntArray
    ramps: FloatArray
    n_steps: IntArray
    drops: FloatArray
    rises: FloatArray

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
        return cls(np.array(kind), np.array(ramps).T, n_steps, steps[:, 0], powers - before)


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


def _loss_sums(book: Book, cells: Cells, shapes: _Shapes, kind: IntArray) -> FloatArray:
    """Return the fields of ``LossSums`` as rows, shape (7, n_covers); NaN for covers that are priced one by one."""
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
    return sums


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


def _two_moment_columns(
    sums: FloatArray, paths: FloatArray, largest: FloatArray, factor: FloatArray, basis: PricingBasis
) -> LossColumns:
    """Price as ``tail_losses`` does."""
    fired, fired_squares, first, second, squares, cubes, fourths = sums
    probability, mean = fired / paths, factor * first / paths
    second_moment = factor * factor * second / paths
    price, bend, slope = _price_and_influence(basis, mean, second_moment)
    bent, sloped = bend * factor * factor, slope * factor
    influence_squares = bent * bent * fourths + 2.0 * bent * sloped * cubes + sloped * sloped * squares

    def estimate(values: FloatArray, squared: FloatArray, average: FloatArray) -> FloatArray:
        floor = paths * average * average
        left = squared - floor
        return np.stack([values, np.where(left <= ROUNDING * floor, largest, np.sqrt(np.maximum(left, 0.0)) / paths)])

    return LossColumns(
        estimate(probability, fired_squares, probability),
        estimate(mean, factor * factor * squares, mean),
        estimate(price, influence_squares, bend * second_moment + slope * mean),
        np.stack([np.full(len(mean), fixed_capital(basis)), np.zeros(len(mean))]),
    )


def _price_and_influence(
    basis: PricingBasis, mean: FloatArray, second_moment: FloatArray
) -> tuple[FloatArray, FloatArray | float, FloatArray | float]:
    """Return prices, and the bend and the slope of the influence function."""
    principle = basis.risk_load
    if isinstance(principle, ExpectedValuePrinciple):
        return (1.0 + principle.loading) * mean, 0.0, 1.0 + principle.loading
    variance = variance_of(mean, second_moment)
    if isinstance(principle, VariancePrinciple):
        return mean + principle.multiple * variance, principle.multiple, 1.0 - 2.0 * principle.multiple * mean
    assert isinstance(principle, StandardDeviationPrinciple)
    deviation = np.sqrt(variance)
    bend = np.divide(0.5 * principle.multiple, deviation, out=np.zeros_like(mean), where=deviation > 0.0)
    return mean + principle.multiple * deviation, bend, 1.0 - 2.0 * bend * mean


def _price_one_by_one(columns: LossColumns, covers: IntArray, book: Book, cells: Cells, basis: PricingBasis) -> None:
    """Price covers without sums: other principles, other payouts, and ramps too narrow for sums of powers."""
    for tail, places in cells.by_cell(covers):
        reader = tail.reader()
        of_cell = basis.over(book.observations[book.observation[covers[places[0]]]].term)
        for cover in covers[places]:
            payout, drop = book.payouts[book.payout[cover]], float(book.drop[cover])
            try:
                losses = tail_losses(reader, payout, drop, of_cell, float(cells.factors[cells.cell[cover]]))
            except UnmeasurableLossError:
                continue
            for name in ("fired", "mean", "price", "capital"):
                estimate = getattr(losses, name)
                getattr(columns, name)[:, cover] = estimate.value, estimate.standard_error
