"""Smallest units in a list or in the supply: refused or told by name, and never a discount."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import HolderFindingKind, RiskSignals, concentration, hazard_factor
from calibration.holders.units import DECIMALS
from pricing.errors import DataError

#: From dispersed to concentrated, so that the factor of the right supply is a discount or a surcharge.
LISTS = {
    "even": np.full(50, 4.0),
    "geometric": 100.0 * 0.7 ** np.arange(30),
    "whale": np.array([700.0, *np.full(20, 2.0)]),
}


def owners(balances):
    return pd.DataFrame({"address": [f"0x{place + 10:x}" for place in range(len(balances))], "balance": balances})


def findings(measured):
    return {finding.kind: finding.message for finding in measured.findings}


@given(st.sampled_from(DECIMALS), st.sampled_from(sorted(LISTS)), st.floats(0.15, 1.0))
def test_balances_in_smallest_units_are_refused_by_name(decimals, name, listed):
    supply = LISTS[name].sum() / listed
    message = rf"smallest units\? Divide balances by 10\^{decimals}\)"
    with pytest.raises(DataError, match=message):
        concentration(owners(LISTS[name] * 10.0**decimals), supply=supply)


@given(st.sampled_from(DECIMALS), st.sampled_from(sorted(LISTS)), st.floats(0.15, 1.0))
def test_a_supply_in_smallest_units_is_told_and_gives_the_factor_of_no_list(decimals, name, listed):
    supply = LISTS[name].sum() / listed
    measured = concentration(owners(LISTS[name]), supply=supply * 10.0**decimals)
    assert f"Divide supply by 10^{decimals}" in findings(measured)[HolderFindingKind.NEXT_TO_NOTHING]
    assert not measured.is_known
    factor = hazard_factor(concentration=measured, signals=RiskSignals(unlock_share=0.1))
    assert factor == hazard_factor(signals=RiskSignals(unlock_share=0.1))


@pytest.mark.parametrize("name", LISTS)
def test_both_in_smallest_units_give_the_same_shares_and_are_told(name):
    one = concentration(owners(LISTS[name]), supply=2.0 * LISTS[name].sum())
    other = concentration(owners(LISTS[name] * 1e18), supply=2e18 * LISTS[name].sum())
    assert other.hhi.upper == pytest.approx(one.hhi.upper, rel=1e-12)
    assert HolderFindingKind.SMALLEST_UNITS in findings(other)
    assert HolderFindingKind.SMALLEST_UNITS not in findings(one)


@given(st.sampled_from(sorted(LISTS)), st.floats(1e-9, 0.0499))
def test_next_to_nothing_is_never_a_discount(name, listed):
    measured = concentration(owners(LISTS[name]), supply=LISTS[name].sum() / listed)
    assert HolderFindingKind.NEXT_TO_NOTHING in findings(measured)
    assert hazard_factor(concentration=measured) == hazard_factor()
    assert hazard_factor(concentration=measured, signals=RiskSignals(depth_usd=1e6, price_usd=1.0)).on_rate == 1.0


def test_a_list_that_shows_enough_has_a_factor_of_its_own():
    measured = concentration(owners(LISTS["even"]), supply=LISTS["even"].sum() / 0.06)
    assert HolderFindingKind.LIST_CUT in findings(measured)
    assert hazard_factor(concentration=measured).value > hazard_factor().value


def test_what_is_locked_is_shown_even_if_the_float_is_not():
    # 90 of 100 tokens are locked, and the list shows 0.1 of the other 10
    rows = pd.DataFrame({"address": ["vesting", "a", "b"], "balance": [90.0, 0.06, 0.04]})
    measured = concentration(rows, supply=100.0, labels={"vesting": "locked"})
    assert measured.is_known
    assert (measured.listed_share, measured.control.insiders) == (pytest.approx(0.01), 0.9)


@pytest.mark.parametrize("decimals", [9, 18])
@pytest.mark.parametrize("place", [0, 7, 29])
def test_one_row_in_another_unit_is_told(decimals, place):
    balances = LISTS["geometric"].copy()
    balances[place] *= 10.0**decimals
    assert HolderFindingKind.UNITS_MIXED in findings(concentration(owners(balances)))
    assert HolderFindingKind.UNITS_MIXED not in findings(concentration(owners(LISTS["geometric"])))


# --- shares instead of balances ---------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(LISTS)), st.floats(0.1, 1.0), st.floats(1.0, 1e12))
def test_shares_and_balances_are_the_same_list(name, listed, supply):
    shares = LISTS[name] / LISTS[name].sum() * listed
    rows = owners(shares).rename(columns={"balance": "share"})
    one = concentration(owners(shares * supply), supply=supply)
    for other in (concentration(rows, supply=supply), concentration(rows)):
        assert other.hhi.upper == pytest.approx(one.hhi.upper, rel=1e-9)
        assert other.listed_share == pytest.approx(one.listed_share, rel=1e-9)
    assert concentration(rows, supply=supply).float == pytest.approx(supply)
    assert HolderFindingKind.SHARES_ONLY in findings(concentration(rows))
    assert HolderFindingKind.SHARES_ONLY not in findings(concentration(rows, supply=supply))


def test_depth_in_money_needs_balances_in_tokens():
    rows = owners(LISTS["even"] / 400.0).rename(columns={"balance": "share"})
    depth = RiskSignals(depth_usd=1e6, price_usd=1.0)
    with pytest.raises(DataError, match="depth_usd needs balances in tokens"):
        hazard_factor(concentration=concentration(rows), signals=depth)
    assert "depth" in hazard_factor(concentration=concentration(rows, supply=1e6), signals=depth).overhang.market


def test_shares_in_per_cent_are_refused():
    with pytest.raises(DataError, match="supply must cover the listed balances"):
        concentration(pd.DataFrame({"address": ["a", "b"], "share": [30.0, 20.0]}))
