"""Principles that load by moments: expected value, standard deviation, variance, exponential, Esscher.

References: Bühlmann, Mathematical Methods in Risk Theory (1970), chapter 4; Gerber, An Introduction to Mathematical
Risk Theory (1979), chapter 5. Aversions are per unit of the loss, which may be a share of the limit or money.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pricing.errors import InvalidBasisError, PrecisionError
from pricing.principles.loss_distribution import LossDistribution, require_probability
from pricing.principles.principle import SmoothPrinciple, require_not_negative
from pricing.surface.estimates import ROUNDING, Estimate, FloatOrArray, WeightedSample
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import set_numbers

_LARGEST_EXPONENT = 700.0
_LEAST_FALL = 1e-9  # of the expected loss: less is rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedValuePrinciple(SmoothPrinciple):
    """Load in proportion to the expected loss: ``(1 + loading) E X``.

    Parameters
    ----------
    loading : float
        Load per unit of expected loss, not negative.
    """

    loading: float = 0.5

    def __post_init__(self) -> None:
        set_numbers(self, "loading", error=InvalidBasisError)
        require_not_negative(self.loading, "loading")

    def price(self, losses: LossDistribution) -> float:
        """Price a loss whose law is known."""
        return (1.0 + self.loading) * losses.mean

    def influence(self, losses: LossDistribution) -> FloatArray:
        """Return the influence of each loss on the price."""
        return (1.0 + self.loading) * losses.above_smallest

    def price_of_binary(self, probability: float) -> float:
        """Price a loss of 1 with a given probability."""
        require_probability(probability)
        return (1.0 + self.loading) * probability


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardDeviationPrinciple(SmoothPrinciple):
    """Load in proportion to the standard deviation: ``E X + multiple sd X``.

    Parameters
    ----------
    multiple : float
        Load per unit of standard deviation, not negative (Kreps 1990 calls it reluctance).
    """

    multiple: float = 0.25

    def __post_init__(self) -> None:
        set_numbers(self, "multiple", error=InvalidBasisError)
        require_not_negative(self.multiple, "multiple")

    def rises(self, mean: Any, price: Any) -> Any:
        """Return whether the deviation is at least `multiple` means, which every mixture of two such losses inherits.

        As probability moves from no loss to a small one, the price moves by ``1 - multiple mean / deviation`` of it.
        """
        return price - mean >= (self.multiple * self.multiple - _LEAST_FALL) * mean

    def price(self, losses: LossDistribution) -> float:
        """Price a loss whose law is known."""
        return losses.mean + self.multiple * math.sqrt(_variance(losses))

    def influence(self, losses: LossDistribution) -> FloatArray:
        """Return the influence of each loss on the price."""
        deviation = math.sqrt(_variance(losses))
        if deviation == 0.0:
            return losses.above_smallest
        return losses.above_smallest + 0.5 * self.multiple / deviation * _variance_influence(losses)

    def estimate(self, sample: WeightedSample, values: FloatArray) -> Estimate[float]:
        """Price a simulated loss from its first two moments, without computing its whole law.

        Parameters are those of ``PremiumPrinciple.estimate``; the standard error is the same as from the whole law.
        """
        weighted = sample.weighted(values)
        mean, second_moment = float(weighted.sum()) / sample.n_paths, float((weighted * values).sum()) / sample.n_paths
        deviation = math.sqrt(variance_of(mean, second_moment))
        slope = 0.5 * self.multiple / deviation if deviation else 0.0
        influence = weighted * (slope * values + (1.0 - 2.0 * slope * mean))
        error = sample.standard_error(influence, float(influence.sum()) / sample.n_paths)
        return Estimate(mean + self.multiple * deviation, error)

    def price_of_binary(self, probability: float) -> float:
        """Price a loss of 1 with a given probability."""
        require_probability(probability)
        return probability + self.multiple * math.sqrt(probability * (1.0 - probability))


@dataclass(frozen=True, slots=True, kw_only=True)
class VariancePrinciple(SmoothPrinciple):
    """Load in proportion to the variance: ``E X + multiple Var X``.

    Parameters
    ----------
    multiple : float
        Load per unit of variance, in the inverse unit of the loss; not negative.
    """

    multiple: float = 0.25

    def __post_init__(self) -> None:
        set_numbers(self, "multiple", error=InvalidBasisError)
        require_not_negative(self.multiple, "multiple")

    def rises(self, mean: Any, price: Any) -> Any:  # noqa: ARG002 - the mean decides
        """Return whether it rises as probability moves from no loss to a small one: by ``1 - 2 multiple mean``."""
        return 2.0 * self.multiple * mean <= 1.0

    def price(self, losses: LossDistribution) -> float:
        """Price a loss whose law is known."""
        return losses.mean + self.multiple * _variance(losses)

    def influence(self, losses: LossDistribution) -> FloatArray:
        """Return the influence of each loss on the price."""
        return losses.above_smallest + self.multiple * _variance_influence(losses)

    def price_of_binary(self, probability: float) -> float:
        """Price a loss of 1 with a given probability."""
        require_probability(probability)
        return probability + self.multiple * probability * (1.0 - probability)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExponentialPrinciple(SmoothPrinciple):
    """Price at which an insurer of constant risk aversion is indifferent: ``ln E exp(aversion X) / aversion``.

    Parameters
    ----------
    aversion : float
        Absolute risk aversion, in the inverse unit of the loss; not negative, zero is the expected loss.
    """

    aversion: float = 1.0

    def __post_init__(self) -> None:
        set_numbers(self, "aversion", error=InvalidBasisError)
        require_not_negative(self.aversion, "aversion")

    def price(self, losses: LossDistribution) -> float:
        """Price a loss whose law is known.

        Raises
        ------
        PrecisionError
            If the aversion times the range of the loss is too large for floating point numbers.
        """
        if self.aversion == 0.0:
            return losses.mean
        growth = np.expm1(_exponents(self.aversion, losses))
        return losses.smallest + math.log1p(losses.expectation(growth)) / self.aversion

    def influence(self, losses: LossDistribution) -> FloatArray:
        """Return the influence of each loss on the price."""
        if self.aversion == 0.0:
            return losses.above_smallest
        growth = np.expm1(_exponents(self.aversion, losses))
        return np.asarray(growth / (self.aversion * (1.0 + losses.expectation(growth))))

    def price_of_binary(self, probability: float) -> float:
        """Price a loss of 1 with a given probability."""
        require_probability(probability)
        if self.aversion == 0.0 or probability in (0.0, 1.0):  # a certain loss differs from nothing
            return probability
        _require_exponent(self.aversion, 1.0)
        return math.log1p(probability * math.expm1(self.aversion)) / self.aversion


@dataclass(frozen=True, slots=True, kw_only=True)
class EsscherPrinciple(SmoothPrinciple):
    """Mean under a law tilted towards large losses: ``E X exp(aversion X) / E exp(aversion X)``.

    Parameters
    ----------
    aversion : float
        Tilt, in the inverse unit of the loss; not negative, zero is the expected loss.

    References
    ----------
    Bühlmann, An economic premium principle, ASTIN Bulletin 11 (1980).
    """

    aversion: float = 1.0

    def __post_init__(self) -> None:
        set_numbers(self, "aversion", error=InvalidBasisError)
        require_not_negative(self.aversion, "aversion")

    def rises(self, mean: Any, price: Any) -> Any:  # noqa: ARG002 - the price decides
        """Return whether it rises as probability moves from no loss to a small one: as ``1 - aversion price``."""
        return self.aversion * price <= 1.0

    def price(self, losses: LossDistribution) -> float:
        """Price a loss whose law is known.

        Raises
        ------
        PrecisionError
            If the aversion times the range of the loss is too large for floating point numbers.
        """
        tilt = np.exp(_exponents(self.aversion, losses))
        return losses.smallest + losses.expectation(tilt * losses.above_smallest) / losses.expectation(tilt)

    def influence(self, losses: LossDistribution) -> FloatArray:
        """Return the influence of each loss on the price."""
        tilt = np.exp(_exponents(self.aversion, losses))
        excess = self.price(losses) - losses.smallest
        return np.asarray((tilt * (losses.above_smallest - excess) + excess) / losses.expectation(tilt))

    def price_of_binary(self, probability: float) -> float:
        """Price a loss of 1 with a given probability."""
        require_probability(probability)
        if probability in (0.0, 1.0):  # a certain loss differs from nothing
            return probability
        _require_exponent(self.aversion, 1.0)
        return probability * math.exp(self.aversion) / (1.0 + probability * math.expm1(self.aversion))


def variance_of(mean: FloatOrArray, second_moment: FloatOrArray) -> FloatOrArray:
    """Return the variance of a loss, or 0 if what is left of the second moment is rounding."""
    square = mean * mean
    variance = second_moment - square
    return variance * (variance > ROUNDING * square)


def _variance(losses: LossDistribution) -> float:
    return losses.expectation(np.square(losses.losses - losses.mean))


def _variance_influence(losses: LossDistribution) -> FloatArray:
    """Return ``(x - mean)^2`` less its value at the smallest loss."""
    return losses.above_smallest * (losses.losses + losses.smallest - 2.0 * losses.mean)


def _exponents(aversion: float, losses: LossDistribution) -> FloatArray:
    _require_exponent(aversion, float(losses.above_smallest[0]))
    return aversion * losses.above_smallest


def _require_exponent(aversion: float, span: float) -> None:
    if aversion * span > _LARGEST_EXPONENT:
        raise PrecisionError(
            f"aversion {aversion} is too large for losses that differ by {span:g}: their product must be at most "
            f"{_LARGEST_EXPONENT:g} (an aversion is per unit of loss: divide it by the limit)"
        )
