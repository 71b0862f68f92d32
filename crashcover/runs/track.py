"""How long work reports its progress."""

from collections.abc import Callable

#: Given the name of a simulation, returns what to call with the number of paths done.
Track = Callable[[str], Callable[[int], None]]


def untracked(_: str) -> Callable[[int], None]:
    """Report progress to nobody."""
    return lambda _: None
