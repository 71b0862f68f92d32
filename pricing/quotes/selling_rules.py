"""Rules on when a backend sells and on its surcharges: plain policies against better informed buyers.

All state is passed in: the time, the alerts, the sales so far. Every object is immutable and reads no clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from pricing.errors import (
    InvalidBasisError,
    InvalidTermsError,
    NotYetValidError,
    SalesFrozenError,
    StaleRateError,
    WaitingPeriodError,
)
from pricing.quotes.rate_limits import RateInForce, RateLimits, RatesInForce
from pricing.quotes.sales import SalesBump, SalesPressure
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import require_flag, require_kind
from pricing.tools.times import to_utc
from pricing.tools.units import DurationField, default_duration, format_duration, parse_duration

_NO_TIME, _LARGEST_SKEW = timedelta(0), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Conditions of one asset at the time of a quote.

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
        require_kind(self.pressure, "pressure", SalesPressure | None, InvalidTermsError)


@dataclass(frozen=True, slots=True, kw_only=True)
class SellingRules:
    """Rules on when to sell, and on price reactions to sales.

    Parameters
    ----------
    oldest : timedelta or str
        Largest age of the data behind a rate.
    validity : timedelta or str
        Time for which a quote can be accepted; never beyond the validity of its rate.
    sells_stale : bool
        Whether rates marked as stale are used while they are recent enough.
    coverage_lag : timedelta or str
        Shortest waiting period: events publicly known at the sale should happen before cover begins.
    freeze_after_alert : timedelta or str
        Time without sales after an alert.
    bump : SalesBump, optional
        Price increase after sales.
    rate_limits : RateLimits, optional
        Limits on the change from the rate in force.
    clock_skew : timedelta or str
        Time by which the clock of a quote may be behind the clock that dated its rate, at most an hour.

    Raises
    ------
    InvalidTermsError
        If a duration is invalid.
    """

    oldest: DurationField = default_duration("36h")
    validity: DurationField = default_duration("15min")
    sells_stale: bool = False
    coverage_lag: DurationField = default_duration("0h")
    freeze_after_alert: DurationField = default_duration("48h")
    bump: SalesBump | None = None
    rate_limits: RateLimits | None = None
    clock_skew: DurationField = default_duration("5s")

    def __post_init__(self) -> None:
        for name in ("oldest", "validity", "coverage_lag", "freeze_after_alert", "clock_skew"):
            object.__setattr__(self, name, parse_duration(getattr(self, name), name))
        require_flag(self.sells_stale, "sells_stale", InvalidTermsError)
        require_kind(self.bump, "bump", SalesBump | None, InvalidTermsError)
        require_kind(self.rate_limits, "rate_limits", RateLimits | None, InvalidTermsError)
        if self.clock_skew > _LARGEST_SKEW:
            raise InvalidTermsError(
                f"clock_skew must be at most {format_duration(_LARGEST_SKEW)}, got {format_duration(self.clock_skew)} "
                "(set the clock)"
            )

    def require_young(self, asset: str, as_of: datetime, at: datetime) -> None:
        """Check that the data behind a rate are recent enough, and not of a later time.

        Raises
        ------
        StaleRateError
            If they are too old.
        NotYetValidError
            If they are later than the clock may be behind.
        """
        age = at - as_of
        if age < _NO_TIME and -age > self.clock_skew:
            raise NotYetValidError(
                f"asset {asset!r}: the rate is of {as_of}, more than {format_duration(self.clock_skew)} after {at} "
                "(a slow clock?)"
            )
        if age > self.oldest:
            raise StaleRateError(
                f"asset {asset!r}: the rate is of {as_of}, more than {format_duration(self.oldest)} before {at}"
            )

    def require_set(self, since: datetime, at: datetime) -> None:
        """Check that the rate in force was set before a quote, as far as clocks agree.

        Raises
        ------
        NotYetValidError
            If it was set later than the clock may be behind.
        """
        if since - at > self.clock_skew:
            raise NotYetValidError(
                f"the rate in force was set at {since}, more than {format_duration(self.clock_skew)} after {at} "
                "(a slow clock?)"
            )

    def valid_until(self, at: datetime, rate_valid_until: datetime) -> datetime:
        """Return the time until which a quote can be accepted."""
        return min(at + self.validity, rate_valid_until)

    def require_calm(self, asset: str, alerted_at: datetime | None, at: datetime) -> None:
        """Check that there is no recent alert.

        Raises
        ------
        SalesFrozenError
            If there is a recent alert.
        """
        if alerted_at is None:
            return
        thawed_at = alerted_at + self.freeze_after_alert
        if at < thawed_at:
            raise SalesFrozenError(f"asset {asset!r}: not sold until {thawed_at} after the alert at {alerted_at}")

    def require_lag(self, waiting_period: timedelta) -> None:
        """Check that a waiting period is long enough.

        Raises
        ------
        WaitingPeriodError
            If it is not.
        """
        if waiting_period < self.coverage_lag:
            raise WaitingPeriodError(
                f"waiting_period must be at least {format_duration(self.coverage_lag)}, got {waiting_period}"
            )

    def sales_factor(self, pressure: SalesPressure | None, at: datetime) -> float:
        """Return the factor of recent sales on the price."""
        return self.bump.factor(pressure, at) if self.bump and pressure else 1.0

    def rate_factor(self, asked: float, in_force: RateInForce | None, at: datetime, *, least: float = 0.0) -> float:
        """Return the factor of rate limits on a rate.

        Parameters
        ----------
        asked : float
            Rate on line of the model.
        in_force : RateInForce, optional
            Previous rate; without one there is no limit.
        at : datetime
            Time of the quote.
        least : float
            Rate on line of the minimum premium; no limit lowers a rate below it.
        """
        if self.rate_limits is None or in_force is None:
            return 1.0
        elapsed = max(at - in_force.since, _NO_TIME)
        limited = self.rate_limits.limited(before=in_force.rate, asked=asked, elapsed=elapsed)
        return max(limited.rate, least) / asked

    def rate_factors(
        self, asked: FloatArray, in_force: RatesInForce | None, at: datetime, *, least: FloatArray | float = 0.0
    ) -> FloatArray:
        """Return the factors of rate limits on the rates of a book; see ``rate_factor``."""
        if in_force is not None and in_force.rate.shape != asked.shape:
            raise InvalidBasisError(f"rate must have one entry per cover, {asked.shape}, got {in_force.rate.shape}")
        if self.rate_limits is None or in_force is None:
            return np.ones_like(asked)
        elapsed = max(at - in_force.since, _NO_TIME)
        limited = self.rate_limits.limited_rates(before=in_force.rate, asked=asked, elapsed=elapsed)
        return np.where(np.isnan(in_force.rate), 1.0, np.maximum(limited, least) / asked)
