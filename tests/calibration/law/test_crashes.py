import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.law.crashes import CrashRate, crash_rate, crashes_frame
from pricing.models.jumps import GeneralizedParetoFalls
from tests.calibration.drop_laws import a_law, a_record, a_state


def a_rate(**changes):
    parts = {"window": timedelta(hours=1), "threshold_drop": 0.08, "market_rate": 0.05, "crashes": 1.0, "expected": 0.5}
    factors = {"credibility_factor": 4.0 / 3.0, "hazard_factor": 1.5, "index": 2.5}
    factors |= {"deep_drop": 0.3, "deep_index": 3.0}
    return CrashRate(**(parts | factors | changes))


def test_a_rate_is_the_product_of_market_record_and_hazard():
    rate = a_rate()
    assert rate.rate == pytest.approx(0.05 * 4.0 / 3.0 * 1.5)
    assert rate.per_year == pytest.approx(rate.rate * 365.0 / 30.0)


def test_the_parts_are_read_off_law_and_state():
    record = a_record(crashes=2.0, expected=0.5)
    state = a_state(log_volatilities=(0.0, 0.0, math.log(2.0), 0.0), tail_weight=0.3, record=record)
    rate = crash_rate(a_law("1h"), state, 0, 1.2)
    assert rate.window == timedelta(hours=1)
    assert rate.threshold_drop == pytest.approx(-math.expm1(-0.16))
    assert rate.market_rate == pytest.approx(math.exp(-3.0 + 0.7 * 0.3) * 2.0**0.3)
    assert (rate.crashes, rate.expected, rate.credibility_factor) == (2.0, 0.5, 2.0)
    assert (rate.hazard_factor, rate.index, rate.deep_index) == (1.2, 2.5, 3.0)
    assert rate.deep_drop == pytest.approx(-math.expm1(-0.4))


@pytest.mark.parametrize("place", [0, 1])
def test_each_window_has_its_own_record(place):
    records = (a_record(crashes=3.0, expected=1.0), a_record(expected=1.0))
    state = a_state()
    two = type(state)(log_volatilities=state.log_volatilities, tail_weight=state.tail_weight, records=records)
    assert crash_rate(a_law(), two, place, 1.0).credibility_factor == (2.0, 0.5)[place]


@given(st.floats(1.1, 8.0), st.floats(0.02, 0.5), st.floats(1e-6, 1.0))
def test_depths_are_pareto_in_log_price(index, threshold_drop, share):
    jumps = a_rate(index=index, threshold_drop=threshold_drop).jumps()
    threshold = -math.log1p(-threshold_drop)
    # a share (z / threshold) ** -index of crashes falls by z or more
    fall = -jumps.sizes.quantile(np.array([share]))[0]
    assert fall == pytest.approx(threshold * share ** (-1.0 / index), rel=1e-9)


def test_the_depth_of_a_jump_is_that_of_the_law_for_shallow_crashes():
    law = a_law(deep_index=2.5)
    jumps = crash_rate(law, a_state(), 1, 1.0).jumps()
    falls = -jumps.sizes.quantile(np.linspace(0.001, 0.999, 999))
    assert [law.own.beyond(fall) for fall in falls] == pytest.approx(np.linspace(0.001, 0.999, 999), rel=1e-9)


def test_a_mean_fall_stays_finite():
    sizes = a_rate(index=0.7).jumps().sizes
    assert isinstance(sizes, GeneralizedParetoFalls)
    assert sizes.shape == 0.95
    assert a_rate(index=2.0).jumps().sizes.shape == 0.5


@given(st.floats(0.0, 5.0), st.floats(0.0, 5.0))
def test_jumps_come_at_the_rate_per_year(market_rate, hazard):
    rate = a_rate(market_rate=market_rate, hazard_factor=hazard)
    assert rate.jumps().per_year == rate.per_year


def test_a_frame_has_a_row_per_window_with_the_rate_and_its_factors():
    hourly, daily = a_rate(), a_rate(window=timedelta(hours=24), market_rate=0.1, hazard_factor=2.0)
    frame = crashes_frame([hourly, daily])
    assert frame["window"].tolist() == ["1h", "24h"]
    factors = ("market_rate", "credibility_factor", "hazard_factor")
    for name in ("threshold_drop", "per_year", *factors, "index", "deep_index"):
        assert frame[name].tolist() == [getattr(hourly, name), getattr(daily, name)]
    assert len(frame.columns) == 8
