"""A number that is known exactly, or only between two bounds."""

from dataclasses import dataclass

from pricing.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """A number with the bounds that the data leave it.

    Parameters
    ----------
    lower, upper : float
        Bounds, both attainable by data that look the same; ``upper`` may be infinite.

    Examples
    --------
    >>> Bounded(lower=0.2, upper=0.3).value is None, Bounded(lower=0.2, upper=0.2).value
    (True, 0.2)
    """

    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise DataError(f"lower must not exceed upper, got {self.lower} and {self.upper}")

    @property
    def value(self) -> float | None:
        """The number itself, or None where the bounds differ."""
        return self.lower if self.lower == self.upper else None
