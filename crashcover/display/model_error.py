"""Tables of model errors and stresses for a terminal."""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.table import Table

from crashcover.display.table import WIDTH
from crashcover.offers.model_error import ModelError
from crashcover.offers.offers import Offer
from crashcover.offers.terms import describe_window
from pricing.tools.units import format_duration


def error_tables(offers: Sequence[Offer]) -> Iterator[Table]:
    """Yield the model error and the stresses of each cover that has them."""
    for offer in offers:
        if offer.model_error:
            cover = offer.cover
            terms = f"{100 * cover.trigger.drop:g} %, {describe_window(cover.trigger)}, {format_duration(cover.term)}"
            yield _parts_table(offer.model_error, terms, cover.currency)
            yield _stress_table(offer.model_error, terms, cover.currency)


def _parts_table(error: ModelError, terms: str, currency: str) -> Table:
    table = _headed(f"Model error of the expected loss: {terms}", ("source", "low x", "high x", "changed by"))
    for part in error.parts:
        table.add_row(part.name, f"{part.low:.2f}", f"{part.high:.2f}", part.meaning)
    table.add_section()
    low, high = error.low / error.expected_loss, error.high / error.expected_loss
    about = f"expected loss {error.low:,.0f} to {error.high:,.0f} {currency}, quoted {error.expected_loss:,.0f}"
    table.add_row("all, about 68 %", f"{low:.2f}", f"{high:.2f}", about, style="bold")
    return table


def _stress_table(error: ModelError, terms: str, currency: str) -> Table:
    headings = ("stress", f"exp. loss {currency}", f"premium {currency}", "meaning")
    table = _headed(f"Stresses: {terms}", headings)
    for stress in error.stresses:
        sign = "> " if stress.is_bound else ""
        gross = "not insurable" if stress.gross is None else f"{sign}{stress.gross:,.0f}"
        table.add_row(stress.name, f"{sign}{stress.expected_loss:,.0f}", gross, stress.meaning)
    return table


def _headed(title: str, headings: Iterable[str]) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, width=WIDTH
    )
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place in (1, 2) else "left")
    return table
