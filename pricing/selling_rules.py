"""When a backend sells, and what it asks on top of the model: plain policies against buyers who know more.

All state is passed in: the time, the alerts, the sales so far. Every object is immutable and free of clocks.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from pricing.errors import InvalidBasisError, InvalidTermsError, SalesFrozenError, StaleRateError, WaitingPeriodError
from pricing.rate_limits import RateLimits
from pricing.units import Duration, as_number, format_duration, parse_duration

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesPressure:
    """Recent sales on one asset as a share of its capacity, fading with time.

    Parameters
    ----------
    sold : float
        Share of the capacity that was sold, faded to the time `at`.
    at : datetime
        Time of the last sale, with an offset from UTC.
    """

    sold: float
    at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", to_utc(self.at, "at"))
        object.__setattr__(self, "sold", as_number(self.sold, "sold", InvalidBasisError))
        if not 0.0 <= self.sold < math.inf:
            raise InvalidBasisError(f"sold must be finite and not negative, got {self.sold}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesBump:
    """Ask more after sales and let the increase fade: a run on one asset is news that the model has not seen.

    Parameters
    ----------
    strength : float
        Increase of the log of the price when the whole capacity was just sold.
    half_life : timedelta or str
        Time in which half of the pressure fades.
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
    half_life: Duration = timedelta(hours=24)
    largest: float = 3.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "half_life", parse_duration(self.half_life, "half_life"))
        for name in ("strength", "largest"):
            object.__setattr__(self, name, as_number(getattr(self, name), name, InvalidBasisError))
        if not 0.0 <= self.strength < math.inf:
            raise InvalidBasisError(f"strength must be finite and not negative, got {self.strength}")
        if not self.half_life:
            raise InvalidBasisError("half_life must be longer than zero, got 0h")
        if not 1.0 <= self.largest < math.inf:
            raise InvalidBasisError(f"largest must be finite and at least 1, got {self.largest}")

    def after_sale(self, before: SalesPressure | None, *, limit: float, capacity: float, at: datetime) -> SalesPressure:
        """Return the pressure once another cover is sold.

        Parameters
        ----------
        before : SalesPressure, optional
            Pressure so far.
        limit : float
            Limit of the cover.
        capacity : float
            Limits that may be sold on the asset, in the same currency.
        at : datetime
            Time of the sale. One before the last sale, by the clock of another thread, counts as at the same time.

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
        return float(pressure.sold * 0.5 ** (elapsed / _span(self.half_life)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RateInForce:
    """The rate on line at which the same terms were last offered, before any bump.

    Parameters
    ----------
    rate : float
        Gross premium over the limit.
    since : datetime
        When it was set, with an offset from UTC.
    """

    rate: float
    since: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", to_utc(self.since, "since"))
        object.__setattr__(self, "rate", as_number(self.rate, "rate", InvalidBasisError))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RatesInForce:
    """The rates on line at which the covers of a book were last offered, before any bump.

    Parameters
    ----------
    rate : ndarray of shape (n_covers,)
        Gross premiums over limits, NaN for covers that were not offered before.
    since : datetime
        When they were set, with an offset from UTC.

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
        except (TypeError, ValueError) as error:
            raise InvalidBasisError(f"rate must be numbers, got {self.rate!r}") from error
        wrong = np.flatnonzero((self.rate <= 0.0) | np.isinf(self.rate))
        if wrong.size:
            row = int(wrong[0])
            raise InvalidBasisError(f"rate of row {row} must be positive and finite or NaN, got {self.rate[row]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a backend knows of one asset at the time of a quote.

    Parameters
    ----------
    alerted_at : datetime, optional
        Time of the last public alert.
    pressure : SalesPressure, optional
        Recent sales.
    """

    alerted_at: datetime | None = None
    pressure: SalesPressure | None = None

    def __post_init__(self) -> None:
        if self.alerted_at is not None:
            object.__setattr__(self, "alerted_at", to_utc(self.alerted_at, "alerted_at"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SellingRules:
    """When to sell, and how a price reacts to sales.

    Parameters
    ----------
    oldest : timedelta or str
        Greatest age of the data behind a rate.
    validity : timedelta or str
        How long a quote can be taken up; never beyond the validity of its rate.
    sells_stale : bool
        Whether rates marked as stale are sold on while they are young enough.
    coverage_lag : timedelta or str
        Shortest waiting period: what was publicly known at the sale should have come to pass before cover begins.
    freeze_after_alert : timedelta or str
        How long nothing is sold after an alert.
    bump : SalesBump, optional
        How sales raise the price.
    rate_limits : RateLimits, optional
        How fast a rate may move from the one in force.

    Raises
    ------
    InvalidTermsError
        If a duration is none.
    """

    oldest: Duration = timedelta(hours=36)
    validity: Duration = timedelta(minutes=15)
    sells_stale: bool = False
    coverage_lag: Duration = timedelta(0)
    freeze_after_alert: Duration = timedelta(hours=48)
    bump: SalesBump | None = None
    rate_limits: RateLimits | None = None

    def __post_init__(self) -> None:
        for name in ("oldest", "validity", "coverage_lag", "freeze_after_alert"):
            object.__setattr__(self, name, parse_duration(getattr(self, name), name))

    def require_young(self, asset: str, as_of: datetime, at: datetime) -> None:
        """Demand that the data behind a rate are young enough.

        Raises
        ------
        StaleRateError
            If they are not.
        """
        oldest = _span(self.oldest)
        if at - as_of > oldest:
            raise StaleRateError(
                f"asset {asset!r}: the rate is of {as_of}, more than {format_duration(oldest)} before {at}"
            )

    def valid_until(self, at: datetime, rate_valid_until: datetime) -> datetime:
        """Return the time until which a quote can be taken up."""
        return min(at + _span(self.validity), rate_valid_until)

    def require_calm(self, asset: str, alerted_at: datetime | None, at: datetime) -> None:
        """Demand that no alert is too fresh.

        Raises
        ------
        SalesFrozenError
            If one is.
        """
        if alerted_at is None:
            return
        thawed_at = alerted_at + _span(self.freeze_after_alert)
        if at < thawed_at:
            raise SalesFrozenError(f"asset {asset!r}: not sold until {thawed_at} after the alert at {alerted_at}")

    def require_lag(self, waiting_period: Duration) -> None:
        """Demand a waiting period that is long enough.

        Raises
        ------
        WaitingPeriodError
            If it is not.
        """
        lag = _span(self.coverage_lag)
        if parse_duration(waiting_period, "waiting_period") < lag:
            raise WaitingPeriodError(f"waiting_period must be at least {format_duration(lag)}, got {waiting_period}")

    def sales_factor(self, pressure: SalesPressure | None, at: datetime) -> float:
        """Return the factor that recent sales put on the price."""
        return self.bump.factor(pressure, at) if self.bump and pressure else 1.0

    def rate_factor(self, asked: float, in_force: RateInForce | None, at: datetime, *, least: float = 0.0) -> float:
        """Return the factor by which rate limits hold a rate back.

        Parameters
        ----------
        asked : float
            Rate on line that the model asks for.
        in_force : RateInForce, optional
            The rate before; without one nothing is held back.
        at : datetime
            Time of the quote.
        least : float
            Rate on line below which no limit takes a rate: that of the minimum premium.
        """
        if self.rate_limits is None or in_force is None:
            return 1.0
        limited = self.rate_limits.limited(before=in_force.rate, asked=asked, elapsed=at - in_force.since)
        return max(limited.rate, least) / asked

    def rate_factors(
        self, asked: FloatArray, in_force: RatesInForce | None, at: datetime, *, least: FloatArray | float = 0.0
    ) -> FloatArray:
        """Return the factors by which rate limits hold the rates of a book back; see ``rate_factor``."""
        if in_force is not None and in_force.rate.shape != asked.shape:
            raise InvalidBasisError(f"rate must be one a cover, {asked.shape}, got {in_force.rate.shape}")
        if self.rate_limits is None or in_force is None:
            return np.ones_like(asked)
        limited = self.rate_limits.limited_rates(before=in_force.rate, asked=asked, elapsed=at - in_force.since)
        return np.where(np.isnan(in_force.rate), 1.0, np.maximum(limited, least) / asked)


def _span(duration: Duration) -> timedelta:
    """Return a duration that was parsed when its object was made, in no time."""
    assert isinstance(duration, timedelta)
    return duration


def to_utc(time: datetime, field: str) -> datetime:
    """Return a time in UTC: in zones with summer time, times of one zone are compared and added as the clock shows.

    Raises
    ------
    InvalidTermsError
        If it has no offset from UTC.
    """
    if not isinstance(time, datetime) or time.utcoffset() is None:
        raise InvalidTermsError(f"{field} must be a time with an offset from UTC, got {time!r} (datetime.now(UTC))")
    return time.astimezone(UTC)
