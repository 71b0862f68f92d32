"""Distortions that load covers of different terms consistently.

A distortion of the law over the term of each cover makes many short covers dearer than one long cover. The principles
here distort the chance of a payment within a horizon that is common to all covers. The chances of no payment within
consecutive terms multiply if crashes come at a constant rate, and so do the loaded chances.
"""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from pricing.errors import InvalidBasisError
from pricing.principles.distortions import Distortion, log_survival
from pricing.principles.principle import parse_term, require_not_negative
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import set_numbers
from pricing.tools.units import YEAR, DurationField, default_duration, shown

MONTH = timedelta(days=30)
_EVEN = math.log(0.5)
_NEAR = 1e-5  # step of a difference quotient, in the logarithm of a probability
TAIL = 0.005  # a pool holds capital for all months but one in two hundred


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardTransform(Distortion):
    """Raise the crash rate in proportion, and charge for the capital that a pool holds against the crash.

    ``g(s) = 1 - (1 - s) ** (1 + margin) * exp(-capital_rate * capital(s) * years)``, where the capital per unit of
    limit depends on the probability ``m`` of a payment within 30 days, whatever the term:
    ``capital = least_capital + (1 - least_capital) * m / (m + 0.005)``. It is close to the contribution of a cover to
    the tail value at risk, at 99.5 %, of a pool that common shocks hit as a whole. So a price holds capital for events
    that are too rare to be simulated: g jumps at zero to the cost of ``least_capital``.

    Parameters
    ----------
    margin : float
        Increase of the crash rate, not negative.
    capital_rate : float
        Return on capital per year above the riskless rate, not negative.
    least_capital : float
        Capital per unit of limit for the rarest events, from 0 to 1; 1 is full collateral.
    term : timedelta or str
        Time within which the loss may happen.

    Raises
    ------
    InvalidBasisError
        If a number is out of range.

    Examples
    --------
    >>> a_month = HazardTransform()
    >>> round(a_month.price_of_binary(0.01), 4)
    0.0205
    >>> weekly = a_month.over(timedelta(days=7)).price_of_binary(1 - 0.99 ** (7 / 30))
    >>> round(1 - (1 - weekly) ** (30 / 7), 4)
    0.0205
    """

    margin: float = 0.5
    capital_rate: float = 0.1
    least_capital: float = 0.05
    term: DurationField = default_duration("30d")

    def __post_init__(self) -> None:
        set_numbers(self, "margin", "capital_rate", "least_capital", error=InvalidBasisError)
        for name in ("margin", "capital_rate", "least_capital"):
            require_not_negative(getattr(self, name), name)
        if self.least_capital > 1.0:
            raise InvalidBasisError(f"least_capital must be at most 1 per unit of limit, got {self.least_capital}")
        object.__setattr__(self, "term", parse_term(self.term))

    def over(self, term: timedelta) -> "HazardTransform":
        """Return the principle for losses within a term."""
        return self if term == self.term else replace(self, term=term)

    def distort(self, exceedances: FloatArray) -> FloatArray:
        """Return g of probabilities between 0 and 1."""
        survival = log_survival(exceedances)
        loaded = -np.expm1((1.0 + self.margin) * survival - self._charge * self._capital(survival))
        return np.where(exceedances > 0.0, loaded, 0.0)

    def slope(self, exceedances: FloatArray) -> FloatArray:
        """Return the derivative of g."""
        survival = log_survival(exceedances)
        months = MONTH / self.term
        monthly = -np.expm1(months * survival)
        bend = (1.0 - self.least_capital) * TAIL / (monthly + TAIL) ** 2 * months * np.exp(months * survival)
        kept = np.exp((1.0 + self.margin) * survival - self._charge * self._capital(survival))
        return np.asarray(kept * (1.0 + self.margin + self._charge * bend) / np.exp(survival))

    def at(self, exceedance: float) -> tuple[float, float]:
        """Return g and its slope at one probability, as ``distort`` and ``slope`` do."""
        survival = math.log1p(-exceedance)
        months, margin, charge = MONTH / self.term, 1.0 + self.margin, self._charge
        monthly, rest = -math.expm1(months * survival), 1.0 - self.least_capital
        exponent = margin * survival - charge * (self.least_capital + rest * monthly / (monthly + TAIL))
        bend = rest * TAIL / (monthly + TAIL) ** 2 * months * math.exp(months * survival)
        return -math.expm1(exponent), math.exp(exponent - survival) * (margin + charge * bend)

    @property
    def _charge(self) -> float:
        return self.capital_rate * (self.term / YEAR)

    def _capital(self, survival: FloatArray) -> FloatArray:
        monthly = -np.expm1(MONTH / self.term * survival)
        return np.asarray(self.least_capital + (1.0 - self.least_capital) * monthly / (monthly + TAIL))


@dataclass(frozen=True, slots=True, kw_only=True)
class OverHorizon(Distortion):
    """A distortion of the law over a horizon that is common to all covers, such as a year.

    ``g(s) = 1 - (1 - h(1 - (1 - s) ** n)) ** (1 / n)``, where h is the distortion and n the number of terms in the
    horizon.

    Parameters
    ----------
    distortion : Distortion
        Distortion of the probability of a payment within the horizon.
    horizon : timedelta or str
        Time for which the distortion was chosen.
    term : timedelta or str
        Time within which the loss may happen.

    Raises
    ------
    InvalidBasisError
        If the distortion is none, or a duration is zero.

    Examples
    --------
    >>> from pricing.principles import WangTransform
    >>> yearly = OverHorizon(distortion=WangTransform(shift=0.45))
    >>> round(yearly.over(timedelta(days=30)).price_of_binary(0.01), 4)
    0.0209
    """

    distortion: Distortion
    horizon: DurationField = default_duration("365d")
    term: DurationField = default_duration("30d")

    def __post_init__(self) -> None:
        if not isinstance(self.distortion, Distortion):
            raise InvalidBasisError(
                f"distortion must be a Distortion such as WangTransform, got {shown(self.distortion)}"
            )
        for name in ("horizon", "term"):
            object.__setattr__(self, name, parse_term(getattr(self, name), name))

    def over(self, term: timedelta) -> "OverHorizon":
        """Return the principle for losses within a term."""
        return self if term == self.term else replace(self, term=term)

    def distort(self, exceedances: FloatArray) -> FloatArray:
        """Return g of probabilities between 0 and 1."""
        return np.asarray(-np.expm1(self._loaded(self._terms * log_survival(exceedances)) / self._terms))

    def slope(self, exceedances: FloatArray) -> FloatArray:
        """Return the derivative of g."""
        survival = log_survival(exceedances)
        exponents = self._terms * survival
        loaded = self._loaded(exponents)
        return np.asarray(np.exp(loaded / self._terms - survival) * self._elasticity(exponents, loaded))

    def _elasticity(self, exponents: FloatArray, loaded: FloatArray) -> FloatArray:
        """Return the derivative of the loaded logarithm by the one without a load."""
        rare = exponents > _EVEN
        happens = -np.expm1(np.where(rare, exponents, _EVEN))
        likely = np.where(rare, _EVEN, exponents)
        up, down = self.distortion.log_dual(likely + _NEAR), self.distortion.log_dual(likely - _NEAR)
        return np.where(
            rare,
            self.distortion.slope(happens) * np.exp(np.where(rare, exponents - loaded, 0.0)),
            (up - down) / (2.0 * _NEAR),
        )

    def _loaded(self, exponents: FloatArray) -> FloatArray:
        """Return the loaded logarithm of the chance of no payment within the horizon, given the one without a load."""
        rare = exponents > _EVEN  # the smaller one of two complementary probabilities is the more precise one
        happens = -np.expm1(np.where(rare, exponents, 0.0))
        likely = self.distortion.log_dual(np.where(rare, _EVEN, exponents))
        return np.where(rare, log_survival(self.distortion.distort(happens)), likely)

    @property
    def _terms(self) -> float:
        return self.horizon / self.term
