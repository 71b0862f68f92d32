"""Messages on stderr."""

import click

from pricing.show.texts import readable


def tell(text: str) -> None:
    """Print a message on stderr, whatever the names in it hold."""
    click.echo(readable(text), err=True)
