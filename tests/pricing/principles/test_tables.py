"""Premium principles against published and derived tables."""

import numpy as np
import pytest
from scipy.integrate import quad

from pricing import WeightedSample
from pricing.principles import (
    CostOfCapitalPrinciple,
    DualPowerTransform,
    EsscherPrinciple,
    ExponentialPrinciple,
    LossDistribution,
    ProportionalHazardTransform,
    StandardDeviationPrinciple,
    TailValueAtRisk,
    WangTransform,
    WangTTransform,
)
from tests.reference_tables import rows

BERNOULLI = {
    "wang_lambda0.1": WangTransform(shift=0.1),
    "wang_lambda0.25": WangTransform(shift=0.25),
    "wang_lambda0.45": WangTransform(shift=0.45),
    "wang_t5_lambda0.45": WangTTransform(shift=0.45, dof=5.0),
    "tvar_0.99": TailValueAtRisk(level=0.99),
    "tvar_0.995": TailValueAtRisk(level=0.995),
    "ph_0.5": ProportionalHazardTransform(exponent=0.5),
    "dual_power_2": DualPowerTransform(exponent=2.0),
    "ccoc_r0.15": CostOfCapitalPrinciple(rate=0.15),
    "esscher_theta1": EsscherPrinciple(aversion=1.0),
    "exponential_theta1": ExponentialPrinciple(aversion=1.0),
    "std_dev_0.5": StandardDeviationPrinciple(multiple=0.5),
}


@pytest.mark.parametrize("column", BERNOULLI)
def test_binary_losses_against_the_table(column):
    principle = BERNOULLI[column]
    for row in rows("bernoulli_premium_principles"):
        assert principle.price_of_binary(row["p_loss"]) == pytest.approx(row[column], rel=2e-12)
        assert principle.price(LossDistribution.binary(row["p_loss"])) == pytest.approx(row[column], rel=2e-12)


def test_wangs_satellite():
    """Launch failure with probability 5 % at a market price of risk of 0.1 costs 6.119 % (Wang 2000)."""
    assert WangTransform(shift=0.1).price_of_binary(0.05) == pytest.approx(0.06119, abs=5e-6)


@pytest.mark.parametrize("row", rows("wang2000_table1_layers"), ids=lambda row: f"{row['attach_000']:.0f}")
def test_layers_of_a_pareto_loss_against_wangs_table(row):
    """Each layer is the distorted area under its part of the exceedance curve."""
    bounds = row["attach_000"] * 1e3, row["exhaust_000"] * 1e3
    transforms = {"PH": ProportionalHazardTransform(exponent=0.9245), "Wang": WangTransform(shift=0.1)}
    for name, transform in transforms.items():
        price, _ = quad(lambda x, g=transform: g.price_of_binary((2000.0 / (2000.0 + x)) ** 1.2), *bounds, epsrel=1e-10)
        assert price == pytest.approx(row[f"{name}_derived"], abs=1e-4)
        # The first row of the paper is off by five; its other figures are whole numbers.
        assert price == pytest.approx(row[f"{name}_premium_pub"], abs=6.0 if bounds[0] == 0.0 else 1.0)


@pytest.mark.parametrize("row", rows("wang2002_table2_option"), ids=lambda row: f"{row['strike']:.0f}")
def test_weather_option_against_wangs_table(row):
    """A call on the heating degree days of December, priced from its 22 observations, to the printed cent."""
    payoffs = np.maximum(np.array([year["hdd"] for year in rows("wang2002_hdd_data")]) - row["strike"], 0.0)
    sample = WeightedSample.of_paths(payoffs, None)
    price = WangTransform(shift=0.25).estimate(sample, sample.drops).value
    assert price == pytest.approx(row["price_derived_wang_0.25"], abs=5e-7)
    assert round(price, 2) == row["price_pub"]
    assert sample.drops.mean() == pytest.approx(row["exp_payoff_derived"], abs=5e-7)
