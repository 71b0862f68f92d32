"""Replayed log prices against the worst drops that the kernel kept, and against its twin."""

import numpy as np
import pytest

from pricing import (
    ConstantVolatility,
    Empirical,
    Garch,
    GeneralizedParetoFalls,
    Jumps,
    Normal,
    NormalSizes,
    PriceModel,
    Reference,
    SimulationSettings,
    StudentT,
    simulate,
)
from pricing.engine.path_replay import replay
from pricing.errors import SimulationError
from tests.pricing.engine.kernel_twin import log_prices_and_weights, worst_log_drop

GARCH = Garch(omega=1e-6, alpha=0.05, beta=0.9, gamma=0.05, initial_variance=1 / 3e4)
MODELS = [
    PriceModel(volatility=ConstantVolatility(annual=2.0), innovations=Normal(), annual_drift=-0.5),
    PriceModel(
        volatility=GARCH,
        innovations=StudentT(dof=4.0),
        jumps=(
            Jumps(per_year=24.0, sizes=NormalSizes(mean=-0.1, stdev=0.2)),
            Jumps(per_year=7.0, sizes=GeneralizedParetoFalls(threshold=0.2, scale=0.1, shape=0.2)),
        ),
    ),
    PriceModel(
        volatility=GARCH,
        innovations=Empirical(values=np.random.default_rng(3).standard_normal(400)),
        volatility_spread=0.3,
    ),
]
PATHS = [0, 5, 17, 18, 100]


@pytest.mark.parametrize("rare_drops", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_replayed_paths_have_the_worst_drops_of_the_surface(model, rare_drops):
    surface = simulate(
        model,
        windows=("6h", "24h"),
        terms=("5d", "10d"),
        references=tuple(Reference),
        waiting_periods=("0h", "12h"),
        settings=SimulationSettings(n_paths=101, seed=2**64 - 1, rare_drops=rare_drops),
    )
    log_prices = replay(surface, PATHS)
    for signal, worst_drops in zip(surface.signals, surface.worst_drops, strict=True):
        replayed = 1.0 - np.exp(-worst_log_drop(log_prices, signal))
        assert replayed == pytest.approx(worst_drops[PATHS], abs=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_replayed_prices_are_those_of_the_twin_rises_included(model):
    settings = SimulationSettings(n_paths=101, seed=4)
    surface = simulate(model, terms=("10d",), settings=settings)
    twin, _ = log_prices_and_weights(model, surface.signals, settings)
    assert np.array_equal(replay(surface, PATHS), twin[:, PATHS])


def test_order_and_company_of_paths_do_not_matter():
    surface = simulate(MODELS[1], terms=("5d",), settings=SimulationSettings(n_paths=101, seed=4))
    together, alone = replay(surface, [100, 3, 3]), replay(surface, [3])
    assert (together[:, [1]] == alone).all()
    assert (together[:, 1] == together[:, 2]).all()
    assert replay(surface, []).shape == (121, 0)


@pytest.mark.parametrize("paths", [[101], [-1], [[1]]])
def test_a_path_that_is_none_is_refused(paths):
    surface = simulate(MODELS[0], terms=("5d",), settings=SimulationSettings(n_paths=101, seed=4))
    with pytest.raises(SimulationError, match="paths must be numbers from 0 to 100"):
        replay(surface, paths)
