"""The Reiner-Rubinstein set against Haug's tables, and the parities between its members."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from pricing.closed_form import barrier_digital, barrier_option
from pricing.errors import InvalidModelError, InvalidTermsError
from tests.reference_tables import rows

MARKET = {"spot": 100.0, "rate": 0.05, "dividend_yield": 0.02, "volatility": 0.3, "term_years": 0.5}


def market_of(row):
    return {
        "spot": row["spot"],
        "rate": row["r"],
        "dividend_yield": row["q"],
        "volatility": row["sigma"],
        "term_years": row["T"],
    }


HAUG = [row for row in rows("ql_barrier_haug") if row["exercise"] == "european"]
DIGITAL = rows("ql_digital_one_touch")


@pytest.mark.parametrize("row", HAUG + rows("ql_barrier_babsiri"), ids=lambda row: f"{row['ql_test']}-{row['ql_line']}")
def test_barrier_options_against_the_tables(row):
    value = barrier_option(
        kind=row["barrier_type"],
        option=row["type"],
        strike=row["strike"],
        barrier=row["barrier"],
        rebate=row["rebate"],
        **market_of(row),
    )
    assert value == pytest.approx(row["value"], abs=row["tol"])


@pytest.mark.parametrize("row", rows("ql_binary_barrier"), ids=lambda row: row["ql_line"])
def test_barrier_digitals_against_the_table(row):
    value = barrier_digital(
        kind=row["barrier_type"],
        option=row["type"],
        payoff=row["payoff"],
        strike=row["strike"],
        barrier=row["barrier"],
        **market_of(row),
    )
    units = row["cash"] if row["payoff"] == "cash" else 1.0
    assert units * value == pytest.approx(row["value"], abs=row["tol"])


@pytest.mark.parametrize(
    "row",
    [row for row in DIGITAL if row["pay_when"] == "expiry" and row["style"] != "european"],
    ids=lambda row: row["ql_line"],
)
def test_one_touches_at_expiry_are_digitals_of_both_sides(row):
    kind = f"{'down' if row['type'] == 'put' else 'up'}_{'in' if row['style'] == 'one_touch' else 'out'}"
    terms = {"kind": kind, "payoff": row["payoff"], "strike": row["spot"], "barrier": row["barrier_or_strike"]}
    value = sum(barrier_digital(option=option, **terms, **market_of(row)) for option in ("call", "put"))
    units = row["cash"] if row["payoff"] == "cash" else 1.0
    # The row with a term of 0.19 counts 68 days of 360 where the others are exact; its value is 0.0000 either way.
    assert units * value == pytest.approx(row["value"], abs=max(row["tol"], 1e-10))


@pytest.mark.parametrize("row", [row for row in DIGITAL if row["style"] == "european"], ids=lambda row: row["ql_line"])
def test_in_and_out_digitals_add_up_to_the_published_european_one(row):
    terms = {"option": row["type"], "payoff": "cash", "strike": row["barrier_or_strike"], "barrier": 0.7 * row["spot"]}
    value = sum(barrier_digital(kind=kind, **terms, **market_of(row)) for kind in ("down_in", "down_out"))
    assert row["cash"] * value == pytest.approx(row["value"], abs=row["tol"])


@pytest.mark.parametrize(
    "row",
    [row for row in DIGITAL if row["pay_when"] == "hit" and row["value"] in (row["cash"], row["spot"])],
    ids=lambda row: row["ql_line"],
)
def test_a_touched_level_pays_at_once(row):
    """A level that is already touched pays now: the rebate of an out option that is dead at inception."""
    units = row["cash"] if row["payoff"] == "cash" else row["spot"]
    kind = "down_out" if row["type"] == "put" else "up_out"
    value = barrier_option(
        kind=kind, option="call", strike=1e6, barrier=row["barrier_or_strike"], rebate=units, **market_of(row)
    )
    assert value == pytest.approx(row["value"], abs=1e-12)


@given(
    st.sampled_from(["down", "up"]),
    st.sampled_from(["call", "put"]),
    st.floats(40.0, 250.0),
    st.floats(40.0, 250.0),
    st.floats(0.05, 2.0),
    st.floats(0.01, 2.0),
)
def test_in_and_out_add_up_to_black_and_scholes(side, option, strike, barrier, volatility, term):
    market = {**MARKET, "volatility": volatility, "term_years": term}
    terms = {"option": option, "strike": strike, "barrier": barrier}
    total = barrier_option(kind=f"{side}_in", **terms, **market) + barrier_option(kind=f"{side}_out", **terms, **market)
    spread = volatility * math.sqrt(term)
    d1 = (math.log(100.0 / strike) + 0.03 * term) / spread + spread / 2.0
    sign = 1.0 if option == "call" else -1.0
    asset, cash = 100.0 * math.exp(-0.02 * term), strike * math.exp(-0.05 * term)
    european = sign * (asset * ndtr(sign * d1) - cash * ndtr(sign * (d1 - spread)))
    assert total == pytest.approx(european, abs=1e-9)


@pytest.mark.parametrize("kind", ["down_in", "up_in"])
@pytest.mark.parametrize("option", ["call", "put"])
def test_an_in_option_loses_value_as_the_barrier_moves_away(option, kind):
    away = [95.0, 85.0, 70.0] if kind == "down_in" else [105.0, 120.0, 150.0]
    values = [barrier_option(kind=kind, option=option, strike=100.0, barrier=barrier, **MARKET) for barrier in away]
    assert values == sorted(values, reverse=True)


def test_bad_input_is_named():
    terms = {"option": "put", "strike": 90.0, "barrier": 80.0}
    with pytest.raises(InvalidTermsError, match="kind must be one of"):
        barrier_option(kind="sideways", **terms, **MARKET)
    with pytest.raises(InvalidTermsError, match="option must be"):
        barrier_option(kind="down_in", **{**terms, "option": "straddle"}, **MARKET)
    with pytest.raises(InvalidTermsError, match="barrier must be positive"):
        barrier_option(kind="down_in", **{**terms, "barrier": 0.0}, **MARKET)
    with pytest.raises(InvalidModelError, match="volatility"):
        barrier_option(kind="down_in", **terms, **{**MARKET, "volatility": -1.0})
    with pytest.raises(InvalidTermsError, match="payoff must be"):
        barrier_digital(kind="down_in", payoff="gold", **terms, **MARKET)
