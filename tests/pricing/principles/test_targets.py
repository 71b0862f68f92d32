"""Calibration of a distortion: against the inverse functions where they are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri, stdtrit

from pricing.errors import InvalidBasisError
from pricing.principles import (
    CostOfCapitalPrinciple,
    Distortion,
    DualPowerTransform,
    LossDistribution,
    ProportionalHazardTransform,
    TailValueAtRisk,
    WangTransform,
    WangTTransform,
    calibrate_distortion,
    price_for_loss_ratio,
    price_for_return,
)

INVERSES = [
    (WangTransform(), lambda p, price: ndtri(price) - ndtri(p)),
    (WangTTransform(dof=1e3), lambda p, price: stdtrit(1e3, price) - ndtri(p)),
    (ProportionalHazardTransform(), lambda p, price: math.log(price) / math.log(p)),
    (DualPowerTransform(), lambda p, price: math.log1p(-price) / math.log1p(-p)),
    (TailValueAtRisk(), lambda p, price: 1.0 - p / price),
    (CostOfCapitalPrinciple(), lambda p, price: (price - p) / (1.0 - price)),
]


@given(probability=st.floats(0.001, 0.5), loss_ratio=st.floats(0.51, 0.95))
@pytest.mark.parametrize(("distortion", "inverse"), INVERSES, ids=lambda value: type(value).__name__)
def test_a_binary_loss_has_the_parameter_of_the_inverse(distortion, inverse, probability, loss_ratio):
    losses = LossDistribution.binary(probability)
    price = price_for_loss_ratio(losses, loss_ratio)
    calibrated = calibrate_distortion(distortion, losses, price=price)
    assert getattr(calibrated, distortion.free_parameter.name) == pytest.approx(inverse(probability, price), rel=1e-9)
    assert type(calibrated) is type(distortion)


@given(
    amounts=st.lists(st.floats(0.0, 1e6), min_size=3, max_size=10, unique=True),
    return_on_capital=st.floats(0.01, 0.5),
)
@pytest.mark.parametrize(
    "distortion", [distortion for distortion, _ in INVERSES if not isinstance(distortion, WangTTransform)], ids=repr
)
def test_a_calibrated_distortion_earns_the_return(distortion, amounts, return_on_capital):
    losses = LossDistribution.discrete(amounts, np.full(len(amounts), 1.0 / len(amounts)))
    target = price_for_return(losses, return_on_capital, assets=max(amounts))
    price = calibrate_distortion(distortion, losses, price=target).price(losses)
    assert (price - losses.mean) / (max(amounts) - price) == pytest.approx(return_on_capital, rel=1e-6)


def test_constant_cost_of_capital_is_the_return_itself():
    losses = LossDistribution.discrete([0.0, 3.0, 10.0], [0.7, 0.2, 0.1])
    target = price_for_return(losses, 0.12, assets=10.0)
    assert calibrate_distortion(CostOfCapitalPrinciple(), losses, price=target).rate == pytest.approx(0.12, rel=1e-10)


@pytest.mark.parametrize("price", [0.019, 1.001, math.nan])
def test_a_price_out_of_reach_says_what_is_in_reach(price):
    with pytest.raises(InvalidBasisError, match="price must be between 0.02 and 1, the range that WangTransform"):
        calibrate_distortion(WangTransform(), LossDistribution.binary(0.02), price=price)


def test_a_capital_level_bounds_what_a_cost_of_capital_can_charge():
    losses = LossDistribution.discrete([0.0, 10.0, 20.0], [0.9, 0.09, 0.01])
    with pytest.raises(InvalidBasisError, match="price must be between 1.1 and 11, .* got 15"):
        calibrate_distortion(CostOfCapitalPrinciple(level=0.9), losses, price=15.0)


def test_a_distortion_of_ones_own_says_what_it_lacks():
    class Doubling(Distortion):
        def distort(self, exceedances):
            return np.minimum(2.0 * exceedances, 1.0)

        def slope(self, exceedances):
            return np.where(exceedances < 0.5, 2.0, 0.0)

    assert Doubling().price_of_binary(0.2) == 0.4
    with pytest.raises(InvalidBasisError, match="Doubling names no free_parameter"):
        calibrate_distortion(Doubling(), LossDistribution.binary(0.2), price=0.3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda losses: price_for_loss_ratio(losses, 60.0), r"loss_ratio must be between 0 and 1, got 60.0 \(a frac"),
        (lambda losses: price_for_loss_ratio(losses, 0.0), "loss_ratio must be"),
        (lambda losses: price_for_return(losses, -0.1, assets=1.0), "return_on_capital must not be negative"),
        (lambda losses: price_for_return(losses, 0.1, assets=0.02), "assets must exceed the expected loss 0.02"),
    ],
)
def test_a_target_names_what_is_wrong(make, message):
    with pytest.raises(InvalidBasisError, match=message):
        make(LossDistribution.binary(0.02))
