"""Files that are whole or not there, whenever their writer is stopped."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from os import fsync, getpid
from pathlib import Path

#: Ending of a file or folder that is not finished.
PART = ".part"


@contextmanager
def replacing(path: Path, *, to_disk: bool = False) -> Iterator[Path]:
    """Give a name to write to, which becomes `path` once everything is written.

    Whoever reads `path`, or resumes after the writer was killed, finds a whole file or none.

    Parameters
    ----------
    path : Path
        Name of the whole file.
    to_disk : bool
        Whether to wait for the disk before the name is given.
    """
    part = path.with_name(f"{path.name}.{getpid()}-{threading.get_ident()}{PART}")
    try:
        yield part
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if to_disk:
        flush(part)
    part.replace(path)


def write_text(path: Path, text: str, *, to_disk: bool = False) -> None:
    """Write a text file as a whole."""
    with replacing(path, to_disk=to_disk) as part:
        part.write_text(text, encoding="utf-8")


def flush(path: Path) -> None:
    """Wait until a file is on the disk: a manifest must not outlive a loss of power that its files do not."""
    with path.open("r+b") as file:
        fsync(file.fileno())


def sweep(folder: Path, *, deep: bool = True) -> None:
    """Delete what writers that were stopped left in a folder and, where they are all the writer's, those in it."""
    for part in list(folder.glob(f"{'**/' if deep else ''}*{PART}")):
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)
