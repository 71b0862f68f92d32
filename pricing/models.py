"""How log prices move: a volatility law, an innovation law and any number of jump sources.

One step of the log price is ``drift + sqrt(variance) * innovation + jumps``. Each part is a small frozen class; the
simulation combines them stage by stage, so a new law touches this file and, for a volatility law only, one stage of
the kernel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from pricing.anchors import Anchor
from pricing.errors import InvalidModelError
from pricing.units import Duration, parse_duration

FloatArray = npt.NDArray[np.float64]


@runtime_checkable
class QuantileLaw(Protocol):
    """A law given by its quantile function, for innovations or for jump sizes.

    A law may also offer ``upper_quantile(u)``, its quantile at ``1 - u`` without the cancellation, and ``split``, the
    probability at which its quantile function has a kink (jump sizes only; one half where it is absent).
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
    """Innovations drawn with equal probability from observed values, used exactly as given.

    Parameters
    ----------
    values : sequence of float
        Standardised residuals, at least one. They are neither centred nor scaled here.
    """

    values: Sequence[float] = field(repr=False)

    def __post_init__(self) -> None:
        values = tuple(float(value) for value in self.values)
        if not 1 <= len(values) < 2**31:
            raise InvalidModelError(f"values must hold between 1 and 2^31 - 1 residuals, got {len(values)}")
        bad = next((index for index, value in enumerate(values) if not math.isfinite(value)), None)
        if bad is not None:
            raise InvalidModelError(f"values must be finite, got {values[bad]} at index {bad}")
        object.__setattr__(self, "values", values)


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
        if not 0.0 <= self.annual < math.inf:
            raise InvalidModelError(f"annual must be finite and not negative, got {self.annual}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Garch:
    """GARCH(1,1), or GJR-GARCH(1,1,1) where ``gamma`` is not zero.

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
        """Share of a variance shock that is left one step later, for symmetric unit-variance innovations."""
        return self.alpha + self.beta + 0.5 * self.gamma


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
        Tail index: 0 is exponential, positive is heavier, negative has an end point.
    """

    threshold: float
    scale: float
    shape: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold < math.inf:
            raise InvalidModelError(f"threshold must be finite and not negative, got {self.threshold}")
        if not 0.0 < self.scale < math.inf:
            raise InvalidModelError(f"scale must be positive and finite, got {self.scale}")
        if not -1.0 < self.shape < 1.0:
            raise InvalidModelError(
                f"shape must be between -1 and 1, got {self.shape} (from 1 on the mean fall is infinite)"
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
        if not 0.0 <= self.per_year < math.inf:
            raise InvalidModelError(f"per_year must be finite and not negative, got {self.per_year}")
        if not isinstance(self.sizes, QuantileLaw):
            raise InvalidModelError(f"sizes must be a law with quantile(u), got {type(self.sizes).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse:
    """A slow collapse: with some probability all volatility of a path is multiplied.

    One path in sixteen is drawn from it, whatever its probability, and weighted accordingly: so deep falls that take
    hours have paths to stand on.

    Parameters
    ----------
    probability : float
        Of a path, above 0 and below one half.
    factor : float
        On its volatility, at least 1.
    """

    probability: float
    factor: float

    def __post_init__(self) -> None:
        if not 0.0 < self.probability < 0.5:
            raise InvalidModelError(f"probability must be above 0 and below 0.5, got {self.probability}")
        if not 1.0 <= self.factor < 100.0:
            raise InvalidModelError(f"factor must be at least 1 and below 100, got {self.factor}")


_LARGEST_SPREAD = 3.0

VolatilityLaw = ConstantVolatility | Garch
InnovationLaw = Empirical | QuantileLaw


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceModel:
    """A law for the log price on a grid of equal steps.

    Parameters
    ----------
    volatility : ConstantVolatility or Garch
        Law of the variance per step.
    innovations : Normal, StudentT, Empirical or any law with ``quantile(u)``
        Law of the standardised shock of a step.
    jumps : tuple of Jumps
        Independent jump sources, each with a random stream of its own.
    annual_drift : float
        Drift of the log price per year; nothing is added for variance or jumps.
    step : timedelta or str
        Length of a step.
    volatility_spread : float
        Standard deviation of the log of a factor on all volatility of a path: what is not known of its level. The
        factor has sixteen equally likely values, fifteen beside a collapse.
    collapse : Collapse, optional
        A slow collapse of the price.
    anchors : tuple of Anchor
        Probabilities of worst drops that the simulated paths are reweighted to meet.

    Raises
    ------
    InvalidModelError
        If a part is missing or of the wrong kind.

    Examples
    --------
    >>> PriceModel(volatility=ConstantVolatility(annual=0.9), innovations=Normal()).step
    datetime.timedelta(seconds=3600)
    """

    volatility: VolatilityLaw
    innovations: InnovationLaw
    jumps: tuple[Jumps, ...] = ()
    annual_drift: float = 0.0
    step: Duration = timedelta(hours=1)
    volatility_spread: float = 0.0
    collapse: Collapse | None = None
    anchors: tuple[Anchor, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", parse_duration(self.step, "step"))
        object.__setattr__(self, "jumps", tuple(self.jumps))
        object.__setattr__(self, "anchors", tuple(self.anchors))
        self._check_kinds()
        self._check_numbers()

    def _check_kinds(self) -> None:
        if not isinstance(self.volatility, VolatilityLaw):
            raise InvalidModelError(f"volatility must be ConstantVolatility or Garch, got {self.volatility!r}")
        if not isinstance(self.innovations, InnovationLaw):
            raise InvalidModelError(f"innovations must be a law with quantile(u), got {self.innovations!r}")
        for jumps in self.jumps:
            if not isinstance(jumps, Jumps):
                raise InvalidModelError(f"jumps must be a tuple of Jumps, got {jumps!r}")
        for anchor in self.anchors:
            if not isinstance(anchor, Anchor):
                raise InvalidModelError(f"anchors must be a tuple of Anchor, got {anchor!r}")
        if not isinstance(self.collapse, Collapse | None):
            raise InvalidModelError(f"collapse must be a Collapse or None, got {self.collapse!r}")

    def _check_numbers(self) -> None:
        if not math.isfinite(self.annual_drift):
            raise InvalidModelError(f"annual_drift must be finite, got {self.annual_drift}")
        if not 0.0 <= self.volatility_spread <= _LARGEST_SPREAD:
            raise InvalidModelError(
                f"volatility_spread must be between 0 and {_LARGEST_SPREAD}, got {self.volatility_spread} "
                "(a standard deviation of logs: 0.3 is a factor of 1.35 either way)"
            )
        if self.step == timedelta(0):
            raise InvalidModelError("step must be longer than zero")


MODEL_CLASSES: tuple[type, ...] = (
    Anchor,
    Collapse,
    ConstantVolatility,
    DoubleExponentialSizes,
    Empirical,
    Garch,
    GeneralizedParetoFalls,
    Jumps,
    Normal,
    NormalSizes,
    PriceModel,
    StudentT,
)
"""Every class that a model of this module can be made of."""
