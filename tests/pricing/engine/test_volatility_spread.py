"""A factor on the volatility of each path: sixteen equally likely values of a given spread."""

from dataclasses import replace

import numpy as np
import pytest

from pricing import (
    Collapse,
    ConstantVolatility,
    Garch,
    InvalidModelError,
    Normal,
    PriceModel,
    SimulationSettings,
    simulate,
)
from pricing.engine.kernel_inputs import path_factors
from pricing.tools.plain import from_plain, to_plain

SETTINGS = SimulationSettings(n_paths=1600, seed=11)
CONSTANT = PriceModel(volatility=ConstantVolatility(annual=0.9), innovations=Normal())
STORMY = PriceModel(
    volatility=Garch(omega=2e-6, alpha=0.06, beta=0.9, gamma=0.03, initial_variance=9e-5), innovations=Normal()
)


def volatility_scales(spread):
    return path_factors(replace(CONSTANT, volatility_spread=spread)).scales


def log_drops(model):
    return -np.log1p(-simulate(model, settings=SETTINGS).worst_drops[0])


@pytest.mark.parametrize("model", [CONSTANT, STORMY])
def test_without_drift_and_jumps_log_drops_are_scaled_path_by_path(model):
    scales = np.tile(volatility_scales(0.4), SETTINGS.n_paths // 16)
    assert log_drops(replace(model, volatility_spread=0.4)) == pytest.approx(scales * log_drops(model), rel=1e-12)


@pytest.mark.parametrize("spread", [1e-6, 0.3, 2.0])
def test_the_factors_have_the_spread_that_was_asked_for(spread):
    logs = np.log(volatility_scales(spread))
    assert logs.mean() == pytest.approx(0.0, abs=1e-12)
    assert logs.std() == pytest.approx(spread)
    assert len(set(logs.tolist())) == 16


@pytest.mark.parametrize("n_paths", [2, 4, 8])
def test_a_few_paths_are_spread_over_all_factors(n_paths):
    """Every first power of two holds one factor of each of as many equal parts."""
    order = np.argsort(np.argsort(volatility_scales(0.3)))
    assert sorted(order[:n_paths] * n_paths // 16) == list(range(n_paths))


def test_no_spread_changes_no_bit():
    assert (volatility_scales(0.0) == 1.0).all()


@pytest.mark.parametrize("spread", [-0.1, 3.1, float("nan")])
def test_a_spread_out_of_range_is_refused(spread):
    with pytest.raises(InvalidModelError, match="volatility_spread"):
        replace(CONSTANT, volatility_spread=spread)


def test_the_spread_is_part_of_the_model_and_of_its_digest():
    spread = replace(CONSTANT, volatility_spread=0.2)
    assert from_plain(to_plain(spread), (PriceModel, ConstantVolatility, Normal)) == spread
    assert simulate(spread, settings=SETTINGS).model_digest != simulate(CONSTANT, settings=SETTINGS).model_digest


COLLAPSE = Collapse(probability=0.01, factor=4.0)


def test_a_collapse_scales_one_path_in_sixteen_and_weighs_it_by_its_probability():
    found = simulate(replace(CONSTANT, collapse=COLLAPSE), settings=SETTINGS)
    scales = np.tile([*[1.0] * 15, 4.0], SETTINGS.n_paths // 16)
    assert -np.log1p(-found.worst_drops[0]) == pytest.approx(scales * log_drops(CONSTANT), rel=1e-12)
    assert found.weights == pytest.approx(np.tile([*[0.99 * 16 / 15] * 15, 0.16], SETTINGS.n_paths // 16))
    assert found.weights.mean() == pytest.approx(1.0, abs=1e-12)


def test_a_collapse_is_a_mixture_of_two_models():
    """Against each model alone, on other seeds, within four standard errors."""
    settings = SimulationSettings(n_paths=200_000, seed=5)
    wild = replace(CONSTANT, volatility=ConstantVolatility(annual=3.6))
    mixed, calm, stormy = (
        simulate(model, settings=replace(settings, seed=settings.seed + shift)).exceedance(0.15)
        for shift, model in enumerate((replace(CONSTANT, collapse=COLLAPSE), CONSTANT, wild))
    )
    expected = 0.99 * calm.value + 0.01 * stormy.value
    error = np.hypot(mixed.standard_error, 0.99 * calm.standard_error)
    assert mixed.value == pytest.approx(expected, abs=4.0 * error)


def test_a_spread_beside_a_collapse_is_met_by_the_other_paths():
    scales = path_factors(replace(CONSTANT, volatility_spread=0.3, collapse=COLLAPSE)).scales
    assert np.log(scales[:15]).std() == pytest.approx(0.3)
    assert scales[15] == 4.0


@pytest.mark.parametrize("change", [{"probability": 0.0}, {"probability": 0.5}, {"factor": 0.9}, {"factor": np.inf}])
def test_a_collapse_out_of_range_is_refused(change):
    with pytest.raises(InvalidModelError, match=next(iter(change))):
        replace(COLLAPSE, **change)
