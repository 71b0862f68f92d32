"""Progress bars on the terminal, and no output elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console
from rich.text import Text

from pricing.tools.progress import Progress, Report


class _RateColumn(bars.ProgressColumn):
    """Shows the number of items done per second."""

    def render(self, task: bars.Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s" if speed >= 10.0 else f"{speed:.2g}/s")


@contextmanager
def stages() -> Iterator[Progress]:
    """Show a bar on stderr for each piece of work, if stderr is a terminal."""
    console = Console(stderr=True)
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        _RateColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:

        def begin(name: str, total: int | None) -> Report:
            task = shown.add_task(name, total=total)
            return lambda done: shown.update(task, completed=done)

        yield begin
