"""Every principle at one setting, with the laws that it obeys."""

from pricing.principles import (
    CostOfCapitalPrinciple,
    DualPowerTransform,
    EsscherPrinciple,
    ExpectedValuePrinciple,
    ExponentialPrinciple,
    HazardTransform,
    OverHorizon,
    ProportionalHazardTransform,
    StandardDeviationPrinciple,
    TailValueAtRisk,
    ValueAtRisk,
    VariancePrinciple,
    WangTransform,
    WangTTransform,
)

CONCAVE = [
    ProportionalHazardTransform(exponent=0.6),
    DualPowerTransform(exponent=2.5),
    WangTransform(shift=0.45),
    TailValueAtRisk(level=0.8),
    CostOfCapitalPrinciple(rate=0.15),
    CostOfCapitalPrinciple(rate=0.15, level=0.9),
    HazardTransform(term="7d"),
    OverHorizon(distortion=WangTransform(shift=0.45), term="90d"),
]
DISTORTIONS = [*CONCAVE, WangTTransform(shift=0.45, dof=5.0)]
QUANTILES = [*DISTORTIONS, ValueAtRisk(level=0.83)]
EXPONENTIALS = [ExponentialPrinciple(aversion=0.3), EsscherPrinciple(aversion=0.3)]
DEVIATIONS = [StandardDeviationPrinciple(multiple=0.4), VariancePrinciple(multiple=0.2)]
EXPECTED = ExpectedValuePrinciple(loading=0.3)
SMOOTH = [EXPECTED, *DEVIATIONS, *EXPONENTIALS, *DISTORTIONS]
EVERY = [*SMOOTH, ValueAtRisk(level=0.83)]
