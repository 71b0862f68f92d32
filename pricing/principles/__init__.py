"""Premium principles and risk measures: prices of an uncertain loss before expenses.

A principle prices a `LossDistribution`, a binary loss in closed form, and a simulated sample with its standard error:

    ``price(losses)``  ·  ``price_of_binary(probability)``  ·  ``estimate(sample, values)``

Moments: `ExpectedValuePrinciple`, `StandardDeviationPrinciple`, `VariancePrinciple`, `ExponentialPrinciple`,
`EsscherPrinciple`. Distorted probabilities: `ProportionalHazardTransform`, `DualPowerTransform`, `WangTransform`,
`WangTTransform`. Distorted crash rates, which load every term alike: `HazardTransform`, `OverHorizon`. The tail:
`TailValueAtRisk`, `ValueAtRisk`, `CostOfCapitalPrinciple`. `calibrate_distortion` finds the parameter that meets a
target, and `parse_risk_load` reads a load by its name. A principle of your own extends `Distortion`, `SmoothPrinciple`
or `PremiumPrinciple`.
"""

from pricing.principles.distortions import (
    Distortion,
    DualPowerTransform,
    FreeParameter,
    ProportionalHazardTransform,
    WangTransform,
    WangTTransform,
)
from pricing.principles.horizons import HazardTransform, OverHorizon
from pricing.principles.loss_distribution import LossDistribution
from pricing.principles.moments import (
    EsscherPrinciple,
    ExpectedValuePrinciple,
    ExponentialPrinciple,
    StandardDeviationPrinciple,
    VariancePrinciple,
)
from pricing.principles.named import RISK_LOAD_FORMS, parse_risk_load
from pricing.principles.principle import PremiumPrinciple, SmoothPrinciple
from pricing.principles.tails import CostOfCapitalPrinciple, TailValueAtRisk, ValueAtRisk
from pricing.principles.targets import calibrate_distortion, price_for_loss_ratio, price_for_return

__all__ = [
    "PRINCIPLE_CLASSES",
    "RISK_LOAD_FORMS",
    "CostOfCapitalPrinciple",
    "Distortion",
    "DualPowerTransform",
    "EsscherPrinciple",
    "ExpectedValuePrinciple",
    "ExponentialPrinciple",
    "FreeParameter",
    "HazardTransform",
    "LossDistribution",
    "OverHorizon",
    "PremiumPrinciple",
    "ProportionalHazardTransform",
    "SmoothPrinciple",
    "StandardDeviationPrinciple",
    "TailValueAtRisk",
    "ValueAtRisk",
    "VariancePrinciple",
    "WangTTransform",
    "WangTransform",
    "calibrate_distortion",
    "parse_risk_load",
    "price_for_loss_ratio",
    "price_for_return",
]

PRINCIPLE_CLASSES: tuple[type[PremiumPrinciple], ...] = (
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
    WangTTransform,
    WangTransform,
)
"""Every principle of this package."""
