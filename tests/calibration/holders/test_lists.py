import numpy as np
import pandas as pd
import pytest

from calibration.holders.lists import BURN_ADDRESSES, Category, HolderFindingKind, read_holders
from pricing.errors import DataError


def frame(*rows, columns=("address", "balance")):
    return pd.DataFrame(list(rows), columns=list(columns))


def read(*args, **known):
    """Return the rows and the findings of a checked list."""
    checked = read_holders(*args, **known)
    return checked.frame, checked.findings


def categories(table):
    return dict(zip(table["address"], table["category"], strict=True))


def test_rows_are_ordered_by_balance():
    table, findings = read(frame(("a", 1.0), ("b", 3.0), ("c", 2.0)), None)
    assert table["address"].tolist() == ["b", "c", "a"]
    assert findings == ()


def test_one_hexadecimal_address_in_two_cases_is_one_holder():
    table, findings = read(frame(("0xAbC1", 1.0), ("0xabc1", 2.0), (" 0xABC1 ", 4.0)), None)
    assert table[["address", "balance"]].to_numpy().tolist() == [["0xabc1", 7.0]]
    assert [finding.kind for finding in findings] == [HolderFindingKind.DUPLICATE_ADDRESS]
    assert findings[0].message.startswith("2 rows")


def test_base58_addresses_tell_case_apart():
    table, findings = read(frame(("AbC", 1.0), ("abc", 2.0)), None)
    assert len(table) == 2
    assert findings == ()


def test_zero_balances_are_left_out_and_reported():
    table, findings = read(frame(("a", 1.0), ("b", 0.0)), None)
    assert table["address"].tolist() == ["a"]
    assert [finding.kind for finding in findings] == [HolderFindingKind.ZERO_BALANCE]


@pytest.mark.parametrize(
    "address",
    [
        "0x0000000000000000000000000000000000000000",
        "0x000000000000000000000000000000000000dEaD",
        "0XDEAD000000000000000042069420694206942069",
        "1nc1nerator11111111111111111111111111111111",
    ],
)
def test_burn_addresses_are_known(address):
    rows = frame((address, 1.0), ("a", 2.0))
    table, findings = read(rows, None)
    assert set(categories(table).values()) == {Category.HOLDER}
    assert [finding.kind for finding in findings] == [HolderFindingKind.BURN_LISTED]
    assert findings[0].message.startswith("33.33% of the listed balances")
    table, findings = read(rows, None, BURN_ADDRESSES)
    assert (set(categories(table).values()), findings) == ({Category.BURN, Category.HOLDER}, ())


def test_labels_overrule_the_column_and_the_column_the_table():
    burn = "0x000000000000000000000000000000000000dead"
    rows = frame(
        ("0xA", 3.0, "exchange"), (burn, 2.0, "treasury"), ("c", 1.0, None), columns=("address", "balance", "label")
    )
    table, _ = read(rows, {"0xa": "Locked", "elsewhere": Category.POOL})
    assert categories(table) == {"0xa": Category.LOCKED, burn: Category.TREASURY, "c": Category.HOLDER}
    table, _ = read(rows, pd.Series({"c": "staking"}))
    assert categories(table)["c"] is Category.STAKING


def test_whole_numbers_beyond_64_bits_are_read():
    rows = pd.DataFrame({"address": ["a", "b"], "balance": pd.Series([10**30, 10**29], dtype=object)})
    assert read(rows, None)[0]["balance"].tolist() == [1e30, 1e29]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (frame(("a", 1.0), ("b", -2.0)), r"row 1 \(b\) must be 0 or more, got .*-2\.0"),
        (frame(("a", 1.0), ("b", np.nan)), r"row 1 \(b\) must be finite"),
        (frame(("a", 1.0), ("b", np.inf)), r"row 1 \(b\) must be finite"),
        (frame(("a", "1,000")), r"row 0 \(a\) must be a number, got '1,000'"),
        (frame(("a", 1.0), (None, 2.0)), "address at row 1 must be a text"),
        (frame(("", 1.0)), "address at row 0 must be a text"),
        (frame(("a", 0.0)), "must hold something"),
        (frame(("a", 1.0), columns=("wallet", "balance")), r"columns address and balance, got \['wallet', 'balance'\]"),
        (
            frame(("a", 1.0, "cex"), columns=("address", "balance", "label")),
            "label of a must be one of holder, independent, team, exchange",
        ),
        (
            frame(("0xA", 1.0, "pool"), ("0xa", 1.0, "locked"), columns=("address", "balance", "label")),
            "label of 0xa must be one, got pool and locked",
        ),
    ],
)
def test_wrong_rows_are_refused_by_name(rows, message):
    with pytest.raises(DataError, match=message):
        read(rows, None)


# --- entities ---------------------------------------------------------------------------------------------------------


def test_addresses_of_one_entity_are_one_holder_in_each_category():
    rows = frame(("0xA", 5.0), ("b", 4.0), ("c", 3.0), ("d", 2.0), ("e", 1.0))
    entities = {"0xa": "team", "c": "team", "d": "team", "e": "e"}
    table, findings = read(rows, {"d": "locked"}, entities=entities)
    assert table[["address", "balance"]].to_numpy().tolist() == [["team", 8.0], ["b", 4.0], ["team", 2.0], ["e", 1.0]]
    assert table["category"].tolist() == [Category.HOLDER, Category.HOLDER, Category.LOCKED, Category.HOLDER]
    assert table["unlabelled"].tolist() == [False, True, False, False]
    assert [finding.kind for finding in findings] == [HolderFindingKind.ENTITIES_MERGED]
    assert findings[0].message.startswith("1 addresses")


def test_the_entity_mapping_overrules_the_column():
    rows = frame(("a", 3.0, "x"), ("b", 2.0, "x"), ("c", 1.0, None), columns=("address", "balance", "entity"))
    assert read(rows, None)[0]["balance"].tolist() == [5.0, 1.0]
    assert read(rows, None, entities={"b": "y", "c": "y"})[0]["balance"].tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("rows", "entities", "message"),
    [
        (frame(("a", 1.0)), {"a": " "}, "entity of a must be a name, got ' '"),
        (frame(("a", 1.0)), {"a": 7}, "entity of a must be a name, got 7"),
        (
            frame(("0xA", 1.0, "x"), ("0xa", 1.0, "y"), columns=("address", "balance", "entity")),
            None,
            "entity of 0xa must be one, got x and y",
        ),
    ],
)
def test_entities_are_names_and_one_an_address(rows, entities, message):
    with pytest.raises(DataError, match=message):
        read(rows, None, entities=entities)


# --- columns in other letters -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["entity", "Entity", "ENTITY ", "Owner", "owner"])
def test_a_column_of_entities_is_read_in_any_spelling(column):
    rows = frame(("0xa", 3.0, "fund"), ("0xb", 2.0, "fund"), ("0xc", 1.0, None), columns=("Address", "BALANCE", column))
    table, findings = read(rows, None)
    assert table["balance"].tolist() == [5.0, 1.0]
    assert [finding.kind for finding in findings] == [HolderFindingKind.ENTITIES_MERGED]


@pytest.mark.parametrize("column", ["label", "Label", "Category"])
def test_a_column_of_labels_is_read_in_any_spelling(column):
    table, _ = read(frame(("0xa", 3.0, "exchange"), columns=("address", "balance", column)), None)
    assert categories(table) == {"0xa": Category.EXCHANGE}


@pytest.mark.parametrize("column", ["Tag", "address_label", "ownerName", "Labels", "entities"])
def test_a_column_that_looks_like_ours_is_named(column):
    _, (finding,) = read(frame(("0xa", 3.0, "x"), columns=("address", "balance", column)), None)
    assert (finding.kind, finding.message) == (HolderFindingKind.COLUMNS_UNUSED, column)


def test_other_columns_are_nobodys_business():
    rows = frame((1, "0xa", 3.0, "0.1%", "x"), columns=("Rank", "address", "balance", "ownership", "stage"))
    assert read(rows, None)[1] == ()


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(DataError, match="columns must have different names, got 'entity' and 'Entity'"):
        read(frame(("0xa", 3.0, "x", "y"), columns=("address", "balance", "entity", "Entity")), None)


def test_the_first_address_that_was_added_is_named():
    _, (finding,) = read(frame(("0xa", 3.0), ("0xb", 2.0), ("0xB", 1.0)), None)
    assert finding.message == "1 rows were added to earlier ones, the first is 0xb"
