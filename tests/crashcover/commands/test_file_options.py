"""Wherever a command reads prices or holders, it can be told what their files hold."""

import json

import pandas as pd
import pytest

from crashcover.commands.exits import Exit
from crashcover.files.holders import read_holders
from crashcover.files.prices import read_prices
from tests.crashcover.repricing.books import ROW, book_file, make_book

TOKEN = ROW["asset"]


@pytest.fixture(scope="module")
def files(sample_files, tmp_path_factory):
    """Prices under unusual names, a day of them, and a book."""
    folder = tmp_path_factory.mktemp("unusual")
    closes = read_prices(sample_files[0], asset=TOKEN).closes
    prices = pd.DataFrame({"Zeit": closes.index, "Paar": TOKEN, "Kurs": closes.to_numpy()})
    prices.to_csv(folder / "prices.csv", index=False)
    prices.iloc[:24].to_csv(folder / "day.csv", index=False)
    book_file(make_book(1).assign(asset=TOKEN, currency="USD"), folder, "book.csv")
    return folder


def commands(folder, prices):
    return {
        "rates": ("rates", "--prices", prices, "--out", folder / "rates"),
        "market": ("market", prices, "--out", folder / "market.json"),
        "backtest": ("backtest", prices, "--out", folder / "backtest"),
        "report": (
            *("report", "--book", folder / "book.csv", "--prices", prices, "--capital", 1000),
            *("--out", folder / "report.html"),
        ),
    }


@pytest.mark.parametrize("command", ["rates", "market", "backtest", "report"])
def test_columns_and_formats_of_prices_can_be_told(run, files, command):
    """A day is too short for each command, which is known once the closes are read."""
    arguments = commands(files, files / "day.csv")[command]
    unread = run(*arguments)
    assert unread.exit_code == Exit.BAD_DATA
    assert "must have a time column" in unread.stderr
    read = run(*arguments, "--columns", "time=Zeit,close=Kurs,asset=Paar")
    assert read.exit_code != 0
    assert "must have a time column" not in read.output
    assert "column Zeit is read as the close of the bar" in read.stderr
    other = run(*arguments, "--format", "okx")
    assert other.exit_code == Exit.BAD_DATA
    assert "must have the columns of okx" in other.stderr


@pytest.mark.filterwarnings("default")
def test_rates_are_the_same_from_files_under_unusual_names(run, sample_files, files, tmp_path):
    holders = read_holders(sample_files[1], asset="SYNTH-WHALE")
    plain, other = tmp_path / "plain", tmp_path / "other"
    for folder, names in ((plain, {}), (other, {"address": "Wer", "balance": "Wieviel"})):
        folder.mkdir()
        holders.rename(columns=names).to_csv(folder / f"{TOKEN}.csv", index=False)
    usual = pd.read_csv(files / "prices.csv").rename(columns={"Zeit": "time", "Paar": "asset", "Kurs": "close"})
    usual.to_csv(tmp_path / "prices.csv", index=False)
    cells = ("--paths", 500, "--window", "24h", "--term", "30d", "--processes", 1, "--json")
    told = ("--columns", "time=Zeit,close=Kurs,asset=Paar", "--holder-columns", "address=Wer,balance=Wieviel")
    given = {"a": (tmp_path / "prices.csv", plain, ()), "b": (files / "prices.csv", other, told)}
    reports = []
    for name, (prices, folder, more) in given.items():
        result = run("rates", "--prices", prices, "--holders", folder, "--out", tmp_path / name, *cells, *more)
        reports.append(json.loads(result.stdout))
    assert reports[0]["assets"][0]["rate"] == reports[1]["assets"][0]["rate"] > 0
    assert "NO_HOLDERS" not in reports[1]["assets"][0]["verdict"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("report", "--quote", "q.json", "--holder-columns", "address=A"),
            "--quote cannot be combined with --holder-co",
        ),
        (
            ("report", "--book", "b.csv", "--rates", "r", "--capital", 1, "--format", "okx"),
            "--format needs --prices",
        ),
        (
            ("rates", "--prices", "p.csv", "--out", "r", "--holder-columns", "address=A"),
            "--holder-columns needs --holde",
        ),
    ],
)
def test_options_of_files_that_are_not_read_are_not_passed_over(run, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
