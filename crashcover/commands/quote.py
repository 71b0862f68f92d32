"""The command ``quote``: price covers on one token."""

from collections.abc import Iterable
from pathlib import Path

import click

from crashcover.commands.exits import Exit
from crashcover.commands.inputs import (
    Options,
    calibrate_as_stated,
    read_basis,
    read_settings,
    read_terms,
    read_token_prices,
    story_of,
)
from crashcover.display.console import show_offers, stdout
from crashcover.display.messages import tell
from crashcover.display.model_error import error_tables
from crashcover.display.picture import Chart, Curve, draw_exceedance
from crashcover.display.progress import stages
from crashcover.display.table import WIDTH, footnotes
from crashcover.files.quote_table import formula_names, write_table
from crashcover.files.quotes import write_document
from crashcover.offers.offers import Offers, make_offers
from crashcover.offers.terms import describe_window
from crashcover.sample_market import is_synthetic
from pricing.contract.cover import Cover
from pricing.premiums.build_up import sample_for
from pricing.tools.libraries import load_library
from pricing.tools.units import format_duration


def run_quote(options: Options) -> Exit:
    """Price covers on one token: table, JSON or CSV on stdout, a picture if requested."""
    if options["plot"]:
        load_library("matplotlib", extra="plot")
    basis, settings, terms = read_basis(options), read_settings(options), read_terms(options)
    history = read_token_prices(options)
    covers = terms.covers(history.asset)
    for_programs = options["as_json"] or options["as_csv"]
    calibration = calibrate_as_stated(history, options)
    with stages() as begin:
        offers = make_offers(
            calibration,
            covers,
            basis=basis,
            settings=settings,
            with_drivers=not for_programs,
            with_model_error=options["model_error"],
            begin=begin,
        )
    if options["plot"]:
        _draw(offers, history.asset, options["plot"])
    if options["as_json"]:
        click.echo(write_document(offers))
    elif options["as_csv"]:
        for name in formula_names(offers.offers):
            tell(f"notice: asset {name!r} gets an apostrophe: a spreadsheet takes it for a formula")
        click.echo(write_table(offers.offers, basis.lines), nl=False)
    else:
        console = stdout()
        show_offers(offers, history.asset, console, story=story_of(history.asset))
        console.print(footnotes(offers.offers, settings), width=WIDTH)
        for table in error_tables(offers.offers):
            console.print(table)
    return Exit.DONE if offers.quotes else Exit.ALL_REFUSED


def _titled(asset: str) -> str:
    return f"{asset} (SYNTHETIC)" if is_synthetic(asset) else asset


def _draw(offers: Offers, asset: str, path: Path) -> None:
    """Draw one panel per window and one curve per term."""
    covers = [offer.cover for offer in offers.offers]
    windows = dict.fromkeys(describe_window(cover.trigger) for cover in covers)
    charts = [
        Chart(
            title=f"{asset}, {covers[0].trigger.reference.name.lower().replace('_', ' ')}, window {window}",
            curves=term_curves(offers, [cover for cover in covers if describe_window(cover.trigger) == window]),
        )
        for window in windows
    ]
    draw_exceedance(charts, path, title=f"Worst drops of {_titled(asset)}")


def term_curves(offers: Offers, covers: Iterable[Cover]) -> list[Curve]:
    """Return one curve per term of covers with the same window."""
    by_term = {cover.term: cover for cover in covers}
    return [
        Curve(label=f"term {format_duration(term)}", sample=sample_for(cover, offers.surface))
        for term, cover in by_term.items()
    ]
