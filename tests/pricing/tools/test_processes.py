"""Every task has a result, an error, or is named as lost, in any number of processes."""

import os
import signal

import pytest

from pricing.errors import WorkerError
from pricing.tools.processes import in_processes, one_by_one

DEADLY = {2, 5}


def double(number):
    return 2 * number


def die_at_some(number):
    if number in DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def stop(_task):
    raise StopIteration


def name_lost(number):
    return -number


@pytest.mark.parametrize("n_processes", [1, 2])
def test_every_task_has_one_result(n_processes):
    assert sorted(in_processes(double, range(6), n_processes)) == [0, 2, 4, 6, 8, 10]


@pytest.mark.parametrize("n_processes", [1, 2])
def test_a_function_that_stops_does_not_end_the_tasks_in_silence(n_processes):
    with pytest.raises(RuntimeError, match="StopIteration"):
        list(in_processes(stop, [1, 2], n_processes))
    with pytest.raises(RuntimeError, match="StopIteration"):
        list(one_by_one(stop, [1, 2]))


def test_tasks_that_lose_their_process_are_named_and_the_others_done():
    results = sorted(in_processes(die_at_some, range(7), 2, lost=name_lost))
    assert results == [-5, -2, 0, 2, 6, 8, 12]


def test_without_a_way_out_a_lost_process_is_an_error_that_names_the_task():
    with pytest.raises(WorkerError, match="the process of 5 was lost"):
        list(in_processes(die_at_some, [5], 2))
