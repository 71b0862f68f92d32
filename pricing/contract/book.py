"""A book of covers as columns, and its loss as a few piecewise linear functions of worst drops.

A payout is a step or a ramp of the worst drop, so all covers with one asset and one observation sum to one such
function: a million covers need only a few hundred functions. Conversely, the same pieces turn averages at the nodes
of a function into averages of every cover.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pricing.contract.cover import Cover, require_cover
from pricing.contract.observation import Observation
from pricing.contract.payouts import Payout
from pricing.contract.sentences import observation_texts, payout_text
from pricing.contract.shares import require_payout
from pricing.errors import InvalidTermsError
from pricing.show.frames import make_frame
from pricing.tools.arrays import FloatArray, IntArray
from pricing.tools.fields import require_text, set_members
from pricing.tools.units import YEAR, as_number, shown

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Book:
    """Covers as columns: short lists of distinct values, and one entry per cover that points into them.

    Parameters
    ----------
    currency : str
        Currency of all limits.
    assets : sequence of str
        Distinct assets.
    observations : sequence of Observation
        Distinct observations.
    payouts : sequence of Payout
        Distinct payouts.
    asset, observation, payout : ndarray of int, shape (n_covers,)
        Indices into the three lists.
    drop : ndarray of shape (n_covers,)
        Drop that fires the trigger, a fraction.
    limit : ndarray of shape (n_covers,)
        Largest payment, in `currency`.

    Raises
    ------
    InvalidTermsError
        If the columns differ in length or an entry is invalid; the message names the row.
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
        require_text(self.currency, "currency", InvalidTermsError)
        set_members(self, "assets", str, error=InvalidTermsError)
        set_members(self, "observations", Observation, error=InvalidTermsError)
        set_members(self, "payouts", object, error=InvalidTermsError)
        for payout in self.payouts:
            require_payout(payout)
        self._set_column("limit", np.float64)
        if not len(self.limit):
            raise InvalidTermsError("limit must hold at least one cover, got an empty book")
        for name, values in (("asset", self.assets), ("observation", self.observations), ("payout", self.payouts)):
            self._set_column(name, np.intp)
            column = getattr(self, name)
            _require_rows(name, column, (column >= 0) & (column < len(values)), f"from 0 to below {len(values)}")
        self._set_column("drop", np.float64)
        drop, limit = self.drop, self.limit
        _require_rows("drop", drop, (drop > 0.0) & (drop < 1.0), "between 0 and 1 (a fraction: 30 % is 0.30)")
        _require_rows("limit", limit, (limit > 0.0) & np.isfinite(limit), "positive and finite")

    def __len__(self) -> int:
        """Return the number of covers."""
        return len(self.limit)

    @classmethod
    def of_covers(cls, covers: Iterable[Cover]) -> "Book":
        """Build the columns from covers.

        Raises
        ------
        InvalidTermsError
            If there is no cover, or they have several currencies.

        Examples
        --------
        >>> from pricing import DropTrigger, FullPayout
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
        for cover in covers:
            require_cover(cover)
        currencies = sorted({cover.currency for cover in covers})
        if len(currencies) != 1:
            raise InvalidTermsError(f"covers of a book must be in one currency, got {', '.join(currencies) or 'none'}")
        assets, asset = _encode(covers, lambda cover: cover.asset)
        observations, observation = _encode(covers, lambda cover: cover.observation)
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

    @property
    def years(self) -> FloatArray:
        """Terms in years, shape (n_covers,)."""
        return np.array([observation.term / YEAR for observation in self.observations])[self.observation]

    def to_frame(self) -> "pd.DataFrame":
        """Return the covers as a data frame: a row per cover, with the columns of a book except ``cover_id``.

        Returns
        -------
        DataFrame
            Columns ``asset``, ``drop``, ``window``, ``reference``, ``payout``, ``limit``, ``currency``, ``term`` and
            ``waiting_period``; durations and payouts are texts.
        """
        texts = zip(*(observation_texts(each) for each in self.observations), strict=True)
        reference, window, waiting_period, term = (_spread(each, self.observation) for each in texts)
        return make_frame(
            {
                "asset": _spread(self.assets, self.asset),
                "drop": self.drop,
                "window": window,
                "reference": reference,
                "payout": _spread([payout_text(each) for each in self.payouts], self.payout),
                "limit": self.limit,
                "currency": self.currency,
                "term": term,
                "waiting_period": waiting_period,
            }
        )

    def limits_by_asset(self) -> FloatArray:
        """Sum the limits on each asset, shape (n_assets,)."""
        return sum_by(self.asset, self.limit, len(self.assets))

    def _set_column(self, name: str, dtype: type[np.generic]) -> None:
        try:
            column = np.asarray(getattr(self, name))
            if column.dtype.kind not in "iufO":  # NumPy would cast complex numbers, durations, texts and flags
                raise TypeError(f"{column.dtype} is no kind of number")
            if column.dtype.kind == "O" and column.ndim == 1:
                column = np.array([as_number(each, name, InvalidTermsError) for each in column])
            column = column.astype(np.float64, copy=False) if dtype is np.float64 else column
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidTermsError(f"{name} must be a column of numbers, got {shown(getattr(self, name))}") from error
        if column.ndim != 1 or column.shape != (column if name == "limit" else self.limit).shape:
            raise InvalidTermsError(f"{name} must have one entry per cover, got the shape {column.shape}")
        if dtype is np.intp and not np.issubdtype(column.dtype, np.integer):
            raise InvalidTermsError(f"{name} must be whole numbers (indices into a list), got {column.dtype}")
        object.__setattr__(self, name, column.astype(dtype, copy=False))


def sum_by(codes: IntArray, values: FloatArray, n_codes: int) -> FloatArray:
    """Sum values by code, shape (n_codes,)."""
    return np.asarray(np.bincount(codes, values, minlength=n_codes), dtype=np.float64)


def _spread(texts: Sequence[str], codes: IntArray) -> npt.NDArray[np.object_]:
    return np.array(texts, dtype=np.object_)[codes]


def _encode(covers: Sequence[Cover], read: Callable[[Cover], Any]) -> tuple[tuple[Any, ...], IntArray]:
    """Return the distinct values in order of appearance, and the index of each cover's value."""
    places: dict[Any, int] = {}
    codes = [places.setdefault(read(cover), len(places)) for cover in covers]
    return tuple(places), np.array(codes, dtype=np.intp)


def _require_rows(name: str, column: npt.NDArray[Any], is_right: npt.NDArray[np.bool_], wanted: str) -> None:
    if not is_right.all():
        row = int(np.argmin(is_right))
        raise InvalidTermsError(f"{name} of row {row} must be {wanted}, got {column[row]}")
