"""Covers of a book from a file, for use in Python."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
import pyarrow as pa

from crashcover.files.tables import BOOK_COLUMNS
from crashcover.repricing.intake.columns import READERS, read_column
from crashcover.repricing.intake.files import read_batches
from crashcover.repricing.intake.quarantine import Rejection
from crashcover.repricing.intake.repeats import Repeats
from crashcover.repricing.intake.rows import ROW, check_rows
from pricing.contract.cover import Cover
from pricing.contract.sentences import cover_terms
from pricing.contract.triggers import DropTrigger
from pricing.show.frames import frame_of, make_frame, require_table


class BookRows(NamedTuple):
    """Rows of a book.

    Parameters
    ----------
    covers : dict of int to Cover
        Covers by row: the line of a csv file, where the header is line 1, otherwise the number of the row, from 1.
    set_aside : tuple of Rejection
        The other rows, each with the field, its value and the reason.
    """

    covers: dict[int, Cover]
    set_aside: tuple[Rejection, ...]


class BookCovers(NamedTuple):
    """Covers of a book, and the rows that are no covers.

    Parameters
    ----------
    covers : tuple of Cover
        Covers in the order of the book.
    set_aside : tuple of Rejection
        The other rows, each with its ``row``, ``cover_id``, ``field``, ``value`` and ``reason``.
    """

    covers: tuple[Cover, ...]
    set_aside: tuple[Rejection, ...]

    def to_frame(self, table: Literal["covers", "set_aside"] = "covers") -> pd.DataFrame:
        """Return a data frame: a row per cover in the columns of a book, or per row that is no cover.

        Parameters
        ----------
        table : {"covers", "set_aside"}
            Which rows.
        """
        require_table(table, ("covers", "set_aside"))
        if table == "set_aside":
            return frame_of(Rejection, self.set_aside)
        rows = [cover_terms(cover) for cover in self.covers]
        return make_frame({name: [row[name] for row in rows] for name in BOOK_COLUMNS})


def read_book(path: Path | str) -> BookCovers:
    """Read the covers of a book with the parser of ``crashcover reprice``.

    Parameters
    ----------
    path : Path or str
        A .csv, .csv.gz or .parquet file with one row per cover, or a folder of parquet files, with the columns
        cover_id, asset, drop, window, reference, payout, limit, currency, term and waiting_period.

    Returns
    -------
    BookCovers
        ``covers``, and ``set_aside``: the rows that are no covers, each with the reason.

    Raises
    ------
    DataError
        If the file cannot be read or lacks a column.
    """
    rows = read_rows(Path(path))
    return BookCovers(covers=tuple(rows.covers.values()), set_aside=rows.set_aside)


def read_rows(path: Path) -> BookRows:
    """Read a book as ``read_book`` does, with the row of each cover.

    Raises
    ------
    DataError
        If the file cannot be read or lacks a column.
    """
    covers: dict[int, Cover] = {}
    set_aside: list[Rejection] = []
    repeats = Repeats.in_book(path)
    for batch in read_batches(path):
        good, rejections = check_rows(batch, None, repeats)
        covers |= _covers(good)
        set_aside += rejections
    return BookRows(covers=covers, set_aside=tuple(set_aside))


def _covers(table: pa.Table) -> Iterator[tuple[int, Cover]]:
    """Yield the covers of checked rows, each with its row."""
    columns = {name: read_column(table, name, read) for name, read in READERS.items()}
    parsed = {name: [column.values[code] for code in column.codes.tolist()] for name, column in columns.items()}
    plain = {name: table[name].to_pylist() for name in ("cover_id", "asset", "drop", "limit", ROW)}
    for cells in zip(*(plain | parsed).values(), strict=True):
        row = dict(zip(plain | parsed, cells, strict=True))
        yield (
            row[ROW],
            Cover(
                cover_id=str(row["cover_id"]),
                asset=str(row["asset"]),
                trigger=DropTrigger(drop=row["drop"], window=row["window"], reference=row["reference"]),
                **{name: row[name] for name in ("payout", "limit", "currency", "term", "waiting_period")},
            ),
        )
