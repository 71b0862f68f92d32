"""Files that are whole or not there, whenever their writer is stopped."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

#: Ending of a file that is not finished.
PART = ".part"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a name to write to, which becomes `path` once everything is written."""
    part = path.with_name(f"{path.name}.{os.getpid()}{PART}")
    yield part
    part.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a text file as a whole."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def sweep(folder: Path) -> None:
    """Delete what writers that were stopped left in a folder and those in it."""
    for part in folder.rglob(f"*{PART}"):
        part.unlink(missing_ok=True)
