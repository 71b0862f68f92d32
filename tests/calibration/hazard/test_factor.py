import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import concentration
from calibration.hazard.factor import (
    CONTROL_CAPS,
    REFERENCE_FUNDING,
    REFERENCE_OPEN_INTEREST,
    SIGNAL_CAPS,
    TOTAL_CAPS,
    hazard_factor,
)
from calibration.hazard.published import SCORES
from calibration.hazard.risk_signals import RiskSignals
from calibration.hazard.slopes import SLOPES, Slope
from pricing.errors import DataError, InvalidModelError

#: Figures that rise with danger, and the range in which they are tried.
RISING = {
    "exchange_inflow": (-3.0, 30.0),
    "unlock_share": (0.0, 1.0),
    "funding_percent": (-1.0, 1.0),
    "open_interest_to_float": (0.0, 2.0),
}
FALLING = {"days_since_listing": (0.0, 1000.0)}


def owners(*balances, supply=None, labels=None):
    names = [f"h{i}" for i in range(len(balances))]
    return concentration(pd.DataFrame({"address": names, "balance": list(balances)}), supply=supply, labels=labels)


def part(factor, name):
    return next(part for part in factor.parts if part.covariate == name)


# --- level ------------------------------------------------------------------------------------------------------------


def test_nothing_known_is_the_mean_of_published_tokens_and_leaves_the_rate_alone():
    factor = hazard_factor()
    free = np.exp(SLOPES["control"].mean * np.array(SCORES)).clip(*CONTROL_CAPS)
    assert factor.value == factor.average == pytest.approx(free.mean())
    assert (factor.lower, factor.upper) == pytest.approx(tuple(np.quantile(free, [0.05, 0.95])))
    assert factor.on_rate == 1.0
    assert factor == hazard_factor(signals=RiskSignals())
    assert (factor.overhang, factor.sale, factor.capped) == (None, None, False)
    assert np.median(free) == pytest.approx(1.0, abs=0.02)


def test_typical_signals_change_nothing():
    typical = RiskSignals(
        exchange_inflow=0.0,
        unlock_share=0.0,
        funding_percent=REFERENCE_FUNDING,
        open_interest_to_float=REFERENCE_OPEN_INTEREST,
        days_since_listing=365.0,
    )
    factor = hazard_factor(signals=typical)
    assert factor.value == pytest.approx(hazard_factor().value, rel=1e-15)
    assert [each.score for each in factor.parts[1:]] == [0.0] * 5


# --- single signals by hand -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        (RiskSignals(unlock_share=0.10), 2.0**0.4),
        (RiskSignals(exchange_inflow=2.0), math.exp(0.1)),
        (RiskSignals(exchange_inflow=4.0, days_since_inflow=3.0), math.exp(0.1)),
        (RiskSignals(exchange_inflow=40.0, days_since_inflow=6.0), math.exp(0.05)),
        (RiskSignals(exchange_inflow=-2.0), 1.0),
        (RiskSignals(funding_percent=0.105), math.exp(0.1)),
        (RiskSignals(funding_percent=3.0), math.exp(0.2)),
        (RiskSignals(funding_percent=-3.0), math.exp(-0.1)),
        (RiskSignals(open_interest_to_float=0.04), 2.0**0.05),
        (RiskSignals(open_interest_to_float=0.0), 1.0),
        (RiskSignals(open_interest_to_float=0.001), 1.0),
        (RiskSignals(days_since_listing=89.0), math.exp(0.06)),
        (RiskSignals(days_since_listing=90.0), 1.0),
    ],
)
def test_single_signals_by_hand(signals, expected):
    assert hazard_factor(signals=signals).on_rate == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["open_interest", "inflow", "funding"])
def test_signals_without_evidence_move_little(name):
    # an arm's length of evidence: the prior holds no more than a factor of 1.5 for a score of 4
    assert math.exp(4.0 * SLOPES[name].mean) < 1.5
    assert SLOPES[name].interval[0] == 0.0


# --- references -------------------------------------------------------------------------------------------------------


def test_the_reference_funding_is_the_median_of_its_table(market_data):
    funding = pd.read_csv(market_data / "derivs" / "funding_daily_94perps_202507_202510.csv.gz")
    assert funding["funding_rate"].median() == pytest.approx(REFERENCE_FUNDING, abs=5e-4)


def test_the_reference_open_interest_is_near_the_median_of_its_tables(market_data):
    interest = pd.read_csv(market_data / "derivs" / "open_interest_daily_24coins_202109_202510.csv.gz")
    interest = interest[interest["symbol"].str.contains("USDT")].assign(date=pd.to_datetime(interest["date"]))
    values = pd.read_csv(market_data / "panel" / "coinmarketcap_top200_monthly_2020_202510.csv.gz")
    values["date"] = pd.to_datetime(values["snapshot_date"].astype(str))
    both = interest.merge(values, left_on=["coin_name", "date"], right_on=["Name", "date"])
    ratio = both["oi_close"] / both["Market Cap"]
    assert (len(ratio), both["coin_name"].nunique()) == (331, 14)
    # the median token has 0.0201, the median month of a token 0.0172
    assert ratio.groupby(both["coin_name"]).median().median() == pytest.approx(REFERENCE_OPEN_INTEREST, abs=5e-4)


# --- laws -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*RISING, *FALLING])
@given(data=st.data())
def test_every_part_is_monotone_in_its_sign(name, data):
    low, high = (RISING | FALLING)[name]
    one, other = sorted(data.draw(st.tuples(st.floats(low, high), st.floats(low, high))))
    smaller, larger = (hazard_factor(signals=RiskSignals(**{name: value})) for value in (one, other))
    if name in FALLING:
        smaller, larger = larger, smaller
    assert smaller.value <= larger.value
    assert smaller.parts[1].factor <= larger.parts[1].factor


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=12), st.integers(1, 5))
def test_joining_holders_never_lowers_the_factor(balances, joined):
    apart = hazard_factor(concentration=owners(*balances))
    together = hazard_factor(concentration=owners(sum(balances[:joined]), *balances[joined:]))
    assert together.value >= apart.value - 1e-12


ANY_SIGNALS = st.builds(
    RiskSignals,
    **{name: st.none() | st.floats(*limits) for name, limits in (RISING | FALLING).items()},
    days_since_inflow=st.floats(0.0, 30.0),
)


@given(ANY_SIGNALS)
def test_caps_order_and_signs_of_the_interval(signals):
    factor = hazard_factor(signals=signals)
    assert TOTAL_CAPS[0] <= factor.lower <= factor.value <= factor.upper <= TOTAL_CAPS[1]
    for each in factor.parts:
        lowest, highest = CONTROL_CAPS if each.covariate == "control" else SIGNAL_CAPS
        assert lowest <= each.lower <= each.factor <= each.upper <= highest


def test_without_caps_and_signs_the_interval_is_lognormal():
    slopes = {name: replace(slope, mean=1.0, sd=0.1) for name, slope in SLOPES.items()}
    signals = RiskSignals(unlock_share=0.05, open_interest_to_float=0.03)
    factor, nothing = (hazard_factor(signals=each, slopes=slopes) for each in (signals, None))
    scores = [each.score for each in factor.parts[1:]]
    spread = 1.6448536269514722 * 0.1 * math.sqrt(sum(score**2 for score in scores))
    above = math.hypot(spread, math.log(nothing.upper / nothing.value))
    below = math.hypot(spread, math.log(nothing.value / nothing.lower))
    assert factor.value == pytest.approx(nothing.value * math.exp(sum(scores)))
    assert factor.lower == pytest.approx(factor.value * math.exp(-below))
    assert factor.upper == pytest.approx(factor.value * math.exp(above))


# --- slopes -----------------------------------------------------------------------------------------------------------


def test_judgements_are_labelled_as_such():
    for name, slope in SLOPES.items():
        assert slope.prior_only == slope.source.startswith("judgement: "), name
    factor = hazard_factor(signals=RiskSignals(unlock_share=0.1, days_since_listing=10.0))
    assert [each.prior_only for each in factor.parts] == [True, True, False]


def test_half_a_normal_law_has_the_deviation_of_the_books():
    # of a normal law cut off at its mean: sd * sqrt(1 - 2 / pi)
    assert Slope(mean=0.0, sd=2.0, source="").spread == pytest.approx(2.0 * math.sqrt(1.0 - 2.0 / math.pi))
    assert Slope(mean=50.0, sd=2.0, source="").spread == pytest.approx(2.0)


@pytest.mark.parametrize(("mean", "sd"), [(-0.1, 0.3), (math.nan, 0.3), (0.5, 0.0), (0.5, math.inf)])
def test_impossible_slopes_are_refused(mean, sd):
    with pytest.raises(InvalidModelError, match=r"(mean|sd) of a slope must be"):
        Slope(mean=mean, sd=sd, source="")


def test_a_missing_slope_is_named():
    with pytest.raises(DataError, match="slopes must hold control, unlock, got none"):
        hazard_factor(signals=RiskSignals(unlock_share=0.1), slopes={})
