"""Progress on the terminal, and silence everywhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from crashcover.runs.track import Track

#: Given the name and the size of a piece of work (None where nobody knows), returns what to call with how much is done.
Stages = Callable[[str, int | None], Callable[[int], None]]


class _RateColumn(ProgressColumn):
    """Shows how many are done in a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s" if speed >= 10.0 else f"{speed:.2g}/s")


@contextmanager
def stages() -> Iterator[Stages]:
    """Show a bar on stderr for each piece of work, where stderr is a terminal."""
    console = Console(stderr=True)
    description, done = TextColumn("{task.description}"), MofNCompleteColumn()
    columns = (description, BarColumn(), done, _RateColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def begin(name: str, total: int | None) -> Callable[[int], None]:
            task = progress.add_task(name, total=total)
            return lambda done: progress.update(task, completed=done)

        yield begin


def unseen(_name: str, _total: int | None) -> Callable[[int], None]:
    """Report progress to nobody."""
    return lambda _done: None


@contextmanager
def tracking(total: int) -> Iterator[Track]:
    """Show a bar on stderr for each of several pieces of work of one size, where stderr is a terminal.

    Parameters
    ----------
    total : int
        Size of each piece: paths of a simulation, or quotes of a file.
    """
    with stages() as begin:
        yield lambda name: begin(name, total)
