"""Price increases after recent sales."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from pricing.errors import InvalidBasisError
from pricing.tools.fields import set_numbers
from pricing.tools.times import to_utc
from pricing.tools.units import DurationField, default_duration, parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesPressure:
    """Recent sales on one asset as a share of its capacity, decaying with time.

    Parameters
    ----------
    sold : float
        Sold share of the capacity, decayed to the time `at`.
    at : datetime
        Time of the last sale, with an offset from UTC.
    """

    sold: float
    at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", to_utc(self.at, "at"))
        set_numbers(self, "sold", error=InvalidBasisError)
        if not 0.0 <= self.sold < math.inf:
            raise InvalidBasisError(f"sold must be finite and not negative, got {self.sold}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesBump:
    """Raise prices after sales and let the increase decay: a run on one asset is news that is not in the model.

    Parameters
    ----------
    strength : float
        Increase of the log of the price when the whole capacity has just been sold.
    half_life : timedelta or str
        Half-life of the pressure.
    largest : float
        Largest factor on the price, at least 1.

    Raises
    ------
    InvalidBasisError
        If a number is out of range.

    Examples
    --------
    >>> from datetime import UTC
    >>> bump, noon = SalesBump(strength=2.0, half_life="12h"), datetime(2026, 11, 22, 12, tzinfo=UTC)
    >>> pressure = bump.after_sale(None, limit=50_000.0, capacity=1e6, at=noon)
    >>> round(bump.factor(pressure, noon), 3), round(bump.factor(pressure, noon + timedelta(hours=12)), 3)
    (1.105, 1.051)
    """

    strength: float = 1.0
    half_life: DurationField = default_duration("24h")
    largest: float = 3.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "half_life", parse_duration(self.half_life, "half_life"))
        set_numbers(self, "strength", "largest", error=InvalidBasisError)
        if not 0.0 <= self.strength < math.inf:
            raise InvalidBasisError(f"strength must be finite and not negative, got {self.strength}")
        if not self.half_life:
            raise InvalidBasisError("half_life must be longer than zero, got 0h")
        if not 1.0 <= self.largest < math.inf:
            raise InvalidBasisError(f"largest must be finite and at least 1, got {self.largest}")

    def after_sale(self, before: SalesPressure | None, *, limit: float, capacity: float, at: datetime) -> SalesPressure:
        """Return the pressure after the sale of another cover.

        Parameters
        ----------
        before : SalesPressure, optional
            Pressure so far.
        limit : float
            Limit of the cover.
        capacity : float
            Limits that may be sold on the asset, in the same currency.
        at : datetime
            Time of the sale. A time before the last sale (by another thread's clock) counts as the time of the last
            sale.

        Raises
        ------
        InvalidBasisError
            If an amount is not positive.
        """
        for name, value in (("limit", limit), ("capacity", capacity)):
            if not 0.0 < value < math.inf:
                raise InvalidBasisError(f"{name} must be positive and finite, got {value}")
        latest = max(before.at, at) if before else at
        return SalesPressure(sold=self._faded(before, at) + limit / capacity, at=latest)

    def factor(self, pressure: SalesPressure | None, at: datetime) -> float:
        """Return the factor on the price."""
        exponent = self.strength * self._faded(pressure, at)
        return math.exp(exponent) if exponent < math.log(self.largest) else self.largest

    def _faded(self, pressure: SalesPressure | None, at: datetime) -> float:
        if pressure is None:
            return 0.0
        elapsed = max(at - pressure.at, timedelta(0))
        return float(pressure.sold * 0.5 ** (elapsed / self.half_life))
