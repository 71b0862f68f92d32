import pandas as pd
import pytest

from crashcover.files.splits import read_split_file, read_splits_by_asset
from pricing.errors import DataError

FILE = "asset,time,ratio\nOM,2026-03-02T08:00Z,1:4\nDOT,2020-08-21T12:00Z,100\nOM,2027-01-01T00:00Z,1000:1\n"


def written(tmp_path, text):
    path = tmp_path / "splits.csv"
    path.write_text(text)
    return path


def test_splits_of_each_token_are_read(tmp_path):
    found = read_splits_by_asset(written(tmp_path, FILE))
    om = {pd.Timestamp("2026-03-02T08:00Z"): 4.0, pd.Timestamp("2027-01-01T00:00Z"): 0.001}
    assert found == {"OM": om, "DOT": {pd.Timestamp("2020-08-21T12:00Z"): 100.0}}
    assert read_split_file(written(tmp_path, FILE), asset="OM") == om
    assert read_split_file(written(tmp_path, FILE), asset="BTC") == {}


def test_a_file_of_one_token_needs_no_names(tmp_path):
    path = written(tmp_path, "time,ratio\n2026-03-02T08:00Z,4\n")
    assert read_split_file(path, asset="OM") == {pd.Timestamp("2026-03-02T08:00Z"): 4.0}
    with pytest.raises(DataError, match=r"splits\.csv, row 1: must have a column asset, .* got time, ratio"):
        read_splits_by_asset(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,units\n2026-03-02T08:00Z,4\n", "row 1: must have a column ratio, got time, units"),
        ("when,ratio\n2026-03-02T08:00Z,4\n", "row 1: must have a column time, got when, ratio"),
        ("time,ratio\n2026-03-02T08:00Z,4\n2026-03-03T08:00Z,0\n", "row 3: ratio of a split must be .* got '0'"),
        ("time,ratio\n2026-03-02T08:00,4\n", "row 2: time of a split must have a time zone"),
        ("time,ratio\n2026-03-02T08:00Z,4\n2026-03-02T08:00Z,5\n", "row 3: ratio 5 contradicts 4 of the same time"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, text, message):
    with pytest.raises(DataError, match=rf"splits\.csv, {message}"):
        read_split_file(written(tmp_path, text), asset="OM")
