"""Lock for one run at a time in a folder; the operating system holds it, so a killed run leaves no lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pricing.errors import FolderInUseError

_LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Create a folder and lock it for this process.

    Raises
    ------
    FolderInUseError
        If another process has locked it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / _LOCK, timeout=0):
            yield
    except Timeout as error:
        raise FolderInUseError(f"{folder} is in use by another run: wait for it, or choose another --out") from error
