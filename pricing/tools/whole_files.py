"""Files that are complete or absent, even if their writer is stopped at any time."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from os import fsync, getpid
from pathlib import Path

#: Suffix of an unfinished file or folder.
PART = ".part"


@contextmanager
def replacing(path: Path, *, to_disk: bool = False) -> Iterator[Path]:
    """Yield a temporary path to write to; it is renamed to `path` once everything is written.

    A reader of `path`, or a run that resumes after a kill, finds a complete file or none.

    Parameters
    ----------
    path : Path
        Path of the complete file.
    to_disk : bool
        Whether to wait for the disk before the file is renamed.
    """
    part = path.with_name(f"{path.name}.{getpid()}-{threading.get_ident()}{PART}")
    try:
        yield part
        if to_disk:
            flush(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str, *, to_disk: bool = False) -> None:
    """Write a text file that is complete or absent."""
    with replacing(path, to_disk=to_disk) as part:
        part.write_text(text, encoding="utf-8")


def flush(path: Path) -> None:
    """Wait until a file is on disk: a manifest must not survive a power failure that its files do not."""
    with path.open("r+b") as file:
        fsync(file.fileno())


def sweep(folder: Path) -> None:
    """Delete unfinished files in a folder and its subfolders."""
    for part in list(folder.glob(f"**/*{PART}")):
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)
