import pandas as pd
import pytest

from crashcover.files.holders import read_holders, read_supplies
from pricing.errors import DataError

LISTS = "list,address,balance,label\nOM,0xa,5,exchange\nBTC,x1,7,\nOM,0xb,3,\n"


def write(folder, text):
    path = folder / "holders.csv"
    path.write_text(text)
    return path


def slip(folder, text, **options):
    path = write(folder, text)
    with pytest.raises(DataError) as caught:
        read_holders(path, **options)
    return str(caught.value).removeprefix(str(path))


def test_a_plain_list_is_read_as_it_stands(tmp_path):
    holders = read_holders(write(tmp_path, "Address,Balance\n0xa,5\n0xb,3.5\n"), asset="whatever")
    pd.testing.assert_frame_equal(
        holders, pd.DataFrame({"address": ["0xa", "0xb"], "balance": [5.0, 3.5]}), check_dtype=False
    )


def test_a_list_of_lists_is_filtered(tmp_path):
    holders = read_holders(write(tmp_path, LISTS), asset="OM")
    assert holders["address"].to_list() == ["0xa", "0xb"]
    assert holders["balance"].to_list() == [5.0, 3.0]
    assert holders["label"].iloc[0] == "exchange"
    assert pd.isna(holders["label"].iloc[1])


def test_a_token_may_have_a_name_of_digits(tmp_path):
    assert read_holders(write(tmp_path, LISTS.replace("OM", "888").replace("BTC", "42")), asset="888").shape == (2, 3)


def test_addresses_of_digits_stay_texts(tmp_path):
    assert read_holders(write(tmp_path, "address,balance\n12,5\n"))["address"].to_list() == ["12"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("owner,balance\na,1\n", ", row 1: must have a column address, got owner, balance"),
        ("address,amount\na,1\n", ", row 1: must have a column balance, got address, amount"),
        ("address,balance\na,1\n,2\n", ", row 3: address must not be empty"),
        ("address,balance\na,1\nb,\n", ", row 3: balance must not be empty"),
        ("address,balance\na,1\nb,-2\n", ", row 3: balance must not be negative"),
        ("address,balance\na,1\nb,much\n", ", row 3: balance must be a number, got 'much'"),
    ],
)
def test_a_bad_row_is_named(tmp_path, text, message):
    assert slip(tmp_path, text) == message


def test_the_holders_of_another_list_are_not_taken(tmp_path):
    assert slip(tmp_path, LISTS, asset="OMG") == ": asset 'OMG' is not in this file (did you mean OM?)"
    assert slip(tmp_path, LISTS) == ": holds 2 tokens (OM, BTC): choose one with --asset"


def test_the_published_list_of_aave_is_whole(market_data):
    path = market_data / "holders" / "top_holders_2026q1_zukowski.csv.gz"
    holders = read_holders(path, asset="AAVE")
    everything = pd.read_csv(path)
    assert len(holders) == (everything["list"] == "AAVE").sum()
    assert holders["balance"].sum() == everything.loc[everything["list"] == "AAVE", "balance"].sum()


def test_supplies_are_read_and_each_slip_is_that_of_its_asset(tmp_path):
    path = write(tmp_path, "Asset,Supply\nOM,1e9\nBTC,-1\nETH,\nSOL,a lot\n888,5\nXRP,7\nXRP,8\nOM,1e9\n")
    supplies = read_supplies(path)
    assert {name: supply for name, supply in supplies.items() if isinstance(supply, float)} == {"OM": 1e9, "888": 5.0}
    slips = {
        name: str(slip).removeprefix(f"{path}, ") for name, slip in supplies.items() if isinstance(slip, DataError)
    }
    assert slips == {
        "BTC": "row 3: Supply must be positive (leave the row out if it is not known)",
        "ETH": "row 4: Supply must be positive (leave the row out if it is not known)",
        "SOL": "row 5: Supply must be a number, got 'a lot'",
        "XRP": "row 8: Supply must agree with the previous row of the same asset",
    }


@pytest.mark.parametrize(
    ("text", "slip"), [("asset,tokens\nA,1\n", "column supply"), ("coin,supply\nA,1\n", "column asset")]
)
def test_supplies_need_two_columns(tmp_path, text, slip):
    with pytest.raises(DataError, match=f"row 1: must have a {slip}, got "):
        read_supplies(write(tmp_path, text))
