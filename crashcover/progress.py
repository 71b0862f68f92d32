"""Progress on the terminal, and silence everywhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from crashcover.quoting import Track


@contextmanager
def tracking(total: int) -> Iterator[Track]:
    """Show a bar on stderr for each piece of work, where stderr is a terminal.

    Parameters
    ----------
    total : int
        Size of each piece: paths of a simulation, or quotes of a file.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def track(name: str) -> Callable[[int], None]:
            task = progress.add_task(name, total=total)
            return lambda done: progress.update(task, completed=done)

        yield track
