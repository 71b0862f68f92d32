"""Workplace of the batch commands, and their final message."""

import time
from pathlib import Path

import click

from crashcover.commands.inputs import Options
from crashcover.display.messages import tell
from crashcover.runs.workers import Workplace
from pricing.errors import WorkerError


def read_path(text: str | None) -> Path | None:
    """Turn the text of an option into a path, if it is given."""
    return Path(text) if text else None


def read_workplace(options: Options) -> Workplace:
    """Return the workplace of tasks from options."""
    try:
        return Workplace(processes=options["processes"], workers=options["workers"], scheduler=options["scheduler"])
    except WorkerError as error:
        raise click.UsageError(f"--scheduler: {error}") from error


def tell_end(started: float, where: str) -> None:
    """Print the time that a command took and the place of its results."""
    tell(f"done in {time.perf_counter() - started:,.1f} seconds; {where}")
