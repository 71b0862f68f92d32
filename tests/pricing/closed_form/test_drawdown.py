"""T5 under geometric Brownian motion against tables, high-precision inversion, and the laws it must obey."""

import math

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from pricing.closed_form import (
    discounted_drawdown_probability,
    drawdown_probability,
    drawdown_survival,
    drawdown_transform,
    expected_drawdown_time,
    expected_maximum_log_drawdown,
    insurance_rate,
    monitored_drop,
    perpetual_insurance_rate,
    touch_probability,
)
from pricing.errors import InvalidModelError, InvalidTermsError, PrecisionError
from tests.reference_tables import rows

drops = st.floats(0.001, 0.99)
volatilities = st.floats(0.1, 5.0)
drifts = st.floats(-5.0, 5.0)
terms = st.floats(1e-5, 5.0)
shares = st.floats(0.0, 0.99)


def risk_neutral(volatility, rate=0.0):
    return {"volatility": volatility, "log_drift": rate - volatility**2 / 2.0}


@pytest.mark.parametrize("row", rows("discrete_mdd_gbm"))
def test_probability_against_the_series_of_the_table(row):
    law = {**risk_neutral(row["sigma"]), "term_years": row["T_years"]}
    assert drawdown_probability(drop=row["drop"], **law) == pytest.approx(row["p_continuous_series"], abs=1e-10)
    assert drawdown_survival(drop=row["drop"], **law) == pytest.approx(1.0 - row["p_continuous_series"], abs=1e-10)
    shifted = monitored_drop(
        drop=row["drop"],
        volatility=row["sigma"],
        step_years=row["T_years"] / row["n_monitor"],
        event="drawdown",
    )
    assert drawdown_probability(drop=shifted, **law) == pytest.approx(row["p_continuous_h_plus_2beta"], abs=1e-10)


@pytest.mark.parametrize("row", rows("drawdown_insurance_perpetual"))
def test_perpetual_insurance_against_the_table(row):
    contract = {
        "drop": row["drop_k"],
        "current_drawdown": row["current_drawdown"],
        "rate": row["r"],
        **risk_neutral(row["sigma"], row["r"]),
    }
    assert drawdown_transform(**contract) == pytest.approx(row["xi_E_exp_minus_r_tau"], rel=1e-11)
    assert perpetual_insurance_rate(**contract) == pytest.approx(row["fair_premium_rate_per_unit_benefit"], rel=1e-10)


@pytest.mark.parametrize("row", rows("mdd_expected_Q"), ids=lambda row: f"{row['function']}-{row['x']}")
def test_expected_maximum_drawdown_against_the_table(row):
    direction = 1.0 if row["function"] == "Qp" else -1.0
    mean = expected_maximum_log_drawdown(volatility=1.0, log_drift=direction, term_years=2.0 * row["x"])
    assert mean / 2.0 == pytest.approx(row["Q_derived"], rel=1e-7)
    assert mean / 2.0 == pytest.approx(row["Q_published"], rel=5e-3)  # the published digits are off by up to 0.41 %


def test_expected_maximum_drawdown_without_drift():
    mean = expected_maximum_log_drawdown(volatility=0.8, log_drift=0.0, term_years=0.3)
    assert mean == pytest.approx(0.8 * math.sqrt(math.pi * 0.3 / 2.0), rel=1e-10)


def precise_probability(drop, start, volatility, log_drift, term, rate):
    """Taylor's transform inverted by fixed Talbot with 160 nodes in 160 digits."""
    with mpmath.workdps(160):
        d, y, s, nu, t, r = (mpmath.mpf(value) for value in (drop, start, volatility, log_drift, term, rate))
        h, y, g = -mpmath.log(1 - d), -mpmath.log(1 - y), nu / s**2

        def flux(root, depth):
            return root * mpmath.cosh(root * depth) - g * mpmath.sinh(root * depth)

        def transform(frequency):
            root = mpmath.sqrt(g**2 + 2 * (frequency + r) / s**2)
            return mpmath.exp(g * (y - h)) * flux(root, y) / flux(root, h) / frequency

        nodes, total = 160, mpmath.mpf(0)
        scale = mpmath.mpf(2 * nodes) / (5 * t)
        total = mpmath.exp(scale * t) * transform(scale) / 2
        for k in range(1, nodes):
            theta = k * mpmath.pi / nodes
            cotangent = mpmath.cot(theta)
            point = scale * theta * mpmath.mpc(cotangent, 1)
            slope = mpmath.mpc(1, theta + (theta * cotangent - 1) * cotangent)
            total += mpmath.re(mpmath.exp(t * point) * transform(point) * slope)
        return float(scale / nodes * total)


@pytest.mark.parametrize(
    ("drop", "start", "volatility", "log_drift", "term", "rate"),
    [
        (0.5, 0.0, 1.0, -0.5, 1 / 365, 0.0),  # 1e-39
        (0.3, 0.0, 1.0, -0.5, 1 / 365, 0.0),  # 2e-11
        (0.3, 0.1, 0.6, 0.2, 1 / 365, 0.05),
        (0.5, 0.2, 0.3, 1.5, 2.0, 0.0),  # rare because the drift pulls away: the exponential tail
        (0.4, 0.0, 0.4, -1.2, 0.25, 0.5),  # the drift alone nearly gets there
        (0.05, 0.0, 2.0, 0.0, 0.5, 0.1),
        (0.9, 0.85, 1.5, 3.0, 1.0, 0.0),
    ],
)
def test_probability_keeps_its_digits(drop, start, volatility, log_drift, term, rate):
    value = discounted_drawdown_probability(
        drop=drop, current_drawdown=start, volatility=volatility, log_drift=log_drift, term_years=term, rate=rate
    )
    assert value == pytest.approx(precise_probability(drop, start, volatility, log_drift, term, rate), rel=1e-10)


@given(drops, shares, volatilities, drifts, terms)
def test_series_and_transform_are_one_law(drop, share, volatility, log_drift, term):
    law = {"volatility": volatility, "log_drift": log_drift, "term_years": term, "current_drawdown": share * drop}
    probability, survival = drawdown_probability(drop=drop, **law), drawdown_survival(drop=drop, **law)
    assert 0.0 <= probability <= 1.0
    assert 0.0 <= survival <= 1.0
    assert probability + survival == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize("log_drift", [-3.0, 0.0, 1.0 / -math.log(0.7), 2.9])
def test_a_small_survival_keeps_its_digits(log_drift):
    """Over a long term the first mode alone is left, so doubling the rest of the term squares the decay."""
    law = {"drop": 0.3, "volatility": 1.0, "log_drift": log_drift}
    survival = [drawdown_survival(term_years=years, **law) for years in (2.0, 4.0, 6.0)]
    assert survival[2] < 1e-6
    assert survival[2] / survival[1] == pytest.approx(survival[1] / survival[0], rel=1e-9)


def test_the_series_is_smooth_where_its_first_mode_changes_form():
    """The mode turns from a sine through a line to a hyperbolic sine as nu h / sigma^2 passes one."""
    critical = 1.0 / -math.log(0.7)
    steps = (-2e-2, -1e-2, -1e-5, 0.0, 1e-5, 1e-2, 2e-2)
    survival = [
        drawdown_survival(drop=0.3, volatility=1.0, log_drift=critical + step, term_years=1.0) for step in steps
    ]
    probability = [
        drawdown_probability(drop=0.3, volatility=1.0, log_drift=critical + step, term_years=1.0) for step in steps
    ]
    for alive, dead in zip(survival, probability, strict=True):
        assert alive == pytest.approx(1.0 - dead, abs=1e-12)


@given(drops, drops, volatilities, drifts, terms, terms)
def test_probability_falls_with_the_drop_and_grows_with_the_term(drop, other, volatility, log_drift, term, later):
    law = {"volatility": volatility, "log_drift": log_drift}
    shallow, deep = sorted((drop, other))
    short, long = sorted((term, later))
    rare = drawdown_probability(drop=deep, term_years=short, **law)
    assert rare <= drawdown_probability(drop=shallow, term_years=short, **law) * (1.0 + 1e-9)
    assert rare <= drawdown_probability(drop=deep, term_years=long, **law) * (1.0 + 1e-9)


@given(drops, volatilities, volatilities, st.floats(0.0, 5.0), terms)
def test_probability_grows_with_volatility_unless_the_drift_pulls_down(drop, volatility, other, log_drift, term):
    calm, wild = sorted((volatility, other))
    law = {"drop": drop, "log_drift": log_drift, "term_years": term}
    assert drawdown_probability(volatility=calm, **law) <= drawdown_probability(volatility=wild, **law) * (1.0 + 1e-8)


@given(drops, volatilities, drifts, terms)
def test_a_drawdown_is_no_rarer_than_a_touch(drop, volatility, log_drift, term):
    law = {"drop": drop, "volatility": volatility, "log_drift": log_drift, "term_years": term}
    assert touch_probability(**law) <= drawdown_probability(**law) * (1.0 + 1e-9) + 1e-290


def test_limits():
    law = {"volatility": 0.8, "log_drift": -0.1, "term_years": 0.1}
    assert drawdown_probability(drop=1e-3, **law) == pytest.approx(1.0, abs=1e-12)
    assert drawdown_probability(drop=1.0 - 1e-12, **law) < 1e-100
    near = drawdown_probability(drop=0.3, current_drawdown=0.3 - 1e-9, **law)
    assert near == pytest.approx(1.0, abs=1e-7)
    # Nearly a line: it is down by a tenth after 0.53 years, give or take 0.007 / 0.2.
    calm = {"volatility": 0.01, "log_drift": -0.2}
    assert drawdown_probability(drop=0.1, term_years=0.2, **calm) < 1e-40
    assert drawdown_probability(drop=0.1, term_years=1.0, **calm) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("log_drift", [-1.0, 0.0, 1e-9, 0.7])
@pytest.mark.parametrize("current_drawdown", [0.0, 0.2])
def test_expected_time_is_the_integral_of_the_survival(log_drift, current_drawdown):
    law = {"drop": 0.3, "volatility": 0.9, "log_drift": log_drift, "current_drawdown": current_drawdown}
    expected = quad(lambda years: drawdown_survival(term_years=years, **law), 0.0, 20.0, epsabs=1e-11, limit=200)[0]
    assert expected_drawdown_time(**law) == pytest.approx(expected, rel=1e-8)


def test_expected_time_against_its_textbook_form():
    pull, distance = 2.0 * 0.4 / 0.9**2, -math.log(0.7)
    textbook = 0.9**2 / (2.0 * 0.4**2) * (math.exp(pull * distance) - 1.0 - pull * distance)
    assert expected_drawdown_time(drop=0.3, volatility=0.9, log_drift=0.4) == pytest.approx(textbook, rel=1e-12)
    with pytest.raises(PrecisionError, match="beyond the range"):
        expected_drawdown_time(drop=0.9, volatility=0.05, log_drift=1.0)


def test_transform_is_the_limit_of_the_discounted_probability():
    law = {"drop": 0.3, "volatility": 0.9, "log_drift": -0.2, "rate": 0.4, "current_drawdown": 0.1}
    assert discounted_drawdown_probability(**law, term_years=60.0) == pytest.approx(drawdown_transform(**law), rel=1e-9)


def test_insurance_rate_tends_to_the_perpetual_one():
    law = {"drop": 0.3, "volatility": 0.9, "log_drift": -0.2, "rate": 0.05}
    assert insurance_rate(**law, term_years=30.0) == pytest.approx(perpetual_insurance_rate(**law), rel=1e-8)


def test_insurance_rate_against_the_discounted_annuity():
    """Integration by parts: rate x annuity = 1 - E[e^(-r tau); tau <= T] - e^(-rT) P(tau > T)."""
    law = {"drop": 0.3, "volatility": 0.9, "log_drift": -0.2, "term_years": 0.1}
    benefit = discounted_drawdown_probability(**law, rate=0.5)
    annuity = (1.0 - benefit - math.exp(-0.05) * drawdown_survival(**law)) / 0.5
    assert insurance_rate(**law, rate=0.5) == pytest.approx(benefit / annuity, rel=1e-9)


def test_bad_input_is_named():
    law = {"volatility": 0.8, "log_drift": 0.0, "term_years": 0.1}
    with pytest.raises(InvalidTermsError, match=r"drop must be between 0 and 1, got 20.0 \(a fraction"):
        drawdown_probability(drop=20.0, **law)
    with pytest.raises(InvalidTermsError, match="current_drawdown must be at least 0 and below drop=0.2, got 0.2"):
        drawdown_probability(drop=0.2, current_drawdown=0.2, **law)
    with pytest.raises(InvalidModelError, match="volatility must be positive"):
        drawdown_survival(drop=0.2, **{**law, "volatility": -0.8})
    with pytest.raises(InvalidModelError, match="rate must be finite and not negative"):
        discounted_drawdown_probability(drop=0.2, **law, rate=-0.01)
    with pytest.raises(InvalidTermsError, match="rate must be positive"):
        perpetual_insurance_rate(drop=0.2, volatility=0.8, log_drift=0.0, rate=0.0)
    with pytest.raises(PrecisionError, match="too small"):
        perpetual_insurance_rate(drop=0.2, volatility=0.8, log_drift=0.0, rate=1e-12)
    with pytest.raises(PrecisionError, match="too strong"):
        drawdown_probability(drop=0.2, volatility=1e-6, log_drift=5.0, term_years=1.0)
