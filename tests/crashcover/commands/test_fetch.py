"""The command on the command line; no other command uses the network."""

import ast
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from crashcover.commands.exits import CODES
from pricing.errors import MissingLibraryError
from tests.checkout import CHECKOUT
from tests.crashcover.fetching.conftest import Fetching
from tests.crashcover.fetching.fake_binance import HOUR, START, FakeBinance, make_bars, serving

SINCE = ("--since", "2024-01-01")


@pytest.fixture
def fake(monkeypatch):
    """An exchange with 90 days of OM."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(FakeBinance({"OMUSDT": make_bars(2_160)}, now=START + 2_160 * HOUR)) as exchange:
        yield exchange


@pytest.fixture
def fetch(run, fake, monkeypatch):
    """Run the command in this process, in which ccxt does not wait between questions."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return lambda *arguments: run("fetch", *arguments, "--url", fake.url)


def test_a_token_is_fetched_and_quoted_without_an_option_or_a_notice(fetch, run, tmp_path):
    path = tmp_path / "prices.csv"
    result = fetch("OM", *SINCE, "--out", path)
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "OM/USDT at binance: 2,160 bars of 1h (2,160 new), closes from 2024-01-01T01:00Z to 2024-03-31T00:00Z\n"
    )
    assert result.stderr.splitlines()[-1] == f"written: {path}"
    quoted = run("quote", "--prices", path, "--drop", 0.3, "--paths", 2_000, "--json")
    assert quoted.exit_code == 0, quoted.output
    assert "notice" not in quoted.stderr
    assert json.loads(quoted.stdout)["quotes"][0]["cover"]["asset"] == "OM"


def test_options_may_come_before_the_token(fetch, tmp_path):
    result = fetch(*SINCE, "--until", "2024-01-02T06:00Z", "--out", tmp_path / "om.csv", "OM")
    assert ": 30 bars of 1h" in result.stdout


def test_a_panel_names_the_tokens_that_failed_and_its_exit_code_says_so(fetch, fake, tmp_path):
    fake.bars["AAAUSDT"] = make_bars(48)
    names = tmp_path / "tokens.txt"
    names.write_text("AAA\n\nOMG\n")
    out, joined = tmp_path / "prices", tmp_path / "panel.parquet"
    result = fetch("panel", "OM", "--tokens-from", names, *SINCE, "--out", out, "--join", joined)
    assert result.exit_code == 3
    assert result.stdout.splitlines()[-1] == "2 tokens fetched, 1 failed"
    assert "failed: OMG: binance does not list 'OMG' in USDT (did you mean OM?)" in result.stderr
    assert sorted(path.name for path in out.glob("*.csv")) == ["AAA.csv", "OM.csv"]
    assert joined.exists()
    assert fetch("panel", "--all", *SINCE, "--out", out).exit_code == 0


def test_a_venue_that_does_not_answer_has_an_exit_code_of_its_own(fetch, fake, tmp_path):
    fake.moods = ["honest"] + ["failing"] * 99
    result = fetch("OM", *SINCE, "--out", tmp_path / "om.csv", "--patience", "3s")
    assert result.exit_code == 11
    *waits, error = result.stderr.splitlines()[1:]  # the first line is about the clock
    assert [wait.rpartition(": ")[2] for wait in waits] == ["asking again in 1 s", "asking again in 2 s"]
    assert error.startswith("error: binance gives no good answer within 3s: ")
    assert len((tmp_path / "om.csv").read_text().splitlines()) == 1_001


@pytest.mark.parametrize(
    ("arguments", "slip"),
    [
        (("OM", "--out", "om.csv"), "Missing option '--since'"),
        (("OM", "--since", "2024", "--out", "om.csv"), "is not a time such as"),
        (("panel", "--since", "2024-01-01", "--out", "x"), "name tokens, or give --tokens-from FILE, or --all"),
        (("panel", "OM", "--all", "--since", "2024-01-01", "--out", "x"), "name tokens, or give --tokens-from"),
    ],
)
def test_wrong_usage(run, arguments, slip):
    result = run("fetch", *arguments)
    assert result.exit_code == 2
    assert slip in result.stderr


def test_its_help_shows_both_forms(run):
    text = run("fetch", "--help").stdout
    assert "crashcover fetch OM --since 2024-01-01 --out om.csv" in text
    assert "panel" in text
    assert "--venue" in run("fetch", "OM", "--help").stdout


def test_a_missing_library_is_one_line(run, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ccxt", None)
    result = run("fetch", "OM", *SINCE, "--out", tmp_path / "om.csv")
    assert result.exit_code == CODES[MissingLibraryError]
    assert "pip install 'crashcover[fetch]'" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signal")
@pytest.mark.parametrize(("sign", "code"), [("SIGKILL", -signal.SIGKILL), ("SIGINT", 130)])
def test_a_process_that_is_stopped_leaves_a_file_that_the_next_one_continues(fake, fetch, tmp_path, sign, code):
    fake.most, path = 300, tmp_path / "om.csv"
    command = [sys.executable, "-m", "crashcover", "fetch", "OM", *SINCE, "--url", fake.url, "--out", str(path)]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def stop():
        if sum(each.endswith("/klines") for each, _ in fake.asked) == 4:
            process.send_signal(getattr(signal, sign))

    fake.before_answer = stop
    process.communicate(timeout=120)
    assert process.returncode == code
    fetching = Fetching(fake, path)
    rows = fetching.rows()
    assert rows == fake.truth()[: len(rows)]
    assert 598 <= len(rows) <= 1_197
    fake.before_answer = lambda: None
    assert fetch("OM", *SINCE, "--out", path).exit_code == 0
    assert fetching.rows() == fake.truth()


NETWORK = {"ccxt", "tenacity", "requests", "urllib3", "socket", "http", "crashcover.fetching"}
ALLOWED = ("crashcover/fetching/", "crashcover/commands/fetch.py", "crashcover/__init__.py")


def test_no_other_command_imports_what_fetches():
    for package in ("pricing", "calibration", "backtest", "pool", "crashcover"):
        for path in (CHECKOUT / package).rglob("*.py"):
            if path.relative_to(CHECKOUT).as_posix().startswith(ALLOWED):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                for name in names:
                    assert not any(f"{name}.".startswith(f"{each}.") for each in NETWORK), f"{path} imports {name}"


def test_no_other_command_opens_a_connection(run, sample_files, tmp_path, monkeypatch):
    def refuse(*_arguments):
        raise AssertionError("a command that must not use the network opens a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for library in ("ccxt", "tenacity"):
        monkeypatch.setitem(sys.modules, library, None)
    prices, holders = sample_files
    token = ("--prices", prices, "--asset", "SYNTH-WILD")
    few = ("--paths", 1_000)
    for arguments in (
        ("quote", *token, "--holders", holders, "--drop", 0.3, *few),
        ("calibrate", *token),
        ("report", *token, "--drop", 0.3, *few, "--out", tmp_path / "report.html"),
    ):
        result = run(*arguments)
        assert result.exit_code == 0, (arguments, result.output, result.exception)


def test_the_command_line_starts_without_ccxt():
    program = "import sys, crashcover.cli; print(*{'ccxt', 'tenacity', 'crashcover.fetching'} & {*sys.modules})"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=CHECKOUT)
    assert printed.stdout == "\n"


def test_importing_the_command_does_not_import_ccxt():
    program = "import sys, crashcover.commands.fetch; print('ccxt' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=CHECKOUT)
    assert printed.stdout == "False\n"
