"""A book of any length, sorted by asset: each batch is checked, sorted and written, and an index is built.

A task then reads only the sections of its asset from all batches, in the order of the book.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from crashcover.repricing.intake.files import count_rows, read_batches
from crashcover.repricing.intake.quarantine import append_rejections
from crashcover.repricing.intake.repeats import Repeats
from crashcover.repricing.intake.rows import ROW, KnownRates, check_rows
from crashcover.repricing.premiums import FIGURES, TEXTS
from pricing.errors import DataError
from pricing.tools.progress import Progress, Report
from pricing.tools.whole_files import replacing, write_text

_INDEX = "index.json"
_QUARANTINE = "quarantine.csv"

#: Sections of one asset: the number of a batch, the first row, and the row after the last.
Stretches = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedBook:
    """A book staged in a folder.

    Parameters
    ----------
    folder : Path
        Folder of the staged book.
    n_rows : int
        Number of rows of the book.
    n_quarantined : int
        Number of rows that cannot be priced.
    stretches : dict of str to Stretches
        Places of the rows of each asset.
    """

    folder: Path
    n_rows: int
    n_quarantined: int
    stretches: Mapping[str, Stretches] = field(repr=False)

    @property
    def quarantine_file(self) -> Path:
        """File of the rows that cannot be priced."""
        return self.folder / _QUARANTINE


def stage(book: Path, rates: KnownRates, folder: Path, begin: Progress) -> StagedBook:
    """Check and sort a book, or open it if that has already been done.

    Parameters
    ----------
    book : Path
        As in ``read_batches``.
    rates : mapping of str to AssetRates or str
        Contents of the rates by asset, or the reason why it has none.
    folder : Path
        Folder for the staged book.
    begin : callable
        Progress callback.
    """
    index = folder / _INDEX
    if not index.exists():
        _stage(book, rates, folder, begin("reading", count_rows(book)))
    value = json.loads(index.read_text(encoding="utf-8"))
    return StagedBook(
        folder=folder,
        n_rows=value["rows"],
        n_quarantined=value["quarantined"],
        stretches={asset: tuple(map(tuple, places)) for asset, places in value["stretches"].items()},
    )


def read_stretches(folder: Path, stretches: Stretches) -> pa.Table:
    """Read the rows of one asset in the order of the book; only these are read from disk."""
    return pa.concat_tables(
        _open(folder / _batch_name(number)).slice(first, last - first) for number, first, last in stretches
    )


def _stage(book: Path, rates: KnownRates, folder: Path, report: Report) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # remains of a run that was stopped
    folder.mkdir(parents=True)
    repeats = Repeats.in_book(book)
    stretches: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    n_rows = n_quarantined = 0
    with replacing(folder / _QUARANTINE) as part:
        for number, batch in enumerate(read_batches(book)):
            _require_free(batch.table.column_names, book)
            good, rejections = check_rows(batch, rates, repeats)
            append_rejections(part, rejections, with_header=number == 0)
            for asset, first, last in _lay_down(good, folder / _batch_name(number)):
                stretches[asset].append((number, first, last))
            n_rows += len(batch.table) + len(batch.malformed)
            n_quarantined += len(rejections)
            report(n_rows)
    write_text(
        folder / _INDEX,
        json.dumps({"rows": n_rows, "quarantined": n_quarantined, "stretches": dict(sorted(stretches.items()))}),
    )


def _require_free(names: Sequence[str], book: Path) -> None:
    taken = [name for name in names if name in (ROW, *FIGURES, *TEXTS)]
    if taken:
        raise DataError(
            f"{book}: must not have the columns {', '.join(taken)}, which the priced book gets (drop or rename them)"
        )


def _lay_down(table: pa.Table, path: Path) -> list[tuple[str, int, int]]:
    """Sort rows by asset, write them, and return the place of each asset."""
    assets = table["asset"].cast(pa.string()).to_numpy(zero_copy_only=False)
    names, codes = np.unique(assets.astype(object), return_inverse=True)
    order = np.argsort(codes, kind="stable")
    with replacing(path) as part, pa.OSFile(str(part), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table.take(order).combine_chunks())
    ends = np.cumsum(np.bincount(codes, minlength=len(names))).tolist()
    return list(zip(names.tolist(), [0, *ends], ends, strict=False))


def _open(path: Path) -> pa.Table:
    with pa.ipc.open_file(pa.memory_map(str(path))) as reader:
        return reader.read_all()


def _batch_name(number: int) -> str:
    return f"{number:06d}.arrow"
