"""Laws of the standardised shock of a step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from pricing.errors import InvalidModelError
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import set_numbers, set_series


@runtime_checkable
class QuantileLaw(Protocol):
    """A law given by its quantile function, for innovations or for jump sizes.

    A law may also offer ``upper_quantile(u)``, its quantile at ``1 - u`` without cancellation, and ``split``, the
    probability at which its quantile function has a kink (jump sizes only; one half if absent).
    """

    def quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at probabilities ``u`` in (0, 1)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """Standard normal innovations."""

    def quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``u``, shape (n,)."""
        from scipy.special import ndtri

        return np.asarray(ndtri(u))

    def upper_quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``1 - u``, shape (n,)."""
        return -self.quantile(u)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentT:
    """Student-t innovations, scaled to unit variance.

    Parameters
    ----------
    dof : float
        Degrees of freedom, above 2 so that the variance exists.
    """

    dof: float

    def __post_init__(self) -> None:
        set_numbers(self, "dof", error=InvalidModelError)
        if not 2.0 < self.dof < math.inf:
            raise InvalidModelError(
                f"dof must be above 2 and finite, got {self.dof} (below 2 there is no variance to scale)"
            )

    def quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``u``, shape (n,)."""
        from scipy.special import stdtrit

        return np.asarray(stdtrit(self.dof, u) * math.sqrt((self.dof - 2.0) / self.dof), dtype=np.float64)

    def upper_quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``1 - u``, shape (n,)."""
        return -self.quantile(u)


@dataclass(frozen=True, slots=True, kw_only=True)
class Empirical:
    """Innovations drawn with equal probability from observed values, used unchanged.

    Parameters
    ----------
    values : sequence of float
        Standardised residuals, at least one. They are neither centred nor scaled here.
    """

    values: Sequence[float] = field(repr=False)

    def __post_init__(self) -> None:
        set_series(self, "values", error=InvalidModelError)
        values = self.values
        if not 1 <= len(values) < 2**31:
            raise InvalidModelError(f"values must hold between 1 and 2^31 - 1 residuals, got {len(values)}")
        bad = next((index for index, value in enumerate(values) if not math.isfinite(value)), None)
        if bad is not None:
            raise InvalidModelError(f"values must be finite, got {values[bad]} at index {bad}")


InnovationLaw = Empirical | QuantileLaw
