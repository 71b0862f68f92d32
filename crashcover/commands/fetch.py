"""The command ``fetch``: prices from an exchange, the only command that connects to the internet."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from crashcover.commands.exits import Exit, exit_code
from crashcover.display.messages import tell
from crashcover.display.progress import stages
from crashcover.fetching.history import Span, fetch_prices
from crashcover.fetching.panel import PanelFetched, fetch_panel, join_closes
from pricing.errors import DataError
from pricing.show.texts import readable

Options = Mapping[str, Any]


def run_fetch_token(token: str, options: Options) -> Exit:
    """Fetch the prices of one token into a file."""
    span = _read_span(options)
    with stages() as begin:
        fetched = fetch_prices(
            token,
            since=span.since,
            until=span.until,
            bar=span.bar,
            quote=span.quote,
            out=options["out"],
            begin=begin,
            **_read_venue(options),
        )
    click.echo(readable(fetched.summary))
    tell(f"written: {fetched.path}")
    return Exit.DONE


def run_fetch_panel(tokens: Sequence[str], options: Options) -> Exit:
    """Fetch the prices of many tokens into a folder, and name those that failed."""
    names = [*tokens, *_read_names(options["tokens_from"])]
    with stages() as begin:
        panel = fetch_panel(
            None if options["all_tokens"] else names,
            span=_read_span(options),
            out=options["out"],
            begin=begin,
            **_read_venue(options),
        )
    if options["join"] and panel.fetched:
        join_closes(list(panel.fetched.values()), Path(options["join"]))
    _show(panel)
    tell(f"written: {options['join'] or options['out']}")
    return max((exit_code(error) for error in panel.failed.values()), default=Exit.DONE)


def _show(panel: PanelFetched) -> None:
    for fetched in panel.fetched.values():
        click.echo(readable(fetched.summary))
    click.echo(f"{len(panel.fetched):,} tokens fetched, {len(panel.failed):,} failed")
    for token, error in panel.failed.items():
        tell(f"failed: {token}: {' '.join(str(error).split())}")


def _read_span(options: Options) -> Span:
    return Span(since=options["since"], until=options["until"], bar=options["bar"], quote=options["quote"])


def _read_venue(options: Options) -> dict[str, Any]:
    return {
        "venue": options["venue"],
        "url": options["url"],
        "patience": options["patience"],
        "tell": lambda text: tell(f"notice: {text}"),
    }


def _read_names(path: str | None) -> list[str]:
    if path is None:
        return []
    try:
        lines = Path(path).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    return lines
