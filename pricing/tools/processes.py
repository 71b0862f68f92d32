"""Independent tasks in processes that end with their parent process."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from typing import TypeVar

from pricing.errors import WorkerError

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_processes(function: Callable[[Task], Result], tasks: Sequence[Task], n_processes: int) -> Iterator[Result]:
    """Call a function with each task, and yield results as they complete.

    Parameters
    ----------
    function : callable
        A module-level function, or a partial of one; it is sent by name.
    tasks : sequence
        Arguments, small enough to be sent.
    n_processes : int
        Number of processes; one means the current process.

    Raises
    ------
    WorkerError
        If a process is lost.
    """
    if n_processes == 1:
        yield from map(function, tasks)
        return
    # Spawned, because a process with threads cannot fork safely.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_processes, mp_context=context, initializer=_follow_parent) as pool:
        try:
            for future in as_completed([pool.submit(function, task) for task in tasks]):
                yield future.result()
        except BrokenProcessPool as error:
            raise WorkerError("a process was lost (too little memory?): run again; finished work is kept") from error
        finally:
            pool.shutdown(cancel_futures=True)


def _follow_parent() -> None:
    """Leave interrupts to the parent, and end when it ends, even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=[parent], daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
