"""Reinsurance of the pool: the losses that others pay, and the income that they receive for it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from pool.exceedance import Occurrence
from pool.losses import PoolLosses
from pricing.errors import InvalidTermsError
from pricing.tools.arrays import FloatArray
from pricing.tools.units import require_fraction


class Reinsurance(Protocol):
    """A contract for one period, renewed like the book."""

    def retain(self, losses: PoolLosses) -> PoolLosses:
        """Return the losses that the pool retains."""
        ...

    def retained_income(self, income: float) -> float:
        """Return the income of a period that the pool retains."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaShare:
    """A fixed share of every loss against the same share of income, less a commission.

    Parameters
    ----------
    ceded : float
        Share that is ceded, a fraction.
    commission : float
        Share of the ceded income that the reinsurer gives back for expenses, from 0 to below 1.
    """

    ceded: float
    commission: float = 0.0

    def __post_init__(self) -> None:
        require_fraction(self.ceded, "ceded")
        if not 0.0 <= self.commission < 1.0:
            raise InvalidTermsError(f"commission must be from 0 to below 1, got {self.commission} (20 % is 0.20)")

    def retain(self, losses: PoolLosses) -> PoolLosses:
        """Return the losses that the pool retains."""
        return replace(losses, by_asset=(1.0 - self.ceded) * losses.by_asset)

    def retained_income(self, income: float) -> float:
        """Return the income of a period that the pool retains."""
        return income * (1.0 - self.ceded * (1.0 - self.commission))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcessOfLoss:
    """Cover of each occurrence above a retention, up to a limit; the limit is available anew for every occurrence.

    Parameters
    ----------
    occurrence : Occurrence
        Losses that are added up: all losses of a period, or those on one asset.
    retention : float
        Part of each occurrence that the pool pays first, not negative.
    limit : float
        Most that is recovered of each occurrence, positive; infinite if there is no limit.
    premium : float
        Price of a period, not negative.
    """

    occurrence: Occurrence
    retention: float
    limit: float
    premium: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.retention < math.inf:
            raise InvalidTermsError(f"retention must be finite and not negative, got {self.retention}")
        if not self.limit > 0.0:
            raise InvalidTermsError(f"limit must be positive, got {self.limit}")
        if not 0.0 <= self.premium < math.inf:
            raise InvalidTermsError(f"premium must be finite and not negative, got {self.premium}")

    def retain(self, losses: PoolLosses) -> PoolLosses:
        """Return the losses that the pool retains; a recovery for a period reduces all assets' losses in proportion."""
        if self.occurrence is Occurrence.ASSET:
            return replace(losses, by_asset=losses.by_asset - self._recovery(losses.by_asset))
        total = losses.total
        recovered = np.divide(self._recovery(total), total, out=np.zeros_like(total), where=total > 0.0)
        return replace(losses, by_asset=losses.by_asset * (1.0 - recovered))

    def retained_income(self, income: float) -> float:
        """Return the income of a period that the pool retains."""
        return income - self.premium

    def _recovery(self, amounts: FloatArray) -> FloatArray:
        return np.clip(amounts - self.retention, 0.0, self.limit)


def retain(contracts: Sequence[Reinsurance], losses: PoolLosses) -> PoolLosses:
    """Apply contracts one after the other, each to the losses that the previous one left."""
    for contract in contracts:
        losses = contract.retain(losses)
    return losses


def retained_income(contracts: Sequence[Reinsurance], income: float) -> float:
    """Return the income of a period that remains after all contracts, applied one after the other."""
    for contract in contracts:
        income = contract.retained_income(income)
    return income
