"""Sensitivities against derivatives of exact laws."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pricing import (
    CapitalCost,
    ConstantVolatility,
    Cover,
    DoubleExponentialSizes,
    DropTrigger,
    FullPayout,
    Garch,
    GeneralizedParetoFalls,
    Jumps,
    LinearPayout,
    Normal,
    NormalSizes,
    PriceModel,
    PricingBasis,
    Reference,
    SimulationSettings,
    StandardDeviationPrinciple,
    premium,
    simulate,
)
from pricing.closed_form.discrete_monitoring import discrete_touch_probability, normal_steps
from pricing.errors import InvalidBasisError, InvalidModelError
from pricing.models.jumps import ScaledSizes
from pricing.premiums.discounting import discount_factor
from pricing.premiums.sensitivity import Bump, crash_rate_bump, sensitivities, severity_bump, volatility_bump
from pricing.principles import ExpectedValuePrinciple, TailValueAtRisk, ValueAtRisk, WangTransform

SETTINGS = SimulationSettings(n_paths=100_000, seed=5)
GAUSS = PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=Normal())
PURE = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=0.0), expense_ratio=0.0)


def make_cover(drop=0.2, reference=Reference.ROLLING_HIGH, term="5d", window="24h", payout=None):
    return Cover(
        cover_id="C-1",
        asset="OM",
        trigger=DropTrigger(drop=drop, window=window, reference=reference),
        payout=payout or FullPayout(),
        limit=1_000.0,
        currency="USD",
        term=term,
    )


def touch(volatility, n_steps=120, drop=0.2):
    steps = normal_steps(volatility=volatility, log_drift=0.0, step_years=1.0 / 8760.0)
    return discrete_touch_probability(drop=drop, steps=steps, n_steps=n_steps)


def test_volatility_of_a_binary_cover_against_the_exact_recursion():
    """100,000 paths, seed 5, z < 4: central difference of the exact law with the same bump."""
    basis = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=0.3), expense_ratio=0.2)
    cover = make_cover(reference=Reference.INCEPTION)
    (moved,) = sensitivities(cover, GAUSS, bumps=[volatility_bump], basis=basis, settings=SETTINGS)
    up, down = touch(1.05), touch(0.95)
    exact = 1_000.0 * (up - down) / 0.1
    assert abs(moved.expected_loss.value - exact) < 4.0 * moved.expected_loss.standard_error
    assert moved.expected_loss.standard_error < 0.03 * exact
    gross = [(p + 0.3 * math.sqrt(p * (1.0 - p))) / 0.8 for p in (up, down)]
    exact = 1_000.0 * (gross[0] - gross[1]) / 0.1
    assert abs(moved.gross.value - exact) < 4.0 * moved.gross.standard_error
    assert moved.gross.standard_error < 0.03 * exact


def test_crash_rate_and_severity_of_jumps_alone_against_the_closed_form():
    """Jumps fire if any is deep enough: p = 1 - exp(-m Phi((log 0.8 - mean) / sd)); 100,000 paths, seed 5, z < 4."""
    model = PriceModel(
        volatility=ConstantVolatility(annual=0.0),
        innovations=Normal(),
        jumps=(Jumps(per_year=3.0, sizes=NormalSizes(mean=-0.3, stdev=0.2)),),
    )
    cover = make_cover(window="1h", term="30d")
    rate, severity = sensitivities(cover, model, bumps=[crash_rate_bump, severity_bump], basis=PURE, settings=SETTINGS)

    def fired(rate_factor, size_factor):
        deep = 0.5 * math.erfc(-(math.log(0.8) + 0.3 * size_factor) / (0.2 * size_factor) / math.sqrt(2.0))
        return 1_000.0 * -math.expm1(-3.0 * rate_factor * 30.0 / 365.0 * deep)

    for found, exact in (
        (rate, (fired(1.1, 1.0) - fired(0.9, 1.0)) / 0.2),
        (severity, (fired(1.0, 1.05) - fired(1.0, 0.95)) / 0.1),
    ):
        assert abs(found.expected_loss.value - exact) < 4.0 * found.expected_loss.standard_error
        assert found.expected_loss.standard_error < 0.05 * exact
        assert found.gross.value == pytest.approx(found.expected_loss.value, rel=1e-9)
        assert found.gross.standard_error == pytest.approx(found.expected_loss.standard_error, rel=1e-6)


@pytest.mark.parametrize(
    "basis",
    [
        PricingBasis(parameter_load=0.2, interest_rate=0.05),
        PricingBasis(risk_load=WangTransform(shift=0.5), capital=CapitalCost(capital=TailValueAtRisk(level=0.9))),
    ],
    ids=["moments", "distortion and capital"],
)
def test_errors_agree_with_the_scatter_over_seeds(basis):
    # 100 seeds of 2,000 paths; the scatter of 100 normal values has relative error 1 / sqrt(200), z < 4.
    cover = make_cover(drop=0.12, payout=LinearPayout(attachment=0.1, exhaustion=0.3))
    model = replace(GAUSS, volatility=ConstantVolatility(annual=1.2))
    found = [
        sensitivities(
            cover,
            model,
            bumps=[volatility_bump],
            basis=basis,
            settings=SimulationSettings(n_paths=2_000, seed=seed),
        )[0]
        for seed in range(100)
    ]
    for line in ("expected_loss", "gross"):
        estimates = [getattr(each, line) for each in found]
        scatter = np.std([each.value for each in estimates], ddof=1)
        stated = np.mean([each.standard_error for each in estimates])
        assert abs(scatter / stated - 1.0) < 4.0 / math.sqrt(200)


def test_weighted_paths_agree_with_plain_ones_and_know_rare_drops_better():
    # 100,000 paths each, seed 5, z < 4.
    cover = make_cover(drop=0.18, payout=LinearPayout(attachment=0.15, exhaustion=0.5))
    basis = PricingBasis(risk_load=WangTransform(shift=0.5))
    plain, weighted = (
        sensitivities(cover, GAUSS, bumps=[volatility_bump], basis=basis, settings=settings)[0]
        for settings in (SETTINGS, replace(SETTINGS, rare_drops=True))
    )
    for line in ("expected_loss", "gross"):
        one, other = getattr(plain, line), getattr(weighted, line)
        assert abs(one.value - other.value) < 4.0 * math.hypot(one.standard_error, other.standard_error)
        assert other.standard_error < 0.5 * one.standard_error


def test_the_difference_is_that_of_two_premiums_and_its_error_that_of_the_paths_that_differ():
    cover = make_cover(drop=0.1)
    settings = SimulationSettings(n_paths=2_000, seed=1)
    (moved,) = sensitivities(cover, GAUSS, bumps=[lambda model: volatility_bump(model, 0.2)], settings=settings)
    up, down = (
        simulate(replace(GAUSS, volatility=ConstantVolatility(annual=annual)), terms=("5d",), settings=settings)
        for annual in (1.2, 0.8)
    )
    assert moved.gross.value == pytest.approx((premium(cover, up).gross - premium(cover, down).gross) / 0.4, rel=1e-12)
    by_path = 1_000.0 * ((up.worst_drops[0] >= 0.1).astype(float) - (down.worst_drops[0] >= 0.1))
    assert moved.expected_loss.value == pytest.approx(by_path.mean() / 0.4, rel=1e-12)
    assert moved.expected_loss.standard_error == pytest.approx(by_path.std() / math.sqrt(2_000) / 0.4, rel=1e-12)


@pytest.mark.parametrize("rare_drops", [False, True])
def test_a_premium_in_proportion_to_the_loss_has_an_error_in_proportion(rare_drops):
    """A load of 30 % and a mean of the worst half, beyond every payment, which is twice the expected loss."""
    capital = CapitalCost(annual_rate=0.7, capital=TailValueAtRisk(level=0.5), horizon="5d")
    basis = PricingBasis(
        risk_load=ExpectedValuePrinciple(loading=0.3), parameter_load=0.2, capital=capital, interest_rate=0.5
    )
    settings = SimulationSettings(n_paths=2_000, seed=1, rare_drops=rare_drops)
    (moved,) = sensitivities(make_cover(), GAUSS, bumps=[volatility_bump], basis=basis, settings=settings)
    factor = (1.3 + 0.2 + 0.7 * 5.0 / 365.0 * (2.0 - 1.0)) / 0.9
    assert moved.gross.value == pytest.approx(factor * moved.expected_loss.value, rel=1e-9)
    assert moved.gross.standard_error == pytest.approx(factor * moved.expected_loss.standard_error, rel=1e-9)
    (undiscounted,) = sensitivities(make_cover(), GAUSS, bumps=[volatility_bump], settings=settings)
    discount = discount_factor(make_cover().observation, 0.5)
    for figure in ("value", "standard_error"):
        expected = discount * getattr(undiscounted.expected_loss, figure)
        assert getattr(moved.expected_loss, figure) == pytest.approx(expected, rel=1e-9)


def test_given_capital_moves_nothing():
    settings = SimulationSettings(n_paths=2_000, seed=1)
    plain, given = (
        sensitivities(
            make_cover(), GAUSS, bumps=[volatility_bump], basis=PricingBasis(capital=capital), settings=settings
        )
        for capital in (None, CapitalCost(capital=0.5))
    )
    assert given[0].gross.value == pytest.approx(plain[0].gross.value, rel=1e-9)
    assert given[0].gross.standard_error == pytest.approx(plain[0].gross.standard_error, rel=1e-9)


def test_models_are_bumped_by_the_size_to_either_side():
    model = replace(GAUSS, jumps=(Jumps(per_year=2.0, sizes=NormalSizes(mean=-0.3, stdev=0.2)),))
    wider, likelier, deeper = (bump(model) for bump in (volatility_bump, crash_rate_bump, severity_bump))
    assert [(bump.name, bump.size) for bump in (wider, likelier, deeper)] == [
        ("volatility", 0.05),
        ("crash rate", 0.1),
        ("severity", 0.05),
    ]
    assert [each.volatility.annual for each in (wider.up, wider.down)] == pytest.approx([1.05, 0.95], rel=1e-15)
    assert [each.jumps[0].per_year for each in (likelier.up, likelier.down)] == pytest.approx([2.2, 1.8], rel=1e-15)
    assert [each.jumps[0].sizes.factor for each in (deeper.up, deeper.down)] == pytest.approx([1.05, 0.95], rel=1e-15)
    assert wider.up.jumps == model.jumps
    assert likelier.up.volatility == deeper.up.volatility == model.volatility
    settings = SimulationSettings(n_paths=100, seed=1)
    assert [each.name for each in sensitivities(make_cover(drop=0.4), model, settings=settings)] == [
        "volatility",
        "crash rate",
        "severity",
    ]


def test_what_a_minimum_lifts_does_not_move():
    basis = PricingBasis(minimum_premium=500.0)
    settings = SimulationSettings(n_paths=2_000, seed=1)
    (moved,) = sensitivities(make_cover(), GAUSS, bumps=[volatility_bump], basis=basis, settings=settings)
    assert (moved.gross.value, moved.gross.standard_error) == (0.0, 0.0)
    assert moved.expected_loss.value > 0.0


@pytest.mark.parametrize(
    "sizes",
    [
        NormalSizes(mean=-0.3, stdev=0.2),
        DoubleExponentialSizes(p_up=0.3, eta_up=9.0, eta_down=5.0),
        GeneralizedParetoFalls(threshold=0.2, scale=0.1, shape=0.2),
    ],
)
def test_scaled_sizes_are_the_sizes_scaled(sizes):
    u = np.linspace(0.01, 0.99, 99)
    scaled = ScaledSizes(sizes=sizes, factor=1.5)
    assert scaled.quantile(u) == pytest.approx(1.5 * sizes.quantile(u), rel=1e-15)
    assert scaled.upper_quantile(u) == pytest.approx(scaled.quantile(1.0 - u), rel=1e-12)
    assert scaled.split == getattr(sizes, "split", 0.5)


def test_bumps_of_garch_scale_its_variance():
    law = Garch(omega=1e-6, alpha=0.05, beta=0.9, initial_variance=1e-4)
    bump = volatility_bump(replace(GAUSS, volatility=law), 0.1)
    assert bump.up.volatility.omega == pytest.approx(1.21e-6, rel=1e-12)
    assert bump.down.volatility.initial_variance == pytest.approx(0.81e-4, rel=1e-12)
    assert (bump.up.volatility.alpha, bump.up.volatility.beta) == (0.05, 0.9)


def test_what_is_wrong_is_named():
    for size in (0.0, math.inf):
        with pytest.raises(InvalidModelError, match=f"size of a bump must be positive and finite, got {size}"):
            Bump(name="concentration", size=size, up=GAUSS, down=GAUSS)
    basis = PricingBasis(capital=CapitalCost(capital=ValueAtRisk(level=0.9)))
    with pytest.raises(InvalidBasisError, match="ValueAtRisk is not a smooth function"):
        sensitivities(
            make_cover(),
            GAUSS,
            bumps=[volatility_bump],
            basis=basis,
            settings=SimulationSettings(n_paths=2_000, seed=1),
        )
