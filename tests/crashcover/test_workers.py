"""Tasks run anywhere with the same results, and a lost worker's are done again."""

import os
import signal

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from crashcover.repricing.job import RepriceJob, run_job
from crashcover.workers import Workplace
from pricing.errors import WorkerError
from tests.crashcover.books import book_file, content, make_book, reprice

dask = pytest.importorskip("dask")
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
    with pytest.raises(WorkerError, match="a process was lost"):
        list(Workplace(processes=2).run(os._exit, [3, 4]))


def test_a_scheduler_that_does_not_answer_is_named():
    place = Workplace(scheduler="tcp://127.0.0.1:9")
    impatient = dask.config.set({"distributed.comm.timeouts.connect": "1s"})
    with impatient, pytest.raises(WorkerError, match=r"scheduler tcp://127\.0\.0\.1:9 cannot be reached"):
        list(place.run(abs, [1]))


def test_a_dask_worker_killed_mid_run_changes_nothing(rate_store, tmp_path):
    book = book_file(make_book(2000), tmp_path)
    reprice(book, rate_store, tmp_path / "local")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
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
