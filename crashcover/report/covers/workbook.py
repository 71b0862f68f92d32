"""The premiums of a report as a workbook: inputs in named cells, and a live formula for every line."""

import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crashcover.report.covers.premium_formulas import Input, basis_inputs, ratio_of_gross
from crashcover.report.covers.premium_sheet import write_cover
from crashcover.report.covers.sheets import Sheet, Styles
from pricing.errors import DataError
from pricing.premiums.basis import PricingBasis
from pricing.quotes.quote import Quote
from pricing.show.formats import words
from pricing.tools.libraries import load_library

if TYPE_CHECKING:
    from xlsxwriter import Workbook

Values = Mapping[str, Any]

_HEADINGS = ("Cover", "Sheet", "Limit", "Trigger probability", "Premium", "Tax", "To pay", "Rate on line", "Result")
_WIDTHS = (34.0, 10.0, 16.0, 18.0, 16.0, 14.0, 16.0, 14.0, 46.0)
_LEGEND = (
    "Blue numbers on yellow are inputs: change them, and every premium follows. The loadings of all covers are on the "
    "sheet Basis. What the simulation measured (expected payments, standard deviation, capital) is on the sheet of "
    "each cover and does not follow a changed drop, term or interest rate."
)


def write_workbook(content: Values) -> bytes:
    """Write the premiums of a report on covers as an Excel workbook.

    Parameters
    ----------
    content : mapping
        Values from ``cover_content``, or read back from JSON.

    Raises
    ------
    DataError
        If the quotes have several bases, or the report is of an earlier release.
    """
    quotes = {
        quote.cover.cover_id: quote for quote in (Quote.from_json(json.dumps(each)) for each in content["quotes"])
    }
    basis = _one_basis(list(quotes.values()))
    text = io.BytesIO()
    book = load_library("xlsxwriter", extra="cli").Workbook(text, {"in_memory": True})
    book.set_properties({"title": "Premiums", "created": datetime.fromisoformat(content["calibration"]["as_of"])})
    styles = Styles(book)
    summary = Sheet(book, styles, "Premiums", _WIDTHS)
    _write_basis(book, styles, basis, content["covers"][0]["currency"])
    numbered = [cover for cover in content["covers"] if cover["cover_id"] in quotes]
    sums = {
        cover["cover_id"]: write_cover(book, styles, cover, quotes[cover["cover_id"]], number)
        for number, cover in enumerate(numbered, start=1)
    }
    _write_summary(summary, content, quotes, sums)
    book.close()
    return text.getvalue()


def _one_basis(quotes: Sequence[Quote]) -> PricingBasis:
    bases = {repr(quote.basis): quote.basis for quote in quotes}
    if len(bases) > 1:
        raise DataError(f"quotes must have one basis in a workbook, got {len(bases)} (write one report per basis)")
    return next(iter(bases.values()), PricingBasis())


def _write_basis(book: "Workbook", styles: Styles, basis: PricingBasis, currency: str) -> None:
    """Write the loadings that all covers share."""
    sheet = Sheet(book, styles, "Basis", (34.0, 16.0, 40.0, 60.0))
    sheet.title("Loadings of all covers")
    sheet.headings(("Loading", "Value", "Unit", "Name of the cell"))
    for name, each in basis_inputs(basis).items():
        unit = f"{currency} {each.unit}" if each.kind == "money" else each.unit
        sheet.input(name, Input(value=each.value, unit=unit, label=each.label, kind=each.kind))
    sheet.formula("ratio_of_gross", "Charges on the gross premium", ratio_of_gross(basis), basis.ratio_of_gross)
    sheet.note(f"Payments are discounted at {100 * basis.interest_rate:g} % a year; this is in the expected payments.")
    sheet.note(f"Risk load: {basis.risk_load!r}.")
    if basis.capital:
        sheet.note(f"Capital: {basis.capital.capital!r}.")
    sheet.finish()


def _write_summary(
    sheet: Sheet, content: Values, quotes: Mapping[str, Quote], sums: Mapping[str, Mapping[str, str]]
) -> None:
    """Write one row per cover, with the sums of its sheet."""
    kind = "synthetic token" if content["synthetic"] else "token"
    sheet.title(f"Premiums of crash covers on the {kind} {content['asset']}")
    sheet.note(f"Amounts in {content['covers'][0]['currency']} for the whole term. {_LEGEND}")
    sheet.headings(_HEADINGS, numbers=range(2, 8))
    refused = {each["cover"]["cover_id"]: each for each in content["refused"]}
    for cover in content["covers"]:
        name = cover["cover_id"]
        if name in quotes:
            _write_sums(sheet, quotes[name], sums[name])
        else:
            why = f"{words(refused[name]['reason'])}: {refused[name]['message']}"
            sheet.row((name, "", (float(cover["limit"]), "money"), *[""] * 5, why))
    settings = content["simulation"]
    sheet.note(
        f"Simulation of {settings['n_paths']:,} paths, seed {settings['seed']}, engine {content['engine_version']}. "
        "Its standard errors are on the sheets of the covers."
    )
    sheet.finish()


def _write_sums(sheet: Sheet, quote: Quote, cells: Mapping[str, str]) -> None:
    written, priced, limit = quote.statement, quote.premium, quote.cover.limit
    at = cells["sheet"]
    cached = (
        (f"={at}!{cells['gross']}", float(written.gross), "money"),
        (f"={at}!{cells['tax']}", float(written.tax), "money"),
        (f"={at}!{cells['total']}", float(written.total), "money"),
        (f"={at}!{cells['gross']}/{cells['limit']}", float(written.gross) / limit, "share"),
    )
    result = (f"={at}!{cells['result']}", "insurable", "text")
    values = (quote.cover.cover_id, at.strip("'"), (f"={cells['limit']}", limit, "money"))
    sheet.row((*values, (priced.trigger_probability, "share"), *cached, result))
