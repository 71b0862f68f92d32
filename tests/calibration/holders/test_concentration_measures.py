import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import concentration
from calibration.holders.lists import BURN_ADDRESSES, Category, HolderFindingKind
from pricing.errors import DataError
from tests.checkout import CHECKOUT

TABLES = CHECKOUT / "tests/calibration/tables"
PUBLISHED = pd.read_csv(TABLES / "zukowski_april2026_without_exclusions.csv", index_col="token")


def owners(**balances):
    return pd.DataFrame({"address": list(balances), "balance": [float(b) for b in balances.values()]})


def kinds(measured):
    return {finding.kind for finding in measured.findings}


# --- the float --------------------------------------------------------------------------------------------------------


def test_burnt_tokens_leave_the_supply_and_locked_ones_the_float():
    rows = owners(a=30, b=10, burnt=20, vesting=25, dao=10, code=5)
    labels = {"burnt": "burn", "vesting": "locked", "dao": "treasury", "code": "contract"}
    measured = concentration(rows, supply=100.0, labels=labels)
    assert (measured.supply, measured.float) == (80.0, 40.0)
    assert measured.hhi.value == pytest.approx(0.75**2 + 0.25**2)
    assert measured.effective_holders.value == pytest.approx(1.0 / 0.625)
    assert measured.top1.value == pytest.approx(0.75)
    assert measured.listed_share == 1.0
    assert {excluded.address: excluded.category for excluded in measured.excluded} == {
        "burnt": Category.BURN,
        "vesting": Category.LOCKED,
        "dao": Category.TREASURY,
        "code": Category.CONTRACT,
    }
    assert {excluded.address: excluded.reason for excluded in measured.excluded}["burnt"] == "burnt: out of the supply"


@pytest.mark.parametrize("category", ["exchange", "bridge", "staking", "pool"])
def test_pools_are_dispersed_below_and_hide_a_whale_above(category):
    measured = concentration(owners(a=40, pool=60), supply=100.0, labels={"pool": category})
    assert measured.float == 100.0
    assert measured.hhi.lower == pytest.approx(0.4**2)
    assert measured.hhi.upper == pytest.approx(0.4**2 + 0.06**2)
    assert measured.stress_hhi.value == pytest.approx(0.4**2 + 0.21**2)
    assert measured.hhi.value is None
    assert measured.top10.lower == pytest.approx(0.40)
    assert measured.top10.upper == pytest.approx(0.46)
    assert measured.nakamoto.lower == math.inf  # one holder and one whale own 46 %; the rest is endless dust
    assert measured.gini.value == pytest.approx(0.0)  # one single holder


def test_a_hidden_whale_can_be_the_largest_holder():
    measured = concentration(owners(a=4, venue=900, b=96), labels={"venue": "exchange"})
    assert measured.top1.lower == pytest.approx(0.096)
    assert measured.top1.upper == pytest.approx(0.096)
    stressed = concentration(owners(a=4, venue=995, b=1), labels={"venue": "exchange"})
    assert stressed.top1.upper == pytest.approx(0.0995)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.integers(1, 5000), st.integers(1, 5000))
def test_splitting_a_pool_changes_nothing(balances, one, other):
    single = {f"h{i}": b for i, b in enumerate(balances)}
    labels = {"p": "exchange", "q": "exchange"}
    merged = concentration(owners(**single, p=one + other), labels=labels)
    split = concentration(owners(**single, p=one, q=other), labels=labels)
    for name in ("hhi", "stress_hhi", "top1", "top10", "nakamoto", "gini"):
        for end in ("lower", "upper"):
            assert getattr(getattr(split, name), end) == pytest.approx(getattr(getattr(merged, name), end)), name


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=20), st.floats(1e-6, 1e12))
def test_the_unit_of_balances_does_not_matter(balances, unit):
    names = [f"h{i}" for i in range(len(balances))]
    one = concentration(pd.DataFrame({"address": names, "balance": balances}), supply=2.0 * sum(balances))
    scaled = pd.DataFrame({"address": names, "balance": np.multiply(balances, unit)})
    other = concentration(scaled, supply=2.0 * sum(balances) * unit)
    assert other.hhi.lower == pytest.approx(one.hhi.lower, rel=1e-9)
    assert other.hhi.upper == pytest.approx(one.hhi.upper, rel=1e-6)
    assert other.top10.lower == pytest.approx(one.top10.lower, rel=1e-9)


def test_a_list_of_pools_alone_says_nothing_about_single_holders():
    measured = concentration(owners(p=60, q=40), labels={"p": "exchange", "q": "pool"})
    assert (measured.pooled, measured.gini.lower, measured.gini.upper) == (1.0, 0.0, 1.0)
    assert (measured.hhi.lower, measured.hhi.upper) == (0.0, pytest.approx(0.1**2))


@given(st.lists(st.floats(1.0, 100.0), min_size=2, max_size=12), st.floats(0.05, 0.95), st.integers(0, 11))
def test_splitting_an_address_inside_an_entity_changes_nothing(balances, cut, index):
    index %= len(balances)
    names = [f"h{i}" for i in range(len(balances))]
    whole = pd.DataFrame({"address": names, "balance": balances})
    parts = [*balances, cut * balances[index]]
    parts[index] *= 1.0 - cut
    split = pd.DataFrame({"address": [*names, "other wallet"], "balance": parts})
    entities = {names[index]: "owner", "other wallet": "owner"}
    one = concentration(whole, supply=2.0 * sum(balances))
    other = concentration(split, supply=2.0 * sum(balances), entities=entities)
    for name in ("hhi", "stress_hhi", "top1", "top10", "overhang", "gini"):
        for end in ("lower", "upper"):
            expected = getattr(getattr(one, name), end)
            assert getattr(getattr(other, name), end) == pytest.approx(expected, rel=1e-6, abs=1e-9), name


def test_the_overhang_by_hand():
    # ten sellers at most: nine of 5, and a quarter of the treasury of 40; upper bound: a tenth of the pool is one more
    rows = owners(**{f"h{i}": 5 for i in range(9)}, small=1, dao=40, vesting=30, venue=70)
    measured = concentration(rows, labels={"dao": "treasury", "vesting": "locked", "venue": "exchange"})
    assert measured.float == 116.0
    assert measured.overhang.lower == pytest.approx(9 * 5 + 10)
    assert measured.overhang.upper == pytest.approx(8 * 5 + 10 + 7)
    assert measured.pooled == pytest.approx(70 / 116)


# --- lists that were cut ----------------------------------------------------------------------------------------------


def test_a_cut_list_is_never_blown_up_to_the_whole():
    measured = concentration(owners(a=30, b=10), supply=100.0)
    assert measured.hhi.lower == pytest.approx(0.3**2 + 0.1**2)
    assert measured.hhi.upper == pytest.approx(0.3**2 + 7 * 0.1**2)
    assert measured.listed_share == pytest.approx(0.4)
    assert kinds(measured) == {HolderFindingKind.LIST_CUT}
    assert measured.top_share(3).lower == pytest.approx(0.4)
    assert measured.top_share(3).upper == pytest.approx(0.5)
    narrowed = concentration(owners(a=30, b=10), supply=100.0, n_holders=10)
    assert narrowed.hhi.lower == pytest.approx(0.3**2 + 0.1**2 + 0.6**2 / 8)


def test_without_a_supply_the_listed_total_is_the_whole_and_said_to_be():
    measured = concentration(owners(a=30, b=10))
    assert measured.hhi.value == pytest.approx(0.75**2 + 0.25**2)
    assert kinds(measured) == {HolderFindingKind.SUPPLY_UNKNOWN}


def test_a_complete_list_has_values_instead_of_bounds():
    measured = concentration(owners(a=30, b=10), supply=40.0)
    assert measured.findings == ()
    assert (measured.nakamoto.value, measured.top_share(1).value) == (1, pytest.approx(0.75))


def test_an_address_in_two_cases_is_one_holder():
    rows = pd.DataFrame({"address": ["0xAA", "0xaa", "0xbb"], "balance": [25.0, 25.0, 50.0]})
    measured = concentration(rows, supply=100.0)
    assert measured.hhi.value == pytest.approx(0.5)
    assert HolderFindingKind.DUPLICATE_ADDRESS in kinds(measured)


@pytest.mark.parametrize(
    ("supply", "labels", "message"),
    [
        (39.0, None, "supply must cover the listed balances, got 39 against 40 .*rebasing token, a stale supply"),
        (-1.0, None, "supply must be positive"),
        (math.nan, None, "supply must be positive"),
        (None, {"a": "locked", "b": "burn"}, "must leave a float"),
    ],
)
def test_impossible_lists_are_refused(supply, labels, message):
    with pytest.raises(DataError, match=message):
        concentration(owners(a=30, b=10), supply=supply, labels=labels)


# --- published figures: holder lists of Zukowski (2026), CC BY 4.0, Tokenization Systems ------------------------------


@pytest.fixture(scope="module")
def lists(market_data):
    return pd.read_csv(market_data / "holders" / "top_holders_2026q1_zukowski.csv.gz")


def holders_of(lists, name, keep_repetitions=False):
    rows = lists.loc[lists["list"] == name, ["address", "balance"]].reset_index(drop=True)
    if keep_repetitions:
        # the author counts a repeated address as two holders
        rows["address"] += np.where(rows["address"].duplicated(), " again", "")
    return rows


def without(addresses):
    """Labels that take addresses off a list."""
    return dict.fromkeys(addresses, Category.CONTRACT)


@pytest.mark.parametrize("token", PUBLISHED.index)
def test_published_figures_of_lists_without_exclusions(lists, token):
    measured = concentration(holders_of(lists, token, keep_repetitions=True))
    published = PUBLISHED.loc[token]
    assert measured.hhi.value == pytest.approx(published["hhi"], abs=1e-6)
    assert measured.gini.value == pytest.approx(published["gini"], abs=5.1e-5)
    for k in (1, 5, 10):
        assert 100.0 * measured.top_share(k).value == pytest.approx(published[f"top{k}_pct"], abs=5.1e-3)


@pytest.mark.parametrize(("token", "merged_hhi"), [("DRIFT", 0.101631), ("META", 0.048250), ("W", 0.014927)])
def test_merging_the_repeated_address_raises_the_published_index(lists, token, merged_hhi):
    # adding 2 s1 s2 by hand for the two balances of the repeated address
    measured = concentration(holders_of(lists, token))
    rows = lists[lists["list"] == token]
    repeated = rows.loc[rows["address"].duplicated(keep=False), "balance"].to_numpy() / rows["balance"].sum()
    apart = concentration(holders_of(lists, token, keep_repetitions=True)).hhi.value
    assert measured.hhi.value == pytest.approx(apart + 2.0 * repeated[0] * repeated[1], rel=1e-12)
    assert measured.hhi.value == pytest.approx(merged_hhi, abs=1e-6)
    assert HolderFindingKind.DUPLICATE_ADDRESS in kinds(measured)


@pytest.mark.parametrize("token", ["GEOD", "IOTX"])
def test_burnt_tokens_leave_two_of_the_published_lists(lists, token):
    # taking a share s out of a list with index H gives (H - s ** 2) / (1 - s) ** 2
    rows = holders_of(lists, token)
    burnt = rows.loc[rows["address"].isin(BURN_ADDRESSES), "balance"].sum() / rows["balance"].sum()
    assert HolderFindingKind.BURN_LISTED in kinds(concentration(rows))
    measured = concentration(rows, burn_addresses=BURN_ADDRESSES)
    assert HolderFindingKind.BURN_LISTED not in kinds(measured)
    assert burnt > 0.03
    assert [excluded.category for excluded in measured.excluded] == [Category.BURN]
    assert measured.hhi.value == pytest.approx((PUBLISHED.loc[token, "hhi"] - burnt**2) / (1 - burnt) ** 2, abs=2e-6)


def test_recomputed_metrics_of_all_lists(market_data, lists):
    metrics = pd.read_csv(market_data / "holders" / "raw_list_metrics_recomputed.csv", index_col="list")
    for name, row in metrics.iterrows():
        measured = concentration(holders_of(lists, name, keep_repetitions=True))
        assert measured.hhi.value == pytest.approx(row["hhi_raw"], abs=5.1e-6), name
        assert measured.top1.value == pytest.approx(row["top1"], abs=5.1e-5), name
        assert measured.top10.value == pytest.approx(row["top10"], abs=5.1e-5), name
        assert measured.nakamoto.value == row["nakamoto51"], name
        # the 22 empty addresses of HYPE are left out here and counted there
        if row["nonpos"] == 0:
            assert measured.gini.value == pytest.approx(row["gini"], abs=5.1e-5), name


#: Tolerance: the log rounds to six digits, four where a figure was rounded by hand.
EXCLUSIONS = {
    "LPT": 1e-6,
    "GMX": 1e-6,
    "RPL": 1e-6,
    "ENS": 1e-6,
    "WXM": 1e-6,
    "DIMO": 1e-6,
    "UNI": 5e-5,
    "GRT": 5e-5,
    "ARB": 5e-5,
    "OP": 5e-5,
}


def exclusions(market_data, token):
    """Exclusions that the log gives an index for; later additions carry none."""
    log = pd.read_csv(market_data / "holders" / "zukowski_exclusions_log.csv")
    return log[(log["token"] == token) & log["hhi_after"].notna()]


@pytest.mark.parametrize(("token", "tolerance"), EXCLUSIONS.items())
def test_index_before_and_after_the_logged_exclusions(market_data, lists, token, tolerance):
    log = exclusions(market_data, token)
    holders = holders_of(lists, token)
    before = concentration(holders)
    assert before.hhi.value == pytest.approx(log["hhi_before"].iloc[0], abs=1e-6)
    measured = concentration(holders, labels=without(log["address"]))
    assert measured.hhi.value == pytest.approx(log["hhi_after"].iloc[0], abs=tolerance)
    assert len(measured.excluded) == len(log)


@pytest.mark.parametrize(("token", "published"), [("POL", 0.034750), ("MPL_SYRUP", 0.024243)])
def test_two_logged_indices_contradict_the_authors_own_table(market_data, lists, token, published):
    # the log says 0.034817 and 0.024211; the table of the same author has what the list gives
    log = exclusions(market_data, token)
    measured = concentration(holders_of(lists, token), labels=without(log["address"]))
    assert measured.hhi.value == pytest.approx(published, abs=1e-6)
    assert abs(measured.hhi.value - log["hhi_after"].iloc[0]) > 1e-5


def test_one_logged_index_cannot_come_from_its_list(market_data, lists):
    # AAVE: 0.020202 against 0.020161. Taking one address of share s out of a list with index H gives
    # (H - s ** 2) / (1 - s) ** 2 whatever the others hold, and that is not the logged figure.
    log = exclusions(market_data, "AAVE")
    full = concentration(holders_of(lists, "AAVE"))
    share = full.top1.value
    expected = (full.hhi.value - share**2) / (1.0 - share) ** 2
    measured = concentration(holders_of(lists, "AAVE"), labels=without(log["address"]))
    assert measured.hhi.value == pytest.approx(expected, rel=1e-9)
    assert abs(expected - log["hhi_after"].iloc[0]) > 4e-5


def test_the_bridge_of_render_in_the_merged_list(market_data, lists):
    # the log is about the two chains merged, each time cut to the largest 1,000
    log = exclusions(market_data, "RENDER")
    both = lists[lists["list"].isin(["RENDER_SOL", "RNDR_ETH"])].groupby("address", as_index=False)["balance"].sum()
    both = both.sort_values("balance", ascending=False)
    assert concentration(both.head(1000)).hhi.value == pytest.approx(log["hhi_before"].iloc[0], abs=1e-6)
    without = both[both["address"] != log["address"].iloc[0]].head(1000)
    assert concentration(without).hhi.value == pytest.approx(log["hhi_after"].iloc[0], abs=1e-6)


@pytest.mark.parametrize(
    ("token", "n_logged", "n_listed"), [("COMP", 7, 4), ("CRV", 11, 9), ("OP", 7, 6), ("LDO", 6, 0)]
)
def test_some_logged_exclusions_are_not_on_their_list(market_data, lists, token, n_logged, n_listed):
    # so the index after them cannot be had from these lists
    log = pd.read_csv(market_data / "holders" / "zukowski_exclusions_log.csv")
    log = log[log["token"] == token]
    measured = concentration(holders_of(lists, token), labels=without(log["address"]))
    assert (len(log), len(measured.excluded)) == (n_logged, n_listed)
