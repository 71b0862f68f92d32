"""The nightly job: published completely, whatever fails or is killed, and the same for any workers."""

import json
import multiprocessing
import shutil
import time
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from calibration import calibrate
from crashcover import sample_market
from crashcover.rates.job import RateJob, run_job
from crashcover.rates.night import RateSettings
from crashcover.runs.locks import locked
from crashcover.runs.workers import Workplace
from pricing import SimulationSettings, simulate
from pricing.errors import DataError, FolderInUseError
from pricing.rates.store import RateStore, versions
from pricing.tools.progress import silent
from tests.crashcover.rates.nights import HERE, SETTINGS, published, rate, statuses, write
from tests.crashcover.repricing.books import content
from tests.pricing.rates.store_worlds import damage


@pytest.fixture(scope="module")
def night(sample_files, tmp_path_factory):
    """Rates of the sample market, made in this process."""
    folder = tmp_path_factory.mktemp("night")
    rate(sample_files[0], folder)
    return folder


def test_rates_are_those_of_the_calibration_and_of_a_seed_by_name(sample_files, night):
    store = RateStore.open(night)
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


def test_processes_do_not_change_a_byte(sample_files, night, tmp_path):
    rate(sample_files[0], tmp_path, Workplace(processes=2))
    assert published(tmp_path) == published(night)


def test_a_folder_of_files_gives_the_rates_of_the_panel(panel, night, tmp_path):
    folder = tmp_path / "prices"
    folder.mkdir()
    for name in panel.columns[1:]:
        write(panel[["time", name]].rename(columns={name: "close"}), folder / f"{name}.csv")
    rate(folder, tmp_path / "rates")
    assert published(tmp_path / "rates") == published(night)


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
    assert "prices must reach within 24h" in errors["SYNTH-WHALE"]
    assert "at least 60 days" in errors["YOUNG"]
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


def test_what_others_keep_in_the_store_is_left_alone(panel, tmp_path):
    out = tmp_path / "rates"
    priced = out / "priced-1"
    (priced / ".work").mkdir(parents=True)
    (priced / "manifest.json").write_text('{"book": "b"}')
    (priced / ".work" / "rows.1-1.part").write_text("of a run that goes on")
    kept = content(priced)
    for days in (3, 2, 1):
        rate(write(panel.iloc[: -24 * days], tmp_path / f"{days}.csv"), out, keep=1)
    assert content(priced) == kept
    assert len(versions(out)) == 2  # readers may be opening the one before


def test_a_damaged_older_version_does_not_end_a_night(panel, tmp_path):
    out = tmp_path / "rates"
    for days in (3, 2):
        rate(write(panel.iloc[: -24 * days], tmp_path / f"{days}.csv"), out)
    manifest = out / versions(out)[0] / "manifest.json"
    manifest.write_text(manifest.read_text().replace("fresh", "stale"))
    rate(write(panel, tmp_path / "1.csv"), out)
    assert len(versions(out)) == 3


def test_a_damaged_surface_of_before_hurts_only_a_token_that_needs_it(panel, tmp_path):
    out = tmp_path / "rates"
    rate(write(panel.iloc[:-24], tmp_path / "before.csv"), out)
    store = RateStore.open(out)
    surfaces = bytearray((store.path / "surfaces").read_bytes())
    for asset in ("SYNTH-CALM", "SYNTH-WILD", "SYNTH-EVEN"):
        surfaces[store.places[asset].start + store.places[asset].length // 2] ^= 1
    (store.path / "surfaces").write_bytes(surfaces)
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

    def fit(panel, *, as_of, splits):
        asked.append((panel.shape, as_of, splits))
        raise DataError("fitted")

    monkeypatch.setattr("crashcover.rates.job.fit_market", fit)
    prices, _ = sample_market.write_files(tmp_path)
    with pytest.raises(DataError, match="fitted"):
        rate(prices, tmp_path / "rates", market=prices)
    assert asked == [((8760, 4), pd.Timestamp("2026-01-01T00:00Z"), {})]


def test_killed_at_random_moments_and_run_again_publishes_the_same_bytes(panel, sample_files, tmp_path):
    earlier = write(panel.iloc[:-24], tmp_path / "earlier.csv")
    rate(earlier, tmp_path / "start")
    shutil.copytree(tmp_path / "start", tmp_path / "whole")
    rate(sample_files[0], tmp_path / "whole")
    whole, old = published(tmp_path / "whole"), RateStore.open(tmp_path / "start").version
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["crashcover.rates.job"])
    draw = np.random.default_rng(20261122)
    for number in range(4):
        out = tmp_path / str(number)
        shutil.copytree(tmp_path / "start", out)
        job = RateJob(prices=sample_files[0], out=out, settings=SETTINGS)
        process = context.Process(target=run_job, args=(job, HERE, silent))
        process.start()
        time.sleep(0.4 * (number + draw.uniform()) / 4)
        process.kill()
        process.join()
        store = RateStore.open(out)  # the old version or the new one, whole
        assert len([store.surface(asset) for asset in store.entries]) == 4
        assert store.version in (old, RateStore.open(tmp_path / "whole").version)
        run_job(job, HERE, silent)
        assert published(out) == whole


def test_stopped_before_any_rename_and_run_again_publishes_the_same_bytes(panel, tmp_path, renames):
    prices = write(panel[["time", "SYNTH-CALM", "SYNTH-WILD"]], tmp_path / "prices.csv")
    n_renames = renames.count(lambda: rate(prices, tmp_path / "whole"))
    whole = published(tmp_path / "whole")
    assert n_renames >= 10  # calibrations, their market, surfaces and outcomes twice, the manifest, the report
    for stop in range(1, n_renames + 1):
        out = tmp_path / str(stop)
        renames.stop_before(stop, lambda out=out: rate(prices, out))
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
