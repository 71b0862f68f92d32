"""Tasks run anywhere with the same results, and a lost worker's are done again."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from crashcover.repricing.job import RepriceJob, run_job
from crashcover.runs.workers import Workplace
from pricing.errors import WorkerError
from tests.checkout import CHECKOUT
from tests.crashcover.repricing.books import book_file, content, make_book, reprice

distributed = pytest.importorskip("distributed")


def test_one_place_to_work_is_enough():
    with pytest.raises(WorkerError, match="choose one of them"):
        Workplace(workers=2, scheduler="tcp://localhost:8786")


@pytest.mark.parametrize("place", [Workplace(processes=1), Workplace(processes=2), Workplace(workers=1)])
def test_every_place_does_every_task_once(place):
    assert sorted(place.run(abs, range(-5, 0))) == [1, 2, 3, 4, 5]
    assert list(place.run(abs, [])) == []


def test_tasks_sum_in_one_order_as_they_have_one_thread_for_it():
    np.linalg.inv(np.eye(2))  # the library is loaded
    assert set(Workplace(processes=1).run(_blas_threads, range(2))) == {1}


def _blas_threads(_task):
    return max(each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas")


def test_a_local_process_that_is_lost_ends_the_run():
    with pytest.raises(WorkerError, match="the process of [34] was lost"):
        list(Workplace(processes=2).run(os._exit, [3, 4]))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nobody.invalid:8786", "bad://127.0.0.1:9"])
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch, address):
    monkeypatch.setattr("crashcover.runs.workers._CONNECT_SECONDS", 0.2)
    place = Workplace(scheduler=address)
    with pytest.raises(WorkerError, match=f"scheduler {address} cannot be reached"):
        list(place.run(abs, [1]))


@pytest.mark.parametrize("options", [["--scheduler", "foo"], ["--workers", 1, "--processes", 1]])
def test_a_workplace_that_makes_no_sense_is_wrong_usage(run, rate_store, tmp_path, options):
    book = book_file(make_book(1), tmp_path)
    result = run("reprice", book, "--rates", rate_store, "--out", tmp_path / "out", *options)
    assert result.exit_code == 2
    assert "scheduler" in result.stderr


SLEEPERS = """
import sys, time
from crashcover.runs.workers import Workplace

if __name__ == "__main__":
    print("ready", flush=True)
    try:
        list(Workplace(workers=1).run(time.sleep, [60]))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
"""


@pytest.mark.parametrize("delay", [0.2, 2.0])
def test_an_interrupt_says_nothing_of_the_workers_that_it_ends(tmp_path, delay):
    path = tmp_path / "sleepers.py"
    path.write_text(SLEEPERS)
    command, environment = [sys.executable, str(path)], os.environ | {"PYTHONPATH": str(CHECKOUT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen(command, start_new_session=True, **pipes) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGINT)
        told = process.stderr.read()
    assert told.splitlines()[-1] == "interrupted"
    assert "Traceback" not in told
    assert "killing" not in told


def test_a_dask_worker_killed_mid_run_changes_nothing(rate_store, tmp_path):
    book = book_file(make_book(2000), tmp_path)
    reprice(book, rate_store, tmp_path / "local")
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        killed = []

        def begin(name, _total):
            def progress(done):
                if name == "pricing" and done and not killed:
                    killed.append(next(iter(cluster.workers.values())).pid)
                    os.kill(killed[0], signal.SIGKILL)

            return progress

        job = RepriceJob(book=book, rates=rate_store, out=tmp_path / "dask")
        run_job(job, Workplace(scheduler=cluster.scheduler_address), begin)
        assert len(killed) == 1
    assert content(tmp_path / "dask") == content(tmp_path / "local")
