"""A panel is the same in one column per token, in rows that name their token, and in one file per token."""

import numpy as np
import pandas as pd
import pytest

from crashcover.files.panels import read_columns, read_panel
from crashcover.files.reading import PriceReading
from pricing.errors import DataError

HOURS = pd.date_range("2025-01-01T01:00Z", periods=12, freq="1h", name="time")
#: BBB is listed four hours later, and falls by half for one hour.
WIDE = pd.DataFrame({"AAA": 1.0 + np.arange(12) / 8, "BBB": [np.nan] * 4 + [8, 8, 4, 8, 8, 8, 8, 8]}, index=HOURS)
ROWS = WIDE.melt(var_name="symbol", value_name="close", ignore_index=False).dropna().sort_index(kind="stable")


def write(table, path):
    table.to_csv(path)
    return path


@pytest.fixture
def wide(tmp_path):
    return write(WIDE, tmp_path / "wide.csv")


@pytest.fixture
def long(tmp_path):
    return write(ROWS, tmp_path / "long.csv")


@pytest.fixture
def folder(tmp_path):
    """One file per token, whose prices begin when it is listed."""
    path = tmp_path / "prices"
    path.mkdir()
    for name in WIDE:
        write(WIDE[name].dropna().rename("close"), path / f"{name}.csv")
    return path


def test_all_forms_give_the_same_panel(wide, long, folder):
    for path in (wide, long, folder):
        closes = read_panel(path, leave_out=()).closes
        pd.testing.assert_frame_equal(closes, WIDE, check_freq=False, check_index_type=False, check_names=False)
        read = dict(read_columns(path))
        assert [closes.to_list() for closes in read.values()] == [WIDE[name].dropna().to_list() for name in WIDE]


def test_bars_that_name_their_token_are_judged_by_their_opens(tmp_path, capsys):
    """As for a file of one token: the open of a bar is the close of the bar before, so times label the open."""
    opens = ROWS.assign(open=ROWS.groupby("symbol")["close"].shift().fillna(ROWS["close"]))
    opens = opens.assign(high=opens[["open", "close"]].max(axis=1), low=opens[["open", "close"]].min(axis=1))
    path = write(opens.set_axis(opens.index - pd.Timedelta("1h")), tmp_path / "bars.csv")
    closes = read_panel(path, leave_out=()).closes
    pd.testing.assert_frame_equal(closes, WIDE, check_freq=False, check_index_type=False, check_names=False)
    assert "AAA, BBB: column time is read as the open of the bar" in capsys.readouterr().err


def test_columns_of_both_forms_can_be_told(tmp_path):
    wide = write(WIDE.rename_axis("Zeit"), tmp_path / "wide.csv")
    long = write(ROWS.rename_axis("Zeit").set_axis(["Paar", "Kurs"], axis=1), tmp_path / "long.csv")
    told = {"time": "Zeit"}, {"time": "Zeit", "close": "Kurs", "asset": "Paar"}
    for path, columns in zip((wide, long), told, strict=True):
        with pytest.raises(DataError, match=r"must have a time column .*name it: --columns"):
            read_panel(path, leave_out=())
        closes = read_panel(path, PriceReading(columns=columns), leave_out=()).closes
        pd.testing.assert_frame_equal(closes, WIDE, check_freq=False, check_index_type=False, check_names=False)


def test_a_format_can_be_told_and_must_fit(wide):
    with pytest.raises(DataError, match=r"row 1: must have the columns of okx \(instrument_name, .*got time, AAA, BBB"):
        read_panel(wide, PriceReading(format="okx"), leave_out=())


def test_longer_bars_are_made_of_every_token_and_the_deepest_fall_is_told(wide, long, capsys):
    every_fourth = WIDE[WIDE.index.hour % 4 == 0]
    for path in (wide, long):
        panel = read_panel(path, PriceReading(resample="4h"), leave_out=())
        pd.testing.assert_frame_equal(
            panel.closes, every_fourth, check_freq=False, check_index_type=False, check_names=False
        )
        assert dict(read_columns(path, PriceReading(resample="4h")))["BBB"].to_list() == [8.0, 8.0]
        said = capsys.readouterr().err
        assert said.count("BBB, most of 2 tokens: bars of 1h are made into bars of 4h; the deepest fall inside") == 2
        assert "inside one is 50.0%" in said


def test_rows_that_repeat_others_are_left_out_and_told(tmp_path, capsys):
    twice = pd.concat([ROWS, ROWS[ROWS["symbol"] == "BBB"].iloc[:2]])
    path = write(twice, tmp_path / "twice.csv")
    once = write(ROWS, tmp_path / "once.csv")
    pd.testing.assert_frame_equal(*(read_panel(each, leave_out=()).closes for each in (path, once)))
    assert "BBB: 2 rows that repeat the time and the close of another are left out" in capsys.readouterr().err


def test_an_error_of_one_token_leaves_the_others(tmp_path):
    wrong = write(ROWS.assign(close=ROWS["close"].where(ROWS["symbol"] == "AAA", -1.0)), tmp_path / "long.csv")
    read = dict(read_columns(wrong))
    assert read["AAA"].to_list() == WIDE["AAA"].to_list()
    assert "close must be positive, got -1" in str(read["BBB"])
    with pytest.raises(DataError, match="close must be positive, got -1"):
        read_panel(wrong, leave_out=())


def test_a_row_that_names_no_token_is_refused(tmp_path):
    path = write(ROWS.assign(symbol=ROWS["symbol"].where(np.arange(len(ROWS)) != 3)), tmp_path / "long.csv")
    with pytest.raises(DataError, match="row 5: symbol must name the token of the row, got an empty cell"):
        read_panel(path, leave_out=())


def test_an_error_in_a_folder_names_the_file(folder):
    (folder / "BBB.csv").write_text("time,close\n2025-01-01T01:00Z,-1\n")
    with pytest.raises(DataError, match=r"BBB.csv, row 2: close must be positive, got -1"):
        read_panel(folder, leave_out=())
    assert list(dict(read_columns(folder))) == ["AAA", "BBB"]


def test_a_folder_without_prices_is_refused(tmp_path):
    with pytest.raises(DataError, match="must hold prices of at least one token, got none"):
        read_panel(tmp_path, leave_out=())
