"""The command ``reprice``: price a book from published rates."""

import json
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from crashcover.commands.exits import Exit
from crashcover.commands.inputs import Options, read_basis
from crashcover.commands.workplace import read_path, read_workplace, tell_end
from crashcover.display.console import stdout
from crashcover.display.progress import stages
from crashcover.repricing import job as repricing
from crashcover.repricing import summary as books
from crashcover.repricing.intake.tables import TableBook


def run_reprice(options: Options) -> Exit:
    """Price a book and print a summary."""
    job = repricing.RepriceJob(
        book=_read_book(options["book"], options["table"]),
        rates=Path(options["rates"]),
        out=Path(options["out"]),
        previous=read_path(options["previous"]),
        basis=read_basis(options),
    )
    started = time.perf_counter()
    with stages() as begin:
        summary = repricing.run_job(job, read_workplace(options), begin)
    if options["as_json"]:
        click.echo(json.dumps(summary))
    else:
        _show_summary(summary, stdout())
        tell_end(started, f"the priced book is {job.out / repricing.PRICED}")
    return Exit.ALL_REFUSED if summary["rows"] and not summary["priced"] else Exit.DONE


def _read_book(book: str, table: str | None) -> Path | TableBook:
    is_url = "://" in book
    if is_url and table is None:
        raise click.UsageError("BOOK is the URL of a database: give the table of the book with --table")
    if table is not None and not is_url:
        raise click.UsageError(f"--table needs the URL of a database, got BOOK {book!r}")
    return Path(book) if table is None else TableBook(url=book, table=table)


def _show_summary(summary: dict[str, Any], console: Console) -> None:
    console.print(books.total_table(summary))
    if summary["changes"]:
        console.print(books.change_table(summary))
    console.print(books.count_text(summary))
