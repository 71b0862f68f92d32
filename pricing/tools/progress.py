"""Progress of long work."""

from collections.abc import Callable

#: Function that is called with the finished amount of a piece of work.
Report = Callable[[int], None]
#: Function that begins a piece of work: it takes a name and a size (None if unknown) and returns a ``Report``.
Progress = Callable[[str, int | None], Report]


def silent(_name: str, _total: int | None) -> Report:
    """Ignore progress."""
    return lambda _done: None
