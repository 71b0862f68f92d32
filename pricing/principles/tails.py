"""Measures of the tail, and the cost of the capital that they require."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np

from pricing.errors import InvalidBasisError, PrecisionError
from pricing.principles.distortions import Distortion, FreeParameter
from pricing.principles.loss_distribution import LossDistribution, require_probability
from pricing.principles.principle import PremiumPrinciple, require_not_negative
from pricing.surface.estimates import FEWEST_BEYOND, Estimate, WeightedSample
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import set_numbers

# 1 - 0.9 is a little less than 0.1, and a tenth of all paths must not count as more than a tenth.
_ABOVE_ROUNDING = 1.0 + 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class TailValueAtRisk(Distortion):
    """Mean of the worst share ``1 - level`` of all outcomes.

    Parameters
    ----------
    level : float
        Confidence such as 0.995; at least 0, which gives the expected loss, and below 1.

    References
    ----------
    Acerbi and Tasche, On the coherence of expected shortfall, J. Banking Finance 26 (2002).
    """

    level: float = 0.995

    free_parameter: ClassVar[FreeParameter] = FreeParameter("level", 0.0, 1.0 - 1e-12)

    def __post_init__(self) -> None:
        set_numbers(self, "level", error=InvalidBasisError)
        _require_level(self.level)

    def distort(self, exceedances: FloatArray) -> FloatArray:
        """Return the share of the tail for probabilities between 0 and 1."""
        return np.minimum(exceedances / (1.0 - self.level), 1.0)

    def slope(self, exceedances: FloatArray) -> FloatArray:
        """Return the derivative of g; zero below the tail."""
        return np.where(exceedances < 1.0 - self.level, 1.0 / (1.0 - self.level), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostOfCapitalPrinciple(Distortion):
    """Price that earns a return on the capital behind the premium: ``(E X + rate TVaR X) / (1 + rate)``.

    Premium and capital together equal the tail value at risk, and the premium includes the return on the capital:
    ``price = E X + rate (TVaR X - price)``.

    Parameters
    ----------
    rate : float
        Return on capital over the term above the riskless rate, not negative.
    level : float
        Confidence of the tail value at risk, at least 0. At 1 capital covers the largest loss: constant cost of
        capital (Mildenhall and Major, Pricing Insurance Risk, 2022). The standard error then treats the largest
        simulated loss as the largest possible one.

    Examples
    --------
    >>> round(CostOfCapitalPrinciple(rate=0.15).price_of_binary(0.02), 6)
    0.147826
    """

    rate: float = 0.1
    level: float = 1.0

    free_parameter: ClassVar[FreeParameter] = FreeParameter("rate", 0.0, 1e9)

    def __post_init__(self) -> None:
        set_numbers(self, "rate", "level", error=InvalidBasisError)
        require_not_negative(self.rate, "rate")
        if self.level != 1.0:
            _require_level(self.level)

    def distort(self, exceedances: FloatArray) -> FloatArray:
        """Return g of probabilities between 0 and 1."""
        if self.level == 1.0:
            capital = np.where(exceedances > 0.0, 1.0, 0.0)
        else:
            capital = TailValueAtRisk(level=self.level).distort(exceedances)
        return np.asarray((exceedances + self.rate * capital) / (1.0 + self.rate))

    def slope(self, exceedances: FloatArray) -> FloatArray:
        """Return the derivative of g."""
        if self.level == 1.0:
            return np.full(exceedances.shape, 1.0 / (1.0 + self.rate))
        capital = TailValueAtRisk(level=self.level).slope(exceedances)
        return np.asarray((1.0 + self.rate * capital) / (1.0 + self.rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueAtRisk(PremiumPrinciple):
    """The smallest amount that the loss exceeds with probability at most ``1 - level``.

    Capital is often set by it; as a price it may be below the expected loss and increase by pooling.

    Parameters
    ----------
    level : float
        Confidence such as 0.995, at least 0 and below 1.
    """

    level: float = 0.995

    def __post_init__(self) -> None:
        set_numbers(self, "level", error=InvalidBasisError)
        _require_level(self.level)

    def measuring(self, horizon: timedelta, *, term: timedelta) -> "ValueAtRisk":
        """Return the value at risk within a horizon, applied to the law of the losses within a term."""
        return self if horizon == term else ValueAtRisk(level=self.level ** (term / horizon))

    def price(self, losses: LossDistribution) -> float:
        """Return the quantile of a loss whose law is known."""
        return _quantile(losses, 1.0 - self.level)

    def price_of_binary(self, probability: float) -> float:
        """Return 1 if the event is likelier than ``1 - level``, and 0 otherwise."""
        require_probability(probability)
        return 1.0 if probability > (1.0 - self.level) * _ABOVE_ROUNDING else 0.0

    def estimate(self, sample: WeightedSample, values: FloatArray) -> Estimate[float]:
        """Return the quantile of a simulated loss.

        Parameters are those of ``PremiumPrinciple.estimate``; for the standard error see ``estimate_quantile``.

        Raises
        ------
        PrecisionError
            If fewer than ten paths lie beyond the quantile.
        """
        beyond = 1.0 - self.level
        if beyond * sample.n_paths * _ABOVE_ROUNDING < FEWEST_BEYOND:
            raise PrecisionError(
                f"level {self.level} leaves {beyond * sample.n_paths:.3g} of {sample.n_paths} paths beyond the "
                f"quantile, fewer than {FEWEST_BEYOND} (raise n_paths)"
            )
        losses = LossDistribution.of_sample(sample, values)
        n_beyond = int(np.searchsorted(losses.exceedances, beyond, side="right"))
        tail = sample.weighted(np.ones(min(n_beyond, len(values))))
        error = sample.standard_error(tail, float(tail.sum()) / sample.n_paths)
        return estimate_quantile(losses, beyond, error)


def estimate_quantile(losses: LossDistribution, beyond: float, error: float) -> Estimate[float]:
    """Return a quantile with its standard error.

    The error is half the distance between the quantiles one standard error of probability to either side (Woodruff
    1952). If a jump of the law is wider than that, both are the same amount. The error is then that of an estimate
    that meets the other amounts as often as a normal error of the probability makes it (Maritz and Jarrett 1978).

    Parameters
    ----------
    losses : LossDistribution
        Law of the sample.
    beyond : float
        Probability of a larger loss.
    error : float
        Standard error of that probability, positive.
    """
    value = _quantile(losses, beyond)
    spread = _quantile(losses, max(beyond - error, 0.0)) - _quantile(losses, min(beyond + error, 1.0))
    return Estimate(value, 0.5 * spread if spread else _error_at_jump(losses, beyond, error, value))


def _error_at_jump(losses: LossDistribution, beyond: float, error: float, value: float) -> float:
    from scipy.special import ndtr

    chances = np.diff(ndtr((losses.exceedances - beyond) / error), prepend=0.0)
    return math.sqrt(float(chances @ np.square(losses.losses - value)))


def _quantile(losses: LossDistribution, beyond: float) -> float:
    """Return the largest loss whose exceedance is above `beyond`, or the smallest loss if there is none."""
    position = int(np.searchsorted(losses.exceedances, beyond * _ABOVE_ROUNDING, side="right"))
    return float(losses.losses[min(position, len(losses.losses) - 1)])


def _require_level(level: float) -> None:
    if not 0.0 <= level < 1.0:
        slip = f" (a fraction: {level:g} % is {level / 100:g})" if math.isfinite(level) and 1.0 < level < 100.0 else ""
        raise InvalidBasisError(f"level must be at least 0 and below 1, got {level}{slip}")
