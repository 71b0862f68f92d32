"""The command ``backtest``: read a panel, walk through it, write the report."""

import json
from collections.abc import Collection
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from backtest.cells import make_cells
from backtest.forecasters.calibrated import Calibrated
from backtest.forecasters.makers import MAKERS, make_forecasters
from backtest.known import Forecaster
from backtest.panel import Panel
from backtest.periods import Plan, count_quotable, find_starts
from backtest.results.page import Values, ends, number, write_page
from backtest.results.summary import REFERENCE, summarise
from backtest.results.surface import summarise_surface
from backtest.results.surface_page import (
    HEADINGS,
    TOGETHER_HEADINGS,
    surface_notes,
    surface_rows,
    together_rows,
    write_surface_page,
)
from backtest.walk_forward import n_files, walk
from crashcover.commands.exits import Exit
from crashcover.commands.inputs import Options, read_reading
from crashcover.display.console import stdout
from crashcover.display.progress import stages
from crashcover.files.panels import read_panel
from crashcover.runs.workers import Workplace
from pricing.errors import InvalidTermsError
from pricing.tools.libraries import load_library
from pricing.tools.units import parse_duration
from pricing.tools.whole_files import write_text

#: Defaults of a surface; 11 days have no common divisor with the blocks of the market, so that waves fall anywhere.
SURFACE: MappingProxyType[str, Any] = MappingProxyType(
    {
        "windows": ("1h", "4h", "24h", "72h"),
        "terms": ("1d", "7d", "30d", "90d"),
        "every": "11d",
        "sample": 2000,
        "paths": 4000,
    }
)


def run_backtest(path: Path, options: Options) -> Exit:
    """Walk forward through a panel, and write the JSON document and the page."""
    load_library("jinja2", extra="cli"), load_library("matplotlib", extra="plot")
    plan = _read_plan(options)
    plan.require_apart()
    folder = Path(options["out"])
    panel = read_panel(path, read_reading(options), leave_out=options["leave_out"] or None, splits=options["splits"])
    forecasters = _make_forecasters(panel, plan, options)
    workplace = Workplace(processes=options["workers"])
    with stages() as begin:
        progress = None if options["quiet"] else begin("walking", n_files(panel, plan, forecasters))
        walked = walk(panel, plan, forecasters, folder, run=workplace.run, progress=progress)
    summary = summarise(panel, plan, walked)
    document = json.dumps(summary, allow_nan=False)
    write_text(folder / "backtest.json", document)
    write_text(folder / "backtest.html", write_page(summary))
    _show(summary, document, folder, options)
    return Exit.DONE


def of_surface(options: Options, stated: Collection[str]) -> Options:
    """Return the options of a surface: its own defaults unless they are stated."""
    return {name: value if name in stated else SURFACE.get(name, value) for name, value in options.items()}


def run_surface(path: Path, options: Options) -> Exit:
    """Walk forward through a panel with the engine alone, and write the JSON document and the page of the surface."""
    load_library("matplotlib", extra="plot")
    if options["forecasters"]:
        raise InvalidTermsError(f"forecaster must not be named for a surface, got {options['forecasters'][0]!r}")
    plan, folder = _read_plan(options), Path(options["out"])
    panel = read_panel(path, read_reading(options), leave_out=options["leave_out"] or None, splits=options["splits"])
    share = min(1.0, options["sample"] / count_quotable(panel, find_starts(panel, plan)))
    engine = Calibrated(share=share, n_paths=options["paths"], shipped=True)
    workplace = Workplace(processes=options["workers"])
    with stages() as begin:
        progress = None if options["quiet"] else begin("walking", n_files(panel, plan, (engine,)))
        walked = walk(panel, plan, (engine,), folder, run=workplace.run, progress=progress)
    summary = summarise_surface(plan, walked, engine.name)
    document = json.dumps(summary, allow_nan=False)
    write_text(folder / "surface.json", document)
    write_text(folder / "surface.html", write_surface_page(summary))
    if options["as_json"]:
        click.echo(document)
    elif not options["quiet"]:
        _show_surface(summary, folder)
    return Exit.DONE


def _show_surface(summary: Values, folder: Path) -> None:
    console = stdout()
    cells = surface_rows(summary, fewest_events=summary["fewest_events"])
    for headings, rows in ((HEADINGS, cells), (TOGETHER_HEADINGS, together_rows(summary))):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for place, heading in enumerate(headings):
            table.add_column(heading, justify="left" if place == 0 else "right", no_wrap=True)
        for row in rows:
            table.add_row(*row, style="bold" if row[-1] == "outside" else None)
        console.print(table)
    written = f"All cells and a picture: {folder / 'surface.html'}; all numbers: {folder / 'surface.json'}."
    console.print(Text("\n".join([*surface_notes(summary), written]), style="dim"))


def _read_plan(options: Options) -> Plan:
    return Plan(
        cells=make_cells(windows=options["windows"], terms=options["terms"], drops=options["drops"]),
        every=parse_duration(options["every"], "every"),
        first_start=options["first_start"],
        warm_up=options["warm_up"],
        seed=options["seed"],
    )


def _make_forecasters(panel: Panel, plan: Plan, options: Options) -> tuple[Forecaster, ...]:
    share = options["sample"] / count_quotable(panel, find_starts(panel, plan))
    return make_forecasters(options["forecasters"] or tuple(MAKERS), n_paths=options["paths"], share=share)


def _show(summary: Values, document: str, folder: Path, options: Options) -> None:
    """Print the document or the tables, as requested."""
    if options["as_json"]:
        click.echo(document)
    elif not options["quiet"]:
        console = stdout()
        for cell in summary["cells"]:
            console.print(score_table(cell))
        console.print(Text("\n".join(_notes(summary, folder)), style="dim"))


def score_table(cell: Values) -> Table:
    """Tabulate the forecasters of one cell.

    Parameters
    ----------
    cell : mapping
        One of the cells that ``backtest.summarise`` returns.
    """
    title = (
        f"fall of {100 * cell['drop']:g} % within {cell['window']}, at some time in {cell['term']}: occurred in "
        f"{cell['events']:,} token-periods, {100 * cell['frequency']:.2f} %"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
    table.add_column("forecaster", no_wrap=True)
    for heading in ("token-\nperiods", "A/E\n", "", "log skill\n", "", "Brier\nskill", "AUC in\nperiods"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("loss ratio\n%", "capital\nyears", "reserve breaches\ncame / promised"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, scores in cell["forecasters"].items():
        table.add_row(name, *_score_cells(scores))
    return table


def _score_cells(scores: Values) -> tuple[str, ...]:
    breaches = scores["breaches"]["of_the_reserve"]
    loss_ratio = scores["money"]["loss_ratio"][0]
    return (
        f"{scores['token_periods']:,}",
        number(scores["actual_to_expected"][0], ".2f"),
        ends(scores["actual_to_expected"], ".2f"),
        number(scores["log_skill"][0], "+.3f"),
        ends(scores["log_skill"], "+.3f"),
        number(scores["brier_skill"][0], "+.3f"),
        number(scores["auc_within_periods"][0], ".2f"),
        "–" if loss_ratio is None else f"{100 * loss_ratio:.0f}",
        number(scores["money"]["capital"], ".2f"),
        f"{breaches['breaches']} / {breaches['expected']:.1f}",
    )


def _notes(summary: Values, folder: Path) -> list[str]:
    plan, intervals = summary["plan"], summary["intervals"]
    refused = {
        name: scores["refused"] for name, scores in summary["cells"][0]["forecasters"].items() if scores["refused"]
    }
    return [
        f"{plan['token_periods']:,} token-periods of {plan['tokens']} tokens, {len(plan['starts'])} starts from "
        f"{plan['starts'][0][:10]} to {plan['starts'][-1][:10]} every {plan['every']}.",
        f"Ranges: {intervals['level']:.0%}, whole periods are resampled ({intervals['resamples']:,} resamples, seed "
        f"{intervals['seed']}), because tokens fall together. A/E: actual over expected events.",
        f"Skill: share of the loss of {REFERENCE} that is avoided. Capital: annual loss not exceeded with 99.5 %, in "
        "years' premium.",
        *([f"Left out: {', '.join(left_out)}."] if (left_out := summary["panel"]["left_out"]) else []),
        *(
            [f"Without a token-period, because the history is too short or nothing follows: {', '.join(unscored)}."]
            if (unscored := plan["unscored"])
            else []
        ),
        *(
            f"{name} refused {count:,} token-periods, scored at the quote of {REFERENCE}."
            for name, count in refused.items()
        ),
        f"Page with pictures: {folder / 'backtest.html'}; all numbers: {folder / 'backtest.json'}.",
    ]
