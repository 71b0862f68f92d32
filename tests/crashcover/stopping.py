"""Stopping a run before any of the renames that make its files whole."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest


class Stopped(BaseException):
    """Not an error that anything could handle."""


class Renames:
    """Counts renames, and stops before one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._done = self._stop = 0
        rename = Path.replace

        def replace(path: Path, target: Path) -> Path:
            self._done += 1
            if self._done == self._stop:
                raise Stopped
            return rename(path, target)

        monkeypatch.setattr(Path, "replace", replace)
        monkeypatch.setattr("pricing.tools.whole_files.getpid", count().__next__)  # no two writers are the same

    def count(self, run: Callable[[], object]) -> int:
        """Run to the end, and return the number of renames."""
        self._done = 0
        run()
        return self._done

    def stop_before(self, number: int, run: Callable[[], object]) -> None:
        """Run until just before a rename."""
        self._done, self._stop = 0, number
        with pytest.raises(Stopped):
            run()
        self._stop = 0
