"""T1 under geometric Brownian motion against published tables, high precision and the laws it must obey."""

import math

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from pricing.closed_form import (
    bridge_touch_probability,
    cash_at_expiry,
    cash_at_hit,
    down_in_put,
    down_in_put_spread,
    touch_probability,
)
from pricing.errors import InvalidModelError, InvalidTermsError
from tests.reference_tables import rows

drops = st.floats(0.001, 0.999)
volatilities = st.floats(0.01, 5.0)
drifts = st.floats(-10.0, 10.0)
terms = st.floats(1e-5, 5.0)

ONE_TOUCH = [row for row in rows("ql_digital_one_touch") if row["style"] in ("one_touch", "no_touch")]
DOWN_IN_PUTS = [
    row
    for row in rows("ql_barrier_haug")
    if (row["barrier_type"], row["type"], row["exercise"]) == ("down_in", "put", "european")
    and row["barrier"] < row["spot"]
]


def lower_level(row):
    """Terms of `touch_probability` for a row; a level above the spot is below it in the mirrored log price."""
    side = 1.0 if row["type"] == "put" else -1.0
    drop = -math.expm1(-side * math.log(row["spot"] / row["barrier_or_strike"]))
    log_drift = side * (row["r"] - row["q"] - row["sigma"] ** 2 / 2.0)
    return {"drop": drop, "volatility": row["sigma"], "log_drift": log_drift, "term_years": row["T"]}


def not_yet_touched(row):
    side = 1.0 if row["type"] == "put" else -1.0
    return side * math.log(row["spot"] / row["barrier_or_strike"]) > 0.0


@pytest.mark.parametrize(
    "row",
    [row for row in ONE_TOUCH if row["payoff"] == "cash" and not_yet_touched(row)],
    ids=lambda row: row["ql_line"],
)
def test_cash_against_haug(row):
    if row["pay_when"] == "hit":
        value = cash_at_hit(**lower_level(row), rate=row["r"])
    elif row["style"] == "one_touch":
        value = cash_at_expiry(**lower_level(row), rate=row["r"])
    else:
        value = math.exp(-row["r"] * row["T"]) * (1.0 - touch_probability(**lower_level(row)))
    assert row["cash"] * value == pytest.approx(row["value"], abs=row["tol"])


@pytest.mark.parametrize(
    "row",
    [row for row in ONE_TOUCH if row["payoff"] == "asset" and row["pay_when"] == "hit" and not_yet_touched(row)],
    ids=lambda row: row["ql_line"],
)
def test_asset_at_hit_is_cash_of_the_level(row):
    value = row["barrier_or_strike"] * cash_at_hit(**lower_level(row), rate=row["r"])
    assert value == pytest.approx(row["value"], abs=row["tol"])


@pytest.mark.parametrize("row", rows("discrete_one_touch_gbm"))
def test_touch_probability_against_the_continuous_column(row):
    value = touch_probability(
        drop=row["drop"], volatility=row["sigma"], log_drift=-(row["sigma"] ** 2) / 2.0, term_years=row["T_years"]
    )
    assert value == pytest.approx(row["p_continuous"], rel=1e-8)  # the table prints the term to ten digits


@pytest.mark.parametrize("row", rows("down_in_put_spread"))
def test_put_spread_against_the_table(row):
    terms = {"volatility": row["sigma"], "log_drift": -(row["sigma"] ** 2) / 2.0, "term_years": row["T"]}
    spread = down_in_put_spread(
        drop=1.0 - row["H"], upper_strike=row["K1"], lower_strike=row["K2"], rate=row["r"], **terms
    )
    assert spread == pytest.approx(row["di_put_spread"], rel=1e-10)
    assert touch_probability(drop=1.0 - row["H"], **terms) == pytest.approx(row["one_touch_prob"], rel=1e-10)


@pytest.mark.parametrize("row", DOWN_IN_PUTS, ids=lambda row: row["ql_line"])
def test_down_in_put_against_haug(row):
    terms = {"volatility": row["sigma"], "log_drift": row["r"] - row["q"] - row["sigma"] ** 2 / 2.0, "rate": row["r"]}
    drop = 1.0 - row["barrier"] / row["spot"]
    put = down_in_put(drop=drop, strike=row["strike"] / row["spot"], term_years=row["T"], **terms)
    untouched = 1.0 - touch_probability(
        drop=drop, volatility=row["sigma"], log_drift=terms["log_drift"], term_years=row["T"]
    )
    rebate = row["rebate"] * math.exp(-row["r"] * row["T"]) * untouched
    assert row["spot"] * put + rebate == pytest.approx(row["value"], abs=row["tol"])


def precise_touch(drop, volatility, log_drift, term):
    with mpmath.workdps(400):
        h, s, nu, t = (mpmath.mpf(value) for value in (drop, volatility, log_drift, term))
        h, spread = -mpmath.log(1 - h), s * mpmath.sqrt(t)
        reflected = mpmath.exp(-2 * nu * h / s**2) * mpmath.ncdf((-h + nu * t) / spread)
        return float(mpmath.ncdf((-h - nu * t) / spread) + reflected)


@pytest.mark.parametrize(
    "law",
    [
        (0.5, 0.1, 0.3, 0.02),
        (0.5, 0.1, -3.0, 0.02),
        (0.3, 0.05, -2.0, 0.1),
        (0.3, 0.01, 1.0, 1.0),
        (0.99, 0.8, 5.0, 1.0),
        (0.2, 0.02, -0.22, 1.0),
        (0.001, 4.0, 9.0, 3.0),
    ],
)
def test_touch_probability_keeps_its_digits(law):
    drop, volatility, log_drift, term = law
    value = touch_probability(drop=drop, volatility=volatility, log_drift=log_drift, term_years=term)
    assert value == pytest.approx(precise_touch(*law), rel=1e-10, abs=1e-300)


@given(drops, volatilities, drifts, terms, st.floats(0.0, 2.0))
def test_touch_probability_and_its_discounted_values(drop, volatility, log_drift, term, rate):
    law = {"drop": drop, "volatility": volatility, "log_drift": log_drift, "term_years": term}
    touch, at_hit = touch_probability(**law), cash_at_hit(**law, rate=rate)
    assert 0.0 <= touch <= 1.0
    assert cash_at_expiry(**law, rate=rate) <= at_hit * (1.0 + 1e-9) <= touch * (1.0 + 2e-9)
    assert cash_at_hit(**law, rate=0.0) == pytest.approx(touch, rel=1e-9, abs=1e-280)


@given(drops, drops, volatilities, drifts, terms, terms)
def test_touch_probability_falls_with_the_drop_and_grows_with_the_term(drop, other, volatility, log_drift, term, later):
    law = {"volatility": volatility, "log_drift": log_drift}
    shallow, deep = sorted((drop, other))
    short, long = sorted((term, later))
    less, more = 1.0 - 1e-12, 1.0 + 1e-12
    assert touch_probability(drop=deep, term_years=short, **law) * less <= touch_probability(
        drop=shallow, term_years=short, **law
    )
    assert touch_probability(drop=deep, term_years=short, **law) <= more * touch_probability(
        drop=deep, term_years=long, **law
    )


@given(drops, volatilities, volatilities, st.floats(0.0, 10.0), terms)
def test_touch_probability_grows_with_volatility_unless_the_drift_pulls_down(drop, volatility, other, log_drift, term):
    calm, wild = sorted((volatility, other))
    law = {"drop": drop, "log_drift": log_drift, "term_years": term}
    assert touch_probability(volatility=calm, **law) <= touch_probability(volatility=wild, **law) * (1.0 + 1e-10)


def test_limits():
    law = {"volatility": 0.8, "log_drift": -0.1, "term_years": 0.1}
    assert touch_probability(drop=1e-9, **law) == pytest.approx(1.0, abs=1e-7)
    assert touch_probability(drop=1.0 - 1e-15, **law) < 1e-100
    # Without volatility the path is a line: it reaches ln(0.9) at -0.2 per year after half a year and not before.
    calm = {"drop": 0.1, "volatility": 1e-6, "log_drift": -0.2}
    assert touch_probability(**calm, term_years=0.52) == pytest.approx(0.0, abs=1e-300)
    assert touch_probability(**calm, term_years=0.53) == pytest.approx(1.0, rel=1e-15)
    assert touch_probability(drop=0.5, volatility=0.5, log_drift=-1e4, term_years=1.0) == 1.0
    assert touch_probability(drop=0.5, volatility=0.5, log_drift=1e4, term_years=1.0) == 0.0


@pytest.mark.parametrize("log_drift", [-2.0, 0.0, 1.5])
def test_the_bridge_integrates_to_the_touch_probability(log_drift):
    drop, volatility, term = 0.3, 0.9, 0.2
    distance, spread = -math.log1p(-drop), volatility * math.sqrt(term)

    def crossed_and_ends(end):
        bridge = bridge_touch_probability(
            start_distance=distance, end_distance=end + distance, volatility=volatility, step_years=term
        )
        return float(bridge) * norm.pdf(end, log_drift * term, spread)

    total = sum(
        quad(crossed_and_ends, low, high, epsabs=1e-14)[0]
        for low, high in ((-distance - 12 * spread, -distance), (-distance, 12 * spread))
    )
    touch = touch_probability(drop=drop, volatility=volatility, log_drift=log_drift, term_years=term)
    assert total == pytest.approx(touch, rel=1e-11)


def test_the_bridge_broadcasts_and_is_certain_at_the_level():
    crossed = bridge_touch_probability(
        start_distance=[[0.1], [-0.1]], end_distance=[0.2, 0.0], volatility=1.0, step_years=0.01
    )
    assert crossed.shape == (2, 2)
    assert crossed[0, 0] == pytest.approx(math.exp(-4.0))
    assert crossed[0, 1] == crossed[1, 0] == crossed[1, 1] == 1.0


@given(st.floats(0.05, 0.9), st.floats(0.1, 2.0), st.floats(-1.0, 1.0), st.floats(0.01, 1.0))
def test_spreads_add_up_to_the_put(drop, volatility, log_drift, term):
    law = {"drop": drop, "volatility": volatility, "log_drift": log_drift, "term_years": term, "rate": 0.03}
    whole = down_in_put(strike=1.1, **law)
    parts = down_in_put_spread(upper_strike=1.1, lower_strike=0.6, **law) + down_in_put(strike=0.6, **law)
    assert whole == pytest.approx(parts, rel=1e-9)


def test_a_strike_below_the_level_needs_no_touch():
    """The spread is then the European one, Black and Scholes at r = 0."""
    volatility, term, strike = 0.9, 0.3, 0.4
    spread = volatility * math.sqrt(term)
    d2 = (-math.log(strike) - spread**2 / 2.0) / spread
    european = strike * norm.cdf(-d2) - norm.cdf(-d2 - spread)
    put = down_in_put(
        drop=0.3, strike=strike, volatility=volatility, log_drift=-(volatility**2) / 2.0, term_years=term, rate=0.0
    )
    assert put == pytest.approx(european, rel=1e-11)


def test_a_put_spread_far_out_of_the_money_stays_positive():
    """Against the leading tail, P(S_T < k) integrated by high precision."""
    volatility, term, strike = 0.2, 0.02, 0.6
    with mpmath.workdps(60):
        spread = mpmath.mpf(volatility) * mpmath.sqrt(term)
        exact = mpmath.quad(
            lambda k: mpmath.ncdf((mpmath.log(k) + spread**2 / 2) / spread), mpmath.linspace(0.3, strike, 20)
        )
    put = down_in_put_spread(
        drop=0.3,
        upper_strike=strike,
        lower_strike=0.3,
        volatility=volatility,
        log_drift=-(volatility**2) / 2.0,
        term_years=term,
        rate=0.0,
    )
    assert 0.0 < put < 1e-70
    assert put == pytest.approx(float(exact), rel=1e-9)


def test_bad_input_is_named():
    law = {"volatility": 0.8, "log_drift": 0.0, "term_years": 0.1}
    with pytest.raises(InvalidTermsError, match=r"drop must be between 0 and 1, got 20 \(a fraction: 20 % is 0.20\)"):
        touch_probability(drop=20, **law)
    with pytest.raises(InvalidModelError, match="volatility must be positive"):
        touch_probability(drop=0.2, **{**law, "volatility": 0.0})
    with pytest.raises(InvalidTermsError, match="term_years must be positive"):
        touch_probability(drop=0.2, **{**law, "term_years": -1.0})
    with pytest.raises(InvalidModelError, match="log_drift must be finite"):
        touch_probability(drop=0.2, **{**law, "log_drift": math.nan})
    with pytest.raises(InvalidModelError, match="rate must be at least"):
        cash_at_hit(drop=0.2, **law, rate=-0.1)
    with pytest.raises(InvalidTermsError, match="lower_strike must be between 0 and upper_strike"):
        down_in_put_spread(drop=0.2, upper_strike=0.5, lower_strike=0.6, **law, rate=0.0)
    with pytest.raises(InvalidTermsError, match="step_years"):
        bridge_touch_probability(start_distance=0.1, end_distance=0.1, volatility=1.0, step_years=0.0)
