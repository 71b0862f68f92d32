"""Progress bars on the terminal, and a line per minute elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich import progress as bars
from rich.console import Console
from rich.text import Text

from crashcover.display.messages import tell
from pricing.tools.progress import Progress, Report


class _RateColumn(bars.ProgressColumn):
    """Shows the number of items done per second."""

    def render(self, task: bars.Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s" if speed >= 10.0 else f"{speed:.2g}/s")


#: Seconds between two lines if stderr is no terminal.
BETWEEN_LINES = 60.0


@contextmanager
def stages(clock: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
    """Show a bar on stderr for each piece of work; if stderr is no terminal, a line for each minute that it takes."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield partial(_begin_lines, clock)
        return
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        _RateColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True) as shown:

        def begin(name: str, total: int | None) -> Report:
            task = shown.add_task(name, total=total)
            return lambda done: shown.update(task, completed=done)

        yield begin


def _begin_lines(clock: Callable[[], float], name: str, total: int | None) -> Report:
    started = last = clock()

    def report(done: int) -> None:
        nonlocal last
        now = clock()
        if now - last >= BETWEEN_LINES:
            last = now
            tell(_line(name, done, total, now - started))

    return report


def _line(name: str, done: int, total: int | None, seconds: float) -> str:
    if not total or not done:
        return f"{name}: {done:,} done in {seconds / 60:.0f} min"
    left = seconds * (total - done) / done
    return f"{name}: {done:,} of {total:,} in {seconds / 60:.0f} min, about {left / 60:.0f} min left"
