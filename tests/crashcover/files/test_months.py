"""A folder of files that follow each other is one history, or one line of refusal."""

import zipfile

import pandas as pd
import pytest

from crashcover import read_prices
from pricing.errors import DataError
from tests.crashcover.files.test_gallery import GALLERY, assert_clean, clean

LINES = (GALLERY / "hourly-binance-klines.csv").read_text(encoding="utf-8").splitlines(keepends=True)


def month(folder, name, lines):
    """Write one month as it is downloaded."""
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
        archive.writestr(f"{name}.csv", "".join(lines))


@pytest.fixture
def folder(tmp_path):
    """Three months, whose second begins with the last rows of the first, as the folder of a pair."""
    path = tmp_path / "OMUSDT"
    path.mkdir()
    month(path, "OMUSDT-1h-2025-01", LINES[7:])
    month(path, "OMUSDT-1h-2024-11", LINES[:4])
    month(path, "OMUSDT-1h-2024-12", LINES[2:7])
    return path


def test_months_are_joined_in_order_and_equal_rows_count_once(folder):
    (folder / "OMUSDT-1h-2025-01.zip.CHECKSUM").write_text("5f\n")
    history = read_prices(folder, asset="OM")
    assert_clean(history)
    assert history.asset == "OM"
    assert history.notices == (
        "3 files are joined, OMUSDT-1h-2024-11.zip to OMUSDT-1h-2025-01.zip",
        "not read, because of the endings of the names: OMUSDT-1h-2025-01.zip.CHECKSUM",
        "read as Binance klines: close at time",
        "column time labels the open of bars of 1h: closes moved to the bar's end",
        "2 rows are in two files, with equal closes, and count once",
    )
    assert read_prices(folder).asset == "OMUSDT"


def test_rows_that_contradict_each_other_are_refused_in_one_line(folder):
    fields = LINES[3].split(",")
    month(folder, "OMUSDT-1h-2024-12", [LINES[2], ",".join([*fields[:4], "3.7", *fields[5:]]), *LINES[4:7]])
    with pytest.raises(DataError) as caught:
        read_prices(folder)
    time, close = clean().index[3], clean().iloc[3]
    assert str(caught.value) == (
        f"{folder / 'OMUSDT-1h-2024-12.zip'}: close 3.7 contradicts {close:g} in OMUSDT-1h-2024-11.zip of the same "
        f"time {time.isoformat()} (two tokens or two venues in one folder?)"
    )


def test_an_error_in_a_month_names_its_file_and_row(folder):
    month(folder, "OMUSDT-1h-2024-12", [LINES[2], LINES[3].replace(LINES[3].split(",")[4], "-1")])
    with pytest.raises(DataError, match=r"OMUSDT-1h-2024-12.zip, row 2: close must be positive, got -1"):
        read_prices(folder)


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        (
            "BTCUSDT-1h-2025-02",
            LINES,
            "must hold files of one token, whose names differ in digits only, got BTCUSDT-1h-",
        ),
        (
            "OMUSDT-2h-2025-02",
            LINES[::2],
            "bars of one length, got 1h in OMUSDT-1h-2024-11.zip and 2h in OMUSDT-2h-2025-02.zip",
        ),
    ],
)
def test_files_that_do_not_belong_together_are_refused(folder, name, lines, message):
    month(folder, name, lines)
    with pytest.raises(DataError, match=message) as caught:
        read_prices(folder)
    assert "\n" not in str(caught.value)


def test_files_that_label_different_ends_or_tokens_are_refused(tmp_path):
    closes = clean()
    closes.iloc[:5].rename_axis("close_time").to_csv(tmp_path / "om-1.csv")
    closes.iloc[5:].rename_axis("open_time").to_csv(tmp_path / "om-2.csv")
    with pytest.raises(
        DataError, match=r"all files must label the same end of bars .* close in om-1.csv and open in om-2"
    ):
        read_prices(tmp_path)
    assert len(read_prices(tmp_path, label="close").closes) == len(closes)
    for number, name in ((1, "OM"), (2, "BTC")):
        closes.to_frame().assign(symbol=name).to_csv(tmp_path / f"om-{number}.csv")
    with pytest.raises(DataError, match=r"all files must name the same token, got OM in om-1.csv and BTC in om-2.csv"):
        read_prices(tmp_path)


def test_a_file_of_the_name_of_the_token_is_the_only_one_that_is_read(tmp_path):
    for name, factor in (("OM", 1.0), ("BTC", 2.0)):
        (clean() * factor).to_csv(tmp_path / f"{name}.csv")
    assert_clean(read_prices(tmp_path, asset="OM"))
    with pytest.raises(DataError, match="got BTC.csv, OM.csv .choose a file by its token with --asset"):
        read_prices(tmp_path)


def test_longer_bars_are_made_of_all_months_together(folder):
    closes = read_prices(folder, resample="2h").closes
    every_second = clean()[clean().index.hour % 2 == 0]
    pd.testing.assert_series_equal(closes, every_second, check_freq=False, check_index_type=False)


def test_a_folder_without_prices_is_refused(tmp_path):
    (tmp_path / "readme.txt").write_text("none\n")
    with pytest.raises(DataError, match="must hold files of prices, got readme.txt"):
        read_prices(tmp_path)
