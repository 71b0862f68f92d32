"""Interface of premium principles: a price that is exact for a known law and has an error for a simulated one."""

import math
from abc import ABC, abstractmethod
from datetime import timedelta
from typing import Any

from pricing.errors import InvalidBasisError
from pricing.principles.loss_distribution import LossDistribution
from pricing.surface.estimates import Estimate, WeightedSample
from pricing.tools.arrays import FloatArray
from pricing.tools.units import Duration, format_duration, parse_duration


class PremiumPrinciple(ABC):
    """A price before expenses: the expected loss and a load for its uncertainty.

    The load is ``price(losses) - losses.mean``.
    """

    __slots__ = ()

    def over(self, term: timedelta) -> "PremiumPrinciple":  # noqa: ARG002 - for principles that depend on it
        """Return the principle for losses within a term: this one, unless the load depends on the term."""
        return self

    def measuring(self, horizon: timedelta, *, term: timedelta) -> "PremiumPrinciple":
        """Return the principle that prices the losses within a horizon, applied to the law of those within a term.

        Crashes come at a constant rate: ``1 - (1 - s) ** (horizon / term)`` is the exceedance within the horizon.

        Raises
        ------
        InvalidBasisError
            If the price is no function of exceedance probabilities.
        """
        if horizon == term:
            return self
        raise InvalidBasisError(
            f"{type(self).__name__} cannot measure the losses within {horizon} from those within {term} "
            "(use a distortion such as TailValueAtRisk)"
        )

    def rises(self, mean: Any, price: Any) -> Any:  # noqa: ARG002 - for principles whose price may fall
        """Return whether no loss of which this one is a part is cheaper; of one loss, or of a column of them.

        If it holds for two losses, and one is never the larger one, its price is not the larger one either.

        Parameters
        ----------
        mean, price : float or ndarray
            Expected loss, and the price of the loss by this principle.
        """
        return True

    @abstractmethod
    def price(self, losses: LossDistribution) -> float:
        """Price a loss whose law is known, in its unit."""

    @abstractmethod
    def price_of_binary(self, probability: float) -> float:
        """Price a loss of 1 with a given probability, in closed form."""

    @abstractmethod
    def estimate(self, sample: WeightedSample, values: FloatArray) -> Estimate[float]:
        """Price a simulated loss, with its standard error from simulation.

        Parameters
        ----------
        sample : WeightedSample
            Paths, deepest first.
        values : ndarray of shape (n_tail,)
            Loss of the deepest paths, not increasing; the loss of all other paths is zero.
        """


class SmoothPrinciple(PremiumPrinciple):
    """A principle whose price is a smooth function of the law of the loss, which gives its standard error."""

    __slots__ = ()

    @abstractmethod
    def influence(self, losses: LossDistribution) -> FloatArray:
        """Return the derivative of the price as probability moves from the smallest loss to each other loss.

        Standard errors follow from it by the delta method (Hampel 1974); influences are additive like the lines of a
        premium.

        Returns
        -------
        ndarray of shape (n_values,)
            The last is zero.
        """

    def estimate(self, sample: WeightedSample, values: FloatArray) -> Estimate[float]:
        """Price a simulated loss, with its standard error; parameters as in ``PremiumPrinciple.estimate``.

        If every path has the same loss, the error is that of one path in ``n_paths`` that loses 1 more, so losses are
        best given as shares of the limit.
        """
        losses = LossDistribution.of_sample(sample, values)
        weighted = sample.weighted(self.influence(losses)[: len(values)])
        error = sample.standard_error(weighted, float(weighted.sum()) / sample.n_paths)
        return Estimate(self.price(losses), error)


def parse_term(value: Duration, field: str = "term") -> timedelta:
    """Turn ``"30d"`` into a ``timedelta``.

    Raises
    ------
    InvalidTermsError
        If it is not a duration.
    InvalidBasisError
        If it is zero.
    """
    duration = parse_duration(value, field)
    if not duration:
        raise InvalidBasisError(f"{field} must be longer than zero, got {format_duration(duration)}")
    return duration


def require_not_negative(value: float, field: str) -> None:
    """Check that a parameter is finite and not negative.

    Raises
    ------
    InvalidBasisError
        If it is not.
    """
    if not 0.0 <= value < math.inf:
        raise InvalidBasisError(f"{field} must be finite and not negative, got {value}")
