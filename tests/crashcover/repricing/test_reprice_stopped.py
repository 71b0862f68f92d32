"""Runs that are killed: rerun, and the result is what an uninterrupted run leaves, to the byte."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from crashcover.repricing.job import RepriceJob, run_job
from crashcover.runs.workers import Workplace
from pricing.errors import DataError, RateStoreError
from pricing.tools.progress import silent
from tests.checkout import CHECKOUT
from tests.crashcover.calling import call
from tests.crashcover.repricing.books import ROW, book_file, content, make_book, reprice

#: Kills, one in each equal part of a run, and the seed of their moments.
N_KILLS, SEED = 8, 20261122


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A small book in which every seventh row is wrong."""
    table = make_book(1000, seed=7)
    table.loc[::7, "drop"] = 50.0
    return book_file(table, tmp_path_factory.mktemp("book"), "book.csv")


@pytest.fixture(scope="module")
def whole(book, rate_store, tmp_path_factory):
    """Results of an uninterrupted run."""
    out = tmp_path_factory.mktemp("whole") / "out"
    reprice(book, rate_store, out)
    return content(out)


@pytest.fixture(scope="module")
def begin(book, rate_store):
    """Start a run in a process that costs little to start, as it comes from one with everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["crashcover.repricing.job"])

    def begin(out):
        job = RepriceJob(book=book, rates=rate_store, out=out)
        process = context.Process(target=run_job, args=(job, Workplace(processes=1), silent))
        process.start()
        return process

    return begin


def test_killed_at_random_moments_and_run_again_leaves_the_same_bytes(book, rate_store, whole, begin, tmp_path):
    begin(tmp_path / "warm").join()
    started = time.perf_counter()
    begin(tmp_path / "timed").join()
    duration = time.perf_counter() - started
    draw = np.random.default_rng(SEED)
    n_unfinished = 0
    for number in range(N_KILLS):
        out = tmp_path / str(number)
        process = begin(out)
        time.sleep((number + draw.uniform()) / N_KILLS * duration)
        process.kill()
        process.join()
        is_finished = (out / "summary.json").exists()
        duration *= 0.5 if is_finished else 1.0  # the timed run was slower, on a machine that does other work as well
        n_unfinished += not is_finished
        assert not (out / "priced").exists() or content(out / "priced") == {
            name.removeprefix("priced/"): data for name, data in whole.items() if name.startswith("priced/")
        }
        reprice(book, rate_store, out)
        assert content(out) == whole
    assert n_unfinished >= N_KILLS // 2


def test_stopped_before_any_rename_and_run_again_leaves_the_same_bytes(book, rate_store, whole, tmp_path, renames):
    for stop in range(1, 1 + renames.count(lambda: reprice(book, rate_store, tmp_path / "counted"))):
        out = tmp_path / str(stop)
        renames.stop_before(stop, lambda out=out: reprice(book, rate_store, out))
        reprice(book, rate_store, out)
        assert content(out) == whole


def test_the_command_goes_on_after_a_kill_of_it_and_its_processes(book, rate_store, whole, tmp_path):
    command = [sys.executable, "-m", "crashcover", "reprice", book, "--rates", rate_store, "--out", tmp_path / "out"]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    arguments = [*map(str, command), "--processes", "2"]
    process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (tmp_path / "out" / ".work" / "staged" / "index.json").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out" / "summary.json").exists()
    again = call(*command[3:], "--processes", 1)
    assert again.exit_code == 0, again.output
    assert content(tmp_path / "out") == whole


def test_a_run_goes_on_with_the_rates_that_it_began_with(rate_store, tmp_path, monkeypatch):
    book = book_file(pd.DataFrame([ROW]), tmp_path)
    monkeypatch.setattr("crashcover.repricing.job.summarise", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        reprice(book, rate_store, tmp_path / "out")
    monkeypatch.undo()
    monkeypatch.setattr("pricing.rates.store.current_version", lambda _: pytest.fail("asked for the latest rates"))
    assert reprice(book, rate_store, tmp_path / "out")["priced"] == 1


def test_a_run_whose_rates_were_pruned_says_what_to_do(rate_store, tmp_path):
    book = book_file(pd.DataFrame([ROW]), tmp_path)
    reprice(book, rate_store, tmp_path / "out")
    (tmp_path / "out" / "summary.json").unlink()
    manifest = tmp_path / "out" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "rates": "of-last-year"}))
    with pytest.raises(
        RateStoreError, match="began with the rates of-last-year, which have since been pruned: .*another --out"
    ):
        reprice(book, rate_store, tmp_path / "out")


def test_what_others_have_half_written_in_the_folder_stays(rate_store, tmp_path):
    theirs = tmp_path / "out" / "rates" / "2026.part" / "00000.surface"
    theirs.parent.mkdir(parents=True)
    ours = tmp_path / "out" / "summary.json.1-2.part"
    for path in (theirs, ours, tmp_path / "out" / "film.part"):
        path.touch()
    reprice(book_file(pd.DataFrame([ROW]), tmp_path), rate_store, tmp_path / "out")
    assert theirs.exists()
    assert (tmp_path / "out" / "film.part").exists()
    assert not ours.exists()


@pytest.mark.parametrize("text", ["{}", "[]", "no json"])
def test_a_manifest_of_something_else_is_no_run(rate_store, tmp_path, text):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text(text)
    with pytest.raises(DataError, match="is not the manifest of a priced book: .* .choose another --out"):
        reprice(book_file(pd.DataFrame([ROW]), tmp_path), rate_store, tmp_path / "out")
