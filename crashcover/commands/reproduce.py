"""The command ``reproduce``: recalculate stored quotes."""

from pathlib import Path

import click

from crashcover.commands.exits import Exit
from crashcover.display.progress import stages
from crashcover.files.quotes import read_quotes


def run_reproduce(path: Path, n_threads: int) -> Exit:
    """Recalculate every quote of a file and report whether the bits agree."""
    quotes = read_quotes(path)
    with stages() as begin:
        done = begin("reproducing", len(quotes))
        for number, quote in enumerate(quotes, start=1):
            quote.reproduce(n_threads=n_threads)
            done(number)
            click.echo(f"reproduced bit for bit: {quote.cover.cover_id}, {quote.price:,} {quote.cover.currency}")
    return Exit.DONE
