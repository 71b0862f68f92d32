"""Principles that distort probabilities: the price is the area under a distorted exceedance curve (Wang 1996)."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np

from pricing.errors import InvalidBasisError
from pricing.principles.loss_distribution import LossDistribution, require_probability
from pricing.principles.principle import SmoothPrinciple, require_not_negative
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import set_numbers

_LEAST_SEEN = -40.0  # below it, exp(x) does not change a sum with 1


@dataclass(frozen=True, slots=True)
class FreeParameter:
    """The parameter of a distortion that sets the size of its load.

    Parameters
    ----------
    name : str
        Name of the field.
    mildest, harshest : float
        Values between which the price increases; the range of a calibration.
    """

    name: str
    mildest: float
    harshest: float


class Distortion(SmoothPrinciple):
    """A principle given by a function g of exceedance probabilities: the price is the integral of ``g(P(X > x))``.

    g increases from ``g(0) = 0`` to ``g(1) = 1``. Every such price scales and shifts with the loss and is additive over
    comonotonic losses; if g is concave, it is never below the expected loss and never increases by pooling
    (Wang, Young and Panjer 1997).
    """

    __slots__ = ()

    free_parameter: ClassVar[FreeParameter | None] = None
    """The parameter that ``calibrate_distortion`` chooses."""

    @abstractmethod
    def distort(self, exceedances: FloatArray) -> FloatArray:
        """Return g of probabilities between 0 and 1."""

    @abstractmethod
    def slope(self, exceedances: FloatArray) -> FloatArray:
        """Return the derivative of g at probabilities strictly between 0 and 1."""

    def at(self, exceedance: float) -> tuple[float, float]:
        """Return g and its slope at one probability strictly between 0 and 1; overridden where that is faster."""
        one = np.array([exceedance])
        return float(self.distort(one)[0]), float(self.slope(one)[0])

    def log_dual(self, log_survivals: FloatArray) -> FloatArray:
        """Return ``ln(1 - g(1 - exp(x)))``: the loaded chance of no loss; overridden where it is known for a low x."""
        with np.errstate(divide="ignore"):
            return np.log1p(-self.distort(-np.expm1(log_survivals)))

    def measuring(self, horizon: timedelta, *, term: timedelta) -> "Distortion":
        """Return the distortion of the losses within a horizon, applied to the law of those within a term."""
        return self if horizon == term else _WithinHorizon(self, horizon / term)

    def price(self, losses: LossDistribution) -> float:
        """Price a loss whose law is known."""
        layers = -np.diff(losses.losses)
        return losses.smallest + float((layers * self.distort(losses.exceedances[:-1])).sum())

    def influence(self, losses: LossDistribution) -> FloatArray:
        """Return the influence of each loss: the slope of g, summed over the layers below it."""
        exceedances = losses.exceedances[:-1]
        inside = (exceedances > 0.0) & (exceedances < 1.0)
        layers = np.zeros(len(losses.losses))
        layers[:-1][inside] = -np.diff(losses.losses)[inside] * self.slope(exceedances[inside])
        return np.cumsum(layers[::-1])[::-1]

    def price_of_binary(self, probability: float) -> float:
        """Price a loss of 1 with a given probability: g of the probability."""
        require_probability(probability)
        return float(self.distort(np.array([probability]))[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionalHazardTransform(Distortion):
    """Lower the hazard rate in proportion: ``g(s) = s ** exponent``.

    Parameters
    ----------
    exponent : float
        Exponent, above 0 and at most 1; 1 gives the expected loss.

    References
    ----------
    Wang, Insurance pricing and increased limits ratemaking by proportional hazards transforms, Insur. Math. Econ. 17
    (1995).
    """

    exponent: float = 0.7

    free_parameter: ClassVar[FreeParameter] = FreeParameter("exponent", 1.0, 1e-9)

    def __post_init__(self) -> None:
        set_numbers(self, "exponent", error=InvalidBasisError)
        if not 0.0 < self.exponent <= 1.0:
            raise InvalidBasisError(f"exponent must be above 0 and at most 1, got {self.exponent}")

    def distort(self, exceedances: FloatArray) -> FloatArray:
        """Return g of probabilities between 0 and 1."""
        return np.asarray(exceedances**self.exponent)

    def slope(self, exceedances: FloatArray) -> FloatArray:
        """Return the derivative of g."""
        return np.asarray(self.exponent * exceedances ** (self.exponent - 1.0))

    def log_dual(self, log_survivals: FloatArray) -> FloatArray:
        """Return ``ln(1 - g(1 - exp(x)))``: ``ln exponent + x`` for low x."""
        seen = np.maximum(log_survivals, _LEAST_SEEN)
        return np.log(-np.expm1(self.exponent * log_survival(np.exp(seen)))) + log_survivals - seen


@dataclass(frozen=True, slots=True, kw_only=True)
class DualPowerTransform(Distortion):
    """Expected largest of several such losses: ``g(s) = 1 - (1 - s) ** exponent``.

    Parameters
    ----------
    exponent : float
        Number of losses, at least 1; 1 gives the expected loss.
    """

    exponent: float = 2.0

    free_parameter: ClassVar[FreeParameter] = FreeParameter("exponent", 1.0, 1e9)

    def __post_init__(self) -> None:
        set_numbers(self, "exponent", error=InvalidBasisError)
        if not 1.0 <= self.exponent < math.inf:
            raise InvalidBasisError(f"exponent must be finite and at least 1, got {self.exponent}")

    def distort(self, exceedances: FloatArray) -> FloatArray:
        """Return g of probabilities between 0 and 1."""
        return np.asarray(-np.expm1(self.exponent * log_survival(exceedances)))

    def slope(self, exceedances: FloatArray) -> FloatArray:
        """Return the derivative of g."""
        return np.asarray(self.exponent * (1.0 - exceedances) ** (self.exponent - 1.0))

    def log_dual(self, log_survivals: FloatArray) -> FloatArray:
        """Return ``ln(1 - g(1 - exp(x)))``."""
        return np.asarray(self.exponent * log_survivals)


@dataclass(frozen=True, slots=True, kw_only=True)
class WangTransform(Distortion):
    """Shift the normal score of the exceedance: ``g(s) = Phi(Phi^-1(s) + shift)``.

    Parameters
    ----------
    shift : float
        Market price of risk, not negative; zero is the expected loss.

    References
    ----------
    Wang, A class of distortion operators for pricing financial and insurance risks, J. Risk Insur. 67 (2000).

    Examples
    --------
    >>> round(WangTransform(shift=0.45).price_of_binary(0.02), 5)
    0.05438
    """

    shift: float = 0.45

    free_parameter: ClassVar[FreeParameter] = FreeParameter("shift", 0.0, 40.0)

    def __post_init__(self) -> None:
        set_numbers(self, "shift", error=InvalidBasisError)
        require_not_negative(self.shift, "shift")

    def distort(self, exceedances: FloatArray) -> FloatArray:
        """Return g of probabilities between 0 and 1."""
        from scipy.special import ndtr, ndtri

        return np.asarray(ndtr(ndtri(exceedances) + self.shift))

    def slope(self, exceedances: FloatArray) -> FloatArray:
        """Return the derivative of g."""
        from scipy.special import ndtri

        return np.asarray(np.exp(-self.shift * ndtri(exceedances) - 0.5 * self.shift**2))

    def log_dual(self, log_survivals: FloatArray) -> FloatArray:
        """Return ``ln(1 - g(1 - exp(x)))``."""
        from scipy.special import log_ndtr, ndtri_exp

        return np.asarray(log_ndtr(ndtri_exp(log_survivals) - self.shift))


@dataclass(frozen=True, slots=True, kw_only=True)
class WangTTransform(Distortion):
    """Wang's two-factor transform: ``g(s) = T(Phi^-1(s) + shift)`` with T of Student's t.

    The heavy tails of T allow for an exceedance curve that is itself uncertain. They also raise both tail
    probabilities: g is not concave, and the price of an almost certain event is below its expected loss.

    Parameters
    ----------
    shift : float
        Market price of risk, not negative.
    dof : float
        Degrees of freedom, positive; fewer degrees mean a less certain curve.

    References
    ----------
    Wang, A universal framework for pricing financial and insurance risks, ASTIN Bulletin 32 (2002).
    """

    shift: float = 0.45
    dof: float = 5.0

    free_parameter: ClassVar[FreeParameter] = FreeParameter("shift", 0.0, 1e6)

    def __post_init__(self) -> None:
        set_numbers(self, "shift", "dof", error=InvalidBasisError)
        require_not_negative(self.shift, "shift")
        if not 0.0 < self.dof < math.inf:
            raise InvalidBasisError(f"dof must be positive and finite, got {self.dof}")

    def distort(self, exceedances: FloatArray) -> FloatArray:
        """Return g of probabilities between 0 and 1."""
        from scipy.special import ndtri, stdtr

        return np.asarray(stdtr(self.dof, ndtri(exceedances) + self.shift))

    def slope(self, exceedances: FloatArray) -> FloatArray:
        """Return the derivative of g."""
        from scipy.special import gammaln, ndtri

        score = ndtri(exceedances)
        half = 0.5 * (self.dof + 1.0)
        constant = gammaln(half) - gammaln(0.5 * self.dof) + 0.5 * math.log(2.0 / self.dof)
        return np.asarray(np.exp(constant - half * np.log1p((score + self.shift) ** 2 / self.dof) + 0.5 * score**2))

    def log_dual(self, log_survivals: FloatArray) -> FloatArray:
        """Return ``ln(1 - g(1 - exp(x)))``."""
        from scipy.special import ndtri_exp, stdtr

        with np.errstate(divide="ignore"):
            return np.log(stdtr(self.dof, ndtri_exp(log_survivals) - self.shift))


@dataclass(frozen=True, slots=True)
class _WithinHorizon(Distortion):
    """``h(1 - (1 - s) ** terms)``: the distortion h of the losses within a horizon of several terms."""

    distortion: Distortion
    terms: float

    def distort(self, exceedances: FloatArray) -> FloatArray:
        return self.distortion.distort(-np.expm1(self.terms * log_survival(exceedances)))

    def slope(self, exceedances: FloatArray) -> FloatArray:
        survival = log_survival(exceedances)
        outer = self.distortion.slope(-np.expm1(self.terms * survival))
        return np.asarray(outer * self.terms * np.exp((self.terms - 1.0) * survival))


def log_survival(probabilities: FloatArray) -> FloatArray:
    """Return the logarithm of the probability that an event does not happen: minus infinity for a sure one."""
    with np.errstate(divide="ignore"):
        return np.log1p(-probabilities)
