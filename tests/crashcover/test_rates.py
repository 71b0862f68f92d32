"""The nightly job: published whole, whatever fails or is killed, and the same whoever does the work."""

import json
import multiprocessing
import shutil
import time
from datetime import timedelta
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from calibration import calibrate
from calibration.market_defaults import shipped_market
from crashcover import sample_market
from crashcover.holder_files import read_holders
from crashcover.locks import locked
from crashcover.progress import unseen
from crashcover.rates.job import RateJob, run_job
from crashcover.rates.night import RateSettings, common_end
from crashcover.workers import Workplace
from pricing import SimulationSettings, simulate
from pricing.errors import DataError, FolderInUseError
from pricing.rate_store import RateStore, versions
from tests.crashcover.books import content

SETTINGS = RateSettings(n_paths=2000, windows=("1h", "24h"), terms=("7d", "30d"))
HERE = Workplace(processes=1)


@pytest.fixture(scope="module")
def panel(sample_files):
    return pd.read_csv(sample_files[0])


def write(table, path):
    table.to_csv(path, index=False)
    return path


def rate(prices, out, place=HERE, **options):
    return run_job(RateJob(prices=prices, out=out, settings=SETTINGS, **options), place, unseen)


def statuses(report):
    return {each["asset"]: each["status"] for each in report["assets"]}


def published(folder):
    """Return every byte that is published, by name; a report also holds seconds."""
    return {name: data for name, data in content(folder).items() if not name.startswith("reports/")}


def test_rates_are_those_of_the_calibration_and_of_a_seed_by_name(sample_files, tmp_path):
    rate(sample_files[0], tmp_path / "rates")
    store = RateStore.open(tmp_path / "rates")
    assert set(store.entries) == {token.name for token in sample_market.TOKENS}
    token = next(token for token in sample_market.TOKENS if token.name == "SYNTH-WILD")
    model = calibrate(pd.read_csv(sample_files[0], index_col="time", parse_dates=True)[token.name]).model
    settings = SimulationSettings(n_paths=2000, seed=SETTINGS.seed_of("SYNTH-WILD"))
    surface = simulate(model, windows=["1h", "24h"], terms=["7d", "30d"], settings=settings)
    for drop in (0.05, 0.2, 0.4):
        full, kept = surface.exceedance(drop), store.surface("SYNTH-WILD").exceedance(drop)
        assert abs(kept.value - full.value) <= 0.1 * full.standard_error
        assert kept.standard_error == pytest.approx(full.standard_error, rel=0.02)
    assert store.entries["SYNTH-WILD"].as_of == "2026-01-01T00:00:00+00:00"
    assert store.entries["SYNTH-WILD"].valid_until == "2026-01-02T12:00:00+00:00"


def test_seeds_differ_between_tokens_and_do_not_depend_on_the_others():
    seeds = {SETTINGS.seed_of(name) for name in ("A", "B", "C")}
    assert len(seeds) == 3
    assert RateSettings(seed=2).seed_of("A") not in seeds


def test_processes_do_not_change_a_byte(sample_files, tmp_path):
    rate(sample_files[0], tmp_path / "one")
    rate(sample_files[0], tmp_path / "two", Workplace(processes=2))
    assert published(tmp_path / "one") == published(tmp_path / "two")


def test_a_folder_of_files_gives_the_rates_of_the_panel(panel, sample_files, tmp_path):
    folder = tmp_path / "prices"
    folder.mkdir()
    for name in panel.columns[1:]:
        write(panel[["time", name]].rename(columns={name: "close"}), folder / f"{name}.csv")
    rate(folder, tmp_path / "one")
    rate(sample_files[0], tmp_path / "two")
    assert published(tmp_path / "one") == published(tmp_path / "two")


def test_a_token_that_fails_keeps_its_rates_of_before_marked_stale(panel, tmp_path):
    out = tmp_path / "rates"
    rate(write(panel.iloc[:-24], tmp_path / "before.csv"), out)
    before = RateStore.open(out)
    tonight = panel.astype({"SYNTH-CALM": object}).drop(columns="SYNTH-EVEN")
    tonight.loc[8000, "SYNTH-CALM"] = "n/a?"
    tonight["YOUNG"] = tonight["SYNTH-WILD"].where(tonight.index > len(panel) - 100)
    tonight.loc[tonight.index > len(panel) - 48, "SYNTH-WHALE"] = np.nan
    report = rate(write(tonight, tmp_path / "tonight.csv"), out)
    assert statuses(report) == {
        "SYNTH-CALM": "stale", "SYNTH-EVEN": "stale", "SYNTH-WHALE": "stale", "SYNTH-WILD": "fresh", "YOUNG": "missing",
    }  # fmt: skip
    errors = {each["asset"]: each["error"] for each in report["assets"]}
    assert "SYNTH-CALM must be a number, got 'n/a?'" in errors["SYNTH-CALM"]
    assert errors["SYNTH-EVEN"] == "no prices tonight"
    assert "prices must reach to within 24h" in errors["SYNTH-WHALE"]
    assert "at least 500 returns" in errors["YOUNG"]
    store = RateStore.open(out)
    for asset in ("SYNTH-CALM", "SYNTH-EVEN", "SYNTH-WHALE"):
        old, kept = before.entries[asset], store.entries[asset]
        assert (kept.surface_id, kept.as_of, kept.valid_until) == (old.surface_id, old.as_of, old.valid_until)
        assert kept.verdict[-1] == f"kept from an earlier night: {errors[asset]}"
        assert kept.verdict[:-1] == old.verdict
        assert store.surface(asset).exceedance(0.2) == before.surface(asset).exceedance(0.2)
    assert store.entries["SYNTH-WILD"].as_of > before.entries["SYNTH-WILD"].as_of


def test_a_night_on_which_every_token_fails_publishes_nothing_new_as_fresh(run, panel, tmp_path):
    prices = write(panel.iloc[:100], tmp_path / "short.csv")
    result = run("rates", "--prices", prices, "--out", tmp_path / "rates", "--processes", 1, "--json")
    assert result.exit_code == 5
    assert json.loads(result.stdout)["statuses"] == {"missing": 4}


@pytest.mark.parametrize(
    ("option", "value", "slip"),
    [
        ("--term", "30", "term must be a duration"),
        ("--window", "30m", "minutes are 'min'"),
        ("--window", "0h", "window must be longer than zero"),
        ("--window", "90min", "window must be a whole number of steps of 1h, got 90min"),
        ("--waiting-period", "30d", "term must be longer than the waiting period of 30d"),
        ("--paths", 0, "n_paths must be a whole number from 1"),
        ("--paths", 2**40, "n_paths must fit into memory"),
        ("--valid-for", "-1h", "valid_for must be a duration"),
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
        write(table, folder / f"{name}.csv")
    write(lists["SYNTH-EVEN"], folder / "GONE.csv")
    supply = 10.0 * lists["SYNTH-WHALE"]["balance"].sum()
    supplies = tmp_path / "supplies.csv"
    supplies.write_text(f"asset,supply\nSYNTH-WHALE,{supply}\nSYNTH-EVEN,many\nOTHER,1\nSYNTH-CALM,5\n")
    result = run("rates", "--prices", prices, "--holders", folder, "--supplies", supplies, "--out", out,
                 "--paths", 1000, "--window", "24h", "--term", "30d", "--processes", 1)  # fmt: skip
    assert result.exit_code == 0
    assert f"notice: {folder}: there are no prices for GONE\n" in result.stderr
    assert f"notice: {supplies}: there are no prices for OTHER\n" in result.stderr
    assert f"notice: {supplies}: there are no holders for SYNTH-CALM\n" in result.stderr
    assert f"{supplies}, row 3: supply must be a number, got 'many'" in result.stdout
    store = RateStore.open(out)
    assert set(store.entries) == {"SYNTH-CALM", "SYNTH-WHALE", "SYNTH-WILD"}
    kept = json.loads((out / "calibrations" / f"{store.calibration_id('SYNTH-WHALE')}.json").read_text())
    closes = pd.read_csv(prices, index_col="time", parse_dates=True)["SYNTH-WHALE"]
    measured = calibrate(closes, holders=lists["SYNTH-WHALE"], supply=supply)
    assert kept["calibration"] == json.loads(measured.to_json())


def test_supplies_go_with_holders(run, sample_files, tmp_path):
    result = run("rates", "--prices", sample_files[0], "--supplies", "supplies.csv", "--out", tmp_path / "rates")
    assert result.exit_code == 2
    assert "--supplies goes with --holders" in result.stderr


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


def test_a_night_is_rated_once_and_its_changes_are_reported(panel, tmp_path):
    out = tmp_path / "rates"
    first = rate(write(panel.iloc[:-240], tmp_path / "first.csv"), out)
    second = rate(write(panel, tmp_path / "second.csv"), out)
    assert all(each["rate_before"] is None for each in first["assets"])
    before = {each["asset"]: each["rate"] for each in first["assets"]}
    assert {each["asset"]: each["rate_before"] for each in second["assets"]} == before
    kept = content(out)
    assert rate(tmp_path / "second.csv", out) == second
    assert content(out) == kept


def test_old_versions_and_calibrations_nobody_refers_to_are_deleted(panel, tmp_path):
    out = tmp_path / "rates"
    for days in (4, 3, 2, 1):
        rate(write(panel.iloc[: -24 * days], tmp_path / f"{days}.csv"), out, keep=2)
    assert len(versions(out)) == 2
    assert len(list((out / "calibrations").glob("*.json"))) == 8
    assert not (out / "work").exists()


HOUR, NIGHT = pd.Timedelta(hours=1), pd.Timestamp("2026-01-01T00:00Z")


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([0, 0, 40_000], 0),  # hours: one token of the future
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


def test_what_others_keep_in_the_store_is_left_alone(panel, tmp_path):
    out = tmp_path / "rates"
    priced = out / "priced-1"
    (priced / ".work").mkdir(parents=True)
    (priced / "manifest.json").write_text('{"book": "b"}')
    (priced / ".work" / "rows.1-1.part").write_text("of a run that goes on")
    kept = content(priced)
    for days in (2, 1):
        rate(write(panel.iloc[: -24 * days], tmp_path / f"{days}.csv"), out, keep=1)
    assert content(priced) == kept
    assert len(versions(out)) == 1


def test_a_damaged_older_version_does_not_end_a_night(panel, tmp_path):
    out = tmp_path / "rates"
    for days in (3, 2):
        rate(write(panel.iloc[: -24 * days], tmp_path / f"{days}.csv"), out)
    manifest = out / versions(out)[0] / "manifest.json"
    manifest.write_text(manifest.read_text().replace("fresh", "stale"))
    rate(write(panel, tmp_path / "1.csv"), out)
    assert len(versions(out)) == 3


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_damaged_surface_of_before_hurts_only_a_token_that_needs_it(panel, tmp_path):
    out = tmp_path / "rates"
    rate(write(panel.iloc[:-24], tmp_path / "before.csv"), out)
    store = RateStore.open(out)
    for asset in ("SYNTH-CALM", "SYNTH-WILD", "SYNTH-EVEN"):
        damage(store.path / store.files[asset][0])
    tonight = panel.assign(**{"SYNTH-CALM": -1.0}).drop(columns="SYNTH-WILD")
    report = rate(write(tonight, tmp_path / "tonight.csv"), out)
    assert statuses(report) == {
        "SYNTH-CALM": "missing", "SYNTH-EVEN": "fresh", "SYNTH-WHALE": "fresh", "SYNTH-WILD": "missing",
    }  # fmt: skip
    errors = {each["asset"]: each["error"] for each in report["assets"]}
    assert "must be positive, got -1" in errors["SYNTH-CALM"]
    assert "; its earlier rates are lost: " in errors["SYNTH-CALM"]
    assert errors["SYNTH-WILD"].startswith("no prices tonight; its earlier rates are lost: ")
    befores = {each["asset"]: each["rate_before"] for each in report["assets"]}
    assert befores["SYNTH-EVEN"] is None
    assert befores["SYNTH-WHALE"] > 0.0
    assert set(RateStore.open(out).entries) == {"SYNTH-EVEN", "SYNTH-WHALE"}


def test_a_damaged_manifest_comes_with_a_way_out(run, panel, tmp_path):
    out = tmp_path / "rates"
    for days in (3, 2):
        rate(write(panel.iloc[: -24 * days], tmp_path / f"{days}.csv"), out)
    older, latest = versions(out)
    damage(out / latest / "manifest.json")
    prices = write(panel, tmp_path / "1.csv")
    arguments = ("rates", "--prices", prices, "--out", out, "--paths", 1000, "--processes", 1)
    result = run(*arguments, "--window", "24h", "--term", "30d")
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1
    assert "manifest.json is missing or damaged" in result.stderr
    assert f"(write {older} into {out / 'CURRENT'} to go back to it)" in result.stderr
    (out / "CURRENT").write_text(f"{older}\n")
    assert run(*arguments, "--window", "24h", "--term", "30d").exit_code == 0


def test_the_market_may_be_fitted_to_a_panel_of_its_own(tmp_path, monkeypatch):
    asked = []

    def fit(panel, *, as_of):
        asked.append((panel.shape, as_of))
        raise DataError("fitted")

    monkeypatch.setattr("crashcover.rates.job.fit_market", fit)
    prices, _ = sample_market.write_files(tmp_path)
    with pytest.raises(DataError, match="fitted"):
        rate(prices, tmp_path / "rates", market=prices)
    assert asked == [((8760, 4), pd.Timestamp("2026-01-01T00:00Z"))]


def test_killed_at_random_moments_and_run_again_publishes_the_same_bytes(panel, sample_files, tmp_path):
    earlier = write(panel.iloc[:-24], tmp_path / "earlier.csv")
    rate(earlier, tmp_path / "start")
    shutil.copytree(tmp_path / "start", tmp_path / "whole")
    rate(sample_files[0], tmp_path / "whole")
    whole, old = published(tmp_path / "whole"), RateStore.open(tmp_path / "start").version
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["crashcover.rates.job"])
    draw = np.random.default_rng(20261122)
    for number in range(6):
        out = tmp_path / str(number)
        shutil.copytree(tmp_path / "start", out)
        job = RateJob(prices=sample_files[0], out=out, settings=SETTINGS)
        process = context.Process(target=run_job, args=(job, HERE, unseen))
        process.start()
        time.sleep(draw.uniform(0.02, 0.4))
        process.kill()
        process.join()
        store = RateStore.open(out)  # the old version or the new one, whole
        assert len([store.surface(asset) for asset in store.entries]) == 4
        assert store.version in (old, RateStore.open(tmp_path / "whole").version)
        run_job(job, HERE, unseen)
        assert published(out) == whole


def test_stopped_before_any_rename_and_run_again_publishes_the_same_bytes(panel, tmp_path, monkeypatch):
    class Stopped(BaseException):
        """Not an error that anything could handle."""

    prices = write(panel[["time", "SYNTH-CALM", "SYNTH-WILD"]], tmp_path / "prices.csv")
    renames, last = [0], [0]
    rename = Path.replace

    def replace(path, target):
        renames[0] += 1
        if renames[0] == last[0]:
            raise Stopped
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr("pricing.whole_files.getpid", count().__next__)
    rate(prices, tmp_path / "whole")
    whole, n_renames = published(tmp_path / "whole"), renames[0]
    assert n_renames >= 10  # calibrations, their market, surfaces and outcomes twice, the manifest, the report
    for stop in range(1, n_renames + 1):
        out = tmp_path / str(stop)
        renames[0], last[0] = 0, stop
        with pytest.raises(Stopped):
            rate(prices, out)
        last[0] = 0
        rate(prices, out)
        assert published(out) == whole


def test_two_nights_at_once_in_one_store_are_refused(sample_files, tmp_path):
    with locked(tmp_path / "rates"), pytest.raises(FolderInUseError):
        rate(sample_files[0], tmp_path / "rates")


def test_the_command_shows_every_asset(run, sample_files, tmp_path):
    arguments = ("rates", "--prices", sample_files[0], "--out", tmp_path / "rates", "--paths", 1000, "--processes", 1)
    result = run(*arguments, "--window", "24h", "--term", "30d", "--valid-for", "2d")
    assert result.exit_code == 0, result.output
    for token in sample_market.TOKENS:
        assert token.name in result.stdout
    assert "4 fresh" in result.stdout
    entry = RateStore.open(tmp_path / "rates").entries["SYNTH-CALM"]
    assert entry.valid_until_time - entry.as_of_time == timedelta(days=2)


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
