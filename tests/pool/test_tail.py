import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pool import measure, tail_value_at_risk, tail_weights, value_at_risk
from pricing.errors import InvalidBasisError, PrecisionError
from pricing.principles import WangTransform

losses = st.lists(st.sampled_from([0.0, 1.0, 2.0]) | st.floats(0.0, 1e6), min_size=1, max_size=60).map(np.array)
levels = st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.995]) | st.floats(0.0, 0.999)


@given(losses=losses, level=levels)
def test_weights_are_a_law_that_makes_up_the_tail(losses, level):
    weights = tail_weights(losses, level)
    assert (weights >= 0.0).all()
    assert weights.sum() == pytest.approx(1.0, rel=1e-9)
    assert weights.max() <= (1.0 + 1e-9) / ((1.0 - level) * len(losses))
    assert weights @ losses == pytest.approx(tail_value_at_risk(losses, level).value, rel=1e-8, abs=1e-9)


@given(losses=losses, level=levels)
def test_scenarios_that_tie_count_alike(losses, level):
    weights = tail_weights(losses, level)
    for loss in np.unique(losses):
        assert np.ptp(weights[losses == loss]) == 0.0


@given(losses=losses, others=losses, level=levels)
def test_no_other_choice_of_scenarios_is_worse(losses, others, level):
    """Any part of a loss weighs at most its own tail (Artzner et al. 1999: subadditivity)."""
    n = min(len(losses), len(others))
    losses, others = losses[:n], others[:n]
    own = tail_value_at_risk(others, level).value
    assert tail_weights(losses, level) @ others <= own * (1.0 + 1e-8) + 1e-9


@pytest.mark.parametrize("p", [0.001, 0.004, 0.02, 0.5])
def test_a_binary_loss_has_the_tail_of_the_closed_form(p):
    losses = (np.arange(100_000) < p * 100_000).astype(float)
    assert tail_value_at_risk(losses, 0.995).value == pytest.approx(min(p / 0.005, 1.0), rel=1e-9)
    assert value_at_risk(losses, 0.995).value == float(p > 0.005)


def test_evenly_spread_losses_have_the_tail_of_the_uniform_law():
    losses = np.random.default_rng(1).permutation(10_000) + 0.5
    assert tail_value_at_risk(losses, 0.99).value == pytest.approx(9_950.0, rel=1e-12)
    assert value_at_risk(losses, 0.99).value == pytest.approx(9_900.0, abs=0.51)


def test_standard_errors_cover_the_truth():
    """300 samples of 4,000 exponential losses, seed 1: TVaR 0.99 is ln 100 + 1. Rates of 0.90 +- 3 standard errors."""
    rng = np.random.default_rng(1)
    estimates = [tail_value_at_risk(rng.exponential(size=4_000), 0.99) for _ in range(300)]
    covered = [abs(e.value - np.log(100.0) - 1.0) < 1.645 * e.standard_error for e in estimates]
    assert np.mean(covered) == pytest.approx(0.9, abs=0.055)


def test_any_principle_prices_the_pool():
    losses = (np.arange(1_000) < 20).astype(float)
    assert measure(WangTransform(shift=0.45), losses).value == pytest.approx(0.05438, abs=5e-6)


def test_too_few_scenarios_are_refused():
    with pytest.raises(PrecisionError, match="fewer than 10"):
        value_at_risk(np.arange(100.0), 0.995)
    with pytest.raises(InvalidBasisError, match="level must be at least 0 and below 1"):
        tail_weights(np.arange(100.0), 99.5)
