"""A number that is known exactly, or only between two bounds."""

import math
from dataclasses import dataclass

from pricing.errors import DataError


@dataclass(init=False, repr=False, eq=False)  # its plain form has both bounds
class Bounded(float):
    """A number known within bounds; used as a float, it is the prudent bound.

    Parameters
    ----------
    lower, upper : float
        Bounds, both attainable given the same observed data; ``upper`` may be infinite.
    prudent : {"upper", "lower"}
        The bound that means more concentration.

    Examples
    --------
    >>> index = Bounded(lower=0.2, upper=0.3)
    >>> index.value is None, index + 0.0, Bounded(lower=0.2, upper=0.2).value
    (True, 0.3, 0.2)
    """

    __slots__ = ("lower", "upper")

    lower: float
    upper: float

    def __new__(cls, *, lower: float, upper: float, prudent: str = "upper") -> "Bounded":  # noqa: D102
        if not lower <= upper:
            raise DataError(f"lower must not exceed upper, got {lower} and {upper}")
        number = super().__new__(cls, upper if prudent == "upper" else lower)
        number.lower, number.upper = float(lower), float(upper)
        return number

    @property
    def value(self) -> float | None:
        """The number itself, or None if the bounds differ."""
        return self.lower if self.lower == self.upper else None

    def describe(self, form: str) -> str:
        """Write both bounds in a format, or only one if they look the same; infinity is a question mark.

        Examples
        --------
        >>> Bounded(lower=0.1, upper=0.2).describe(".1f"), Bounded(lower=3.0, upper=math.inf).describe(".0f")
        ('0.1 to 0.2', '3 to ?')
        """
        lower, upper = (format(bound, form) if math.isfinite(bound) else "?" for bound in (self.lower, self.upper))
        return lower if lower == upper else f"{lower} to {upper}"

    def __repr__(self) -> str:
        return f"Bounded(lower={self.lower}, upper={self.upper})"
