"""Values of fields: durations (whole numbers of steps inside the engine), numbers, fractions and texts."""

import math
import re
from datetime import timedelta
from decimal import Decimal
from numbers import Real
from typing import Any, Protocol

from pricing.errors import InvalidTermsError, PricingError

Duration = timedelta | str
"""A length of time: a ``timedelta``, or a whole number with a unit such as ``"15min"``, ``"24h"`` or ``"30d"``."""

YEAR = timedelta(days=365)


class DurationField(Protocol):
    """Type of a dataclass field that takes a ``Duration`` and, once its object is made, holds a ``timedelta``.

    Type checkers read the descriptor; at run time it is an annotation, and ``__post_init__`` parses the value.
    """

    def __get__(self, instance: object, owner: type | None = None) -> timedelta: ...

    def __set__(self, instance: object, value: Duration) -> None: ...


class OptionalDurationField(Protocol):
    """Type of a dataclass field that takes a ``Duration`` or None and holds a ``timedelta`` or None."""

    def __get__(self, instance: object, owner: type | None = None) -> timedelta | None: ...

    def __set__(self, instance: object, value: Duration | None) -> None: ...


def default_duration(text: str) -> Any:
    """Return the default of a ``DurationField``, which type checkers see as a descriptor and not as a duration."""
    return parse_duration(text, "default")


_UNITS = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_WORDS = {"sec": "s", "second": "s", "minute": "min", "hr": "h", "hour": "h", "day": "d", "week": "w"}
#: Characters of a value in an error message.
_MOST_SHOWN = 60
_PATTERN = re.compile(r"(\d+)\s*([a-zA-Z]+)")


def parse_duration(value: Duration, field: str) -> timedelta:
    """Turn ``"24h"`` into a ``timedelta``.

    Parameters
    ----------
    value : timedelta or str
        A ``timedelta``, or a whole number followed by ``s``, ``min``, ``h``, ``d`` or ``w``.
    field : str
        Name of the field, for the error message.

    Raises
    ------
    InvalidTermsError
        If the text is not a duration, or the duration is negative.

    Examples
    --------
    >>> parse_duration("36h", "window")
    datetime.timedelta(days=1, seconds=43200)
    """
    if isinstance(value, timedelta):
        duration = value
    else:
        match = _PATTERN.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None or match[2] not in _UNITS:
            raise InvalidTermsError(
                f"{field} must be a duration such as 15min, 24h or 30d, got {shown(value)}{_slip(value)}"
            )
        try:
            duration = int(match[1]) * _UNITS[match[2]]
        except (OverflowError, ValueError) as error:
            raise InvalidTermsError(
                f"{field} must be a duration that fits a timedelta, got {match[1][:12]}...{match[2]}"
            ) from error
    if duration < timedelta(0):
        raise InvalidTermsError(f"{field} must not be negative, got {duration}")
    if duration.microseconds:
        raise InvalidTermsError(f"{field} must be a whole number of seconds, got {duration}")
    return duration


def _slip(value: object) -> str:
    if isinstance(value, int | float):
        return " (a bare number has no unit: 24 hours is '24h')"
    if isinstance(value, str) and value.strip().isdigit():
        return f" (a bare number has no unit: {value.strip()} hours is '{value.strip()}h')"
    if isinstance(value, str) and value.strip()[-1:] in {"m", "M"}:
        return " (minutes are 'min'; a month has no fixed length: write '30d')"
    match = _PATTERN.fullmatch(value.strip()) if isinstance(value, str) else None
    word = match[2].lower().removesuffix("s") if match else ""
    unit = _WORDS.get(word, word)
    return f" (write '{match[1]}{unit}')" if match and unit in _UNITS else ""


def format_duration(duration: timedelta) -> str:
    """Write a duration with the largest unit that divides it, days before hours, or in parts of a second.

    Examples
    --------
    >>> format_duration(timedelta(hours=24)), format_duration(timedelta(days=30)), format_duration(timedelta(0))
    ('24h', '30d', '0h')
    >>> format_duration(timedelta(minutes=97, milliseconds=12_345))
    '5832.345s'
    """
    if duration == timedelta(0):
        return "0h"
    if duration == timedelta(hours=24):
        return "24h"  # the usual term is 24 hours, not one day
    for unit in ("d", "h", "min", "s"):
        if not duration % _UNITS[unit]:
            return f"{duration // _UNITS[unit]}{unit}"
    return f"{Decimal(duration // timedelta(microseconds=1)).scaleb(-6).normalize():f}s"


def in_steps(duration: timedelta, step: timedelta, field: str) -> int:
    """Express a duration as a whole number of steps.

    Raises
    ------
    InvalidTermsError
        If the step does not divide the duration.
    """
    steps, rest = divmod(duration, step)
    if rest:
        raise InvalidTermsError(
            f"{field} must be a whole number of steps of {format_duration(step)}, got {format_duration(duration)}"
        )
    return steps


def steps_per_year(step: timedelta) -> float:
    """Count the steps in a year of 365 days."""
    return YEAR / step


def require_fraction(value: float, field: str) -> None:
    """Check that ``0 < value < 1``; the message names the usual slip of a percentage.

    Raises
    ------
    InvalidTermsError
        If the value is not strictly between 0 and 1.
    """
    if not 0.0 < value < 1.0:
        slip = (
            f" (a fraction: {value:g} % is {value / 100:.2f})" if math.isfinite(value) and 1.0 <= value < 100.0 else ""
        )
        raise InvalidTermsError(f"{field} must be between 0 and 1, got {value}{slip}")


def shown(value: object) -> str:
    """Write a value for an error message: short, and also if Python refuses to write its digits.

    Examples
    --------
    >>> shown("a text"), shown(10**5000)
    ("'a text'", 'an int of very many digits')
    """
    try:
        text = repr(value)
    except ValueError:
        return f"an {type(value).__name__} of very many digits"
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."


def as_number(value: object, field: str, error: type[PricingError] = InvalidTermsError) -> float:
    """Convert any kind of real number to a float.

    Parameters
    ----------
    value : number
        An int, float, Decimal, Fraction or NumPy number.
    field : str
        Name of the field, for the error message.
    error : type
        Error class to raise if the value is not a number.
    """
    if isinstance(value, float):
        return value
    if not isinstance(value, Real | Decimal) or isinstance(value, bool):
        raise error(f"{field} must be a number, got {shown(value)}")
    try:
        return float(value)
    except (OverflowError, ValueError) as cause:
        raise error(f"{field} must be a number that fits a float, got {shown(value)}") from cause


def is_unicode(text: str) -> bool:
    """Return whether a text can be encoded: Python strings may contain halves of characters, which cannot."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
