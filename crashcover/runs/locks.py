"""One run at a time on a folder, held by the operating system, so that a killed run holds nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pricing.errors import FolderInUseError

_LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make a folder and hold it for oneself.

    Raises
    ------
    FolderInUseError
        If another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / _LOCK, timeout=0):
            yield
    except Timeout as error:
        raise FolderInUseError(f"{folder} is in use by another run: wait for it, or choose another --out") from error
