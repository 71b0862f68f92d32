"""Inputs of a night: an error in one token fails that token, an error for all changes nothing."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from calibration import calibrate
from calibration.market.shipped import shipped_market
from crashcover.files.holders import read_holders
from crashcover.rates.job import RateJob, run_job
from crashcover.rates.night import common_end
from pricing.errors import DataError
from pricing.rates.store import RateStore
from pricing.tools.progress import silent
from tests.crashcover.rates.nights import HERE, SETTINGS, published, rate, statuses, write

HOUR, NIGHT = pd.Timedelta(hours=1), pd.Timestamp("2026-01-01T00:00Z")


@pytest.mark.parametrize(
    ("option", "value", "slip"),
    [
        ("--term", "30", "--term: write 30d, got '30'"),
        ("--window", "30m", "minutes are 'min'"),
        ("--window", "0h", "window must be longer than zero"),
        ("--grid", "7h", "grid must divide a day, got 7h"),
        ("--window", "90min", "window must be a whole number of steps of 1h, got 90min"),
        ("--waiting-period", "30d", "waiting_period must be shorter than the term of 30d"),
        ("--paths", 0, "n_paths must be a whole number from 1"),
        ("--paths", 2**40, "n_paths must fit into memory"),
        ("--valid-for", "-1h", "--valid-for must be a duration"),
    ],
)
def test_what_would_fail_for_every_token_is_refused_and_changes_nothing(
    run, rate_store, sample_files, tmp_path, option, value, slip
):
    out = tmp_path / "rates"
    shutil.copytree(rate_store, out)
    kept = published(out)
    result = run(
        *("rates", "--prices", sample_files[0], "--out", out, "--processes", 1, "--term", "30d", option, value)
    )
    assert result.exit_code == 4, result.output
    assert slip in result.stderr
    assert {name: data for name, data in published(out).items() if not name.startswith("work/")} == kept


def test_a_window_that_is_no_whole_number_of_steps_fails_only_tokens_of_such_steps(panel, tmp_path):
    prices = panel[["time", "SYNTH-CALM", "SYNTH-WILD"]].copy()
    prices.loc[prices.index % 2 == 0, "SYNTH-WILD"] = np.nan  # bars of two hours
    report = rate(write(prices, tmp_path / "prices.csv"), tmp_path / "rates")
    assert statuses(report) == {"SYNTH-CALM": "fresh", "SYNTH-WILD": "missing"}
    assert report["assets"][1]["error"] == "window must be a whole number of steps of 2h, got 1h"


def test_bars_of_two_hours_are_rated_for_covers_that_are_observed_every_hour(panel, tmp_path):
    prices = write(panel[["time", "SYNTH-WILD"]].iloc[::2], tmp_path / "prices.csv")
    report = run_job(
        RateJob(prices=prices, out=tmp_path / "rates", settings=replace(SETTINGS, grid=timedelta(hours=1))),
        HERE,
        silent,
    )
    assert statuses(report) == {"SYNTH-WILD": "fresh"}
    assert RateStore.open(tmp_path / "rates").surface("SYNTH-WILD").step == timedelta(hours=1)


def test_holders_named_by_token_raise_the_rates_of_the_concentrated(sample_files, tmp_path):
    prices, holders = sample_files
    folder = tmp_path / "holders"
    folder.mkdir()
    for name in ("SYNTH-EVEN", "SYNTH-WHALE"):
        write(read_holders(holders, asset=name), folder / f"{name}.csv")
    report = rate(prices, tmp_path / "rates", holders=folder)
    verdicts = {each["asset"]: each["verdict"] for each in report["assets"]}
    assert "NO_HOLDERS" in verdicts["SYNTH-CALM"]
    assert "NO_HOLDERS" not in verdicts["SYNTH-WHALE"]
    rates = {each["asset"]: each["rate"] for each in report["assets"]}
    assert rates["SYNTH-WHALE"] > rates["SYNTH-EVEN"]  # the same returns


def test_supplies_reach_the_calibration_and_a_bad_one_fails_its_token(run, sample_files, tmp_path):
    prices, holders = sample_files
    folder, out = tmp_path / "holders", tmp_path / "rates"
    folder.mkdir()
    lists = {name: read_holders(holders, asset=name) for name in ("SYNTH-EVEN", "SYNTH-WHALE")}
    for name, table in lists.items():
        write(table.assign(tag=""), folder / f"{name}.csv")
    write(lists["SYNTH-EVEN"], folder / "GONE.csv")
    supply = 10.0 * lists["SYNTH-WHALE"]["balance"].sum()
    supplies = tmp_path / "supplies.csv"
    supplies.write_text(f"asset,supply\nSYNTH-WHALE,{supply}\nSYNTH-EVEN,many\nOTHER,1\nSYNTH-CALM,-5\n")
    result = run("rates", "--prices", prices, "--holders", folder, "--supplies", supplies, "--out", out,
                 "--paths", 1000, "--window", "24h", "--term", "30d", "--processes", 1)  # fmt: skip
    assert result.exit_code == 0
    assert f"notice: {folder}: there are no prices for GONE\n" in result.stderr
    assert f"notice: {supplies}: there are no prices for OTHER\n" in result.stderr
    assert f"notice: {supplies}: there are no holders for SYNTH-CALM\n" in result.stderr
    assert "notice: SYNTH-WHALE: holders: not used: tag" in result.stderr
    assert f"{supplies}, row 3: supply must be a number, got 'many'" in result.stdout
    store = RateStore.open(out)
    assert set(store.entries) == {"SYNTH-CALM", "SYNTH-WHALE", "SYNTH-WILD"}
    kept = json.loads((out / "calibrations" / f"{store.calibration_id('SYNTH-WHALE')}.json").read_text())
    closes = pd.read_csv(prices, index_col="time", parse_dates=True)["SYNTH-WHALE"]
    measured = calibrate(closes, holders=lists["SYNTH-WHALE"], supply=supply)
    assert kept["calibration"] == json.loads(measured.to_json())


def test_a_supply_in_smallest_units_is_told_and_counts_as_no_list(sample_files, tmp_path):
    prices, holders = sample_files
    folder, supplies = tmp_path / "holders", tmp_path / "supplies.csv"
    folder.mkdir()
    listed = read_holders(holders, asset="SYNTH-EVEN")
    write(listed, folder / "SYNTH-EVEN.csv")
    supplies.write_text(f"asset,supply\nSYNTH-EVEN,{2e18 * listed['balance'].sum():.0f}\n")
    told = rate(prices, tmp_path / "told", holders=folder, supplies=supplies)
    without = rate(prices, tmp_path / "without")
    (one,), (other,) = (
        [each for each in report["assets"] if each["asset"] == "SYNTH-EVEN"] for report in (told, without)
    )
    assert (one["rate"], one["verdict"]) == (other["rate"], other["verdict"])
    assert "NO_HOLDERS" in one["verdict"]
    assert any("Divide supply by 10^18" in notice for notice in one["notices"])


def test_supplies_go_with_holders(run, sample_files, tmp_path):
    result = run("rates", "--prices", sample_files[0], "--supplies", "supplies.csv", "--out", tmp_path / "rates")
    assert result.exit_code == 2
    assert "--supplies needs --holders" in result.stderr


def test_a_missing_folder_of_holders_is_bad_data(run, sample_files, tmp_path):
    nowhere = tmp_path / "nowhere"
    result = run("rates", "--prices", sample_files[0], "--holders", nowhere, "--out", tmp_path / "rates")
    assert (result.exit_code, result.stderr) == (3, f"error: {nowhere}: cannot be read: no such folder\n")


def test_the_table_leaves_names_of_files_as_they_are(run, panel, sample_files, tmp_path):
    folder, out = tmp_path / "Prices", tmp_path / "rates"
    rate(sample_files[0], out)
    folder.mkdir()
    for name in panel.columns[1:]:
        (folder / f"{name}.csv").write_text("junk")
    result = run("rates", "--prices", folder, "--out", out, "--processes", 1)
    (row,) = [line for line in result.stdout.splitlines() if "SYNTH-CALM" in line and "no_holders" in line]
    assert str(folder / "SYNTH-CALM.csv") in row


def test_holders_of_another_token_fail_the_token(sample_files, tmp_path):
    prices, holders = sample_files
    folder = tmp_path / "holders"
    folder.mkdir()
    for name in ("SYNTH-EVEN", "SYNTH-WHALE"):
        shutil.copy(holders, folder / f"{name}.csv")  # the lists of several tokens
    write(pd.read_csv(holders).query("list == 'SYNTH-WHALE'"), folder / "SYNTH-CALM.csv")
    report = rate(prices, tmp_path / "rates", holders=folder)
    assert statuses(report) == {
        "SYNTH-CALM": "missing", "SYNTH-EVEN": "fresh", "SYNTH-WHALE": "fresh", "SYNTH-WILD": "fresh",
    }  # fmt: skip
    assert "asset 'SYNTH-CALM' is not in this file" in report["assets"][0]["error"]
    rates = {each["asset"]: each["rate"] for each in report["assets"]}
    assert rates["SYNTH-WHALE"] > rates["SYNTH-EVEN"]  # the same returns, each with its own list


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([0, 0, 40_000], 0),  # hours: one token in the future
        ([0, 0, -1, -2, -700, -9000, -9000], 0),  # tokens that are no longer traded
        ([0, -9000], 0),
        ([-23, -10, -10, 0], 0),
        ([-30, -30, 0], -30),
    ],
)
def test_the_time_of_a_night_is_the_last_that_most_tokens_reach(ends, expected):
    closes = [pd.DatetimeIndex([NIGHT + (end - 1) * HOUR, NIGHT + end * HOUR]) for end in ends]
    assert common_end(closes, timedelta(hours=24)) == NIGHT + expected * HOUR


def test_a_close_that_stands_alone_does_not_tell_the_time_of_a_night():
    closes, stray = pd.DatetimeIndex([NIGHT - HOUR, NIGHT]), pd.DatetimeIndex([NIGHT, NIGHT + 9000 * HOUR])
    assert common_end([closes, stray], timedelta(hours=24)) == NIGHT
    assert common_end([stray], timedelta(hours=24)) == stray[-1]


def test_a_token_with_prices_of_the_future_fails_alone(panel, tmp_path):
    folder = tmp_path / "prices"
    folder.mkdir()
    for name in panel.columns[1:]:
        write(panel[["time", name]].rename(columns={name: "close"}), folder / f"{name}.csv")
    with (folder / "SYNTH-CALM.csv").open("a") as file:
        file.write("2031-01-01T00:00:00+00:00,5\n")
    report = rate(folder, tmp_path / "rates")
    assert report["as_of"] == "2026-01-01T00:00:00+00:00"
    assert [each["status"] for each in report["assets"]] == ["missing", "fresh", "fresh", "fresh"]
    assert "must not go beyond 2026-01-01T00:00:00+00:00" in report["assets"][0]["error"]
    assert "got 2031-01-01T00:00:00+00:00" in report["assets"][0]["error"]
    said = rate(folder, tmp_path / "said", as_of=NIGHT.to_pydatetime())
    assert said["statuses"] == {"fresh": 4}  # where the time is said, nothing later is looked at


@pytest.mark.parametrize("market", [None, "panel.csv"])
def test_prices_none_of_which_can_be_read_make_rates_stale(run, panel, sample_files, tmp_path, market):
    folder, out = tmp_path / "prices", tmp_path / "rates"
    rate(sample_files[0], out)
    folder.mkdir()
    for name in panel.columns[1:]:
        (folder / f"{name}.csv").write_text("junk")
    panel_file = ("--market", write(panel, tmp_path / market)) if market else ()
    result = run("rates", "--prices", folder, "--out", out, "--processes", 1, "--json", *panel_file)
    assert result.exit_code == 5, result.output
    assert json.loads(result.stdout)["statuses"] == {"stale": 4}
    store = RateStore.open(out)
    assert {entry.status for entry in store.entries.values()} == {"stale"}
    assert "SYNTH-CALM.csv: must hold at least one row" in store.entries["SYNTH-CALM"].verdict[-1]
    again = run("rates", "--prices", folder, "--out", tmp_path / "new", "--processes", 1)
    assert again.exit_code == 3
    assert "must hold prices of at least one token (SYNTH-CALM: " in again.stderr


def test_a_token_may_have_any_name(panel, tmp_path):
    names = ["market", "币" * 60, "a/b", "prices"]
    prices = panel.set_axis(["time", *names], axis=1)
    report = rate(write(prices, tmp_path / "prices.csv"), tmp_path / "rates")
    assert statuses(report) == dict.fromkeys(names, "fresh")


def test_a_token_called_market_does_not_take_the_place_of_the_market(panel, sample_files, tmp_path, monkeypatch):
    monkeypatch.setattr("crashcover.rates.job.fit_market", lambda *_, **__: shipped_market(NIGHT))
    prices = write(panel.rename(columns={"SYNTH-CALM": "market"}), tmp_path / "prices.csv")
    assert rate(prices, tmp_path / "rates", market=sample_files[0])["statuses"] == {"fresh": 4}


@pytest.mark.parametrize("name", ["panel.csv", "panel.parquet"])
def test_a_column_without_a_name_fails_alone(panel, tmp_path, name):
    prices = panel.assign(**{" ": 1.5})
    path = tmp_path / name
    if name.endswith(".csv"):
        write(prices.rename(columns={" ": ""}), path)
    else:
        prices.to_parquet(path, index=False)
    report = rate(path, tmp_path / "rates")
    assert report["statuses"] == {"fresh": 4, "missing": 1}
    (error,) = [each["error"] for each in report["assets"] if each["error"]]
    assert "must have the name of a token, got none" in error


def test_a_file_without_a_name_fails_alone(panel, tmp_path):
    folder = tmp_path / "prices"
    folder.mkdir()
    for name in ("", "A"):
        write(panel[["time", "SYNTH-CALM"]].set_axis(["time", "close"], axis=1), folder / f"{name}.csv")
    report = rate(folder, tmp_path / "rates")
    assert statuses(report) == {"": "missing", "A": "fresh"}
    assert report["assets"][0]["error"] == f"{folder / '.csv'} must be named by its token"


def test_a_row_that_comes_twice_changes_no_rate(panel, tmp_path):
    prices = pd.concat([panel, panel.iloc[[100]]])
    twice = rate(write(prices, tmp_path / "twice.csv"), tmp_path / "twice")
    once = rate(write(panel, tmp_path / "once.csv"), tmp_path / "once")
    assert statuses(twice) == statuses(once)
    assert [each["rate"] for each in twice["assets"]] == [each["rate"] for each in once["assets"]]


def test_two_prices_of_one_time_fail_their_token(panel, tmp_path):
    prices = pd.concat([panel, panel.iloc[[100]].assign(**{"SYNTH-CALM": 7.0})])
    report = rate(write(prices, tmp_path / "prices.csv"), tmp_path / "rates")
    assert [each["status"] for each in report["assets"]] == ["missing", "fresh", "fresh", "fresh"]
    assert f"row {len(prices) + 1}: close 7 contradicts" in report["assets"][0]["error"]


def test_a_market_is_fitted_to_columns_that_are_right_and_without_repetitions(panel, tmp_path, monkeypatch, capsys):
    asked = []

    def fit(closes, **_as_of):
        asked.append(closes)
        raise DataError("fitted")

    monkeypatch.setattr("crashcover.rates.job.fit_market", fit)
    prices = write(panel, tmp_path / "prices.csv")
    spoilt = pd.concat([panel.assign(WRONG=-1.0), panel.iloc[[100]]])
    market = write(spoilt, tmp_path / "market.csv")
    with pytest.raises(DataError, match="fitted"):
        rate(prices, tmp_path / "rates", market=market)
    expected = panel.set_index(pd.DatetimeIndex(panel["time"])).drop(columns="time")
    pd.testing.assert_frame_equal(asked[0], expected, check_freq=False, check_names=False, check_index_type=False)
    assert "notice: the market is fitted without WRONG" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ("time,A\n", "at least one row"),
        ("when,A\n1,2\n", "must have a time column"),
        ("time,close\n1,2\n", "one token"),
    ],
)
def test_prices_that_cannot_be_read_at_all_stop_the_night(tmp_path, text, slip):
    path = tmp_path / "prices.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=slip):
        rate(path, tmp_path / "rates")
