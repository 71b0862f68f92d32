import re

import pandas as pd
import pytest

import crashcover
from calibration import concentration
from crashcover.files.holder_formats import HOLDER_FORMATS
from crashcover.files.holders import TokenSupply, read_holders, read_supplies
from pricing.errors import DataError
from tests.checkout import CHECKOUT
from tests.crashcover.files.holder_damage import GALLERY, outcome_of, verdict_on

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
        ("who,balance\na,1\n", ", row 1: must have a column address, got who, balance"),
        ("address,worth\na,1\n", ", row 1: must have a column balance, got address, worth"),
        ("address,balance\na,1\n,2\n", ", row 3: address must not be empty"),
        ("address,balance\na,1\nb,\n", ", row 3: balance must not be empty"),
        ("address,balance\na,1\nb,-2\n", ", row 3: balance must not be negative"),
        ("address,balance\na,1\nb,much\n", ", row 3: balance must be a number, got 'much'"),
        ("address,balance\na,1\nb,inf\n", ", row 3: balance must be a number, got 'inf'"),
        ("address,balance\na,1\nb,1e999\n", ", row 3: balance must be finite, got '1e999'"),
        ("address,balance\na,1\nb,2\na,1\n", ", row 4: must not repeat row 2, got 'a' again"),
        ("address,balance\na,2\nTotal,2\n", ", row 3: address must be a holder, got 'Total' (a sum: remove the row)"),
        (
            "address,balance\na,4\nb,2\nc,1\nd,7\n",
            ", row 5: address must be a holder, got 'd', the sum of all rows above (a total: remove the row)",
        ),
        ("address,Percentage\na,50%\nb,40\n", ", row 3: Percentage must have a % in all rows or in none"),
        (
            "address,Percentage\na,50%\nb,60%\n",
            ": Percentage must add to at most 100 %, got 110 (a sum among the rows?)",
        ),
        ("address,Percentage\na,0.5\nb,0.1\n", ": Percentage adds to 0.6: write 12.5% for per cent, or name it share"),
        ("address,balance,Balance\na,1,2\n", ", row 1: columns must have different names, got 'balance' and 'Balance'"),
    ],
)
def test_a_bad_row_is_named(tmp_path, text, message):
    assert slip(tmp_path, text).startswith(message)


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
    known = {name: supply for name, supply in supplies.items() if isinstance(supply, TokenSupply)}
    assert known == {"OM": TokenSupply(1e9), "888": TokenSupply(5.0)}
    slips = {
        name: str(slip).removeprefix(f"{path}, ") for name, slip in supplies.items() if isinstance(slip, DataError)
    }
    assert slips == {
        "BTC": "row 3: Supply must be positive (leave the row out if it is not known)",
        "ETH": "row 4: Supply must be positive (leave the row out if it is not known)",
        "SOL": "row 5: Supply must be a number, got 'a lot'",
        "XRP": "row 8: Supply must agree with the previous row of the same asset",
    }


def test_circulating_supplies_are_read_and_cannot_exceed_the_supply(tmp_path):
    text = "asset,total_supply,circulating_supply,daily_volume\nOM,1e9,1e8,5\nBTC,21,,\nETH,1,2,\nSOL,5,none,\n"
    supplies = read_supplies(write(tmp_path, text))
    assert supplies["OM"] == TokenSupply(1e9, 1e8, daily_volume=5.0)
    assert supplies["BTC"] == TokenSupply(21.0)
    assert "row 4: circulating_supply must not exceed the supply of 1, got 2 (columns swapped?)" in str(supplies["ETH"])
    assert "row 5: circulating_supply must be a number, got 'none'" in str(supplies["SOL"])


def test_what_a_file_says_about_addresses_is_read(tmp_path):
    path = write(
        tmp_path,
        "Address,Balance,Name Tag,First Seen,Funded By,Locked Until\n"
        "0xa,6,Team 1,2024-01-02,0xf,2027-01-01\n0xb,4,,,,\n",
    )
    read = read_holders(path)
    assert read.iloc[0].tolist() == ["0xa", 6.0, "Team 1", "2024-01-02", "0xf", "2027-01-01"]
    assert list(read.columns) == ["address", "balance", "name", "first_seen", "funded_by", "locked_until"]


@pytest.mark.parametrize(
    ("text", "slip"), [("asset,tokens\nA,1\n", "column supply"), ("coin,supply\nA,1\n", "column asset")]
)
def test_supplies_need_two_columns(tmp_path, text, slip):
    with pytest.raises(DataError, match=f"row 1: must have a {slip}, got "):
        read_supplies(write(tmp_path, text))


# --- the gallery ------------------------------------------------------------------------------------------------------

CLEAN = GALLERY[[path.name for path in GALLERY].index("plain.csv")]
TOKEN = "MADE"


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.name)
def test_every_form_gives_the_holders_of_the_clean_list(path):
    clean, holders = read_holders(CLEAN), crashcover.read_holders(path, asset=TOKEN)
    if "share" in holders:
        holders = holders.assign(balance=holders["share"] * 1e6)
    assert holders["balance"].tolist() == pytest.approx(clean["balance"].tolist(), rel=1e-12)
    if not path.name.startswith("sol"):  # other addresses than those of Ethereum
        assert holders["address"].tolist() == clean["address"].tolist()
    assert holders["address"].is_unique


def test_every_known_form_is_in_the_gallery():
    told = {notice for path in GALLERY for notice in read_holders(path, asset=TOKEN).attrs["notices"]}
    missing = {form.name for form in HOLDER_FORMATS if not any(form.name in notice for notice in told)}
    assert missing == {"Covalent or GoldRush"}  # its columns have our names, so there is nothing to tell


def test_the_page_shows_every_file_of_the_gallery():
    page = (CHECKOUT / "docs/holder-formats.md").read_text(encoding="utf-8")
    assert set(re.findall(r"holder_lists/([\w.-]+)\)", page)) == {path.name for path in GALLERY}


@pytest.mark.parametrize("name", ["list.csv.gz", "list.csv.xz", "list.csv.zip", "list.xlsx", "list.parquet"])
def test_packed_files_and_workbooks_give_the_same_list(tmp_path, name):
    table = pd.read_csv(CLEAN)
    path = tmp_path / name
    if name.endswith(".xlsx"):
        table.to_excel(path, index=False)
    elif name.endswith(".parquet"):
        table.to_parquet(path)
    else:
        table.to_csv(
            path, index=False, compression={"method": "zip", "archive_name": "list.csv"} if "zip" in name else "infer"
        )
    pd.testing.assert_frame_equal(read_holders(path), read_holders(CLEAN))


def test_columns_can_be_named(tmp_path):
    path = write(tmp_path, "who,how much,Balance\n0xa,5,1\n0xb,4,1\n")
    holders = read_holders(path, columns={"address": "who", "balance": "how much"})
    assert holders["balance"].tolist() == [5.0, 4.0]
    with pytest.raises(DataError, match="must have a column 'what' for address, got who, how much, Balance"):
        read_holders(path, columns={"address": "what"})
    with pytest.raises(DataError, match="columns must be among address, .* got 'wallet'"):
        read_holders(path, columns={"wallet": "who"})


def test_entities_of_a_file_are_one_holder(tmp_path):
    path = write(tmp_path, "Address,Balance,Owner\n0xa,30,Fund\n0xb,20,Fund\n0xc,10,\n")
    assert concentration(read_holders(path), supply=100.0).top1.lower == pytest.approx(0.5)


def test_columns_that_look_like_ours_are_named(tmp_path):
    holders = read_holders(write(tmp_path, "address,balance,Tag\n0xa,30,Binance 14\n"))
    assert holders.attrs["notices"] == (
        "not used: Tag (to use it, rename it label for categories, or entity for names of owners)",
    )


def test_a_page_of_several_says_so(tmp_path):
    path = tmp_path / "page.json"
    path.write_text('{"data": {"items": [{"address": "0xa", "balance": "5"}], "pagination": {"has_more": true}}}')
    assert read_holders(path).attrs["notices"] == ("the file says that further pages follow; only this page is read",)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,234,567", "345"], [1234567.0, 345.0]),
        (["1,234.5", "12,000"], [1234.5, 12000.0]),
        (["1.234.567", "345"], [1234567.0, 345.0]),
        (["1.234,5", "12.000"], [1234.5, 12000.0]),
        (["0,5", "12"], [0.5, 12.0]),
        (["1'234.5", "1 234", "1\u00a0234\u202f567"], [1234.5, 1234.0, 1234567.0]),
        (["1.234", "5.678"], [1.234, 5.678]),
        (["1.8E+7", "5E-18", ".5", "7."], [1.8e7, 5e-18, 0.5, 7.0]),
        (["79345884915891744003850240"], [7.9345884915891744e25]),
    ],
)
def test_amounts_are_read_if_the_column_leaves_no_doubt(tmp_path, cells, values):
    lines = "".join(f"0x{at:x}|{cell}\n" for at, cell in enumerate(cells))
    assert read_holders(write(tmp_path, f"address|balance\n{lines}"))["balance"].tolist() == values


@pytest.mark.parametrize(
    ("cells", "row"),
    [
        (["1,234", "5,678"], 2),  # thousands, or three decimals
        (["1234", "5,678"], 3),
        (["12345.67", "1,234"], 3),
        (["0,5", "1.234"], 3),
        (["1,234,567", "1.234,5"], 3),
        (["1,23,456", "1"], 2),
        (["1.234.567", "1.2"], 2),
    ],
)
def test_an_amount_in_doubt_is_refused_with_its_row(tmp_path, cells, row):
    lines = "".join(f"0x{at:x}|{cell}\n" for at, cell in enumerate(cells))
    assert slip(tmp_path, f"address|balance\n{lines}").startswith(f", row {row}: balance ")


def test_damaged_lists_never_change_the_concentration_in_silence(tmp_path):
    clean = {path: outcome_of(path) for path in GALLERY}
    outcomes = [verdict_on(number, tmp_path, clean)[1] for number in range(150)]
    assert set(outcomes) == {"right", "error", "told"}
