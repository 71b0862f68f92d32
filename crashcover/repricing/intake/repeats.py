"""Covers that a book names more than once: the first row counts, the others are quarantined."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from crashcover.repricing.intake.files import read_batches

HashArray = npt.NDArray[np.uint64]


class Repeats:
    """Remembers the first row of every name that occurs more than once.

    Parameters
    ----------
    hashes : ndarray of uint64
        Sorted hashes of the names that occur more than once, and possibly of a few others.
    """

    def __init__(self, hashes: HashArray) -> None:
        self._hashes = hashes
        self._first_rows: dict[str, int] = {}

    @classmethod
    def in_book(cls, path: Path) -> "Repeats":
        """Find the names that occur more than once in a book, with eight bytes per row."""
        columns = [_hashes(batch.table["cover_id"]) for batch in read_batches(path, ["cover_id"])]
        hashes = np.sort(np.concatenate([np.empty(0, np.uint64), *columns]))
        return cls(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))

    def first_rows(self, names: pa.ChunkedArray, rows: npt.NDArray[np.int64]) -> dict[int, int]:
        """Return the first row of each repeated name, by position; rows must come in their order."""
        is_suspect = np.isin(_hashes(names), self._hashes) & names.is_valid().to_numpy()  # no name repeats no name
        suspects = np.flatnonzero(is_suspect)
        earlier = {}
        for position in suspects.tolist():
            first = self._first_rows.setdefault(str(names[position]), int(rows[position]))
            if first != rows[position]:
                earlier[position] = first
        return earlier


def _hashes(names: pa.ChunkedArray) -> HashArray:
    texts = names.cast(pa.string()).to_numpy(zero_copy_only=False)
    return np.asarray(pd.util.hash_array(texts.astype(object), categorize=False))
