import csv
import io
import json
import os
import signal
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from crashcover import sample_market
from crashcover.commands.exits import Exit
from pricing import CapitalCost, PricingBasis, Quote, StandardDeviationPrinciple
from pricing.version import ENGINE_VERSION, VERSION
from tests.checkout import CHECKOUT

ENVIRONMENT = os.environ | {"PYTHONPATH": str(CHECKOUT)}


def call(*arguments):
    command = [sys.executable, "-m", "crashcover", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False)


def error_of(result, code):
    """Return the error of a failed command: one line on stderr, nothing on stdout, no traceback."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert [line for line in result.stderr.splitlines() if not line.startswith(("notice: ", "finding: "))] == [last]
    return last.removeprefix("error: ")


@pytest.fixture(scope="module")
def document(sample_files, tmp_path_factory):
    """Two quotes and two refusals as the command prints them."""
    prices, holders = sample_files
    result = call(
        "quote", "--prices", prices, "--holders", holders, "--asset", "SYNTH-WHALE", "--supply", 1e9, "--json",
        "--drop", 0.01, "--drop", 0.2, "--drop", 0.3, "--drop", 0.97, "--paths", 5000, "--seed", 9,
        "--payout", "tiered:0.2=0.5,0.4=1", "--threads", 2,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert all(line.startswith(("notice: ", "finding: ")) for line in result.stderr.splitlines())
    path = tmp_path_factory.mktemp("document") / "quotes.json"
    path.write_text(result.stdout)
    return path


def test_stdout_is_one_json_document(document):
    content = json.loads(document.read_text())
    assert set(content) == {"calibration", "quotes", "refused"}
    assert content["calibration"]["verdict"] == ["HOLDERS_CUT", "OLD_MARKET"]
    assert [quote["cover"]["trigger"]["drop"] for quote in content["quotes"]] == [0.01, 0.2, 0.3]
    assert [refused["reason"] for refused in content["refused"]] == ["unresolved"]


def test_quotes_of_the_document_reproduce_bit_for_bit(document):
    for quote in json.loads(document.read_text())["quotes"]:
        assert Quote.from_json(json.dumps(quote)).reproduce().settings.seed == 9


def test_reproduce_says_so_for_a_document_and_for_a_single_quote(run, document, tmp_path):
    result = run("reproduce", document)
    assert result.exit_code == 0
    quotes = [Quote.from_json(json.dumps(quote)) for quote in json.loads(document.read_text())["quotes"]]
    assert result.stdout.splitlines() == [
        f"reproduced bit for bit: {quote.cover.cover_id}, {quote.price:,} USD" for quote in quotes
    ]
    single = tmp_path / "quote.json"
    single.write_text(quotes[1].to_json())
    assert run("reproduce", single, "--threads", 2).stdout.splitlines() == [result.stdout.splitlines()[1]]


@pytest.mark.parametrize(("field", "value"), [("gross", 1.0), ("standard_error", 0.0)])
def test_a_quote_that_was_tampered_with_does_not_reproduce(run, document, tmp_path, field, value):
    quote = json.loads(document.read_text())["quotes"][1]
    quote["premium"][field] = value
    path = tmp_path / "quote.json"
    path.write_text(json.dumps(quote))
    said = error_of(run("reproduce", path), 7)
    assert f"was altered after it was issued: {field} is {value}, its terms give " in said
    assert "must be" not in said


def test_every_quote_of_a_document_is_checked(run, document, tmp_path):
    value = json.loads(document.read_text())
    value["quotes"][0]["premium"]["gross"] += 1.0
    path = tmp_path / "quotes.json"
    path.write_text(json.dumps(value))
    result = run("reproduce", path)
    assert result.exit_code == 7
    assert result.stderr.count("was altered") == 1
    assert result.stdout.count("reproduced bit for bit") == len(value["quotes"]) - 1


def test_a_quote_of_another_engine_does_not_reproduce(run, document, tmp_path):
    quote = json.loads(document.read_text())["quotes"][0] | {"model_digest": "0" * 64}
    path = tmp_path / "quote.json"
    path.write_text(json.dumps(quote))
    assert "was altered, or its quantile tables were made by another scipy" in error_of(run("reproduce", path), 7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,close\n", "is not JSON"),
        ('{"quotes": []}', "holds no quote"),
        ("[1, 2]", "not a quote but a tuple"),
        ('{"type": "Surprise"}', "type must be one of"),
        ("3", "not a quote but a int"),
    ],
)
def test_a_file_that_holds_no_quote_is_bad_data(run, tmp_path, text, message):
    path = tmp_path / "quote.json"
    path.write_text(text)
    assert message in error_of(run("reproduce", path), 3)


def test_a_missing_quote_file_is_bad_data(run, tmp_path):
    assert error_of(run("reproduce", tmp_path / "none.json"), 3).endswith("no such file or directory")


def test_the_table_goes_to_stdout_and_nothing_else_does(quote):
    result = quote("--drop", 0.3, "--drop", 0.5, "--window", "1h", "--window", "24h", "--limit", 2500)
    assert result.exit_code == 0
    assert "SYNTH-WILD (synthetic)" in result.stdout
    rows = [line.split()[:3] for line in result.stdout.splitlines() if line.strip()[:1].isdigit()]
    assert rows == [["30", "1h", "30d"], ["50", "1h", "30d"], ["30", "24h", "30d"], ["50", "24h", "30d"]]
    assert "error" not in result.stderr
    assert "\x1b" not in result.output


@pytest.mark.parametrize("drop", [0.001, 0.9999])
def test_when_every_cover_is_refused_the_exit_code_says_so(quote, drop):
    assert quote("--drop", drop).exit_code == 6
    result = quote("--drop", drop, "--json")
    assert result.exit_code == 6
    content = json.loads(result.stdout)
    assert content["quotes"] == []
    assert len(content["refused"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--drop", 50], "drop must be between 0 and 1, got 50.0 (a fraction: 50 % is 0.50)"),
        (["--drop", 0.5, "--window", "24"], "--window: write 24h, got '24' (units are min, h and d)"),
        (["--drop", 0.5, "--window", "90min"], "window must be a whole number of steps of 1h, got 90min"),
        (["--drop", 0.5, "--term", "1m"], "minutes are 'min'"),
        (["--drop", 0.5, "--waiting-period", "30d"], "waiting_period must be shorter than the term"),
        (["--drop", 0.5, "--limit", -1], "limit must be positive"),
        (["--drop", 0.5, "--payout", "half"], "payout must look like full"),
        (["--drop", 0.5, "--expense-ratio", 10], "a fraction: 10 % is 0.10"),
        (["--drop", 0.5, "--risk-load", "standard-deviation:-1"], "multiple must be finite and not negative"),
        (["--drop", 0.5, "--risk-load", "hazard:many"], "risk_load must look like hazard:MARGIN:CAPITAL_RATE"),
        (["--drop", 0.5, "--risk-load", "wang:0.4:1"], "risk_load must look like wang:SHIFT, got 'wang:0.4:1'"),
        (["--drop", 0.5, "--load-horizon", "7d"], "horizon must be left out for hazard"),
        (["--drop", 0.5, "--fixed-expense", -1], "fixed_expense must be finite and not negative"),
        (["--drop", 0.5, "--paths", 0], "n_paths must be a whole number from 1"),
        (["--drop", 0.5, "--seed", -1], "seed must be a whole number from 0"),
        (["--drop", 0.5, "--threads", 0], "n_threads must be a whole number from 1"),
    ],
)
def test_invalid_terms_are_one_line(quote, arguments, message):
    assert message in error_of(quote(*arguments), 4)


def test_a_missing_file_of_prices_is_bad_data(run, tmp_path):
    missing = error_of(run("quote", "--prices", tmp_path / "none.csv", "--drop", 0.5), 3)
    assert missing == f"{tmp_path / 'none.csv'}: cannot be read: no such file or directory"


def test_an_unknown_token_and_a_missing_choice_are_bad_data(run, sample_files):
    prices, holders = sample_files
    unknown = run("quote", "--prices", prices, "--drop", 0.5, "--asset", "SYNTH-WHAL")
    assert "did you mean SYNTH-WHALE" in error_of(unknown, 3)
    unchosen = run("quote", "--prices", prices, "--drop", 0.5)
    assert "choose one with --asset" in error_of(unchosen, 3)
    assert str(prices) in error_of(unchosen, 3)
    swapped = run("quote", "--prices", holders, "--drop", 0.5)
    assert "row 1: must have a time column" in error_of(swapped, 3)


def test_holders_of_another_list_are_bad_data(quote, tmp_path):
    path = tmp_path / "holders.csv"
    path.write_text("list,address,balance\nSYNTH-MILD,a,1\n")
    message = error_of(quote("--drop", 0.5, "--holders", path), 3)
    assert message == f"{path}: asset 'SYNTH-WILD' is not in this file (did you mean SYNTH-MILD?)"


def test_a_holder_of_an_unknown_kind_is_bad_data(quote, tmp_path):
    path = tmp_path / "holders.csv"
    path.write_text("address,balance,label\na,1,wizard\n")
    assert "got 'wizard'" in error_of(quote("--drop", 0.5, "--holders", path), 3)


def test_an_export_of_an_explorer_is_read_and_told(quote, tmp_path):
    path = tmp_path / "export.csv"
    path.write_text('"HolderAddress","Balance","PendingBalanceUpdate"\n"0xa","1,200","No"\n"0xb","1,000,005.5","No"\n')
    result = quote("--drop", 0.5, "--holders", path, "--paths", 200)
    assert result.exit_code == 0, result.output
    assert f"notice: {path}: read as export of Etherscan" in result.stderr
    path.write_text("who,what,Entity\n0xa,1200,Fund\n0xb,5,Fund\n")
    named = quote("--drop", 0.5, "--holders", path, "--paths", 200, "--holder-columns", "address=who,balance=what")
    assert "1 addresses were added to others of their entity" in named.stderr
    assert "must look like address=Wallet,balance=Amount" in quote("--drop", 0.5, "--holder-columns", "address").stderr


def test_a_supply_without_holders_is_bad_data(quote):
    assert "supply" in error_of(quote("--drop", 0.5, "--supply", 1e9), 3)


def test_a_bad_row_names_file_and_line(run, tmp_path):
    path = tmp_path / "om.csv"
    path.write_text("time,close\n2024-01-01T00:00Z,1\n2024-01-01T01:00Z,free\n")
    assert error_of(run("quote", "--prices", path, "--drop", 0.5), 3) == (
        f"{path}, row 3: close must be a number, got 'free'"
    )
    path.write_text("time,close\n2024-01-01T00:00,1\n")
    assert "row 2: time '2024-01-01T00:00' has no time zone (add Z" in error_of(run("calibrate", "--prices", path), 3)


def test_too_short_a_history_fails_to_calibrate(quote):
    assert "at least 60 days" in error_of(quote("--drop", 0.5, "--as-of", "2025-01-05T00:00Z"), 5)


@pytest.fixture(scope="module")
def peg(tmp_path_factory):
    """Prices of a dollar, with one bad hour."""
    path = tmp_path_factory.mktemp("peg") / "peg.csv"
    times = pd.date_range("2024-01-01T00:00Z", periods=1500, freq="h")
    closes = np.where(np.arange(1500) == 700, 0.9, 1.0)
    pd.DataFrame({"time": times, "close": closes}).to_csv(path, index=False)
    return path


def test_a_peg_is_refused_with_the_reason(run, peg):
    for command in (
        ["calibrate"],
        ["quote", "--drop", 0.3],
        ["report", "--drop", 0.3, "--out", peg.with_suffix(".html")],
    ):
        result = run(*command, "--prices", peg)
        assert "the token is pegged or its price is stale" in error_of(result, 5)
        assert ".py" not in result.stderr  # no warning with a path of a library


def test_a_peg_of_a_stated_class_is_quoted_and_table_and_summary_agree(run, peg):
    result = run("quote", "--prices", peg, "--drop", 0.1, "--drop", 0.3, "--peg", "reserve", "--paths", 20_000)
    assert result.exit_code == 0
    assert "1.52% for 10%, 0.59% for 30% within 30d" in result.stdout
    rows = [line.split() for line in result.stdout.splitlines() if "24h" in line]
    assert [row[:4] for row in rows] == [["10", "24h", "30d", "1.52"], ["30", "24h", "30d", "0.59"]]
    assert "Lowest close  0.9 at 2024-01-30 04:00" in result.stdout
    assert "a pegged token: its price is a declared judgement" in result.stderr


def test_a_quote_on_a_peg_reproduces_but_makes_no_page(run, peg, tmp_path):
    document = tmp_path / "quote.json"
    result = run("quote", "--prices", peg, "--drop", 0.3, "--peg", "synthetic", "--paths", 2000, "--json")
    document.write_text(result.stdout)
    assert json.loads(result.stdout)["calibration"]["verdict"] == ["PEGGED"]
    assert run("reproduce", document).exit_code == 0
    page = run("report", "--quote", document, "--out", tmp_path / "report.html")
    assert "must hold quotes by the laws of the market, got those of a pegged token" in error_of(page, 3)


def test_terms_and_options_that_the_record_of_pegs_does_not_know_are_refused(run, peg):
    small = run("quote", "--prices", peg, "--drop", 0.05, "--peg", "reserve")
    assert "--drop: drop must be at least 0.1 on a pegged token, got 0.05" in error_of(small, 4)
    held = run("quote", "--prices", peg, "--drop", 0.3, "--peg", "reserve", "--supply", 1e9)
    assert held.exit_code == 2
    assert "--peg cannot be combined with --supply" in held.stderr


def test_no_class_can_be_stated_for_a_token_that_moves(quote):
    assert "--peg: peg must be stated for pegged tokens only" in error_of(quote("--drop", 0.5, "--peg", "reserve"), 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing option '--drop'"),
        (["--drop", "50%"], "'50%' is not a valid float"),
        (["--drop", 0.5, "--reference", "peak"], "'peak' is not one of"),
        (["--drop", 0.5, "--label", "middle"], "'middle' is not one of"),
        (["--drop", 0.5, "--as-of", "2025-06-01T00:00"], "has no time zone (write 2024-01-31T00:00Z for UTC)"),
        (["--drop", 0.5, "--as-of", "now"], "'now' is not a time"),
        (["--drop", 0.5, "--plot", "picture.bmp"], "must end in .png, .svg or .pdf"),
        (["--drop", 0.5, "--plot", "no/such/folder/picture.png"], "the folder of"),
        (["--drop", 0.5, "--json", "--csv"], "choose one of --json and --csv"),
        (["--drop", 0.5, "--surprise"], "No such option"),
    ],
)
def test_wrong_usage_is_left_to_click(quote, arguments, message):
    result = quote(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize("reference", ["lagged", "running-high", "inception"])
def test_every_reference_can_be_quoted(quote, reference):
    result = quote("--drop", 0.6, "--reference", reference, "--window", "48h", "--json")
    assert result.exit_code == 0
    (found,) = json.loads(result.stdout)["quotes"]
    assert found["cover"]["trigger"]["reference"]["name"] == reference.replace("-", "_").upper()


def test_the_table_of_quotes_says_what_the_document_says(quote):
    terms = ("--drop", 0.2, "--drop", 0.999999, "--tax-ratio", 0.19)
    table, document = (quote(*terms, form) for form in ("--csv", "--json"))
    assert table.exit_code == 0
    sold, refused = csv.DictReader(io.StringIO(table.stdout))
    quoted = Quote.from_json(json.dumps(json.loads(document.stdout)["quotes"][0]))
    assert (sold["cover_id"], Decimal(sold["total"])) == (quoted.cover.cover_id, quoted.price)
    assert refused["verdict"] == "unresolved"


def test_options_arrive_in_the_quote(quote):
    result = quote(
        "--drop", 0.2, "--limit", 123.0, "--currency", "EUR", "--term", "10d", "--waiting-period", "2d", "--json",
        "--window", "12h", "--payout", "linear:0.2:0.6", "--seed", 77, "--risk-load", "standard-deviation:0.5",
        "--expense-ratio", 0.2, "--fixed-expense", 1.5, "--parameter-load", 0.1, "--capital-rate", 0.2,
        "--commission-ratio", 0.05, "--profit-ratio", 0.04, "--tax-ratio", 0.19, "--minimum-premium", 2.0,
        "--minimum-rate-on-line", 0.01, "--interest-rate", 0.03,
    )  # fmt: skip
    quoted = Quote.from_json(json.dumps(json.loads(result.stdout)["quotes"][0]))
    cover, basis = quoted.cover, quoted.basis
    assert (cover.limit, cover.currency, cover.term.days, cover.waiting_period.days) == (123.0, "EUR", 10, 2)
    assert (cover.payout.attachment, cover.payout.exhaustion) == (0.2, 0.6)
    assert cover.trigger.window.total_seconds() == 12 * 3600
    assert (quoted.settings.seed, quoted.settings.n_paths) == (77, 4000)
    assert basis == PricingBasis(
        risk_load=StandardDeviationPrinciple(multiple=0.5), expense_ratio=0.2, fixed_expense=1.5, parameter_load=0.1,
        capital=CapitalCost(annual_rate=0.2), commission_ratio=0.05, profit_ratio=0.04, tax_ratio=0.19,
        minimum_premium=2.0, minimum_rate_on_line=0.01, interest_rate=0.03,
    )  # fmt: skip


def test_the_future_does_not_change_a_quote_as_of_the_past(run, sample_files, tmp_path):
    prices, _ = sample_files
    lines = prices.read_text().splitlines(keepends=True)
    past = tmp_path / "past.csv"
    past.write_text("".join(lines[:5001]))
    as_of = lines[5000].split(",")[0]
    texts = [
        run(
            "quote",
            "--prices",
            path,
            "--asset",
            "SYNTH-WILD",
            "--as-of",
            as_of,
            "--drop",
            0.2,
            "--paths",
            500,
            "--json",
        )
        for path in (prices, past)
    ]
    assert texts[0].stdout == texts[1].stdout != ""


def test_a_label_of_the_open_is_told_on_stderr_and_changes_no_premium(quote):
    by_close, by_open = (quote("--drop", 0.2, "--label", label, "--json") for label in ("close", "open"))
    assert "notice: " in by_open.stderr
    assert "notice: " not in by_close.stderr
    assert json.loads(by_open.stdout)["quotes"] == json.loads(by_close.stdout)["quotes"]
    assert json.loads(by_open.stdout)["calibration"]["as_of"] == "2026-01-01T01:00:00+00:00"


def test_findings_go_to_stderr(run, tmp_path):
    path = tmp_path / "om.csv"
    closes = sample_market.closes(sample_market.CALM).drop(pd.Timestamp("2025-03-01T00:00Z"))
    closes.rename("close").to_csv(path)
    result = run("calibrate", "--prices", path)
    assert result.exit_code == 0
    assert "\nfinding: 2025-03-01 01:00Z bars are missing" in result.stderr


def test_calibrate_prints_the_panel_or_json(run, sample_files):
    prices, _ = sample_files
    shown = run("calibrate", "--prices", prices, "--asset", "SYNTH-CALM")
    assert "Assumptions" in shown.stdout
    assert "SYNTH-CALM (synthetic)" in shown.stdout
    printed = run("calibrate", "--prices", prices, "--asset", "SYNTH-CALM", "--json")
    assert json.loads(printed.stdout)["type"] == "Calibration"


def test_a_picture_is_drawn_where_asked_for(quote, tmp_path):
    path = tmp_path / "wild.png"
    assert quote("--drop", 0.3, "--window", "1h", "--window", "24h", "--term", "7d", "--plot", path).exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_calibration_does_not_depend_on_the_threads_of_linear_algebra(run, sample_files):
    prices, _ = sample_files

    def calibrated(n_threads):
        with threadpool_limits(limits=n_threads, user_api="blas"):
            assert {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"} == {n_threads}
            return run("calibrate", "--prices", prices, "--asset", "SYNTH-WILD", "--json")

    one, two = calibrated(1), calibrated(2)
    assert one.exit_code == 0, one.output
    assert one.stdout == two.stdout


@pytest.mark.parametrize("command", [[], ["quote"], ["calibrate"], ["reproduce"], ["demo"]])
def test_help_has_an_example_and_no_exit_codes(run, command):
    text = run(*command, "--help").stdout
    assert "interrupted" not in text
    assert run("help", *command).stdout.splitlines()[-1] == text.splitlines()[-1]
    assert "crashcover " + (command[0] if command else "demo") in text


def test_exit_codes_are_a_topic_of_help(run):
    lines = run("help", "exits").stdout.splitlines()
    assert {int(line.split()[0]) for line in lines[1:]} == {2, *map(int, Exit)}
    assert lines[-1] == "  130  interrupted"
    wrong = run("help", "exit")
    assert wrong.exit_code == 2
    assert "TOPIC must be exits or one of " in wrong.stderr


def test_reproducing_a_quote_imports_nothing_that_calibrates():
    program = (
        "import sys, crashcover.commands.reproduce; "
        "print({'pandas', 'arch', 'statsmodels', 'matplotlib', 'calibration'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, env=ENVIRONMENT, check=True, text=True).stdout == "set()\n"


def test_a_quote_imports_nothing_that_draws_and_no_other_command():
    program = (
        "import sys, crashcover.commands.quote; "
        "print({'matplotlib', 'jinja2', 'openpyxl', 'backtest', 'pool', 'ccxt', 'sqlalchemy'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, env=ENVIRONMENT, check=True, text=True).stdout == "set()\n"


def test_help_and_version_import_nothing_heavy():
    program = (
        "import sys; from crashcover.cli import main; main(['--help'], standalone_mode=False); "
        "print({'numpy', 'pandas', 'scipy', 'matplotlib', 'rich', 'arch'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert result.stdout.splitlines()[-1] == "set()"


def test_the_version_is_that_of_the_engine():
    assert call("--version").stdout == f"crashcover {VERSION} (engine {ENGINE_VERSION})\n"


def test_exit_codes_reach_the_shell(tmp_path):
    """Of commands that start fast; which error has which code, other tests see in this process."""
    missing = call("reproduce", tmp_path / "none.json")
    assert (missing.returncode, missing.stdout) == (3, "")
    assert missing.stderr == f"error: {tmp_path / 'none.json'}: cannot be read: no such file or directory\n"
    assert call("quote").returncode == 2


def test_an_interrupt_ends_with_130_and_no_traceback(sample_files):
    prices, _ = sample_files
    command = [sys.executable, "-m", "crashcover", "quote", "--prices", str(prices), "--asset", "SYNTH-WILD"]
    options = ["--label", "open", "--drop", "0.5", "--paths", "2000000", "--term", "365d"]
    with subprocess.Popen(command + options, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stderr.readline().startswith("notice: ")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr.read() == "interrupted\n"


def test_luna_on_the_eve_of_its_collapse_with_the_panel(run, market_data):
    panel = market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet"
    result = run(
        "quote", "--prices", panel, "--asset", "LUNA", "--as-of", "2022-05-07T00:00Z", "--drop", 0.5, "--json"
    )  # fmt: skip
    assert result.exit_code == 0
    content = json.loads(result.stdout)
    assert content["calibration"]["as_of"] == "2022-05-07T00:00:00+00:00"
    assert content["calibration"]["diagnostics"]["last_close"] == "2022-05-07T00:00:00+00:00"
    assert "open_time labels the open" in result.stderr
    (quoted,) = content["quotes"]
    assert 0.0 < quoted["premium"]["expected_loss"] < quoted["premium"]["gross"] < 100_000.0


def test_aave_with_its_published_holders(run, market_data):
    panel = market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet"
    holders = market_data / "holders" / "top_holders_2026q1_zukowski.csv.gz"
    result = run("calibrate", "--prices", panel, "--holders", holders, "--asset", "AAVE", "--json")
    assert result.exit_code == 0
    published = pd.read_csv(market_data / "holders" / "raw_list_metrics_recomputed.csv").set_index("list").loc["AAVE"]
    hhi = json.loads(result.stdout)["concentration"]["hhi"]
    assert hhi["lower"] == pytest.approx(published["hhi_raw"], rel=0.02)


def test_a_format_its_columns_and_longer_bars_can_be_told(run, tmp_path):
    closes = sample_market.closes(sample_market.CALM)
    path, other = tmp_path / "OM.csv", tmp_path / "OM2.csv"
    closes.rename("close").to_csv(path)
    closes.rename("Last").rename_axis("When").to_csv(other)
    plain = run("calibrate", "--prices", path, "--asset", "OM", "--json")
    told = run("calibrate", "--prices", other, "--asset", "OM", "--json", "--columns", "time=When,close=Last")
    assert told.exit_code == 0
    assert told.stdout == plain.stdout
    longer = run("calibrate", "--prices", path, "--asset", "OM", "--json", "--resample", "4h")
    assert json.loads(longer.stdout)["as_of"] == json.loads(plain.stdout)["as_of"]
    assert "bars of 1h are made into bars of 4h; the deepest fall inside one is " in longer.stderr
    wrong = run("calibrate", "--prices", path, "--format", "coingecko")
    assert wrong.exit_code == 3
    assert "must have the columns of coingecko (snapped_at, price), got time, close" in wrong.stderr
    assert run("calibrate", "--prices", path, "--columns", "close").exit_code == 2


def test_options_of_prices_are_not_passed_over_by_a_report_that_does_not_read_them(run, tmp_path):
    result = run("report", "--quote", tmp_path / "quote.json", "--format", "ccxt", "--out", tmp_path / "r.html")
    assert result.exit_code == 2
    assert "--quote cannot be combined with --format" in result.stderr
