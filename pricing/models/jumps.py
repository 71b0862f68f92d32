"""Jump sources and the laws of their sizes."""

import math
from dataclasses import dataclass

import numpy as np

from pricing.errors import InvalidModelError
from pricing.models.innovations import Normal, QuantileLaw
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import set_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalSizes:
    """Normal log jumps (Merton 1976).

    Parameters
    ----------
    mean, stdev : float
        Mean and standard deviation of the log jump; falls are negative.
    """

    mean: float
    stdev: float

    def __post_init__(self) -> None:
        set_numbers(self, "mean", "stdev", error=InvalidModelError)
        if not math.isfinite(self.mean):
            raise InvalidModelError(f"mean must be finite, got {self.mean}")
        if not 0.0 <= self.stdev < math.inf:
            raise InvalidModelError(f"stdev must be finite and not negative, got {self.stdev}")

    def quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``u``, shape (n,)."""
        return self.mean + self.stdev * Normal().quantile(u)

    def upper_quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``1 - u``, shape (n,)."""
        return self.mean - self.stdev * Normal().quantile(u)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleExponentialSizes:
    """Asymmetric double-exponential log jumps (Kou 2002).

    Parameters
    ----------
    p_up : float
        Probability of an upward jump, between 0 and 1, both included.
    eta_up, eta_down : float
        Rates of the exponentials: a jump up has mean ``1 / eta_up``, a jump down has mean ``-1 / eta_down``.
    """

    p_up: float
    eta_up: float
    eta_down: float

    def __post_init__(self) -> None:
        set_numbers(self, "p_up", "eta_up", "eta_down", error=InvalidModelError)
        if not 0.0 <= self.p_up <= 1.0:
            raise InvalidModelError(f"p_up must be between 0 and 1, got {self.p_up}")
        for name in ("eta_up", "eta_down"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                raise InvalidModelError(f"{name} must be positive and finite, got {value}")

    @property
    def split(self) -> float:
        """Probability of a fall, where the quantile function has its kink."""
        return 1.0 - self.p_up

    def quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``u``, shape (n,)."""
        u = np.asarray(u, dtype=np.float64)
        with np.errstate(divide="ignore"):
            down = np.log(u / self.split) / self.eta_down if self.p_up < 1.0 else np.zeros_like(u)
            up = -np.log((1.0 - u) / self.p_up) / self.eta_up if self.p_up > 0.0 else np.zeros_like(u)
        return np.where(u <= self.split, down, up)

    def upper_quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``1 - u``, shape (n,)."""
        mirrored = DoubleExponentialSizes(p_up=1.0 - self.p_up, eta_up=self.eta_down, eta_down=self.eta_up)
        return -mirrored.quantile(u)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralizedParetoFalls:
    """Falls beyond a threshold: the peaks-over-threshold law of extreme value theory (Pickands 1975).

    The log jump is ``-(threshold + excess)`` where the excess is generalised Pareto.

    Parameters
    ----------
    threshold : float
        Smallest log fall, not negative.
    scale : float
        Scale of the excess, in log price.
    shape : float
        Tail index: 0 is exponential, a positive one is heavier, a negative one has an end point.
    """

    threshold: float
    scale: float
    shape: float = 0.0

    def __post_init__(self) -> None:
        set_numbers(self, "threshold", "scale", "shape", error=InvalidModelError)
        if not 0.0 <= self.threshold < math.inf:
            raise InvalidModelError(f"threshold must be finite and not negative, got {self.threshold}")
        if not 0.0 < self.scale < math.inf:
            raise InvalidModelError(f"scale must be positive and finite, got {self.scale}")
        if not -1.0 < self.shape < 1.0:
            raise InvalidModelError(
                f"shape must be between -1 and 1, got {self.shape} (at 1 and above the mean fall is infinite)"
            )

    def quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``u``, shape (n,); small ``u`` are deep falls."""
        return -self._fall(-np.log(u))

    def upper_quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``1 - u``, shape (n,)."""
        return -self._fall(-np.log1p(-np.asarray(u, dtype=np.float64)))

    def _fall(self, exponential: FloatArray) -> FloatArray:
        growth = np.expm1(self.shape * exponential) / self.shape if self.shape else exponential
        return np.asarray(self.threshold + self.scale * growth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jumps:
    """A Poisson source of jumps in the log price, independent of everything else.

    Parameters
    ----------
    per_year : float
        Expected number of jumps in a year of 365 days.
    sizes : NormalSizes, DoubleExponentialSizes, GeneralizedParetoFalls or any law with ``quantile(u)``
        Law of the log jump; falls are negative.
    """

    per_year: float
    sizes: QuantileLaw

    def __post_init__(self) -> None:
        set_numbers(self, "per_year", error=InvalidModelError)
        if not 0.0 <= self.per_year < math.inf:
            raise InvalidModelError(f"per_year must be finite and not negative, got {self.per_year}")
        if not isinstance(self.sizes, QuantileLaw):
            raise InvalidModelError(f"sizes must be a law with quantile(u), got {type(self.sizes).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledSizes:
    """Log jumps of another law times a factor.

    Parameters
    ----------
    sizes : any law with ``quantile(u)``
        The other law.
    factor : float
        Positive factor.
    """

    sizes: QuantileLaw
    factor: float

    @property
    def split(self) -> float:
        """Probability at which the quantile function has a kink."""
        return split_of(self.sizes)

    def quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``u``, shape (n,)."""
        return self.factor * self.sizes.quantile(u)

    def upper_quantile(self, u: FloatArray) -> FloatArray:
        """Evaluate the quantile function at ``1 - u``, shape (n,)."""
        upper = getattr(self.sizes, "upper_quantile", None)
        return np.asarray(self.factor * (upper(u) if upper else self.sizes.quantile(1.0 - u)))


def split_of(sizes: QuantileLaw) -> float:
    """Return the probability at which the quantile function of sizes has a kink; a half if it names none."""
    return float(getattr(sizes, "split", 0.5))
