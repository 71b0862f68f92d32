"""A factor on the volatility of each path: sixteen equally likely values of a given spread."""

from dataclasses import replace

import numpy as np
import pytest

from pricing import ConstantVolatility, Garch, InvalidModelError, Normal, PriceModel, SimulationSettings, simulate
from pricing.kernel_inputs import volatility_scales
from pricing.plain import from_plain, to_plain

SETTINGS = SimulationSettings(n_paths=1600, seed=11)
CONSTANT = PriceModel(volatility=ConstantVolatility(annual=0.9), innovations=Normal())
STORMY = PriceModel(
    volatility=Garch(omega=2e-6, alpha=0.06, beta=0.9, gamma=0.03, initial_variance=9e-5), innovations=Normal()
)


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
