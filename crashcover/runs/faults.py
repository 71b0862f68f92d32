"""Exceptions that no data should cause: faults of the program, and what the machine lacks."""

import traceback
from pathlib import Path


def describe_fault(error: Exception) -> str:
    """Describe in one line a fault of this program with its place in the code, or what the machine lacks.

    Examples
    --------
    >>> describe_fault(MemoryError())
    'too little memory (try fewer --paths or --processes)'
    >>> describe_fault(OSError(28, "No space left on device", "rates/00001.surface"))
    'rates/00001.surface: no space left on device'
    """
    if isinstance(error, MemoryError):
        return "too little memory (try fewer --paths or --processes)"
    if isinstance(error, OSError) and error.strerror:
        return describe_refusal(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return f"fault of the program, please report it: {text} ({Path(place.filename).name}, line {place.lineno})"


def describe_refusal(error: OSError) -> str:
    """Describe in one line what the system refuses, and of which file."""
    reason = error.strerror.lower() if error.strerror else " ".join(str(error).split()) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason
