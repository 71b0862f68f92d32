"""How long work tells how far it has come."""

from collections.abc import Callable

#: Called with the amount of a piece of work that is done.
Report = Callable[[int], None]
#: Begins a piece of work: called with its name and its size (None if nobody knows the size), returns its ``Report``.
Progress = Callable[[str, int | None], Report]


def silent(_name: str, _total: int | None) -> Report:
    """Report progress to nobody."""
    return lambda _done: None
