"""The command ``crashcover``: options and help texts. What the commands do is imported when it is needed."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

_EXIT_CODES = """
\b
Exit codes:
  0    done
  2    wrong usage
  3    bad data: a file, a row, a price or a holder
  4    invalid terms, basis, model or simulation settings
  5    calibration failed: too few data, or no convergence
  6    every cover was refused: uninsurable, or not resolved by the simulation
  7    a quote could not be reproduced
  130  interrupted
"""

_START = """
\b
Start with:  crashcover demo
Then:        crashcover quote --prices my_prices.csv --drop 0.5
"""
_QUOTE_EXAMPLES = """
\b
Examples:
  crashcover quote --prices om.csv --drop 0.5 --limit 100000
  crashcover quote --prices panel.parquet --asset OM --holders om_holders.csv --supply 1e9 \\
    --drop 0.3 --drop 0.5 --window 1h --window 24h --term 30d --plot om.png
  crashcover quote --prices om.csv --drop 0.3 --payout linear:0.3:0.9 --json > quote.json
"""
_CALIBRATE_EXAMPLE = """
\b
Example:
  crashcover calibrate --prices panel.parquet --asset OM --as-of 2025-04-01T00:00Z
"""
_MARKET_EXAMPLE = """
\b
Example:
  crashcover market panel.parquet --out market.json
"""
_REPRODUCE_EXAMPLE = """
\b
Example:
  crashcover reproduce quote.json
"""
_DEMO_EXAMPLE = """
\b
Example:
  crashcover demo --out demo
"""
_BACKTEST_EXAMPLES = """
\b
Examples:
  crashcover backtest panel.parquet
  crashcover backtest panel.parquet --out walk --forecaster worst-drop-law --drop 0.3 --window 24h --workers 2
"""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class _Commands(click.Group):
    """A group whose errors are one line on stderr and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        from crashcover.exits import Exit, exit_code
        from pricing.errors import PricingError

        try:
            return super().invoke(ctx)
        except PricingError as error:
            click.echo(f"error: {' '.join(str(error).split())}", err=True)
            ctx.exit(exit_code(error))
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(Exit.INTERRUPTED)


def _read_instant(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a time such as 2024-01-31T00:00Z") from error
    if instant.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no time zone (write 2024-01-31T00:00Z for UTC)")
    return instant


def _check_picture(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> Path | None:
    if text is None:
        return None
    path = Path(text)
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise click.BadParameter(f"{text!r} must end in .png, .svg or .pdf")
    if not path.parent.is_dir():
        raise click.BadParameter(f"the folder of {text!r} does not exist")
    return path


def _options(*options: Decorator) -> Decorator:
    """Bundle options, in the order of the help text."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _option(*names: str, **attributes: Any) -> Decorator:
    return click.option(*names, **({"show_default": "default" in attributes} | attributes))


_label_option = _option(
    "--label",
    type=click.Choice(["open", "close"]),
    help="End of the bar that the time column names; by default its own name tells.",
)
_source_options = _options(
    _option(
        "--prices",
        required=True,
        metavar="FILE",
        help="Closes: .csv, .csv.gz or .parquet with the columns time, close, or time and one column a token.",
    ),
    _option("--holders", metavar="FILE", help="Holders: columns address, balance and perhaps label and list."),
    _option("--asset", metavar="NAME", help="Token to choose where a file holds several."),
    _option("--market", metavar="FILE", help="What `crashcover market` wrote; by default the market that ships."),
    _option("--supply", type=float, metavar="TOKENS", help="Tokens that exist; without it the listed total is taken."),
    _option("--as-of", callback=_read_instant, metavar="TIME", help="Use closes up to this time: 2024-01-31T00:00Z."),
    _label_option,
)
_simulation_options = _options(
    _option("--paths", type=int, default=100_000, metavar="N", help="Simulated paths."),
    _option("--seed", type=int, default=1, metavar="N", help="Seed; results are a function of it."),
    _option(
        "--rare-drops",
        is_flag=True,
        help="Draw most paths where deep drops are common, and weight them: for probabilities below one in a thousand.",
    ),
)
_threads_option = _option("--threads", type=int, default=1, metavar="N", help="Threads; results do not depend on them.")
_term_options = _options(
    _option(
        "--drop",
        "drops",
        type=float,
        multiple=True,
        required=True,
        metavar="FRACTION",
        help="Fall that fires, 0.5 for 50 %. May repeat.",
    ),
    _option(
        "--window",
        "windows",
        multiple=True,
        default=["24h"],
        metavar="DURATION",
        help="How far the reference looks back. May repeat.",
    ),
    _option(
        "--term", "terms", multiple=True, default=["30d"], metavar="DURATION", help="Length of the cover. May repeat."
    ),
    _option("--limit", type=float, default=100_000.0, metavar="AMOUNT", help="Largest payment."),
    _option("--currency", default="USD", help="Currency of limit and premium."),
    _option(
        "--reference",
        type=click.Choice(["rolling-high", "lagged", "running-high", "inception"]),
        default="rolling-high",
        help="Price that the fall is measured from.",
    ),
    _option("--payout", default="full", help="full, linear:ATTACHMENT:EXHAUSTION or tiered:DROP=SHARE,DROP=SHARE,..."),
    _option("--waiting-period", default="0h", metavar="DURATION", help="Opening part of the term without cover."),
)
_basis_options = _options(
    _option("--risk-load-multiple", type=float, default=0.25, help="Load per standard deviation of the loss."),
    _option("--expense-ratio", type=float, default=0.1, help="Expenses as a fraction of the gross premium."),
    _option("--fixed-expense", type=float, default=0.0, help="Expense per cover."),
    _option("--parameter-load", type=float, default=0.0, help="Load per unit of expected loss for unknown parameters."),
    _option(
        "--capital-rate",
        type=float,
        default=0.0,
        help="Return a year on capital: the tail value at risk at 99.5 % beyond the expected loss.",
    ),
    _option("--commission-ratio", type=float, default=0.0, help="Commission as a fraction of the gross premium."),
    _option("--profit-ratio", type=float, default=0.0, help="Profit as a fraction of the gross premium."),
    _option("--tax-ratio", type=float, default=0.0, help="Tax as a fraction of the gross premium, on top of it."),
    _option("--minimum-premium", type=float, default=0.0, help="Least gross premium per cover."),
    _option("--minimum-rate-on-line", type=float, default=0.0, help="Least gross premium as a fraction of the limit."),
    _option("--interest-rate", type=float, default=0.0, help="Continuous rate a year that discounts payments."),
)
_json_option = _option("--json", "as_json", is_flag=True, help="Print JSON on stdout and nothing else.")


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from pricing.version import ENGINE_VERSION

        click.echo(f"crashcover {ENGINE_VERSION}")
        ctx.exit()


@click.group(
    cls=_Commands,
    epilog=_START + _EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def main() -> None:
    """Price crash cover: parametric insurance against sudden falls of a token's price."""


@main.command(epilog=_QUOTE_EXAMPLES + _EXIT_CODES)
@_source_options
@_term_options
@_basis_options
@_simulation_options
@_threads_option
@_option("--plot", callback=_check_picture, metavar="FILE", help="Draw the exceedance curves: .png, .svg or .pdf.")
@_json_option
@click.pass_context
def quote(ctx: click.Context, /, **options: Any) -> None:
    """Calibrate a token and price covers on it, every combination of --drop, --window and --term."""
    from crashcover.commands import run_quote

    ctx.exit(run_quote(options))


@main.command(epilog=_CALIBRATE_EXAMPLE + _EXIT_CODES)
@_source_options
@_json_option
@click.pass_context
def calibrate(ctx: click.Context, /, **options: Any) -> None:
    """Fit the price model of a token and say what it rests on."""
    from crashcover.commands import run_calibrate

    ctx.exit(run_calibrate(options))


@main.command(epilog=_REPRODUCE_EXAMPLE + _EXIT_CODES)
@click.argument("quote_file", metavar="QUOTE_FILE")
@_threads_option
@click.pass_context
def reproduce(ctx: click.Context, /, quote_file: str, threads: int) -> None:
    """Recalculate the quotes of a JSON file and demand the same numbers to the last bit.

    QUOTE_FILE is what "crashcover quote --json" printed, or a single quote out of it.
    """
    from crashcover.commands import run_reproduce

    ctx.exit(run_reproduce(Path(quote_file), threads))


@main.command(epilog=_MARKET_EXAMPLE + _EXIT_CODES)
@click.argument("panel_file", metavar="PANEL")
@_option("--out", required=True, type=click.Path(dir_okay=False), metavar="FILE", help="Where to write the market.")
@_option("--as-of", callback=_read_instant, metavar="TIME", help="Use closes up to this time: 2024-01-31T00:00Z.")
@_label_option
@click.pass_context
def market(ctx: click.Context, /, panel_file: str, **options: Any) -> None:
    """Learn the laws of the worst drop from a panel of tokens, for --market of quote and calibrate.

    PANEL is a .csv, .csv.gz or .parquet file: a time column, and one column of hourly closes a token.
    """
    from crashcover.market import run_market

    ctx.exit(run_market(Path(panel_file), options))


@main.command(epilog=_BACKTEST_EXAMPLES + _EXIT_CODES)
@click.argument("panel_file", metavar="PANEL")
@_option(
    "--out",
    type=click.Path(file_okay=False),
    default="backtest-results",
    metavar="FOLDER",
    help="Where results are kept; a second run goes on from there.",
)
@_option(
    "--forecaster",
    "forecasters",
    multiple=True,
    metavar="NAME",
    help="constant, own-history, gbm, garch, historical, logit, worst-drop-law or calibrated; by default all but the "
    "last. May repeat.",
)
@_option(
    "--drop",
    "drops",
    type=float,
    multiple=True,
    default=[0.1, 0.2, 0.3, 0.4, 0.5],
    metavar="FRACTION",
    help="Fall to quote, 0.5 for 50 %. May repeat.",
)
@_option(
    "--window",
    "windows",
    multiple=True,
    default=["1h", "24h"],
    metavar="DURATION",
    help="How far the reference looks back. May repeat.",
)
@_option("--term", "terms", multiple=True, default=["30d"], metavar="DURATION", help="Length of a cover. May repeat.")
@_option(
    "--first-start",
    callback=_read_instant,
    metavar="TIME",
    help="First start: 2021-04-01T00:00Z; by default 90 days into the panel.",
)
@_option("--every", default="30d", metavar="DURATION", help="From one start to the next.")
@_option("--warm-up", type=int, default=1, metavar="N", help="First periods, which teach but are not scored.")
@_option(
    "--leave-out",
    multiple=True,
    metavar="NAME",
    help="Token to leave out; by default those pegged or wrapped. May repeat.",
)
@_label_option
@_option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes; by default one a core. Results do not depend on them.",
)
@_option("--paths", type=click.IntRange(min=1), default=10_000, metavar="N", help="Simulated paths a token.")
@_option(
    "--sample",
    type=click.IntRange(min=1),
    default=500,
    metavar="N",
    help="Token-periods, about, that the slow garch quotes.",
)
@_option("--seed", type=click.IntRange(min=0), default=1, metavar="N", help="Seed of simulations and of the intervals.")
@_option("--quiet", is_flag=True, help="Print nothing.")
@_json_option
@click.pass_context
def backtest(ctx: click.Context, /, panel_file: str, **options: Any) -> None:
    """Walk forward through a panel of prices and score forecasters of crashes.

    PANEL is a wide .csv, .csv.gz or .parquet file: a time column and one column of closes a token.
    """
    from crashcover.backtesting import run_backtest

    ctx.exit(run_backtest(Path(panel_file), options))


@main.command(epilog=_DEMO_EXAMPLE + _EXIT_CODES)
@_option(
    "--out", type=click.Path(file_okay=False), default="demo", metavar="FOLDER", help="Where the demo writes its files."
)
@_simulation_options
@_threads_option
@click.pass_context
def demo(ctx: click.Context, /, out: str, **options: Any) -> None:
    """Price covers on a synthetic market, draw a picture, and leave sample files to try things on."""
    from crashcover.commands import read_settings
    from crashcover.demo import run_demo

    ctx.exit(run_demo(Path(out), read_settings(options)))
