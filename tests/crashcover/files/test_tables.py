"""Cells are what is written in them."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crashcover.files.holders import TokenSupply, read_holders, read_supplies
from crashcover.files.panels import read_columns
from crashcover.files.prices import read_prices
from crashcover.files.tables import numbers, read_table
from pricing.errors import DataError

#: Names of tokens that a reader who guesses types would change or lose.
NAMES = ["NA", "NULL", "None", "nan", "NaN", "N/A", "TRUE", "false", "INF", "-inf", "00", "1e5", "0x10", "007", "1_000"]
HOURS = ["2025-01-01T01:00Z", "2025-01-01T02:00Z", "2025-01-01T03:00Z"]


def write(folder, lines, name="table.csv"):
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_every_name_lives_in_a_panel_a_long_file_a_list_and_supplies(tmp_path, name):
    panel = write(tmp_path, [f"time,OM,{name}", *(f"{hour},1,2" for hour in HOURS)], "panel.csv")
    assert read_prices(panel, asset=name).closes.to_list() == [2.0, 2.0, 2.0]
    assert list(dict(read_columns(panel))) == ["OM", name]
    long = write(tmp_path, ["time,symbol,close", *(f"{hour},{name},3" for hour in HOURS)], "long.csv")
    assert read_prices(long).asset == name
    holders = write(tmp_path, ["list,address,balance", f"{name},0xa,5", "OM,0xb,7"], "holders.csv")
    assert read_holders(holders, asset=name)["address"].to_list() == ["0xa"]
    assert read_supplies(write(tmp_path, ["asset,supply", f"{name},8"], "supplies.csv")) == {name: TokenSupply(8.0)}


@given(cells=st.lists(st.text("NATRUEnul01ex.-_ ", max_size=5).map(str.strip), min_size=1, max_size=5))
def test_only_an_empty_cell_is_empty(tmp_path_factory, cells):
    path = write(tmp_path_factory.mktemp("cells"), ["name,row", *(f"{cell},x" for cell in cells)])
    read = read_table(path)["name"]
    assert [None if pd.isna(cell) else cell for cell in read] == [cell or None for cell in cells]


@pytest.mark.parametrize("twice", ["close", "TOK", "1"])
@pytest.mark.parametrize("read", [read_prices, read_table, read_holders, read_supplies])
def test_a_repeated_name_is_refused_by_all_readers(tmp_path, twice, read):
    path = write(tmp_path, [f"time,{twice},{twice}", f"{HOURS[0]},1,2"])
    with pytest.raises(DataError, match=f"row 1: must have different column names, got '{twice}' twice"):
        read(path)


def test_a_header_may_really_say_what_a_reader_would_make_of_a_repetition(tmp_path):
    path = write(tmp_path, ["time,TOK,TOK.1", f"{HOURS[0]},1,2"])
    assert read_prices(path, asset="TOK.1").closes.to_list() == [2.0]


def test_names_that_differ_in_capitals_only_are_not_chosen_between(tmp_path):
    path = write(tmp_path, ["time,close,Close", f"{HOURS[0]},1,2"])
    with pytest.raises(DataError, match="row 1: must have one column close, got close and Close"):
        read_prices(path)


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_the_float_nearest_to_its_text(tmp_path_factory, value):
    path = write(tmp_path_factory.mktemp("numbers"), ["name,value", f"x,{value!r}", f"y,  {value!r}"])
    assert numbers(read_table(path), "value", path).to_list() == [value, value]


@pytest.mark.parametrize("cell", ["nan", "inf", "NA", "TRUE", "0x10", "1_000", "1 000", "1e", "--1", "١"])
def test_a_text_is_no_number(tmp_path, cell):
    path = write(tmp_path, ["name,value", "x,1", f"y,{cell}"])
    with pytest.raises(DataError, match="row 3: value must be a number"):
        numbers(read_table(path), "value", path)


def test_a_row_without_a_token_is_refused(tmp_path):
    path = write(tmp_path, ["time,symbol,close", f"{HOURS[0]},OM,1", f"{HOURS[1]},,2"])
    with pytest.raises(DataError, match="row 3: symbol must name the token of the row, got an empty cell"):
        read_prices(path)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,5", "2,25"], [1.5, 2.25]),
        (["1.234,5", "2,25"], [1234.5, 2.25]),
        (["0,125", "0,250"], [0.125, 0.25]),
        (["1.5", "2.25"], [1.5, 2.25]),
    ],
)
def test_decimal_commas_are_read_if_a_semicolon_separates_fields(tmp_path, cells, values):
    path = write(tmp_path, ["name;value", *(f"x;{cell}" for cell in cells)])
    assert numbers(read_table(path), "value", path).to_list() == values


@pytest.mark.parametrize("cells", [["1,250", "2,125"], ["1,5", "2.5"], ["1,5", "1.250"]])
def test_a_comma_that_may_be_either_is_refused(tmp_path, cells):
    path = write(tmp_path, ["name;value", *(f"x;{cell}" for cell in cells)])
    with pytest.raises(DataError, match="must be a number, got '1,"):
        numbers(read_table(path), "value", path)


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_a_text_of_damaged_bytes_is_refused_when_the_file_is_opened(tmp_path, kind):
    path = tmp_path / f"OM.{kind}"
    table = pd.DataFrame({"time": HOURS, "close": [1.0, 2.0, 3.0]})
    table.to_parquet(path, compression=None) if kind == "parquet" else table.to_feather(
        path, compression="uncompressed"
    )
    path.write_bytes(path.read_bytes().replace(b"2025-01-01T02:00Z", b"2025-\xff1-01T02:00Z"))
    with pytest.raises(DataError, match=r"OM\.\w+: cannot be read: .*(?i:utf8)"):
        read_prices(path)
