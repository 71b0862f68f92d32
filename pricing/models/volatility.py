"""Laws of the variance per step."""

import math
from dataclasses import dataclass, replace

from pricing.errors import InvalidModelError
from pricing.tools.fields import set_numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantVolatility:
    """The same variance in every step.

    Parameters
    ----------
    annual : float
        Standard deviation of the log return over one year of 365 days; zero leaves only drift and jumps.
    """

    annual: float

    def __post_init__(self) -> None:
        set_numbers(self, "annual", error=InvalidModelError)
        if not 0.0 <= self.annual < math.inf:
            raise InvalidModelError(f"annual must be finite and not negative, got {self.annual}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Garch:
    """GARCH(1,1), or GJR-GARCH(1,1,1) if ``gamma`` is not zero.

    ``variance[t+1] = omega + (alpha + gamma * (e[t] < 0)) * e[t]**2 + beta * variance[t]`` with
    ``e[t] = sqrt(variance[t]) * innovation[t]`` (Bollerslev 1986; Glosten, Jagannathan and Runkle 1993).

    Parameters
    ----------
    omega, alpha, beta, gamma : float
        Coefficients for log returns per step, not per cent.
    initial_variance : float
        Variance of the first step.
    """

    omega: float
    alpha: float
    beta: float
    gamma: float = 0.0
    initial_variance: float

    def __post_init__(self) -> None:
        set_numbers(self, "omega", "alpha", "beta", "gamma", "initial_variance", error=InvalidModelError)
        for name in ("omega", "alpha", "beta"):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise InvalidModelError(f"{name} must be finite and not negative, got {value}")
        if not (math.isfinite(self.gamma) and self.alpha + self.gamma >= 0.0):
            raise InvalidModelError(
                f"gamma must be finite and not below -alpha = {-self.alpha:g}, got {self.gamma} "
                "(the variance could turn negative)"
            )
        if not 0.0 < self.initial_variance < math.inf:
            raise InvalidModelError(f"initial_variance must be positive and finite, got {self.initial_variance}")

    @property
    def persistence(self) -> float:
        """Share of a variance shock that remains one step later, for symmetric unit-variance innovations."""
        return self.alpha + self.beta + 0.5 * self.gamma


VolatilityLaw = ConstantVolatility | Garch


def scaled_volatility(law: VolatilityLaw, factor: float) -> VolatilityLaw:
    """Return the law of returns that are ``factor`` times as large."""
    if isinstance(law, ConstantVolatility):
        return replace(law, annual=law.annual * factor)
    return replace(law, omega=law.omega * factor**2, initial_variance=law.initial_variance * factor**2)
