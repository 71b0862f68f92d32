"""T1 under Kou's model against the table (Talbot, Euler, Gaver-Stehfest) and its diffusive and jump-only limits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.closed_form import kou_rise_probability, kou_touch_probability, touch_probability
from pricing.errors import InvalidModelError, InvalidTermsError
from tests.reference_tables import rows

CRASH = {"jumps_per_year": 12.0, "p_up": 0.4, "eta_up": 12.0, "eta_down": 8.0}
LAW = {"volatility": 0.8, "log_drift": 0.04, **CRASH}


@pytest.mark.parametrize("row", rows("kou_first_passage"), ids=lambda row: f"{row['set']}-{row['T']:.4f}")
def test_against_the_table(row):
    law = {
        "volatility": row["sigma"],
        "log_drift": row["mu"],
        "jumps_per_year": row["lambda"],
        "p_up": row["p_up"],
        "eta_up": row["eta1_up"],
        "eta_down": row["eta2_down"],
        "term_years": row["T"],
    }
    if row["direction"] == "down":
        value = kou_touch_probability(drop=-math.expm1(row["log_barrier"]), **law)
    else:
        value = kou_rise_probability(rise=math.expm1(row["log_barrier"]), **law)
    assert value == pytest.approx(row["P_talbot"], rel=1e-10)
    assert value == pytest.approx(row["P_euler"], rel=1e-10)
    assert value == pytest.approx(row["P_gaver_stehfest14"], rel=1e-3)


@pytest.mark.parametrize("source", [{"jumps_per_year": 0.0}, {"eta_up": 1e7, "eta_down": 1e7}])
@pytest.mark.parametrize("drop", [0.05, 0.3, 0.6])
def test_without_jumps_it_is_geometric_brownian_motion(source, drop):
    law = {"volatility": 0.8, "log_drift": -0.4, "term_years": 0.05}
    tolerance = 1e-9 if source.get("jumps_per_year") == 0.0 else 1e-4
    value = kou_touch_probability(drop=drop, **law, **{**CRASH, **source})
    assert value == pytest.approx(touch_probability(drop=drop, **law), rel=tolerance)


def test_jumps_that_only_go_the_other_way():
    """Rare huge rises leave the touch to the paths without any, up to touches before the first rise."""
    law = {"volatility": 0.8, "log_drift": -0.4, "term_years": 0.05}
    rises = {"jumps_per_year": 0.1, "p_up": 1.0, "eta_up": 1e-4, "eta_down": 8.0}
    plain = touch_probability(drop=0.3, **law)
    value = kou_touch_probability(drop=0.3, **law, **rises)
    assert plain * math.exp(-0.1 * 0.05) <= value <= plain


def test_over_a_short_term_only_a_jump_gets_there():
    """At most one jump: 1 - exp(-intensity T) with intensity = jumps x (1 - p_up) x exp(-eta_down h)."""
    intensity = 12.0 * 0.6 * 0.5**8.0
    value = kou_touch_probability(drop=0.5, term_years=1e-6, **{**LAW, "volatility": 0.1})
    assert value == pytest.approx(intensity * 1e-6, rel=1e-3)


def test_a_rise_is_a_fall_in_the_mirror():
    mirrored = {"volatility": 0.8, "log_drift": -0.04, "jumps_per_year": 12.0}
    fall = kou_touch_probability(drop=0.5, term_years=0.1, **LAW)
    rise = kou_rise_probability(rise=1.0, term_years=0.1, **mirrored, p_up=0.6, eta_up=8.0, eta_down=12.0)
    assert rise == pytest.approx(fall, rel=1e-12)


@given(
    st.floats(0.01, 0.95),
    st.floats(0.2, 3.0),
    st.floats(-3.0, 3.0),
    st.floats(0.0, 50.0),
    st.floats(0.0, 1.0),
    st.floats(1e-4, 1.0),
)
def test_probability_is_one_everywhere(drop, volatility, log_drift, jumps, p_up, term):
    law = {
        "volatility": volatility,
        "log_drift": log_drift,
        "jumps_per_year": jumps,
        "p_up": p_up,
        "eta_up": 12.0,
        "eta_down": 8.0,
    }
    value = kou_touch_probability(drop=drop, term_years=term, **law)
    assert 0.0 <= value <= 1.0
    assert kou_touch_probability(drop=min(1.02 * drop, 0.97), term_years=term, **law) <= value * (1.0 + 1e-8)
    assert value <= kou_touch_probability(drop=drop, term_years=1.1 * term, **law) * (1.0 + 1e-8)


def test_bad_input_is_named():
    with pytest.raises(InvalidTermsError, match=r"drop must be between 0 and 1, got 20.0 \(a fraction"):
        kou_touch_probability(drop=20.0, term_years=0.1, **LAW)
    with pytest.raises(InvalidTermsError, match="rise must be positive"):
        kou_rise_probability(rise=0.0, term_years=0.1, **LAW)
    for field, value in (("p_up", 1.2), ("eta_down", 0.0), ("jumps_per_year", -1.0), ("volatility", 0.0)):
        with pytest.raises(InvalidModelError, match=field):
            kou_touch_probability(drop=0.2, term_years=0.1, **{**LAW, field: value})
