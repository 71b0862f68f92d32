"""Independent tasks in processes that end with their parent process."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from typing import NoReturn, TypeVar

from pricing.errors import WorkerError

Task = TypeVar("Task")
Result = TypeVar("Result")


def one_by_one(function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
    """Call a function with each task; unlike ``map``, do not take its ``StopIteration`` for the end of the tasks."""
    for task in tasks:
        yield function(task)


def in_processes(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    n_processes: int,
    *,
    lost: Callable[[Task], Result] | None = None,
) -> Iterator[Result]:
    """Call a function with each task, and yield results as they complete.

    If a process is lost, each task that was in progress is repeated alone, which shows whether it is the reason.

    Parameters
    ----------
    function : callable
        A module-level function, or a partial of one; it is sent by name.
    tasks : sequence
        Arguments, small enough to be sent.
    n_processes : int
        Number of processes; one means the current process.
    lost : callable, optional
        Called with a task that loses its process, to give its result; by default, this is an error.

    Raises
    ------
    WorkerError
        If a task loses its process, and `lost` is not given.
    """
    if n_processes == 1:
        yield from one_by_one(function, tasks)
        return
    waiting = deque(tasks)
    while waiting:
        for task in (yield from _until_lost(function, waiting, n_processes)):
            if (yield from _until_lost(function, deque([task]), 1)):
                yield (lost or _refuse)(task)


def _until_lost(
    function: Callable[[Task], Result], waiting: deque[Task], n_processes: int
) -> Generator[Result, None, list[Task]]:
    """Yield results until a process is lost; return the tasks that were in progress then."""
    running: dict[Future[Result], Task] = {}
    # Spawned, because a process with threads cannot fork safely.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_processes, mp_context=context, initializer=_follow_parent) as pool:
        try:
            while waiting or running:
                while waiting and len(running) <= n_processes:  # one more is at hand
                    running[pool.submit(function, waiting[0])] = waiting[0]
                    waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    result = future.result()
                    del running[future]
                    yield result
        except BrokenProcessPool:
            pass
        finally:
            pool.shutdown(cancel_futures=True)
    return list(running.values())


def _refuse(task: object) -> NoReturn:
    raise WorkerError(f"the process of {_name(task)} was lost (too little memory?): run again; finished work is kept")


def _name(task: object) -> str:
    """Return the name of the asset or of the result of a task, or the task itself."""
    return str(getattr(task, "asset", None) or getattr(task, "result_file", None) or task)


def _follow_parent() -> None:
    """Leave interrupts to the parent, and end when it ends, even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=[parent], daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
