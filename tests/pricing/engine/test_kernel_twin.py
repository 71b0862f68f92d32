"""The kernel against its plain twin, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing import (
    ConstantVolatility,
    DoubleExponentialSizes,
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
from tests.pricing.engine import kernel_twin as twin

CONSTANT = ConstantVolatility(annual=1.5)
GJR = Garch(omega=1e-6, alpha=0.05, beta=0.85, gamma=0.08, initial_variance=3e-4)
RESIDUALS = Empirical(values=np.random.default_rng(5).standard_t(4, 1_234).tolist())
MERTON = Jumps(per_year=60.0, sizes=NormalSizes(mean=-0.1, stdev=0.2))
KOU = Jumps(per_year=400.0, sizes=DoubleExponentialSizes(p_up=0.3, eta_up=12.0, eta_down=8.0))
PARETO = Jumps(per_year=5.0, sizes=GeneralizedParetoFalls(threshold=0.2, scale=0.1, shape=0.2))
DENSE = Jumps(per_year=100_000.0, sizes=NormalSizes(mean=0.0, stdev=0.001))

MODELS = {
    "constant, normal": PriceModel(volatility=CONSTANT, innovations=Normal()),
    "constant, Student-t, drift": PriceModel(volatility=CONSTANT, innovations=StudentT(dof=3.0), annual_drift=-2.0),
    "constant, empirical": PriceModel(volatility=CONSTANT, innovations=RESIDUALS),
    "GJR, normal": PriceModel(volatility=GJR, innovations=Normal()),
    "GJR, empirical": PriceModel(volatility=GJR, innovations=RESIDUALS),
    "constant, normal, Merton": PriceModel(volatility=CONSTANT, innovations=Normal(), jumps=(MERTON,)),
    "GJR, Student-t, four jump sources": PriceModel(
        volatility=GJR, innovations=StudentT(dof=4.5), jumps=(MERTON, KOU, PARETO, DENSE)
    ),
}


# So few paths say nothing about the mean of their weights.
@pytest.mark.filterwarnings("ignore:the weights of rare-drop sampling:pricing.errors.PrecisionWarning")
@pytest.mark.usefixtures("one_pilot")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("rare_drops", [False, True])
def test_every_law_agrees_bit_for_bit(name, rare_drops):
    size = SimulationSettings(n_paths=37, seed=20_240_817, rare_drops=rare_drops)
    surface = simulate(
        MODELS[name],
        windows=("1h", "5h", "24h"),
        terms=("31h", "32h", "65h"),  # a chunk is 32 rows
        references=tuple(Reference),
        waiting_periods=("0h", "7h"),
        settings=size,
    )
    drops, weights = twin.worst_drops_and_weights(MODELS[name], surface.signals, size)
    assert np.array_equal(surface.worst_drops, drops)
    if rare_drops:
        # The kernel has its own exponential and a polynomial where the twin adds up term by term.
        assert surface.weights == pytest.approx(weights, rel=1e-11)


@settings(max_examples=60)
@given(
    window=st.integers(1, 90),
    term=st.integers(1, 90),
    waiting=st.integers(0, 89),
    reference=st.sampled_from(Reference),
    seed=st.integers(0, 2**64 - 1),
)
def test_every_geometry_agrees_bit_for_bit(window, term, waiting, reference, seed):
    model = MODELS["constant, normal"]
    size = SimulationSettings(n_paths=3, seed=seed)
    surface = simulate(
        model,
        windows=(f"{window}h",),
        terms=(f"{waiting + term}h",),
        references=(reference,),
        waiting_periods=(f"{waiting}h",),
        settings=size,
    )
    drops, _ = twin.worst_drops_and_weights(model, surface.signals, size)
    assert np.array_equal(surface.worst_drops, drops)


def test_generator_agrees_with_published_xoshiro256_words():
    # First words of xoshiro256++ from the state (1, 2, 3, 4), worked out by hand from Blackman and Vigna (2021):
    # rotl(1 + 4, 23) + 1, then the state after one step is (7, 0, 262146, 211106232532992).
    generator = twin.Generator(0, 0, np.arange(1, dtype=np.uint64))
    generator.s = [np.array([k], dtype=np.uint64) for k in (1, 2, 3, 4)]
    assert generator.next_word()[0] == 41943041
    assert [int(s[0]) for s in generator.s] == [7, 0, 262146, 211106232532992]
    assert generator.next_word()[0] == 58720359


def test_splitmix_agrees_with_its_published_vector():
    # Seed 1234567, from the reference implementation of SplitMix64.
    state, words = np.array([1234567], dtype=np.uint64), []
    for _ in range(3):
        state, word = twin.splitmix(state)
        words.append(int(word[0]))
    assert words == [6457827717110365317, 3203168211198807973, 9817491932198370423]
