"""The premiums of a book of single-event covers, all at once: the lines of ``premium`` as columns.

Covers with the same asset and observation are priced from one sample together. A cover that ``premium`` refuses with an
gets the code of its ``Reason`` and no number, so that one bad row does not stop the others.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pricing.contract.book import Book
from pricing.errors import REASONS, NotSimulatedError, Reason
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import MOST_WEIGHT, Losses, make_figures
from pricing.premiums.discounting import discount_factor
from pricing.premiums.premium import IMPRECISE, ROUNDING, PremiumFlag
from pricing.rates.book_losses import Cells, LossColumns, loss_columns
from pricing.rates.compact_surface import CompactSurface
from pricing.rates.tail_sums import TailSums
from pricing.show.frames import make_frame
from pricing.surface.estimates import Estimate
from pricing.tools.arrays import CodeArray, FloatArray

if TYPE_CHECKING:
    import pandas as pd

#: Flags by code.
FLAGS = tuple(PremiumFlag)
_NOT_FIGURES = ("flag", "refusal", "further")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PremiumColumns:
    """Premiums as columns; each is a line or a figure of ``Premium``, NaN if a row is refused.

    Parameters
    ----------
    trigger_probability, ..., rate_on_line : ndarray of shape (n_covers,)
        See ``Premium``.
    flag : ndarray of int8, shape (n_covers,)
        Index into ``FLAGS``.
    refusal : ndarray of int8, shape (n_covers,)
        Code of the reason, an index into ``REASONS``; 0 if there is a premium.
    further : tuple of (str, ndarray of shape (n_covers,))
        Lines of the loadings that the basis adds, by name.
    """

    trigger_probability: FloatArray = field(repr=False)
    trigger_probability_standard_error: FloatArray = field(repr=False)
    expected_loss: FloatArray = field(repr=False)
    expected_loss_standard_error: FloatArray = field(repr=False)
    parameter_load: FloatArray = field(repr=False)
    risk_load: FloatArray = field(repr=False)
    capital_cost: FloatArray = field(repr=False)
    expenses: FloatArray = field(repr=False)
    commission: FloatArray = field(repr=False)
    profit: FloatArray = field(repr=False)
    minimum_lift: FloatArray = field(repr=False)
    gross: FloatArray = field(repr=False)
    tax: FloatArray = field(repr=False)
    total: FloatArray = field(repr=False)
    capital: FloatArray = field(repr=False)
    standard_error: FloatArray = field(repr=False)
    rate_on_line: FloatArray = field(repr=False)
    flag: CodeArray = field(repr=False)
    refusal: CodeArray = field(repr=False)
    further: tuple[tuple[str, FloatArray], ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        """Return the number of covers."""
        return len(self.gross)

    def to_frame(self) -> "pd.DataFrame":
        """Return the premiums as a data frame: a row per cover of the book, in its order.

        Returns
        -------
        DataFrame
            A column per figure and line, NaN if the cover is refused; ``flag`` as a text, and ``refusal``, which is
            empty if there is a premium.
        """
        figures = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _NOT_FIGURES}
        return make_frame(
            {
                **figures,
                **dict(self.further),
                "flag": [FLAGS[code].value for code in self.flag.tolist()],
                "refusal": [reason.value if (reason := REASONS[code]) else "" for code in self.refusal.tolist()],
            }
        )

    def refused(self, rows: npt.NDArray[np.bool_], reason: Reason) -> "PremiumColumns":
        """Return the columns with further rows refused; earlier refusals are kept.

        Parameters
        ----------
        rows : ndarray of bool, shape (n_covers,)
            Rows to refuse.
        reason : Reason
            Why.
        """
        newly = rows & (self.refusal == 0)
        if not newly.any():
            return self
        columns = {each.name: deepcopy(getattr(self, each.name)) for each in fields(self) if each.name != "refusal"}
        refusal = np.where(newly, reason.code, self.refusal).astype(np.int8)
        return PremiumColumns(**_blanked(columns, newly), refusal=refusal)


def premium_columns(
    book: Book,
    surfaces: Mapping[str, CompactSurface],
    basis: PricingBasis | None = None,
    *,
    refusal: CodeArray | None = None,
) -> PremiumColumns:
    """Price every cover of a book.

    Parameters
    ----------
    book : Book
        Covers.
    surfaces : mapping of str to CompactSurface
        Surface by asset; covers on other assets are refused.
    basis : PricingBasis, optional
        Loadings; by default ``PricingBasis()``.
    refusal : ndarray of int8, shape (n_covers,), optional
        Covers that are refused for other reasons, as codes of reasons; 0 for all others.
    """
    basis = basis or PricingBasis()
    cells, without_sample = _cells(book, surfaces, basis)
    refusal = without_sample if refusal is None else np.where(refusal, refusal, without_sample)
    losses = loss_columns(book, cells, basis)
    columns = _add_up(losses, book, basis)
    refusal = np.where(refusal, refusal, losses.refusal)
    for reason, is_refused in (
        (Reason.UNMEASURABLE, losses.fired[0] > MOST_WEIGHT),
        (Reason.NEGATIVE_RISK_LOAD, losses.price[0] < losses.mean[0] * (1.0 - ROUNDING)),
        (Reason.UNINSURABLE, columns["total"] >= book.limit),
        (Reason.FALLING_RISK_LOAD, np.logical_not(basis.risk_load.rises(losses.mean[0], losses.price[0]))),
        (Reason.FALLING_RISK_LOAD, np.logical_not(_capital_rises(basis, columns["trigger_probability"], book))),
        (Reason.UNRESOLVED, columns["flag"] == FLAGS.index(PremiumFlag.UNRESOLVED)),
    ):
        refusal[(refusal == 0) & is_refused] = reason.code
    return PremiumColumns(**_blanked(columns, refusal > 0), refusal=refusal)


def _capital_rises(basis: PricingBasis, fired: FloatArray, book: Book) -> Any:
    return basis.capital is None or basis.capital.rises(fired, book.years)


def _blanked(columns: dict[str, Any], rows: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Remove the numbers of refused rows."""
    further = (values for _, values in columns["further"])
    for values in (*further, *(values for name, values in columns.items() if name != "further")):
        values[rows] = 0 if values.dtype == np.int8 else np.nan
    return columns


def _cells(book: Book, surfaces: Mapping[str, CompactSurface], basis: PricingBasis) -> tuple[Cells, CodeArray]:
    """Return the sample of each cover, or the reason why there is none."""
    n_observations = len(book.observations)
    key = book.asset * n_observations + book.observation
    found = np.flatnonzero(np.bincount(key))
    place = np.zeros(len(book.assets) * n_observations, dtype=np.intp)
    place[found] = np.arange(len(found))
    factors = np.array([discount_factor(observation, basis.interest_rate) for observation in book.observations])
    tails = [_tail(book, *divmod(int(cell), n_observations), surfaces) for cell in found]
    refusals = np.array([tail.code if isinstance(tail, Reason) else 0 for tail in tails], dtype=np.int8)
    cells = Cells(
        place[key], [tail if isinstance(tail, TailSums) else None for tail in tails], factors[found % n_observations]
    )
    return cells, refusals[cells.cell]


def _tail(book: Book, asset: int, observation: int, surfaces: Mapping[str, CompactSurface]) -> TailSums | Reason:
    surface, watched = surfaces.get(book.assets[asset]), book.observations[observation]
    if surface is None:
        return Reason.UNKNOWN_ASSET
    try:
        return surface.tail(watched)
    except NotSimulatedError:
        return Reason.NOT_SIMULATED


def _add_up(losses: LossColumns, book: Book, basis: PricingBasis) -> dict[str, Any]:
    columns = Losses(*(Estimate(*each) for each in (losses.fired, losses.mean, losses.price, losses.capital)))
    made: dict[str, Any] = make_figures(
        columns,
        basis,
        limit=book.limit,
        years=book.years,
        uncertain=0.0,
        flag=_flags(losses),
        larger=np.maximum,
        make=dict,
    )
    return made


def _flags(losses: LossColumns) -> CodeArray:
    (mean, mean_error), (price, price_error) = losses.mean, losses.price
    imprecise = (mean_error > IMPRECISE * mean) | (price_error > IMPRECISE * price)
    codes = np.where(imprecise, FLAGS.index(PremiumFlag.IMPRECISE), FLAGS.index(PremiumFlag.OK))
    codes[mean == 0.0] = FLAGS.index(PremiumFlag.UNRESOLVED)
    return codes.astype(np.int8)
