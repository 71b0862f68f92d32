"""Execution of tasks: in local processes, or on a Dask cluster of one or many machines.

A task is one call of a module's function with one argument, which writes its results to shared files and
returns little. So it does not matter where it runs, how often it is started, or in which order tasks end.
"""

import logging
import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from pricing.errors import WorkerError
from pricing.tools.libraries import load_library
from pricing.tools.processes import Result, Task, in_processes

if TYPE_CHECKING:
    from distributed import Client

_ADDRESS = re.compile(r"(\w+://)?.+:\d+")
_CONNECT_SECONDS = 10
_ANY_PORT = "127.0.0.1:0"  # so that a second cluster on this machine causes no warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """Place where tasks run; results do not depend on it.

    Parameters
    ----------
    processes : int, optional
        Number of local processes; by default one per core. One means the current process.
    workers : int, optional
        Number of workers of a Dask cluster that is started on this machine and stopped afterwards.
    scheduler : str, optional
        Address of a running Dask cluster.

    Raises
    ------
    WorkerError
        If more than one of them is given, or the scheduler is not an address.
    """

    processes: int | None = None
    workers: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if sum(choice is not None for choice in (self.processes, self.workers, self.scheduler)) > 1:
            raise WorkerError("processes, workers and scheduler: choose one of them")
        if self.scheduler is not None and not _ADDRESS.fullmatch(self.scheduler):
            raise WorkerError(f"scheduler must be an address such as tcp://host:8786, got {self.scheduler!r}")

    def run(
        self,
        function: Callable[[Task], Result],
        tasks: Sequence[Task],
        *,
        lost: Callable[[Task], Result] | None = None,
    ) -> Iterator[Result]:
        """Call a function with each task, and yield results as they complete.

        A lost Dask worker or local process is replaced and its task repeated.

        Parameters
        ----------
        function : callable
            A module-level function, which is sent by name.
        tasks : sequence
            Arguments, small enough to be sent.
        lost : callable, optional
            Called with a task that loses its worker repeatedly, to give its result; by default, this is an error.

        Raises
        ------
        WorkerError
            If a task loses its worker repeatedly, and `lost` is not given.
        MissingLibraryError
            If Dask is needed and not installed.
        """
        alone = partial(_call, function)
        if self.workers or self.scheduler:
            with self._client() as client:
                yield from _run_on_dask(client, alone, tasks, lost)
            return
        n_processes = max(1, min(self.processes or os.cpu_count() or 1, len(tasks)))
        yield from in_processes(alone, tasks, n_processes, lost=lost)

    def _client(self) -> AbstractContextManager["Client"]:
        load_library("distributed", extra="batch")
        return _connect(self.scheduler) if self.scheduler else _start(self.workers)


def _connect(scheduler: str) -> "Client":
    from distributed import Client

    try:
        return Client(scheduler, set_as_default=False, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        raise WorkerError(f"scheduler {scheduler} cannot be reached: {error}") from error


@contextmanager
def _start(n_workers: int | None) -> Iterator["Client"]:
    """Start workers on this machine, and stop them afterwards."""
    from distributed import Client, LocalCluster

    with _interrupts_held():
        cluster = LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=_ANY_PORT)
    with cluster, Client(cluster, set_as_default=False) as client:
        try:
            yield client
        except KeyboardInterrupt:
            logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the workers are killed on purpose
            raise


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Block interrupts temporarily; processes started in the meantime leave them to this process permanently."""
    resource_tracker.ensure_running()  # which unblocks them again when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def one_blas_thread() -> threadpool_limits:
    """Limit linear algebra to one thread: otherwise the number of cores would change the order of sums and bits."""
    return threadpool_limits(limits=1, user_api="blas")


def _call(function: Callable[[Task], Result], task: Task) -> Result:
    with one_blas_thread():
        return function(task)


def _run_on_dask(
    client: "Client",
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    lost: Callable[[Task], Result] | None,
) -> Iterator[Result]:
    from distributed import KilledWorker
    from distributed import as_completed as as_completed_on_dask

    futures = dict(zip(client.map(function, tasks, pure=False), tasks, strict=True))
    try:
        for future in as_completed_on_dask(futures, loop=client.loop):
            try:
                result = future.result()
            except KilledWorker as error:
                if lost is None:
                    raise WorkerError(f"a task lost several workers (too little memory?): {error}") from error
                result = lost(futures[future])
            yield result
    finally:
        client.cancel(list(futures))
