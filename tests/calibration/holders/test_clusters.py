"""Hands found in a list alone."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import concentration
from calibration.holders.clusters import BIRTH, EQUAL, FUNDER, MERGED_FROM, PAIR, ROUND
from calibration.holders.lists import Category, HolderFindingKind, read_holders
from pricing.errors import DataError

AS_OF = pd.Timestamp("2025-04-12", tz="UTC")


def wallets(*balances, **columns):
    rows = pd.DataFrame({"address": [f"w{i}" for i in range(len(balances))], "balance": list(map(float, balances))})
    return rows.assign(**columns)


def clusters(rows, **known):
    return read_holders(rows, known.pop("labels", None), **known).clusters


@pytest.mark.parametrize(
    ("balances", "confidence"),
    [
        ((123.456, 123.456), PAIR),
        ((123.456, 123.456, 123.456), EQUAL),
        ((1000.0, 1000.0, 1000.0), ROUND),
        ((123.4561, 123.4562, 123.456), EQUAL),
        ((123.4, 123.5, 123.6), None),
    ],
)
def test_equal_pieces_are_one_hand_the_more_so_the_odder(balances, confidence):
    found = clusters(wallets(*balances, 777.7))
    assert [each.confidence for each in found] == ([] if confidence is None else [pytest.approx(confidence)])


def test_one_funder_one_birth_and_one_name():
    rows = wallets(50, 40, 30, 20, 10, 5)
    funded = rows.assign(funded_by=["0xF", "0xf", "", "", "", ""])
    assert [(each.addresses, each.confidence) for each in clusters(funded)] == [(("w0", "w1"), FUNDER)]
    seen = ["2024-01-01 00:00", "2024-01-01 00:40", "2024-01-01 01:20", "2024-01-01 03:00", "", ""]
    (born,) = clusters(rows.assign(first_seen=seen))
    assert (born.addresses, born.confidence) == (("w0", "w1", "w2"), pytest.approx(BIRTH))
    assert not born.is_merged
    named = clusters(rows.assign(name=["MANTRA: Team 1", "MANTRA: Team 2", "", "Someone", "", ""]))
    assert [each.addresses for each in named] == [("w0", "w1")]


def test_reasons_for_one_group_combine_as_independent_evidence():
    seen = ["2024-01-01 00:00"] * 3 + [""]
    (found,) = clusters(wallets(123.456, 123.456, 123.456, 7.0, first_seen=seen))
    assert found.confidence == pytest.approx(1.0 - (1.0 - EQUAL) * (1.0 - BIRTH))
    assert len(found.reasons) == 2


def test_sure_groups_that_share_an_address_are_joined():
    rows = wallets(123.456, 123.456, 123.456, 60, 7, funded_by=["0xf", "", "", "0xf", ""])
    (found,) = clusters(rows)
    assert set(found.addresses) == {"w0", "w1", "w2", "w3"}
    assert found.confidence == pytest.approx(min(EQUAL, FUNDER))


def test_an_entity_of_the_users_overrules_a_cluster():
    rows = wallets(123.456, 123.456, 123.456, 7.0)
    entities = {f"w{i}": f"owner {i}" for i in range(3)}
    assert clusters(rows, entities=entities) == ()
    assert concentration(rows, entities=entities).largest.name == "owner 0"


def test_exchanges_neither_hold_pieces_nor_prove_a_funder():
    rows = wallets(500, 100, 80, 60, funded_by=["", "w0", "w0", ""])
    assert len(clusters(rows)) == 1
    assert clusters(rows, labels={"w0": "exchange"}) == ()
    assert clusters(wallets(123.456, 123.456, 123.456), labels=dict.fromkeys(["w0", "w1", "w2"], "exchange")) == ()


def test_the_largest_hand_is_a_cluster_and_the_index_is_that_of_the_list():
    rows = wallets(20.5, 20.5, 20.5, 30.0, 8.5)
    measured = concentration(rows)
    assert measured.largest.balance == pytest.approx(61.5)
    assert measured.hhi.value == pytest.approx(3 * 0.205**2 + 0.3**2 + 0.085**2)
    assert HolderFindingKind.ONE_HAND in {each.kind for each in measured.findings}
    assert list(measured.to_frame("clusters")["confidence"]) == [pytest.approx(EQUAL)]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=25))
def test_sure_clusters_share_no_address_and_hold_what_their_addresses_hold(balances):
    rows = wallets(*balances)
    found = [each for each in clusters(rows) if each.confidence >= MERGED_FROM]
    members = [address for each in found for address in each.addresses]
    assert len(members) == len(set(members))
    held = rows.set_index("address")["balance"]
    for each in found:
        assert each.balance == pytest.approx(held[list(each.addresses)].sum())


# --- evidence of independence -----------------------------------------------------------------------------------------

OLD, NEW = "2023-01-01", "2025-03-01"


@pytest.mark.parametrize(
    ("columns", "independent"),
    [
        ({"first_seen": [OLD, OLD, ""], "funded_by": ["0xa", "0xb", ""]}, {"w0", "w1"}),
        ({"first_seen": [OLD, NEW, ""], "funded_by": ["0xa", "0xb", ""]}, {"w0"}),
        ({"first_seen": [OLD, OLD, ""], "funded_by": ["0xa", "0xa", ""]}, set()),
        ({"first_seen": [OLD, OLD, ""], "funded_by": ["w2", "0xb", ""]}, {"w1"}),
        ({"first_seen": [OLD, OLD, ""]}, set()),
    ],
)
def test_independence_needs_age_and_a_funder_of_its_own(columns, independent):
    rows = wallets(30, 20, 50, **columns)
    frame = read_holders(rows, {"w2": "exchange"}, as_of=AS_OF).frame
    assert set(frame.loc[frame["category"] == Category.INDEPENDENT, "address"]) == independent
    timeless = read_holders(rows, {"w2": "exchange"})
    assert not (timeless.frame["category"] == Category.INDEPENDENT).any()
    assert HolderFindingKind.TIMELESS in {each.kind for each in timeless.findings}


def test_names_of_known_exchanges_label_their_wallets():
    rows = wallets(30, 20, 50, name=["Binance 8", "OKX Cold Wallet", "Bob"])
    frame = read_holders(rows, {"w1": "holder"}).frame.set_index("address")
    assert frame["category"].to_dict() == {"w0": Category.EXCHANGE, "w1": Category.HOLDER, "w2": Category.HOLDER}


def test_a_time_that_is_none_is_refused_with_its_row():
    with pytest.raises(DataError, match=r"first_seen at row 1 \(w1\) must be a date such as 2025-04-13, got 'soon'"):
        read_holders(wallets(1, 2, first_seen=["2024-01-01", "soon"]), None)
