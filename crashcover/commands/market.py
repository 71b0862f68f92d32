"""The command ``market``: fit the laws to a panel and write them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from calibration import Market, fit_market
from calibration.law.drop_law import COVARIATES, TERM
from calibration.market.market import unused_tokens
from crashcover.commands.exits import Exit
from crashcover.files.panels import read_panel
from crashcover.runs.workers import one_blas_thread
from pricing.tools.units import YEAR, format_duration


def run_market(path: Path, options: Mapping[str, Any]) -> Exit:
    """Fit the market to a panel, write it and show it."""
    panel = read_panel(path, label=options["label"], leave_out=(), splits=options["splits"])
    with one_blas_thread():
        market = fit_market(panel.closes, as_of=options["as_of"])
        unused = unused_tokens(panel.closes, as_of=options["as_of"])
    out = Path(options["out"])
    out.write_text(market.to_json() + "\n", encoding="utf-8")
    Console(highlight=False).print(market_table(market))
    for token, reason in unused.items():
        click.echo(f"notice: {token} is not used: {reason}", err=True)
    click.echo(f"written: {out}", err=True)
    return Exit.DONE


def market_table(market: Market) -> Table:
    """Tabulate the laws of a market, one column per window."""
    title = (
        f"Laws of the worst drop in {format_duration(TERM)}: {market.n_tokens} tokens, months from "
        f"{market.first_start:%Y-%m-%d}, as of {market.as_of:%Y-%m-%d %H:%M} UTC"
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for law in market.laws:
        table.add_column(format_duration(law.window), justify="right")
    rows: list[tuple[str, list[str]]] = [
        (f"slope on {name}", [f"{law.slopes[place]:.2f}" for law in market.laws])
        for place, name in enumerate(COVARIATES)
    ]
    rows += [
        ("level: slope on market volatility", [f"{law.level.volatility_slope:.2f}" for law in market.laws]),
        ("level: slope on 90-day run-up", [f"{law.level.run_up_slope:.2f}" for law in market.laws]),
        ("level: standard error", [f"{law.level.error:.3f}" for law in market.laws]),
        ("own crashes per year at 100 % volatility", [f"{_per_year(law.own.log_rate):.2f}" for law in market.laws]),
        ("Pareto index of their depth", [f"{law.own.index:.2f}" for law in market.laws]),
    ]
    for name, cells in rows:
        table.add_row(name, *cells)
    return table


def _per_year(log_rate: float) -> float:
    return float(np.exp(log_rate)) * (YEAR / TERM)
