"""A model of the log price: a volatility law, an innovation law and any number of jump sources.

One step of the log price is ``drift + sqrt(variance) * innovation + jumps``. Each part is a small frozen class; the
simulation combines them stage by stage, so a new law changes this file and, for a volatility law only, one stage of
the kernel.
"""

import math
from dataclasses import dataclass, field
from datetime import timedelta

from pricing.errors import InvalidModelError
from pricing.models.anchors import Anchor
from pricing.models.innovations import Empirical, InnovationLaw, Normal, StudentT
from pricing.models.jumps import DoubleExponentialSizes, GeneralizedParetoFalls, Jumps, NormalSizes
from pricing.models.volatility import ConstantVolatility, Garch, VolatilityLaw
from pricing.tools.fields import set_members, set_numbers
from pricing.tools.units import DurationField, default_duration, parse_duration, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse:
    """A slow collapse: with some probability all volatility of a path is multiplied.

    One path in sixteen is drawn from it, regardless of its probability, and weighted accordingly, so that deep falls
    over several hours are represented by enough paths.

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
        set_numbers(self, "probability", "factor", error=InvalidModelError)
        if not 0.0 < self.probability < 0.5:
            raise InvalidModelError(f"probability must be above 0 and below 0.5, got {self.probability}")
        if not 1.0 <= self.factor < 100.0:
            raise InvalidModelError(f"factor must be at least 1 and below 100, got {self.factor}")


_LARGEST_SPREAD = 3.0


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
        Independent jump sources, each with its own random stream.
    annual_drift : float
        Drift of the log price per year; it is not adjusted for variance or jumps.
    step : timedelta or str
        Length of a step.
    volatility_spread : float
        Standard deviation of the log of a factor on all volatility of a path: the uncertainty of its level. The
        factor has sixteen equally likely values, or fifteen with a collapse.
    collapse : Collapse, optional
        A slow collapse of the price.
    anchors : tuple of Anchor
        Probabilities of worst drops that the simulated paths are reweighted to meet.
    least_known_drop : float
        Smallest drop about which the model says anything. Every smaller one counts as certain, so that no cover can be
        sold on it.

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
    step: DurationField = default_duration("1h")
    volatility_spread: float = 0.0
    collapse: Collapse | None = None
    anchors: tuple[Anchor, ...] = ()
    least_known_drop: float = field(default=0.0, metadata={"plain": "if set"})

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", parse_duration(self.step, "step"))
        set_members(self, "jumps", Jumps, error=InvalidModelError)
        set_members(self, "anchors", Anchor, error=InvalidModelError)
        set_numbers(self, "annual_drift", "volatility_spread", "least_known_drop", error=InvalidModelError)
        self._check_kinds()
        self._check_numbers()

    def _check_kinds(self) -> None:
        if not isinstance(self.volatility, VolatilityLaw):
            raise InvalidModelError(f"volatility must be ConstantVolatility or Garch, got {shown(self.volatility)}")
        if not isinstance(self.innovations, InnovationLaw):
            raise InvalidModelError(f"innovations must be a law with quantile(u), got {shown(self.innovations)}")
        if not isinstance(self.collapse, Collapse | None):
            raise InvalidModelError(f"collapse must be a Collapse or None, got {shown(self.collapse)}")

    def _check_numbers(self) -> None:
        if not math.isfinite(self.annual_drift):
            raise InvalidModelError(f"annual_drift must be finite, got {self.annual_drift}")
        if not 0.0 <= self.volatility_spread <= _LARGEST_SPREAD:
            raise InvalidModelError(
                f"volatility_spread must be between 0 and {_LARGEST_SPREAD}, got {self.volatility_spread} "
                "(a standard deviation of logs: 0.3 is a factor of 1.35 either way)"
            )
        if not 0.0 <= self.least_known_drop < 1.0:
            raise InvalidModelError(f"least_known_drop must be from 0 to below 1, got {self.least_known_drop}")
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
"""Every class that can be part of a model."""
