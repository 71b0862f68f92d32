"""What ``crashcover rates`` and ``crashcover reprice`` do, once their options are read."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from crashcover.commands import read_basis, stdout
from crashcover.exits import Exit
from crashcover.progress import stages
from crashcover.rates import job as rates
from crashcover.rates.night import RateSettings
from crashcover.rates.report import AssetReport, asset_table, change_table, count_text, failure_table
from crashcover.repricing import job as repricing
from crashcover.repricing import summary as books
from crashcover.repricing.book_tables import TableBook
from crashcover.workers import Workplace
from pricing.errors import WorkerError
from pricing.triggers import Reference
from pricing.units import parse_duration

Values = Mapping[str, Any]


def run_rates(options: Values) -> Exit:
    """Rate all tokens of a night, publish them and say what they came to."""
    job = rates.RateJob(
        prices=Path(options["prices"]),
        out=Path(options["out"]),
        holders=_path(options["holders"]),
        supplies=_path(options["supplies"]),
        market=_path(options["market"]),
        as_of=options["as_of"],
        label=options["label"],
        settings=_read_rate_settings(options),
        valid_for=parse_duration(options["valid_for"], "valid_for"),
        keep=options["keep"],
    )
    started = time.perf_counter()
    with stages() as begin:
        report = rates.run_job(job, _read_workplace(options), begin)
    for notice in report["notices"]:
        click.echo(f"notice: {notice}", err=True)
    if options["as_json"]:
        click.echo(json.dumps(report))
    else:
        _show_report(report, stdout())
        _tell_end(started, f"the report is {job.out / rates.REPORTS / report['version']}.json")
    return Exit.DONE if report["statuses"].get("fresh") else Exit.CALIBRATION_FAILED


def run_reprice(options: Values) -> Exit:
    """Price a book and say what it came to."""
    job = repricing.RepriceJob(
        book=_read_book(options["book"], options["table"]),
        rates=Path(options["rates"]),
        out=Path(options["out"]),
        previous=_path(options["previous"]),
        basis=read_basis(options),
    )
    started = time.perf_counter()
    with stages() as begin:
        summary = repricing.run_job(job, _read_workplace(options), begin)
    if options["as_json"]:
        click.echo(json.dumps(summary))
    else:
        _show_summary(summary, stdout())
        _tell_end(started, f"the priced book is {job.out / repricing.PRICED}")
    return Exit.ALL_REFUSED if summary["rows"] and not summary["priced"] else Exit.DONE


def _read_book(book: str, table: str | None) -> Path | TableBook:
    is_url = "://" in book
    if is_url and table is None:
        raise click.UsageError("BOOK is the URL of a database: name the table of the book with --table")
    if table is not None and not is_url:
        raise click.UsageError(f"--table goes with the URL of a database, got BOOK {book!r}")
    return Path(book) if table is None else TableBook(url=book, table=table)


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _read_rate_settings(options: Values) -> RateSettings:
    return RateSettings(
        windows=options["windows"],
        terms=options["terms"],
        waiting_periods=options["waiting_periods"],
        references=tuple(Reference[name.replace("-", "_").upper()] for name in options["references"]),
        n_paths=options["paths"],
        seed=options["seed"],
        rare_drops=options["rare_drops"],
        oldest_close=parse_duration(options["oldest_close"], "oldest_close"),
    )


def _read_workplace(options: Values) -> Workplace:
    try:
        return Workplace(processes=options["processes"], workers=options["workers"], scheduler=options["scheduler"])
    except WorkerError as error:
        raise click.UsageError(str(error)) from error


def _show_report(report: Values, console: Console) -> None:
    assets = [AssetReport(**each) for each in report["assets"]]
    console.print(asset_table(assets))
    if any(each.error for each in assets):
        console.print(failure_table(assets))
    if any(each.change for each in assets):
        console.print(change_table(assets))
    console.print(count_text(report))


def _show_summary(summary: Values, console: Console) -> None:
    console.print(books.total_table(summary))
    if summary["changes"]:
        console.print(books.change_table(summary))
    console.print(books.count_text(summary))


def _tell_end(started: float, where: str) -> None:
    click.echo(f"done in {time.perf_counter() - started:,.1f} seconds; {where}", err=True)
