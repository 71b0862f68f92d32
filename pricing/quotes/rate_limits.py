"""Limits on the speed of rate changes: a plain policy, applied to the premium of a model."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from pricing.errors import InvalidBasisError
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import set_numbers
from pricing.tools.times import to_utc
from pricing.tools.units import shown

_HOUR = timedelta(hours=1)


_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """Largest moves of the log of a rate.

    Parameters
    ----------
    per_hour, per_day : float
        Largest move in an hour and in a day; in between and beyond, the limit is interpolated linearly in time.

    Examples
    --------
    >>> RateLimits().limited(before=0.010, asked=0.030, elapsed=timedelta(hours=2))
    LimitedRate(rate=0.01648..., asked=0.03, limited=True)
    """

    per_hour: float = 0.25
    per_day: float = 1.0

    def __post_init__(self) -> None:
        set_numbers(self, "per_hour", "per_day", error=InvalidBasisError)
        for name in ("per_hour", "per_day"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                raise InvalidBasisError(f"{name} must be positive and finite, got {value}")
        if not self.per_hour <= self.per_day <= 24.0 * self.per_hour:
            raise InvalidBasisError(
                f"per_day must be between per_hour and 24 times that, got {self.per_day} and {self.per_hour} an hour"
            )

    def limited(self, *, before: float, asked: float, elapsed: timedelta) -> "LimitedRate":
        """Limit a rate to the permitted distance from the previous one.

        Parameters
        ----------
        before, asked : float
            Positive rates: the one in force, and that of the model.
        elapsed : timedelta
            Time since the rate in force was set.

        Raises
        ------
        InvalidBasisError
            If a rate is not positive and finite, or time runs backwards.
        """
        for name, value in (("before", before), ("asked", asked)):
            if not 0.0 < value < math.inf:
                raise InvalidBasisError(f"{name} must be a positive, finite rate, got {value}")
        reach = self._reach(elapsed)
        move = math.log(asked) - math.log(before)
        if abs(move) <= reach:
            return LimitedRate(rate=asked, asked=asked, limited=False)
        return LimitedRate(rate=before * math.exp(math.copysign(reach, move)), asked=asked, limited=True)

    def limited_rates(self, *, before: FloatArray, asked: FloatArray, elapsed: timedelta) -> FloatArray:
        """Limit many rates, set at one time, to the permitted distance from the previous ones; see ``limited``."""
        reach = self._reach(elapsed)
        move = np.log(asked) - np.log(before)
        return np.where(np.abs(move) <= reach, asked, before * np.exp(np.clip(move, -reach, reach)))

    def _reach(self, elapsed: timedelta) -> float:
        if elapsed < timedelta(0):
            raise InvalidBasisError(
                f"elapsed must not be negative, got {elapsed} (the rate in force is from the future)"
            )
        return min(self.per_hour * (elapsed / _HOUR), self.per_day * max(1.0, elapsed / _DAY))


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitedRate:
    """A rate after its limits.

    Parameters
    ----------
    rate : float
        Rate to quote.
    asked : float
        Rate of the model.
    limited : bool
        Whether a limit applied.
    """

    rate: float
    asked: float
    limited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RateInForce:
    """The rate on line at which the same terms were last offered, before any bump.

    Parameters
    ----------
    rate : float
        Ratio of gross premium to limit.
    since : datetime
        Time when it was set, with an offset from UTC.
    """

    rate: float
    since: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", to_utc(self.since, "since"))
        set_numbers(self, "rate", error=InvalidBasisError)
        if not 0.0 < self.rate < math.inf:
            raise InvalidBasisError(f"rate must be positive and finite, got {self.rate}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RatesInForce:
    """The rates on line at which the covers of a book were last offered, before any bump.

    Parameters
    ----------
    rate : ndarray of shape (n_covers,)
        Ratios of gross premium to limit, NaN for covers that were not offered before.
    since : datetime
        Time when they were set, with an offset from UTC.

    Raises
    ------
    InvalidBasisError
        If a rate is neither positive and finite nor NaN.
    """

    rate: FloatArray
    since: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", to_utc(self.since, "since"))
        try:
            object.__setattr__(self, "rate", np.asarray(self.rate, dtype=np.float64))
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidBasisError(f"rate must be numbers, got {shown(self.rate)}") from error
        if self.rate.ndim != 1:
            raise InvalidBasisError(f"rate must have the shape (n_covers,), got {self.rate.shape}")
        wrong = np.flatnonzero((self.rate <= 0.0) | np.isinf(self.rate))
        if wrong.size:
            row = int(wrong[0])
            raise InvalidBasisError(f"rate of row {row} must be positive and finite or NaN, got {self.rate[row]}")
