"""Numbers as texts: as many digits as their standard errors justify, and the same unit for both."""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

#: Number of digits of a standard error that are shown.
_DIGITS = 2
#: A smaller standard error is rounding: the number is exact.
_ROUNDING = 1e-12
_MINUS = "−"
#: A non-breaking space.
_BLANK = "\N{NO-BREAK SPACE}"

Estimate = Mapping[str, float]


def number(value: float, digits: int = 3) -> str:
    """Write a number with a number of digits and no exponent.

    Examples
    --------
    >>> number(1234.5), number(0.000123456), number(0.0), number(-2.0)
    ('1,234', '0.000123', '0', '−2.00')
    """
    if value == 0.0:
        return "0"
    if not math.isfinite(value):
        return fixed(value, 0)
    return fixed(value, max(digits - 1 - math.floor(math.log10(abs(value))), 0))


def fixed(value: float, decimals: int) -> str:
    """Write a number with a number of decimals.

    Examples
    --------
    >>> fixed(-1234.5, 1)
    '−1,234.5'
    """
    return f"{value:,.{decimals}f}".replace("-", _MINUS)


def percent(value: float, digits: int = 3) -> str:
    r"""Write a fraction as per cent.

    Examples
    --------
    >>> percent(0.0123456)
    '1.23\xa0%'
    """
    return f"{number(100.0 * value, digits)}{_BLANK}%"


def share(value: float) -> str:
    r"""Write a chosen fraction as per cent, with all its digits.

    Examples
    --------
    >>> share(0.005), share(0.3)
    ('0.5\xa0%', '30\xa0%')
    """
    return f"{100.0 * value:g}{_BLANK}%"


def with_error(estimate: Estimate, scale: float = 1.0, most_decimals: int = 6) -> str:
    r"""Write a number and its standard error, rounded to two digits of the error, which is left out if it is zero then.

    Examples
    --------
    >>> with_error({"value": 0.0480123, "standard_error": 0.00068}, 100.0)
    '4.801\xa0±\xa00.068'
    >>> with_error({"value": 2199.8, "standard_error": 26.6})
    '2,200\xa0±\xa027'
    """
    value, error = scale * estimate["value"], scale * estimate["standard_error"]
    known = error <= _ROUNDING * abs(value)
    decimals = _decimals(abs(value) / 1000, 2) if known else _decimals(error, most_decimals)
    written = fixed(error, decimals)
    return f"{fixed(value, decimals)}{_BLANK}±{_BLANK}{written}" if written.strip("0.") else fixed(value, decimals)


def percent_with_error(estimate: Estimate) -> str:
    """Write a fraction and its standard error as per cent."""
    return f"{with_error(estimate, 100.0)}{_BLANK}%"


def money_with_error(estimate: Estimate) -> str:
    """Write an amount and its standard error, to the cent at most."""
    return with_error(estimate, most_decimals=2)


def _decimals(error: float, most: int) -> int:
    if error == 0.0 or not math.isfinite(error):
        return 0
    return min(max(_DIGITS - 1 - math.floor(math.log10(error)), 0), most)


def cents(amount: str) -> str:
    """Write an amount that is a decimal text with thousands separators.

    Examples
    --------
    >>> cents("-1234.50")
    '−1,234.50'
    """
    return f"{Decimal(amount):,}".replace("-", _MINUS)


def amount(value: float | str) -> str:
    """Write an amount in whole units, or "none" for infinity.

    Examples
    --------
    >>> amount(1234.5), amount("inf")
    ('1,234', 'none')
    """
    return "none" if value == "inf" else fixed(float(value), 0)


def ends(bounds: Mapping[str, float | str], form: str) -> str:
    """Write two bounds, or one number if they look the same.

    Examples
    --------
    >>> ends({"lower": 0.25, "upper": "inf"}, ".2f"), ends({"lower": 1.0, "upper": 1.0}, ".2f")
    ('0.25 to ∞', '1.00')
    """
    lower, upper = ("∞" if end == "inf" else format(float(end), form) for end in (bounds["lower"], bounds["upper"]))
    return lower if lower == upper else f"{lower} to {upper}"


def instant(text: str) -> str:
    """Write a time of day in UTC.

    Examples
    --------
    >>> instant("2025-04-13T18:00:00+00:00")
    '2025-04-13 18:00 UTC'
    """
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"


def without_advice(message: str) -> str:
    """Remove from a message what a user of the program could do; a reader of the page cannot.

    Examples
    --------
    >>> without_advice("the trigger fires on none of 5000 paths (raise n_paths)")
    'the trigger fires on none of 5000 paths'
    """
    return re.sub(r" \((?:raise|pass|use|request|draw|compact|fit_market)\b[^()]*(?:\([^()]*\)[^()]*)*\)", "", message)


def words(name: str) -> str:
    """Turn the name of a field or a flag into words.

    Examples
    --------
    >>> words("NO_HOLDERS"), words("expected_loss")
    ('No holders', 'Expected loss')
    """
    return name.replace("_", " ").capitalize()


FILTERS = {
    "amount": amount,
    "cents": cents,
    "ends": ends,
    "fixed": fixed,
    "instant": instant,
    "money_with_error": money_with_error,
    "number": number,
    "percent": percent,
    "percent_with_error": percent_with_error,
    "share": share,
    "with_error": with_error,
    "without_advice": without_advice,
    "words": words,
}
"""All formats, by their names in the templates."""
