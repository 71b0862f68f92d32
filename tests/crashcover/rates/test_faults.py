"""A token that fails in any way is named in the report, and all others are rated."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crashcover.files.prices import read_history
from crashcover.runs.workers import Workplace
from pricing.errors import RateStoreError, WorkerError
from pricing.rates.publishing import publish
from pricing.rates.store import RateStore
from tests.crashcover.rates import faults
from tests.crashcover.rates.nights import rate, statuses, write

TIMES = pd.date_range("2025-01-01", periods=200, freq="h", tz="UTC", name="time")


@pytest.fixture
def failing(monkeypatch):
    monkeypatch.setattr("crashcover.rates.job.rate_token", faults.rate_token)


def panel_of(names):
    closes = np.exp(np.random.default_rng(1).normal(0.0, 0.01, (len(TIMES), len(names))).cumsum(axis=0))
    return pd.DataFrame(closes, index=TIMES, columns=list(names)).reset_index()


def check(report, names, out):
    """Compare a report with what the names of the tokens say, and with what is published."""
    good = {name for name in names if name.startswith(faults.GOOD)}
    assert statuses(report) == {name: "fresh" if name in good else "missing" for name in sorted(names)}
    for each in report["assets"]:
        assert bool(each["error"]) is each["is_fault"] is (each["asset"] not in good)
    if good:
        assert set(RateStore.open(out).entries) == good
    else:
        with pytest.raises(RateStoreError, match="holds no rates"):
            RateStore.open(out)


@settings(max_examples=20)
@given(kinds=st.lists(st.sampled_from([faults.GOOD, *faults.RAISED]), min_size=1, max_size=5))
def test_any_exceptions_of_any_tokens_leave_the_others_rated(kinds):
    names = [f"{kind}-{number}" for number, kind in enumerate(kinds)]
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr("crashcover.rates.job.rate_token", faults.rate_token)
        write(panel_of(names), f"{folder}/panel.csv")
        check(rate_panel(folder), names, f"{folder}/rates")


def rate_panel(folder, place=None):
    arguments = (Path(folder) / "panel.csv", Path(folder) / "rates")
    return rate(*arguments, place) if place else rate(*arguments)


@pytest.mark.usefixtures("failing")
def test_a_killed_process_leaves_the_others_rated(tmp_path):
    """Each process costs its start; `tests/pricing/tools/test_processes.py` has more tasks that are lost."""
    names = ["Good-1", "Killed-2"]
    write(panel_of(names), tmp_path / "panel.csv")
    report = rate_panel(tmp_path, Workplace(processes=2))
    check(report, names, tmp_path / "rates")
    assert report["assets"][1]["error"] == "the process of this token was lost (too little memory?)"


@pytest.mark.usefixtures("failing")
def test_exceptions_are_explained(tmp_path):
    write(panel_of(["MemoryError-1", "StopIteration-2"]), tmp_path / "panel.csv")
    memory, stop = (each["error"] for each in rate_panel(tmp_path)["assets"])
    assert memory == "too little memory (try fewer --paths or --processes)"
    assert stop.startswith("fault of the program, please report it: StopIteration: (faults.py, ")


@pytest.mark.usefixtures("failing")
def test_the_exit_code_tells_of_faults(run, tmp_path):
    for names, code in ((["Good-1", "KeyError-2"], 12), (["Good-1"], 0), (["KeyError-2"], 5)):
        prices = write(panel_of(names), tmp_path / f"{code}.csv")
        result = run("rates", "--prices", prices, "--out", tmp_path / str(code), "--processes", 1, "--json")
        assert result.exit_code == code, result.output
        assert set(statuses(json.loads(result.stdout))) == set(names)


def test_a_token_without_an_outcome_stops_the_night_and_publishes_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr("crashcover.rates.job.rate_token", abs)
    monkeypatch.setattr(Workplace, "run", lambda *_, **__: iter(()))
    write(panel_of(["Good-1"]), tmp_path / "panel.csv")
    with pytest.raises(WorkerError, match="1 of 1 tasks have no result"):
        rate_panel(tmp_path)
    assert not (tmp_path / "rates" / "CURRENT").exists()


def test_nothing_empty_is_published(tmp_path):
    with pytest.raises(RateStoreError, match="at least one asset"):
        publish(tmp_path, [], name="night")
    assert [path for path in tmp_path.iterdir() if path.name != ".publishing"] == []


@pytest.mark.usefixtures("failing")
def test_a_fault_in_reading_fails_its_token_alone(monkeypatch, tmp_path):
    prices = tmp_path / "prices"
    prices.mkdir()
    for name in ("Good-1", "Good-2"):
        write(panel_of(["close"]), prices / f"{name}.csv")

    def fail_at_two(path, asset, reading):
        if path.stem == "Good-2":
            raise IndexError("out")
        return read_history(path, asset, reading)

    monkeypatch.setattr("crashcover.files.folders.read_history", fail_at_two)
    report = rate(prices, tmp_path / "rates")
    assert statuses(report) == {"Good-1": "fresh", "Good-2": "missing"}
    assert report["assets"][1]["is_fault"]


@pytest.mark.usefixtures("failing")
def test_two_files_of_one_token_and_files_of_other_kinds_are_named(tmp_path):
    prices = tmp_path / "prices"
    prices.mkdir()
    for name in ("Good-1.csv", "Good-1.csv.gz", "Good-2.csv"):
        write(panel_of(["close"]), prices / name)
    (prices / "notes.txt").write_text("of last night")
    (prices / ".hidden").write_text("")
    report = rate(prices, tmp_path / "rates")
    assert statuses(report) == {"Good-1": "missing", "Good-2": "fresh"}
    assert report["assets"][0]["error"] == f"{prices} must hold one file per token, got Good-1.csv, Good-1.csv.gz"
    assert report["notices"] == [f"{prices}: not read, because of the endings of the names: notes.txt"]


def test_a_last_label_with_parts_of_a_second_costs_no_token(run, tmp_path):
    """The price of now at the end of a file, 1 h 37 min 12.345 s after the row before."""
    times = pd.date_range("2025-01-01", periods=2400, freq="h", tz="UTC")
    moves = np.random.default_rng(2).normal(0.0, 0.01, 2400).cumsum()
    prices = pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "close": np.exp(moves)})
    late = times[-2] + pd.Timedelta(minutes=97, seconds=12.345)
    prices.loc[2399, "time"] = late.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    file = write(prices, tmp_path / "BBB.csv")
    result = run("calibrate", "--prices", file, "--json")
    assert result.exit_code in (0, 3), result.output
    assert result.exit_code == 3 or json.loads(result.stdout)
