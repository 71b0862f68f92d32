"""A file of bars that is complete at any moment, however its writer is stopped."""

import os
import shutil
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from glob import escape
from pathlib import Path

import numpy as np

from crashcover.fetching.bars import OVERLAP, Bar, show_time
from pricing.errors import DataError
from pricing.tools.whole_files import PART, replacing

#: Columns of the file.
COLUMNS = ("close_time", "asset", "open", "high", "low", "close", "volume")
#: The file is written again once this many times its new bars are as many as its old ones.
_SHARE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Bars that a venue does not have.

    Parameters
    ----------
    opened : int
        Time at which the first of them would open, in milliseconds since 1970.
    n_bars : int
        Number of bars.
    """

    opened: int
    n_bars: int


class PriceFile:
    """Bars of one token on disk, to which later bars are added.

    Parameters
    ----------
    path : Path
        A .csv file that this class wrote, or one that does not exist yet.
    token : str
        Name of the token, as in every row.
    length : int
        Length of a bar in milliseconds.

    Attributes
    ----------
    n_bars : int
        Number of bars.
    first : Bar or None
        First bar.
    tail : deque of Bar
        Last bars.
    holes : list of Hole
        Holes between bars.

    Raises
    ------
    DataError
        If the file is another one, or damaged; the message names the row.
    """

    def __init__(self, path: Path, token: str, length: int) -> None:
        self._path, self._token, self._length = path, token, length
        self._size = 0  # bytes of whole lines on disk
        self._new: list[str] = []
        self.n_bars = 0
        self.first: Bar | None = None
        self.tail: deque[Bar] = deque(maxlen=OVERLAP)
        self.holes: list[Hole] = []
        for part in path.parent.glob(f"{escape(path.name)}.*{PART}"):
            part.unlink(missing_ok=True)
        if path.exists():
            self._read()

    @property
    def last(self) -> Bar | None:
        """Last bar."""
        return self.tail[-1] if self.tail else None

    def _read(self) -> None:
        """Read the whole lines; one that was cut off is left out, and written over."""
        with self._path.open("rb") as file:
            for row, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break
                self._read_line(row, line)
                self._size += len(line)

    def _read_line(self, row: int, line: bytes) -> None:
        try:
            cells = line.decode("utf-8").strip().split(",")
            if row == 1:
                if tuple(cells) != COLUMNS:
                    raise ValueError(f"columns must be {', '.join(COLUMNS)}")
            else:
                self._count(self._parse(cells))
        except ValueError as error:
            raise DataError(
                f"{self._path}, row {row}: is not as `crashcover fetch` wrote it: {error} (fetch into a new file)"
            ) from error

    def _parse(self, cells: list[str]) -> Bar:
        if len(cells) != len(COLUMNS):
            raise ValueError(f"must have {len(COLUMNS)} cells, got {len(cells)}")
        time, token, first, high, low, last, volume = cells
        if token != self._token:
            raise ValueError(f"asset must be {self._token}, got {token!r}")
        opened = round(datetime.fromisoformat(time).timestamp() * 1000) - self._length
        if opened % self._length or (self.last and opened <= self.last.opened):
            raise ValueError(f"close_time must be later than in the row before, on the grid of the bars, got {time}")
        return Bar(opened, float(first), float(high), float(low), float(last), float(volume) if volume else None)

    def _count(self, bar: Bar) -> None:
        if self.last:
            n_missing = (bar.opened - self.last.opened) // self._length - 1
            if n_missing:
                self.holes.append(Hole(opened=self.last.opened + self._length, n_bars=n_missing))
        self.first = self.first or bar
        self.tail.append(bar)
        self.n_bars += 1

    def add(self, bars: Iterable[Bar]) -> None:
        """Add later bars, and save if there are enough of them: a kill loses at most a tenth."""
        for bar in bars:
            self._count(bar)
            self._new.append(self._line(bar))
        if len(self._new) * _SHARE >= self.n_bars:
            self.save()

    def _line(self, bar: Bar) -> str:
        numbers = ("" if each is None else np.format_float_positional(each, trim="-") for each in bar[1:])
        return ",".join((show_time(bar.opened + self._length), self._token, *numbers)) + "\n"

    def save(self) -> None:
        """Write the bars that are not on disk yet: the file is replaced by a longer one."""
        if not self._new:
            return
        head = [] if self._size else [",".join(COLUMNS) + "\n"]
        lines = "".join([*head, *self._new]).encode()
        with replacing(self._path, to_disk=True) as part:
            if self._size:
                shutil.copyfile(self._path, part)
                os.truncate(part, self._size)
            with part.open("ab") as file:
                file.write(lines)
        self._size += len(lines)
        self._new.clear()
