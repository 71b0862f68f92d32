"""The command ``rates``: calibrate, simulate and publish the rates of all tokens."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from calibration.law.bar_lengths import read_grid
from crashcover.commands.exits import Exit
from crashcover.commands.inputs import Options, read_reading
from crashcover.commands.workplace import read_path, read_workplace, tell_end
from crashcover.display.console import stdout
from crashcover.display.messages import tell
from crashcover.display.progress import stages
from crashcover.files.tables import some
from crashcover.rates import job as rates
from crashcover.rates.night import RateSettings
from crashcover.rates.report import AssetReport, asset_table, change_table, count_text, failure_table
from crashcover.rates.token import HOLDERS
from pricing.contract.triggers import Reference
from pricing.tools.units import parse_duration


def run_rates(options: Options) -> Exit:
    """Rate all tokens of a night, publish them and print a summary."""
    job = rates.RateJob(
        prices=Path(options["prices"]),
        out=Path(options["out"]),
        holders=read_path(options["holders"]),
        supplies=read_path(options["supplies"]),
        pegs=read_path(options["pegs"]),
        market=read_path(options["market"]),
        as_of=options["as_of"],
        reading=read_reading(options),
        holder_columns=options["holder_columns"],
        splits=read_path(options["splits"]),
        settings=_read_rate_settings(options),
        valid_for=parse_duration(options["valid_for"], "valid_for"),
        keep=options["keep"],
    )
    started = time.perf_counter()
    with stages() as begin:
        report = rates.run_job(job, read_workplace(options), begin)
    for notice in (*report["notices"], *_holder_notices(report)):
        tell(f"notice: {notice}")
    if options["as_json"]:
        click.echo(json.dumps(report))
    else:
        _show_report(report, stdout())
        tell_end(started, f"the report is {job.out / rates.REPORTS / report['version']}.json")
    return _exit_of(report)


def _holder_notices(report: dict[str, Any]) -> Iterator[str]:
    """Yield each notice about lists of holders once, with the tokens that it is about."""
    tokens: dict[str, list[str]] = {}
    for asset in report["assets"]:
        for notice in asset["notices"]:
            if notice.startswith(HOLDERS):
                tokens.setdefault(notice, []).append(asset["asset"])
    for notice, names in tokens.items():
        yield f"{some(names)}: {notice}"


def _exit_of(report: dict[str, Any]) -> Exit:
    if not report["statuses"].get("fresh"):
        return Exit.CALIBRATION_FAILED
    return Exit.FAULTS if any(each["is_fault"] for each in report["assets"]) else Exit.DONE


def _read_rate_settings(options: Options) -> RateSettings:
    return RateSettings(
        windows=options["windows"],
        terms=options["terms"],
        waiting_periods=options["waiting_periods"],
        references=tuple(Reference[name.replace("-", "_").upper()] for name in options["references"]),
        n_paths=options["paths"],
        seed=options["seed"],
        rare_drops=options["rare_drops"],
        oldest_close=parse_duration(options["oldest_close"], "oldest_close"),
        grid=None if options["grid"] is None else read_grid(options["grid"]),
    )


def _show_report(report: dict[str, Any], console: Console) -> None:
    assets = [AssetReport(**each) for each in report["assets"]]
    console.print(asset_table(assets))
    if any(each.error for each in assets):
        console.print(failure_table(assets))
    if any(each.change for each in assets):
        console.print(change_table(assets))
    console.print(count_text(report))
