"""The command ``reproduce``: recalculate stored quotes."""

from pathlib import Path

import click

from crashcover.commands.exits import Exit
from crashcover.display.messages import tell
from crashcover.display.progress import stages
from crashcover.files.quotes import read_quotes
from pricing.errors import ReproductionError
from pricing.quotes.quote import Quote
from pricing.show.texts import readable


def run_reproduce(path: Path, n_threads: int) -> Exit:
    """Recalculate every quote of a file and report for each whether the bits agree."""
    quotes = read_quotes(path)
    with stages() as begin:
        done = begin("reproducing", len(quotes))
        results = []
        for quote in quotes:
            results.append(_is_reproduced(quote, n_threads))
            done(len(results))
    return Exit.DONE if all(results) else Exit.NOT_REPRODUCED


def _is_reproduced(quote: Quote, n_threads: int) -> bool:
    try:
        quote.reproduce(n_threads=n_threads)
    except ReproductionError as error:
        tell(f"error: {error}")
        return False
    click.echo(readable(f"reproduced bit for bit: {quote.cover.cover_id}, {quote.price:,} {quote.cover.currency}"))
    return True
