"""Where tasks run: local processes, or a Dask cluster on this machine or many.

A task is one call of a module's function with one argument, which writes its results to files that everybody sees and
returns little. So it does not matter where it runs, how often it is begun, or in which order tasks end.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from pricing.errors import WorkerError
from pricing.processes import Result, Task, in_processes

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """Where to run tasks; results do not depend on it.

    Parameters
    ----------
    processes : int, optional
        Local processes; by default one a core. One means this process.
    workers : int, optional
        Workers of a Dask cluster that is started on this machine, and ended afterwards.
    scheduler : str, optional
        Address of a Dask cluster that runs already.

    Raises
    ------
    WorkerError
        If more than one of them is given.
    """

    processes: int | None = None
    workers: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if sum(choice is not None for choice in (self.processes, self.workers, self.scheduler)) > 1:
            raise WorkerError("processes, workers and scheduler: choose one of them")

    def run(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Call a function with each task, and give results as they come.

        A Dask worker that is lost is replaced and its task done again; a local process that is lost ends the run.

        Parameters
        ----------
        function : callable
            A function of a module; it is sent by name.
        tasks : sequence
            Arguments, small enough to be sent.

        Raises
        ------
        WorkerError
            If workers are lost for good.
        """
        alone = partial(_call, function)
        if self.workers or self.scheduler:
            with self._client() as client:
                yield from _run_on_dask(client, alone, tasks)
            return
        yield from in_processes(alone, tasks, max(1, min(self.processes or os.cpu_count() or 1, len(tasks))))

    @contextmanager
    def _client(self) -> Iterator["Client"]:
        try:
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise WorkerError(f"Dask is not installed: pip install 'crashcover[batch]' ({error})") from error
        if self.scheduler:
            try:
                client = Client(self.scheduler, set_as_default=False)
            except OSError as error:
                raise WorkerError(f"scheduler {self.scheduler} cannot be reached: {error}") from error
            with client:
                yield client
            return
        cluster = LocalCluster(n_workers=self.workers, threads_per_worker=1, dashboard_address=None)
        with cluster, Client(cluster, set_as_default=False) as client:
            yield client


def one_blas_thread() -> threadpool_limits:
    """Hold linear algebra to one thread: sums in another order would be other bits, whatever the number of cores."""
    return threadpool_limits(limits=1, user_api="blas")


def _call(function: Callable[[Task], Result], task: Task) -> Result:
    with one_blas_thread():
        return function(task)


def _run_on_dask(client: "Client", function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
    from distributed import KilledWorker
    from distributed import as_completed as as_completed_on_dask

    futures = client.map(function, tasks, pure=False)
    try:
        for _, result in as_completed_on_dask(futures, loop=client.loop, with_results=True):
            yield result
    except KilledWorker as error:
        raise WorkerError(f"a task lost worker after worker (too little memory?): {error}") from error
    finally:
        client.cancel(futures)
