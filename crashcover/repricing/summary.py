"""Summary of a repriced book: counts, totals by asset, and the rates that moved most with the reasons."""

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from crashcover.repricing.changes import CoverChange, largest
from crashcover.repricing.intake.staging import StagedBook
from crashcover.repricing.reasons import reasons_for
from crashcover.repricing.token import RepriceOutcome
from pricing.rates.store import RateStore
from pricing.version import ENGINE_VERSION

Values = Mapping[str, Any]

_MOST_ASSETS = 15
_SUMMED = ("covers", "limit", "priced_limit", "premium", "compared", "compared_before")
_PARTS = ("market", "volatility", "own_record", "concentration", "rest")


def summarise(staged: StagedBook, outcomes: Sequence[RepriceOutcome], store: RateStore) -> dict[str, Any]:
    """Summarise a run as plain values, which depend only on the book, the rates and the previous run.

    Parameters
    ----------
    staged : StagedBook
        The book.
    outcomes : sequence of RepriceOutcome
        Outcomes, one per asset.
    store : RateStore
        The rates.
    """
    changes = largest(change for outcome in outcomes for change in outcome.changes)
    totals = [asdict(total) for outcome in outcomes for total in outcome.totals]
    return {
        "engine_version": ENGINE_VERSION,
        "rates": store.version,
        "rows": staged.n_rows,
        "priced": sum(outcome.covers for outcome in outcomes),
        "without_price": sum(total["without_price"] for total in totals),
        "quarantined": staged.n_quarantined,
        "quarantined_by_field": _count_fields(staged.quarantine_file),
        "totals": totals,
        "changes": [_change(change, store.path.parent) for change in changes],
    }


def _count_fields(quarantine: Path) -> dict[str, int]:
    with quarantine.open(encoding="utf-8", newline="") as file:
        return dict(sorted(Counter(row["field"] for row in csv.DictReader(file)).items()))


def _change(change: CoverChange, rates: Path) -> dict[str, Any]:
    reasons = reasons_for(change, rates) if change.same_terms else None
    return {**asdict(change), "log_ratio": change.log_ratio, "reasons": asdict(reasons) if reasons else None}


def count_text(summary: Values) -> str:
    """Summarise the outcome of the rows in one line."""
    without = f" ({summary['without_price']:,} of them uninsurable or unresolved)" if summary["without_price"] else ""
    fields = ", ".join(f"{count:,} for {field}" for field, count in summary["quarantined_by_field"].items())
    return (
        f"{summary['rows']:,} rows: {summary['priced']:,} priced{without}, {summary['quarantined']:,} set aside"
        f"{f' ({fields})' if fields else ''}. Rates {summary['rates']}."
    )


def total_table(summary: Values) -> Table:
    """Tabulate the assets with the largest premiums, and the total."""
    table = _table("Totals by asset", "asset", "", "covers", "limit", "premium", "rate on line", "was")
    totals = sorted(summary["totals"], key=lambda total: (-total["premium"], total["asset"]))
    shown = totals[:_MOST_ASSETS]
    for total in shown:
        table.add_row(total["asset"], *_total_cells(total))
    if len(totals) > len(shown):
        table.add_row(f"and {len(totals) - len(shown)} more", "", "", "", "", "", "")
    for currency in sorted({total["currency"] for total in totals}):
        rows = [total for total in totals if total["currency"] == currency]
        together = {name: math.fsum(row[name] for row in rows) for name in _SUMMED}
        table.add_row("all", *_total_cells({**together, "currency": currency}), style="bold")
    return table


def _total_cells(total: Values) -> tuple[str, ...]:
    before = total["compared_before"]
    return (
        total["currency"],
        f"{total['covers']:,.0f}",
        f"{total['limit']:,.0f}",
        f"{total['premium']:,.0f}",
        f"{100 * total['premium'] / total['priced_limit']:.2f} %" if total["priced_limit"] else "–",
        f"{100 * (total['compared'] / before - 1.0):+.1f} %" if before else "–",
    )


def change_table(summary: Values) -> Table:
    """Tabulate the largest changes with their reasons, as percentages that multiply to the total change."""
    headings = ("cover", "asset", "was", "now", "change", *(part.replace("_", " ") for part in _PARTS))
    table = _table("Largest changes of rates since the previous run", *headings)
    for change in summary["changes"]:
        reasons = change["reasons"]
        cells = [_percent(reasons[part]) for part in _PARTS] if reasons else ["–"] * len(_PARTS)
        note = "" if change["same_terms"] else " (other terms)"
        table.add_row(
            change["cover_id"],
            change["asset"],
            f"{100 * change['before']:.2f} %",
            f"{100 * change['after']:.2f} %",
            _percent(change["log_ratio"]) + note,
            *cells,
        )
    return table


def _percent(log_change: float) -> str:
    return f"{100 * math.expm1(log_change):+.1f} %"


def _table(title: str, *headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(heading, no_wrap=True, justify="left" if place < 2 else "right")
    return table
