import math
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import Bounded, concentration
from calibration.hazard.factor import (
    CONCENTRATION_CAPS,
    FACTOR_CAPS,
    REFERENCE_FUNDING,
    REFERENCE_HHI,
    REFERENCE_OPEN_INTEREST,
    REFERENCE_OVERHANG,
    TOTAL_CAPS,
    hazard_factor,
)
from calibration.hazard.risk_signals import RiskSignals
from calibration.hazard.slopes import SLOPES, Slope
from pricing.errors import DataError, InvalidModelError

#: Figures that rise with danger, and the range in which they are tried.
RISING = {
    "overhang_to_depth": (0.0, 1e3),
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


def test_nothing_known_and_all_typical_are_exactly_one():
    assert hazard_factor().value == hazard_factor(signals=RiskSignals()).value == 1.0
    typical = RiskSignals(
        overhang_to_depth=REFERENCE_OVERHANG,
        exchange_inflow=0.0,
        unlock_share=0.0,
        funding_percent=REFERENCE_FUNDING,
        open_interest_to_float=REFERENCE_OPEN_INTEREST,
        days_since_listing=365.0,
    )
    factor = hazard_factor(signals=typical)
    assert (factor.lower, factor.value, factor.upper) == (1.0, 1.0, 1.0)
    assert [part.score.value for part in factor.parts] == [0.0] * 6
    assert not factor.capped


# --- the worked example of a token before its fall --------------------------------------------------------------------


def test_om_before_its_fall_by_hand():
    # overhang 14 over a typical 3 gives 2.16; 4 sd of inflow give e ** 1 = 2.72, held to 2.7
    factor = hazard_factor(signals=RiskSignals(overhang_to_depth=14.0, exchange_inflow=4.0))
    assert part(factor, "overhang").factor == pytest.approx(math.sqrt(14.0 / 3.0))
    assert part(factor, "inflow").factor == 2.7
    assert (part(factor, "inflow").capped, part(factor, "overhang").capped) == (True, False)
    assert factor.value == pytest.approx(math.sqrt(14.0 / 3.0) * 2.7)
    assert factor.capped
    with_leverage = hazard_factor(
        signals=RiskSignals(overhang_to_depth=14.0, exchange_inflow=4.0, open_interest_to_float=0.2)
    )
    assert with_leverage.value == TOTAL_CAPS[1] == 12.0


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        (RiskSignals(unlock_share=0.10), 2.0**0.4),
        (RiskSignals(exchange_inflow=2.0), math.exp(0.5)),
        (RiskSignals(exchange_inflow=4.0, days_since_inflow=3.0), math.exp(0.5)),
        (RiskSignals(exchange_inflow=40.0, days_since_inflow=6.0), math.exp(0.25)),
        (RiskSignals(exchange_inflow=-2.0), 1.0),
        (RiskSignals(funding_percent=0.105), math.exp(0.3)),
        (RiskSignals(funding_percent=3.0), math.exp(0.6)),
        (RiskSignals(funding_percent=-3.0), math.exp(-0.3)),
        (RiskSignals(open_interest_to_float=0.042), 2.0**0.6),
        (RiskSignals(open_interest_to_float=0.0), 11.0**-0.6),
        (RiskSignals(days_since_listing=89.0), math.exp(0.06)),
        (RiskSignals(days_since_listing=90.0), 1.0),
        (RiskSignals(overhang_to_depth=0.0), 0.5),
        (RiskSignals(overhang_to_depth=1e9), 3.0),
    ],
)
def test_single_signals_by_hand(signals, expected):
    assert hazard_factor(signals=signals).value == pytest.approx(expected, rel=1e-12)


# --- concentration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hhi", "expected"), [(REFERENCE_HHI, 1.0), (4.0 * REFERENCE_HHI, math.sqrt(2.0)), (0.16 / 81.0, 0.5), (0.0, 0.5)]
)
def test_the_herfindahl_index_enters_with_its_fourth_root(hhi, expected):
    measured = replace(owners(1.0), hhi=Bounded(lower=hhi, upper=hhi))
    factor = hazard_factor(concentration=measured)
    assert factor.value == factor.concentration == pytest.approx(expected)


def test_the_reference_index_is_the_median_of_the_published_lists(market_data):
    metrics = pd.read_csv(market_data / "holders" / "raw_list_metrics_recomputed.csv")
    assert metrics["hhi_raw"].median() == pytest.approx(REFERENCE_HHI, abs=1e-5)


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


def test_concentration_is_capped_and_absent_where_unknown():
    dispersed = owners(*[1.0] * 5000)
    assert hazard_factor(concentration=dispersed).value == CONCENTRATION_CAPS[0]
    assert hazard_factor(concentration=dispersed).capped
    assert hazard_factor(signals=RiskSignals(unlock_share=0.5)).concentration == 1.0


def test_the_upper_bound_of_the_index_enters_and_the_lower_widens_the_interval():
    cut = owners(30.0, 10.0, supply=100.0)
    whole = replace(cut, hhi=type(cut.hhi)(lower=cut.hhi.upper, upper=cut.hhi.upper))
    assert hazard_factor(concentration=cut).value == hazard_factor(concentration=whole).value
    assert hazard_factor(concentration=cut).lower < hazard_factor(concentration=whole).lower


def test_depth_turns_holders_into_an_overhang_and_concentration_enters_once():
    measured = owners(*[8.0] * 5, *[1.0] * 60)
    assert measured.overhang.value == pytest.approx(45.0)
    factor = hazard_factor(concentration=measured, signals=RiskSignals(depth_usd=7.5, price_usd=0.5))
    assert [part.covariate for part in factor.parts] == ["overhang"]
    assert factor.value == factor.concentration == pytest.approx(1.0)
    thinner = hazard_factor(concentration=measured, signals=RiskSignals(depth_usd=7.5 / 4.0, price_usd=0.5))
    assert thinner.value == pytest.approx(2.0)


def test_depth_without_holders_is_refused():
    with pytest.raises(DataError, match="depth_usd needs holders, got 10 without"):
        hazard_factor(signals=RiskSignals(depth_usd=10.0, price_usd=1.0))


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
    assert smaller.parts[0].factor <= larger.parts[0].factor


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
        lowest, highest = FACTOR_CAPS.get(each.covariate, (0.0, math.inf))
        assert lowest <= each.lower <= each.factor <= each.upper <= highest
    scores = [each.score.upper for each in factor.parts]
    if all(score >= 0.0 for score in scores):
        assert factor.lower >= 1.0 - 1e-12
    if all(score <= 0.0 for score in scores):
        assert factor.upper <= 1.0 + 1e-12


def test_without_caps_and_signs_the_interval_is_lognormal():
    slopes = {name: replace(slope, mean=1.0, sd=0.1) for name, slope in SLOPES.items()}
    signals = RiskSignals(unlock_share=0.05, funding_percent=-0.02, open_interest_to_float=0.03)
    factor = hazard_factor(signals=signals, slopes=slopes)
    scores = [each.score.upper for each in factor.parts]
    spread = 1.6448536269514722 * 0.1 * math.sqrt(sum(score**2 for score in scores))
    assert factor.value == pytest.approx(math.exp(sum(scores)))
    assert factor.lower == pytest.approx(math.exp(sum(scores) - spread))
    assert factor.upper == pytest.approx(math.exp(sum(scores) + spread))


# --- slopes -----------------------------------------------------------------------------------------------------------


def test_judgements_are_labelled_as_such():
    for name, slope in SLOPES.items():
        assert slope.prior_only == slope.source.startswith("judgement: "), name
    factor = hazard_factor(signals=RiskSignals(unlock_share=0.1, days_since_listing=10.0))
    assert [each.prior_only for each in factor.parts] == [True, False]


def test_half_a_normal_law_has_the_deviation_of_the_books():
    # of a normal law cut off at its mean: sd * sqrt(1 - 2 / pi)
    assert Slope(mean=0.0, sd=2.0, source="").spread == pytest.approx(2.0 * math.sqrt(1.0 - 2.0 / math.pi))
    assert Slope(mean=50.0, sd=2.0, source="").spread == pytest.approx(2.0)


@pytest.mark.parametrize(("mean", "sd"), [(-0.1, 0.3), (math.nan, 0.3), (0.5, 0.0), (0.5, math.inf)])
def test_impossible_slopes_are_refused(mean, sd):
    with pytest.raises(InvalidModelError, match=r"(mean|sd) of a slope must be"):
        Slope(mean=mean, sd=sd, source="")


def test_a_missing_slope_is_named():
    with pytest.raises(DataError, match="slopes must hold unlock, got none"):
        hazard_factor(signals=RiskSignals(unlock_share=0.1), slopes={})
