"""The sheet of one cover: what the simulation measured, every line as a formula, and the statement to the cent."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crashcover.report.covers.premium_formulas import Input, hazard_formula, line_formulas, step_formulas
from crashcover.report.covers.sheets import Sheet, Styles
from pricing.errors import DataError
from pricing.principles import HazardTransform, StandardDeviationPrinciple
from pricing.quotes.quote import Quote
from pricing.show.formats import words
from pricing.tools.units import YEAR

if TYPE_CHECKING:
    from xlsxwriter import Workbook

_WIDTHS = (34.0, 18.0, 24.0, 24.0, 44.0, 14.0, 14.0, 8.0)
#: Columns that round the lines to the cent; they are folded.
_FLOOR, _REST, _RANK = "F", "G", "H"


def cover_inputs(cover: Mapping[str, Any], quote: Quote) -> dict[str, Input]:
    """Return the cells of a cover that a reader may change, by name without the number of the cover.

    Raises
    ------
    DataError
        If the report is of a release that did not store what the payments are made of.
    """
    for name in ("payment_deviation", "payment_layers"):
        if name not in cover:
            raise DataError(f"report lacks {name}, which a workbook needs: write the report again")
    priced, basis, limit = quote.premium, quote.basis, quote.cover.limit
    mean = cover_mean(quote)
    uncertain = priced.parameter_load / limit - basis.parameter_load * mean if quote.uncertainty else 0.0
    of_limit = "of the limit"
    inputs = {
        "limit": Input(value=limit, unit=quote.cover.currency, label="Limit", kind="money"),
        "mean": Input(value=mean, unit=of_limit, label="Expected payments, discounted"),
        "uncertain": Input(value=max(uncertain, 0.0), unit=of_limit, label="of which for parameter uncertainty"),
        "deviation": Input(
            value=cover["payment_deviation"] / limit, unit=of_limit, label="Standard deviation of payments"
        ),
        "capital": Input(value=priced.capital / limit, unit=of_limit, label="Capital"),
        "years": Input(value=quote.cover.term / YEAR, unit="years of 365 days", label="Term", kind="number"),
    }
    if not isinstance(basis.risk_load, StandardDeviationPrinciple | HazardTransform):
        inputs["risk"] = Input(value=priced.risk_load / limit, unit=of_limit, label="Risk load of the principle")
    return inputs


def cover_mean(quote: Quote) -> float:
    """Return the expected payments of a cover, discounted, per unit of limit."""
    priced = quote.premium
    return (priced.expected_loss + priced.parameter_load) / (1.0 + quote.basis.parameter_load) / quote.cover.limit


def write_cover(
    book: "Workbook", styles: Styles, cover: Mapping[str, Any], quote: Quote, number: int
) -> dict[str, str]:
    """Write the sheet of a cover, and return the cells of its sums.

    Parameters
    ----------
    book : Workbook
        Workbook of xlsxwriter.
    styles : Styles
        Its formats.
    cover : mapping
        Values of the cover from the report.
    quote : Quote
        Its quote.
    number : int
        Number of the cover, which ends the names of its cells.
    """
    sheet = Sheet(book, styles, f"Cover {number}", _WIDTHS)
    sheet.title(quote.cover.cover_id)
    for each in cover["terms"]:
        sheet.note(f"{each['name']}: {each['text']}")
    sheet.blank()
    sheet.headings(("Inputs", "Value", "Unit", "Name of the cell"))
    for name, value in cover_inputs(cover, quote).items():
        sheet.input(f"{name}_{number}", value)
    sheet.blank()
    if isinstance(quote.basis.risk_load, HazardTransform):
        _write_layers(sheet, cover["payment_layers"], quote, number)
        sheet.blank()
    _write_steps(sheet, quote, number)
    cells = _write_lines(sheet, quote, number)
    sheet.blank()
    sheet.note(
        f"Standard error of the gross premium: {cover['statement']['standard_error']} {quote.cover.currency}. It does "
        "not include errors of the model."
    )
    sheet.sheet.set_column("F:H", 14, None, {"level": 1, "hidden": True})
    sheet.finish()
    return cells


def _write_layers(sheet: Sheet, layers: Sequence[Sequence[float]], quote: Quote, number: int) -> None:
    """Write the layers of the payment with their loaded chances, and the risk load that follows from them."""
    load = quote.basis.risk_load.over(quote.cover.term)
    sheet.headings(("Layers of the payment", "Share of the limit", "Probability", "Loaded"), (1, 2, 3))
    first, last = sheet.next_row + 1, sheet.next_row + len(layers)
    reached = total = 0.0
    for row, (width, chance) in enumerate(layers, start=first):
        loaded = load.price_of_binary(chance)
        formula = hazard_formula(f"C{row}", f"years_{number}")
        name = f"from {reached:.1%} to {reached + width:.1%} of the limit"
        sheet.row((name, (width, "share"), (chance, "share"), (formula, loaded, "share")))
        reached, total = reached + width, total + width * loaded
    risk = quote.premium.risk_load / quote.cover.limit
    mean = cover_mean(quote)
    rest = Input(value=risk - total + mean, unit="of the limit", label="Not in the layers, which are joined")
    sheet.input(f"rest_{number}", rest, may_be_negative=True)
    formula = f"=MAX(SUMPRODUCT(B{first}:B{last},D{first}:D{last})+rest_{number}-mean_{number},0)" if layers else "=0"
    sheet.formula(f"risk_{number}", "Risk load", formula, risk)


_STEPS = {
    "technical": "Lines before charges, grossed up",
    "least": "Agreed minimum",
    "charged": "Premium charged: the larger of both",
}


def _write_steps(sheet: Sheet, quote: Quote, number: int) -> None:
    """Write the steps to the premium that is charged."""
    priced, basis = quote.premium, quote.basis
    first = sheet.next_row + len(_STEPS) + 4  # two rows of headings and a blank one come before the lines
    cells = {name: f"B{first + place}" for place, name in enumerate(basis.lines)}
    values = {
        "technical": priced.gross - priced.minimum_lift / (1.0 - basis.ratio_of_gross),
        "least": basis.least_gross(quote.cover.limit, quote.cover.term / YEAR),
        "charged": priced.gross,
    }
    sheet.headings(("From lines to the premium", quote.cover.currency, "", "Name of the cell"))
    for name, formula in step_formulas(basis, number, cells).items():
        sheet.formula(f"{name}_{number}", _STEPS[name], formula, values[name], "money")
    sheet.blank()


def _write_lines(sheet: Sheet, quote: Quote, number: int) -> dict[str, str]:
    """Write the lines, exact and to the cent, and their sums."""
    priced, written, lines = quote.premium, quote.statement, quote.basis.lines
    sheet.headings(
        ("Line", "Exact", "To the cent", "% of premium", "Meaning", "Floor", "Rest", "Rank"), (1, 2, 3, 5, 6, 7)
    )
    first, last = sheet.next_row + 1, sheet.next_row + len(lines)
    gross = last + 1
    for row, (name, formula) in enumerate(line_formulas(quote.basis, number).items(), start=first):
        cents, floor = float(written.lines[name]), f"=ROUNDDOWN(B{row},2)"
        share = float(written.lines[name] / written.gross) if written.gross else 0.0
        rounded = f"=ROUND({_FLOOR}{row}+IF({_RANK}{row}<missing_{number},0.01,0),2)"
        sheet.row(
            (
                words(name),
                (formula, priced.lines[name], "money"),
                (rounded, cents, "money"),
                (f"=IF(C${gross}=0,0,C{row}/C${gross})", share, "percent"),
                lines[name].meaning,
                (floor, cents, "money"),
                (f"=B{row}-{_FLOOR}{row}", 0.0, "number"),
                (_rank(row, first, last), 0.0, "number"),
            )
        )
    return _write_sums(sheet, quote, number, first, last)


def _rank(row: int, first: int, last: int) -> str:
    """Count the lines with a larger rest, or with an equal one further up: they get a missing cent first."""
    rests, earlier = f"{_REST}${first}:{_REST}${last}", f"{_REST}${first}:{_REST}{row}"
    return f"=SUMPRODUCT(--({rests}>{_REST}{row}))+SUMPRODUCT(--({earlier}={_REST}{row}))-1"


def _write_sums(sheet: Sheet, quote: Quote, number: int, first: int, last: int) -> dict[str, str]:
    priced, written = quote.premium, quote.statement
    gross, tax, total = last + 1, last + 2, last + 3
    sheet.book.define_name(f"missing_{number}", f"={sheet.reference}!${_FLOOR}${gross}")
    missing = f"=ROUND((C{gross}-SUM({_FLOOR}{first}:{_FLOOR}{last}))*100,0)"
    exact = (f"=SUM(B{first}:B{last})", priced.gross, "money")
    cents = (f"=ROUND(B{gross},2)", float(written.gross), "money")
    whole = (f"=SUM(D{first}:D{last})", 1.0 if written.gross else 0.0, "percent")
    sheet.row(("Gross premium", exact, cents, whole, "sum of the lines", (missing, 0.0, "number")), is_sum=True)
    taxed = (f"=tax_ratio*B{gross}", priced.tax, "money")
    sheet.row(("Tax", taxed, (f"=ROUND(B{tax},2)", float(written.tax), "money"), "", "on the gross premium"))
    paid = (f"=B{gross}+B{tax}", priced.total, "money"), (f"=C{gross}+C{tax}", float(written.total), "money")
    sheet.row(("To pay", *paid, "", ""), is_sum=True)
    verdict = f'=IF(C{total}<limit_{number},"insurable","uninsurable: the premium reaches the limit")'
    sheet.row(("Result", "", (verdict, "insurable", "text")))
    sums = {"gross": f"C{gross}", "tax": f"C{tax}", "total": f"C{total}", "result": f"C{total + 1}"}
    return {"sheet": sheet.reference, "limit": f"limit_{number}", **sums}
