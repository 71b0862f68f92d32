"""A disk on which one operation fails: a library that is loaded before libc, and its two calls."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("interpose.c")
#: Whether a process can be given such a disk here.
IS_POSSIBLE = Path("/proc/self/fd").is_dir() and shutil.which("gcc") is not None


def build(folder: Path) -> Path:
    """Compile the library."""
    library = folder / "interpose.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def arm(folder: Path, place: int) -> None:
    """Let the operation at a place, counted from 1, fail in this process, which was started with the library."""
    _library().disk_arm(os.fsencode(folder.resolve()), place)


def disarm() -> int:
    """Let nothing fail any more; return how many operations there were."""
    return _library().disk_disarm()


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None)
    library.disk_arm.argtypes, library.disk_arm.restype = (ctypes.c_char_p, ctypes.c_long), None
    library.disk_disarm.argtypes, library.disk_disarm.restype = (), ctypes.c_long
    return library
