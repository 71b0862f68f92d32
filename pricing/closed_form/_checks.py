"""Argument checks shared by all closed forms."""

import math

from pricing.errors import InvalidModelError, InvalidTermsError, PrecisionError
from pricing.tools.units import require_fraction

#: Rounding error outside [0, 1] that a sum of exact terms may leave; a larger one raises an error.
_ROUNDING = 1e-12


def log_distance(drop: float, field: str = "drop") -> float:
    """Turn a fractional drop into the positive log distance ``-ln(1 - drop)``.

    Raises
    ------
    InvalidTermsError
        If the drop is not strictly between 0 and 1.
    """
    require_fraction(drop, field)
    return -math.log1p(-drop)


def log_drawdown(current_drawdown: float, drop: float) -> float:
    """Turn the drawdown at inception into a log distance below the high.

    Raises
    ------
    InvalidTermsError
        If the drawdown is negative or has already reached the drop.
    """
    if not 0.0 <= current_drawdown < drop:
        raise InvalidTermsError(f"current_drawdown must be at least 0 and below drop={drop}, got {current_drawdown}")
    return -math.log1p(-current_drawdown)


def check_terms(**positive: float) -> None:
    """Check that every named term (a time, an amount, a price) is positive and finite.

    Raises
    ------
    InvalidTermsError
        Naming the first field that is not.
    """
    for field, value in positive.items():
        if not 0.0 < value < math.inf:
            raise InvalidTermsError(f"{field} must be positive and finite, got {value}")


def check_diffusion(volatility: float, log_drift: float) -> None:
    """Check that the volatility is positive and the drift finite.

    Raises
    ------
    InvalidModelError
        Naming the parameter outside its domain.
    """
    check_model(volatility=volatility)
    check_finite(log_drift=log_drift)


def check_model(**positive: float) -> None:
    """Check that every named model parameter is positive and finite.

    Raises
    ------
    InvalidModelError
        Naming the first parameter that is not.
    """
    for field, value in positive.items():
        if not 0.0 < value < math.inf:
            raise InvalidModelError(f"{field} must be positive and finite, got {value}")


def check_finite(**values: float) -> None:
    """Check that every named model parameter is finite.

    Raises
    ------
    InvalidModelError
        Naming the first parameter that is not.
    """
    for field, value in values.items():
        if not math.isfinite(value):
            raise InvalidModelError(f"{field} must be finite, got {value}")


def check_not_negative(**values: float) -> None:
    """Check that every named parameter is zero or positive, and finite.

    Raises
    ------
    InvalidModelError
        Naming the first parameter that is not.
    """
    for field, value in values.items():
        if not 0.0 <= value < math.inf:
            raise InvalidModelError(f"{field} must be finite and not negative, got {value}")


def check_probability(**values: float) -> None:
    """Check that every named probability lies in [0, 1].

    Raises
    ------
    InvalidTermsError
        Naming the first value that does not.
    """
    for field, value in values.items():
        if not 0.0 <= value <= 1.0:
            raise InvalidTermsError(f"{field} must be a probability between 0 and 1, got {value}")


def check_count(minimum: int = 1, **counts: float) -> None:
    """Check that every named count is a whole number of at least ``minimum``.

    Raises
    ------
    InvalidTermsError
        Naming the first count that is not.
    """
    for field, value in counts.items():
        if value != math.floor(value) or value < minimum:
            raise InvalidTermsError(f"{field} must be a whole number of at least {minimum}, got {value}")


def as_probability(value: float) -> float:
    """Return a computed probability, corrected for rounding errors of at most 1e-12 outside [0, 1].

    Raises
    ------
    PrecisionError
        If the value is further outside than rounding can explain, or not a number.
    """
    if not -_ROUNDING <= value <= 1.0 + _ROUNDING:
        raise PrecisionError(f"a computed probability is {value}: the parameters are outside the reliable range")
    return min(max(float(value), 0.0), 1.0)


def at_least_once(probability: float, count: float) -> float:
    """Return the probability of at least one success in ``count`` independent trials, accurate even if it is tiny."""
    return 1.0 if probability == 1.0 else -math.expm1(count * math.log1p(-probability))
