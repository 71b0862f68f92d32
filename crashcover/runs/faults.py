"""Exceptions that no data should cause, described in one line."""

import traceback
from pathlib import Path


def describe_fault(error: Exception) -> str:
    """Describe a fault of this program with its place in the code, or a lack of memory.

    Examples
    --------
    >>> describe_fault(MemoryError())
    'too little memory (try fewer --paths or --processes)'
    """
    if isinstance(error, MemoryError):
        return "too little memory (try fewer --paths or --processes)"
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return f"fault of the program, please report it: {text} ({Path(place.filename).name}, line {place.lineno})"
