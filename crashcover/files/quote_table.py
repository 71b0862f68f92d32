"""The table of ``crashcover quote --csv``: one row per cover, which begins with the columns of a book."""

import csv
import io
from collections.abc import Iterable, Sequence

from crashcover.files.spreadsheets import no_formula
from crashcover.files.tables import BOOK_COLUMNS
from crashcover.offers.offers import Offer
from pricing.contract.sentences import cover_terms
from pricing.errors import Refusal
from pricing.quotes.quote import Quote

#: The verdict: "ok", "imprecise" or the text of a ``Reason``.
VERDICT = "verdict"
#: Figures of the premium, not rounded.
FIGURES = (
    "trigger_probability",
    "trigger_probability_standard_error",
    "expected_loss_standard_error",
    "standard_error",
    "rate_on_line",
)
#: Sums below the lines of the premium, to the cent like the lines.
SUMS = ("gross", "tax", "total")
#: Source of the premium, and the reason of a refusal in words.
SOURCE = ("n_paths", "seed", "engine_version", "model_digest", "message")


def write_table(offers: Sequence[Offer], lines: Iterable[str]) -> str:
    """Write offers as CSV.

    Parameters
    ----------
    offers : sequence of Offer
        Quotes and refusals.
    lines : iterable of str
        Names of the lines of a premium, see ``PricingBasis.lines``.
    """
    text = io.StringIO()
    columns = [*BOOK_COLUMNS, VERDICT, *FIGURES, *lines, *SUMS, *SOURCE]
    table = csv.DictWriter(text, columns, restval="", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    text.write(f"{','.join(columns)}\n")
    for offer in offers:
        outcome = offer.outcome
        row = cover_terms(offer.cover) | (_refusal(outcome) if isinstance(outcome, Refusal) else _premium(outcome))
        table.writerow({name: no_formula(cell) if isinstance(cell, str) else cell for name, cell in row.items()})
    return text.getvalue()


def formula_names(offers: Iterable[Offer]) -> tuple[str, ...]:
    """Return the names of assets that a spreadsheet would take for formulas, each once."""
    assets = dict.fromkeys(offer.cover.asset for offer in offers)
    return tuple(asset for asset in assets if asset != no_formula(asset))


def _refusal(refusal: Refusal) -> dict[str, object]:
    fired = refusal.trigger_probability
    row: dict[str, object] = {VERDICT: refusal.reason.value, "message": refusal.message}
    return row if fired is None else row | {"trigger_probability": fired}


def _premium(quote: Quote) -> dict[str, object]:
    written = quote.statement
    source = {
        "n_paths": quote.settings.n_paths,
        "seed": quote.settings.seed,
        "engine_version": quote.engine_version,
        "model_digest": quote.model_digest,
    }
    return {
        VERDICT: quote.premium.flag.value,
        **{name: getattr(quote.premium, name) for name in FIGURES},
        **written.lines,
        **{name: getattr(written, name) for name in SUMS},
        **source,
    }
