"""The covers on one asset with their premiums: rows of a book in, the same rows with further columns out."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crashcover.repricing.intake.columns import OBSERVATION, READERS, combine, read_column, read_numbers
from pricing.contract.book import Book
from pricing.contract.observation import Observation
from pricing.errors import REASONS
from pricing.premiums.basis import PricingBasis
from pricing.rates.book_premiums import FLAGS, premium_columns
from pricing.rates.compact_surface import CompactSurface
from pricing.rates.store import RateEntry
from pricing.tools.arrays import IntArray

#: Numeric columns that are added to a row, with the line or figure of a premium that each shows.
FIGURES = {
    "premium": "gross",
    "rate_on_line": "rate_on_line",
    "standard_error": "standard_error",
    "expected_loss": "expected_loss",
    "trigger_probability": "trigger_probability",
}
#: Text columns that are added to a row.
TEXTS = ("verdict", "engine_version", "calibration_id", "surface_id")


def with_premiums(table: pa.Table, entry: RateEntry, surface: CompactSurface, basis: PricingBasis) -> pa.Table:
    """Price covers on one asset.

    Parameters
    ----------
    table : Table
        Rows that passed ``check_rows``.
    entry : RateEntry
        Entry of the asset in the rates.
    surface : CompactSurface
        Worst drops of the asset.
    basis : PricingBasis
        Loadings.

    Returns
    -------
    Table
        The same rows with ``FIGURES``, empty if a cover has no price, and ``TEXTS``. The verdict is "ok",
        "imprecise" or the text of a ``Reason``, with ", stale" if the rates are stale.
    """
    figures = {name: np.full(len(table), np.nan) for name in FIGURES}
    verdicts = np.empty(len(table), dtype=object)
    texts = _verdict_texts(entry)
    for rows, book in _books(table, entry.asset):
        priced = premium_columns(book, {entry.asset: surface}, basis)
        for name, line in FIGURES.items():
            figures[name][rows] = getattr(priced, line)
        verdicts[rows] = texts[priced.refusal, priced.flag]
    for name, values in figures.items():
        table = table.append_column(name, pa.array(values, from_pandas=True))
    ids = {name: np.full(len(table), getattr(entry, name), dtype=object) for name in TEXTS[1:]}
    for name, cells in {"verdict": verdicts, **ids}.items():
        table = table.append_column(name, pa.array(cells, pa.string()).dictionary_encode())
    return table


def _books(table: pa.Table, asset: str) -> Iterator[tuple[IntArray, Book]]:
    """Yield a book of the covers in each currency, with their rows."""
    columns = {name: read_column(table, name, read) for name, read in READERS.items()}
    kinds, observation = combine([columns[name] for name in OBSERVATION])
    observations = [Observation(**dict(zip(OBSERVATION, kind, strict=True))) for kind in kinds]
    payouts, payout = columns["payout"].used()
    currencies, currency = columns["currency"].used()
    drop, limit = read_numbers(table, "drop"), read_numbers(table, "limit")
    for place, name in enumerate(currencies):
        rows = np.flatnonzero(currency == place)
        yield (
            rows,
            Book(
                currency=name,
                assets=[asset],
                observations=observations,
                payouts=payouts,
                asset=np.zeros(len(rows), dtype=np.intp),
                observation=observation[rows],
                payout=payout[rows],
                drop=drop[rows],
                limit=limit[rows],
            ),
        )


def _verdict_texts(entry: RateEntry) -> npt.NDArray[np.object_]:
    """Return the text for each code of a refusal and of a flag."""
    suffix = "" if entry.status == "fresh" else f", {entry.status}"
    texts = [[f"{(reason or flag).value}{suffix}" for flag in FLAGS] for reason in REASONS]
    return np.array(texts, dtype=object)
