"""The command ``market``: fit the laws to a panel and write them."""

from pathlib import Path

from rich import box
from rich.table import Table

from calibration import Market, fit_market
from calibration.law.drop_law import COVARIATES, TERM
from calibration.market.market import unused_tokens
from crashcover.commands.exits import Exit
from crashcover.commands.inputs import Options, read_reading
from crashcover.display.console import TextConsole
from crashcover.display.messages import tell
from crashcover.files.panels import read_panel
from crashcover.runs.workers import one_blas_thread
from pricing.tools.units import format_duration
from pricing.tools.whole_files import write_text


def run_market(path: Path, options: Options) -> Exit:
    """Fit the market to a panel, write it and show it."""
    panel = read_panel(path, read_reading(options), leave_out=(), splits=options["splits"])
    with one_blas_thread():
        market = fit_market(panel.closes, as_of=options["as_of"])
        unused = unused_tokens(panel.closes, as_of=options["as_of"])
    out = Path(options["out"])
    write_text(out, market.to_json() + "\n")
    TextConsole().print(market_table(market))
    for token, reason in unused.items():
        tell(f"notice: {token} is not used: {reason}")
    tell(f"written: {out}")
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
    shown = market.to_frame()
    rows = {
        **{name: (f"slope on {name}", ".2f") for name in COVARIATES},
        "level volatility": ("level: slope on market volatility", ".2f"),
        "level run-up": ("level: slope on 90-day run-up", ".2f"),
        "level error": ("level: standard error", ".3f"),
        "own crashes per year": ("own crashes per year at 100 % volatility", ".2f"),
        "own crash index": ("Pareto index of their depth", ".2f"),
    }
    for name, (heading, digits) in rows.items():
        table.add_row(heading, *(format(value, digits) for value in shown[name]))
    return table
