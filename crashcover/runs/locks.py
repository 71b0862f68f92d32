"""Locks for one run at a time; the operating system holds them, so a killed run leaves none."""

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
    with _locked(folder / _LOCK, folder):
        yield


@contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """Lock a file, which need not exist, for this process.

    Raises
    ------
    FolderInUseError
        If another process has locked it.
    """
    with _locked(path.with_name(f".{path.name}{_LOCK}"), path):
        yield


@contextmanager
def _locked(lock: Path, what: Path) -> Iterator[None]:
    try:
        with FileLock(lock, timeout=0):
            yield
    except Timeout as error:
        raise FolderInUseError(f"{what} is in use by another run: wait for it, or choose another --out") from error
