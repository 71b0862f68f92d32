"""A wrong value of any option is refused by a message that names the option."""

import click
import pytest

from crashcover.cli import main
from tests.crashcover.repricing.books import ROW, book_file, make_book

#: A wrong value of each option that can have one, with the command that is asked.
WRONG = {
    "quote": {
        "--format": "x",
        "--columns": "close",
        "--resample": "1",
        "--holder-columns": "address",
        "--supply": -1,
        "--circulating": -1,
        "--depth": -1,
        "--daily-volume": -1,
        "--peg": "gold",
        "--as-of": "yesterday",
        "--label": "middle",
        "--drop": 30,
        "--window": 24,
        "--term": 30,
        "--limit": -1,
        "--currency": " ",
        "--reference": "peak",
        "--payout": "half",
        "--waiting-period": 1,
        "--risk-load": "hazards",
        "--load-horizon": "0d",
        "--survivorship-load": -1,
        "--expense-ratio": 10,
        "--fixed-expense": -1,
        "--parameter-load": -1,
        "--capital-rate": -1,
        "--commission-ratio": 10,
        "--profit-ratio": 10,
        "--tax-ratio": -1,
        "--minimum-premium": -1,
        "--minimum-rate-on-line": 30,
        "--interest-rate": "nan",
        "--paths": 0,
        "--seed": -1,
        "--threads": 0,
        "--grid": "7h",
        "--plot": "picture.gif",
    },
    "report": {
        "--capital": -1,
        "--scenarios": 0,
        "--level": 99.5,
        "--ruin-target": 2,
        "--horizon-periods": 0,
        "--share-of-capital": 20,
        "--large": "nowhere",
        "--reinsurance": "half",
        "--xlsx": "premium.csv",
    },
    "rates": {
        "--oldest-close": 24,
        "--valid-for": 36,
        "--keep": 0,
        "--processes": 0,
        "--workers": 0,
        "--scheduler": "nowhere",
    },
    "reprice": {"--table": "covers", "--previous": "nowhere"},
    "backtest": {
        "--forecaster": "oracle",
        "--first-start": "yesterday",
        "--every": 7,
        "--warm-up": -1,
        "--sample": 0,
        "--leave-out": "BTC",
    },
}
#: A message about a file names the file, one about a token the token; the others take any text, or none.
NAMED_BY_VALUE = {"--prices", "--holders", "--supplies", "--market", "--book", "--rates", "--from", "--quote", "--out"}
NAMED_BY_VALUE |= {"--asset", "--splits", "--pegs"}
ANY_VALUE = {"--json", "--model-error", "--csv", "--rare-drops", "--quiet", "--stale-ok", "--surface"}


@pytest.fixture(scope="module")
def base(sample_files, tmp_path_factory):
    prices, holders = sample_files
    folder = tmp_path_factory.mktemp("options")
    book = book_file(make_book(1).assign(asset=ROW["asset"], currency="USD"), folder, "book.csv")
    return {
        "quote": ["--prices", prices, "--asset", ROW["asset"], "--holders", holders, "--drop", 0.5],
        "report": ["--book", book, "--prices", prices, "--capital", 1000, "--out", folder / "report.html"],
        "rates": ["--prices", prices, "--out", folder / "rates", "--paths", 100],
        "reprice": [book, "--rates", folder, "--out", folder / "priced"],
        "backtest": [prices, "--out", folder / "backtest"],
    }


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [(command, option, value) for command, wrong in WRONG.items() for option, value in wrong.items()],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_option(run, base, command, option, value):
    result = run(command, *base[command], option, value)
    assert result.exit_code in (2, 3, 4), result.output
    (message,) = [line for line in result.stderr.splitlines() if line.lower().startswith("error:")]
    assert option in message


def test_every_option_has_a_wrong_value():
    commands = [command for command in main.commands.values() if not isinstance(command, click.Group)]
    options = {
        max(each.opts, key=len) for command in commands for each in command.params if isinstance(each, click.Option)
    }
    assert options - NAMED_BY_VALUE - ANY_VALUE == {option for wrong in WRONG.values() for option in wrong}


@pytest.mark.parametrize("level", [0, 1, 1.5, "nan"])
def test_a_level_that_no_tail_has_is_one_line(run, base, level):
    result = run("report", *base["report"], "--level", level)
    assert result.exit_code == 4, result.output
    assert "error: --level: level must be between 0 and 1" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--term", 30, "error: --term: write 30d, got '30'"),
        ("--drop", 30, "error: --drop: drop must be between 0 and 1, got 30.0 (a fraction: 30 % is 0.30)"),
        (
            "--expense-ratio",
            10,
            "error: --expense-ratio: expense_ratio must be from 0 to below 1, got 10.0 (a fraction",
        ),
        ("--paths", 0, "error: --paths: n_paths must be a whole number from 1"),
    ],
)
def test_the_message_says_what_to_write(run, base, option, value, message):
    assert message in run("quote", *base["quote"], option, value).stderr
