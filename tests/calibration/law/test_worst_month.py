import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.law.crashes import crash_rate
from calibration.law.drop_law import MarketState
from calibration.law.law_anchors import NODES
from calibration.law.worst_month import worst_month_law
from tests.calibration.drop_laws import a_law, a_record, a_state

MARKET = MarketState(log_volatility=0.1, run_up=0.3)


def month_of(law, state, hazard=1.0):
    rate = crash_rate(law, state, 1, hazard)
    return worst_month_law(law, state, 1, MARKET, rate), rate.rate


def log_drop(drop):
    return -math.log1p(-drop)


@given(st.floats(-1.5, 1.5), st.floats(0.0, 1.0), st.floats(-0.5, 1.0))
def test_probabilities_are_those_of_the_law(log_volatility, tail_weight, excess):
    law = a_law()
    record = a_record(excess=excess, crashes=1.0, expected=0.4)
    state = a_state(log_volatilities=(log_volatility,) * 4, tail_weight=tail_weight, record=record)
    month, rate = month_of(law, state)
    centre = law.centre(state.covariates(1), MARKET)
    assert month.window == timedelta(hours=24)
    assert month.drops == NODES
    assert month.centre == centre[0]
    expected = [law.exceedance(log_drop(drop), centre, np.array([rate]))[0] for drop in NODES]
    assert month.probabilities == pytest.approx(expected, rel=1e-12)
    assert all(deeper <= before for before, deeper in zip(month.probabilities, month.probabilities[1:], strict=False))
    assert [month.at(drop) for drop in NODES] == list(month.probabilities)


@given(st.floats(-1.5, 1.5), st.floats(0.2, 12.0))
def test_the_median_and_the_dispersion_are_quantiles_of_the_law(log_volatility, hazard):
    law, state = a_law(), a_state(log_volatilities=(log_volatility,) * 4)
    month, rate = month_of(law, state, hazard)
    median = log_drop(month.median_drop)

    def exceeded(depth):
        return law.exceedance(depth, np.array([month.centre]), np.array([rate]))[0]

    assert exceeded(median) == pytest.approx(0.5, abs=1e-5)
    deep, shallow = (brute_quantile(exceeded, share) for share in (0.16, 0.84))
    assert month.dispersion == pytest.approx(0.5 * math.log(deep / shallow), abs=1e-4)


def brute_quantile(exceeded, share):
    """Halve an interval of log depths until it is as narrow as a double."""
    low, high = -12.0, 5.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if exceeded(math.exp(middle)) > share else (low, middle)
    return math.exp(low)


def test_a_normal_law_has_its_own_median_and_dispersion():
    law = a_law(shocks=(0.0,), error=0.0, log_rate=-30.0)
    month, _ = month_of(law, a_state())
    assert log_drop(month.median_drop) == pytest.approx(math.exp(month.centre), rel=1e-5)
    # 16 % and 84 % lie 0.99446 standard deviations from the median
    assert month.dispersion == pytest.approx(0.994458 * math.exp(law.spread), rel=1e-4)


def test_parameter_uncertainty_is_the_difference_to_the_certain_law():
    law, state = a_law(error=0.25), a_state()
    month, rate = month_of(law, state)
    certain = [
        a_law(error=0.0).exceedance(log_drop(drop), np.array([month.centre]), np.array([rate]))[0] for drop in NODES
    ]
    assert month.certain_probabilities == pytest.approx(certain, rel=1e-12)
    tail = [place for place, drop in enumerate(NODES) if log_drop(drop) > math.exp(month.centre + max(law.shocks))]
    assert len(tail) >= 3
    assert all(month.probabilities[place] > month.certain_probabilities[place] for place in tail)


def test_hazard_and_record_raise_every_probability():
    law = a_law()
    plain, _ = month_of(law, a_state())
    for other, _ in (month_of(law, a_state(), 3.0), month_of(law, a_state(record=a_record(crashes=2.0, expected=0.5)))):
        assert all(more > less for more, less in zip(other.probabilities[1:], plain.probabilities[1:], strict=True))


def test_a_frame_has_a_row_per_node():
    month, _ = month_of(a_law(), a_state())
    frame = month.to_frame()
    assert list(frame.columns) == ["drop", "probability", "certain_probability"]
    assert tuple(frame["drop"]) == NODES
    assert tuple(frame["probability"]) == month.probabilities
    assert tuple(frame["certain_probability"]) == month.certain_probabilities
