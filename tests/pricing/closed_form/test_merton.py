"""T1 under Merton's model against the table and its diffusive and jump-only limits."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from pricing.closed_form import jump_only_lower_bound, merton_touch_probability, touch_probability
from pricing.errors import InvalidModelError, InvalidTermsError, PrecisionError
from tests.reference_tables import rows

LAW = {"volatility": 0.8, "log_drift": 0.2, "jumps_per_year": 12.0, "jump_mean": -0.05, "jump_stdev": 0.1}


@pytest.mark.parametrize("row", rows("merton_first_passage"), ids=lambda row: f"{row['set']}-{row['T']:.4f}")
def test_against_the_table(row):
    """To the ten decimals of the table; the Monte Carlo column to four of its standard errors."""
    value = merton_touch_probability(
        drop=-math.expm1(-row["log_distance_h"]),
        volatility=row["sigma"],
        log_drift=row["mu"],
        jumps_per_year=row["lambda"],
        jump_mean=row["jump_mean"],
        jump_stdev=row["jump_sd"],
        term_years=row["T"],
    )
    assert value == pytest.approx(row["P_talbot_cheb300"], abs=1e-10)
    assert abs(value - row["P_mc_bridge"]) <= 4.0 * row["mc_se"] + 1e-6


@pytest.mark.parametrize("term", [0.01, 0.3])
def test_without_jumps_it_is_geometric_brownian_motion(term):
    plain = touch_probability(drop=0.3, volatility=0.8, log_drift=0.2, term_years=term)
    value = merton_touch_probability(drop=0.3, **{**LAW, "jumps_per_year": 0.0}, term_years=term)
    assert value == pytest.approx(plain, rel=1e-8)


def test_over_a_short_term_only_a_jump_gets_there():
    intensity = 12.0 * norm.cdf((math.log(0.7) + 0.05) / 0.1)
    calm = {**LAW, "volatility": 0.05, "log_drift": 0.0}
    value = merton_touch_probability(drop=0.3, **calm, term_years=1e-5)
    assert value == pytest.approx(intensity * 1e-5, rel=1e-2)


def test_probability_moves_as_it_must():
    by_drop = [merton_touch_probability(drop=drop, **LAW, term_years=0.05) for drop in (0.05, 0.3, 0.5)]
    by_term = [merton_touch_probability(drop=0.3, **LAW, term_years=term) for term in (0.01, 0.05, 0.2)]
    by_jumps = [
        merton_touch_probability(drop=0.3, **{**LAW, "jumps_per_year": jumps}, term_years=0.05)
        for jumps in (2.0, 12.0, 40.0)
    ]
    assert by_drop == sorted(by_drop, reverse=True)
    assert by_term == sorted(by_term)
    assert by_jumps == sorted(by_jumps)
    assert all(0.0 < value < 1.0 for value in by_drop + by_term + by_jumps)


@given(
    st.floats(0.05, 0.6),
    st.floats(0.2, 2.0),
    st.floats(-2.0, 2.0),
    st.floats(1.0, 50.0),
    st.floats(-0.3, 0.0),
    st.floats(0.1, 0.3),
    st.floats(1e-4, 0.5),
)
@settings(max_examples=8, deadline=None)
def test_probability_is_one_everywhere(drop, volatility, log_drift, jumps, mean, stdev, term):
    law = {"volatility": volatility, "log_drift": log_drift, "term_years": term}
    source = {"jumps_per_year": jumps, "jump_mean": mean, "jump_stdev": stdev}
    try:
        value = merton_touch_probability(drop=drop, **law, **source)
    except PrecisionError:
        assert touch_probability(drop=drop, **law) < 1e-6
        assert jump_only_lower_bound(drop=drop, **source, term_years=term) < 1e-6
        return
    # Before the first jump the price is a geometric Brownian motion.
    assert touch_probability(drop=drop, **law) * math.exp(-jumps * term) * (1.0 - 1e-6) <= value <= 1.0


def test_jumps_too_narrow_for_the_grid_are_refused():
    with pytest.raises(PrecisionError, match="disagree"):
        merton_touch_probability(drop=0.3, **{**LAW, "jump_mean": -0.4, "jump_stdev": 1e-4}, term_years=0.02)


def test_jump_only_bound_is_no_bound_on_a_fixed_barrier():
    """T1 asks for a level, the bound for a jump anywhere: a price that has risen far can fall without touching."""
    source = {"drop": 0.3, "jumps_per_year": 24.0, "jump_mean": -0.1, "jump_stdev": 0.2}
    rising = merton_touch_probability(**source, volatility=0.5, log_drift=6.0, term_years=0.2)
    assert rising < jump_only_lower_bound(**source, term_years=0.2)


def test_bad_input_is_named():
    with pytest.raises(InvalidTermsError, match=r"drop must be between 0 and 1, got 20.0 \(a fraction"):
        merton_touch_probability(drop=20.0, **LAW, term_years=0.1)
    with pytest.raises(InvalidTermsError, match="term_years"):
        merton_touch_probability(drop=0.2, **LAW, term_years=0.0)
    for field, value in (("jump_stdev", 0.0), ("jump_mean", math.nan), ("jumps_per_year", -1.0), ("volatility", 0.0)):
        with pytest.raises(InvalidModelError, match=field):
            merton_touch_probability(drop=0.2, term_years=0.1, **{**LAW, field: value})
