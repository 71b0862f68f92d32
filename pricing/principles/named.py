"""Risk loads by name, as one word: ``hazard``, ``wang:0.45``, ``standard-deviation:0.25``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pricing.errors import InvalidBasisError
from pricing.principles.distortions import (
    Distortion,
    DualPowerTransform,
    ProportionalHazardTransform,
    WangTransform,
    WangTTransform,
)
from pricing.principles.horizons import HazardTransform, OverHorizon
from pricing.principles.moments import (
    EsscherPrinciple,
    ExpectedValuePrinciple,
    ExponentialPrinciple,
    StandardDeviationPrinciple,
    VariancePrinciple,
)
from pricing.principles.principle import PremiumPrinciple
from pricing.principles.tails import CostOfCapitalPrinciple, TailValueAtRisk, ValueAtRisk
from pricing.tools.units import Duration


@dataclass(frozen=True, slots=True)
class _Name:
    """A principle, the parameters that may follow its name, and those that the name itself sets."""

    kind: type[PremiumPrinciple]
    parameters: tuple[str, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)

    def form(self, name: str) -> str:
        return ":".join((name, *(each.upper() for each in self.parameters)))


_NAMES = {
    "hazard": _Name(HazardTransform, ("margin", "capital_rate", "least_capital")),
    "capital": _Name(HazardTransform, ("capital_rate", "least_capital"), {"margin": 0.0}),
    "full-collateral": _Name(HazardTransform, ("capital_rate", "margin"), {"capital_rate": 0.05, "least_capital": 1.0}),
    "wang": _Name(WangTransform, ("shift",)),
    "wang-t": _Name(WangTTransform, ("shift", "dof")),
    "proportional-hazard": _Name(ProportionalHazardTransform, ("exponent",)),
    "dual-power": _Name(DualPowerTransform, ("exponent",)),
    "cost-of-capital": _Name(CostOfCapitalPrinciple, ("rate", "level")),
    "tail-value-at-risk": _Name(TailValueAtRisk, ("level",)),
    "value-at-risk": _Name(ValueAtRisk, ("level",)),
    "expected-value": _Name(ExpectedValuePrinciple, ("loading",)),
    "standard-deviation": _Name(StandardDeviationPrinciple, ("multiple",)),
    "variance": _Name(VariancePrinciple, ("multiple",)),
    "exponential": _Name(ExponentialPrinciple, ("aversion",)),
    "esscher": _Name(EsscherPrinciple, ("aversion",)),
}
#: Forms in which risk loads can be written; parameters are optional from the right.
RISK_LOAD_FORMS = tuple(each.form(name) for name, each in _NAMES.items())


def parse_risk_load(text: str, *, horizon: Duration | None = None) -> PremiumPrinciple:
    """Parse a risk load written as one word.

    Parameters
    ----------
    text : str
        Name and parameters, such as ``"wang:0.45"``; see ``RISK_LOAD_FORMS``.
    horizon : timedelta or str, optional
        Time within which a distortion loads the chance of a payment, or ``"term"`` for the term of each cover; by
        default a year. ``hazard``, ``capital`` and ``full-collateral`` give the same load for every horizon, and loads
        that are no distortions are of the term.

    Raises
    ------
    InvalidBasisError
        If the name or the number of parameters is wrong, a parameter is out of range, or a horizon is given for a load
        that has none.

    Examples
    --------
    >>> parse_risk_load("hazard").margin
    0.5
    >>> parse_risk_load("wang:0.3", horizon="term")
    WangTransform(shift=0.3)
    >>> parse_risk_load("wang").distortion
    WangTransform(shift=0.45)
    """
    name, *numbers = text.strip().split(":")
    found = _NAMES.get(name)
    if found is None:
        raise InvalidBasisError(f"risk_load must be one of {', '.join(RISK_LOAD_FORMS)}, got {text!r}")
    if len(numbers) > len(found.parameters):
        raise InvalidBasisError(f"risk_load must look like {found.form(name)}, got {text!r}")
    try:
        given = {each: float(number) for each, number in zip(found.parameters, numbers, strict=False)}
        principle = found.kind(**{**found.fixed, **given})
    except InvalidBasisError as error:
        raise InvalidBasisError(f"risk_load {text!r}: {error}") from error
    except ValueError as error:
        raise InvalidBasisError(f"risk_load must look like {found.form(name)}, got {text!r}") from error
    return _over(principle, name, horizon)


def _over(principle: PremiumPrinciple, name: str, horizon: Duration | None) -> PremiumPrinciple:
    if horizon == "term":
        return principle
    if isinstance(principle, Distortion) and not isinstance(principle, HazardTransform):
        return OverHorizon(distortion=principle, horizon="365d" if horizon is None else horizon)
    if horizon is not None:
        raise InvalidBasisError(f"horizon must be left out for {name}, which does not depend on it, got {horizon}")
    return principle
