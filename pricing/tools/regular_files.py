"""Files that are opened only if they are regular: a FIFO hangs, a device does not end, a link may lead anywhere."""

import os
import stat
from pathlib import Path
from typing import BinaryIO, NamedTuple


class FileState(NamedTuple):
    """Values of a file that differ once it was written to, even if its times were set back."""

    device: int
    node: int
    size: int
    modified: int
    changed: int


def open_regular(path: Path, *, follow: bool = False) -> BinaryIO:
    """Open a file for reading.

    Parameters
    ----------
    path : Path
        The file.
    follow : bool
        Whether it may be a link.

    Raises
    ------
    OSError
        If it cannot be opened or is not a regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags if follow else flags | getattr(os, "O_NOFOLLOW", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} must be a regular file")
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, *, most: int) -> bytes:
    """Read a file of limited length, which is not a link.

    Raises
    ------
    OSError
        If it cannot be opened, is not a regular file, or is longer.
    """
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(f"{path} must have at most {most:,} bytes")
    return content


def state_of(path: Path) -> FileState:
    """Return the state of a file."""
    found = path.stat()
    return FileState(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
