"""The command ``crashcover``: options and help texts. The code of a command is imported when the command runs."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from crashcover import examples
from crashcover.command_group import Commands
from crashcover.options import (
    basis_options,
    check_page,
    check_picture,
    check_workbook,
    csv_option,
    drop_option,
    fetch_options,
    grid_option,
    holder_columns_option,
    json_option,
    knowledge_options,
    model_error_option,
    option,
    peg_option,
    pool_options,
    price_file_options,
    prices_option,
    read_instant,
    shape_options,
    simulation_options,
    source_options,
    splits_option,
    term_options,
    threads_option,
    workplace_options,
)
from crashcover.short_help import Command

#: Options about files, each with the option of the file.
_FILE_OPTIONS = {"format": "prices", "columns": "prices", "resample": "prices", "holder_columns": "holders"}
#: Sources of a report, and the options that each requires or allows.
_REPORT_SOURCES = {
    "report_file": ("--from", set()),
    "quotes": ("--quote", set()),
    "book": ("--book", {"prices", "rates", "holders", "capital", *_FILE_OPTIONS}),
    "drops": ("--drop", {"prices", "holders", "asset", "supply", "circulating", *_FILE_OPTIONS}),
}


def _check_sources(options: dict[str, Any]) -> None:
    """Require exactly one source of a report, and no option that it would ignore."""
    chosen = [name for name in _REPORT_SOURCES if options[name]]
    if len(chosen) != 1:
        names = ", ".join(option for option, _ in _REPORT_SOURCES.values())
        raise click.UsageError(f"choose one of {names} to report on (--drop with --prices)")
    option, looked_at = _REPORT_SOURCES[chosen[0]]
    for name in ("prices", "rates", "holders", "capital", "asset", "supply", "circulating", *_FILE_OPTIONS):
        if options[name] is not None and name not in looked_at:
            raise click.UsageError(f"{option} cannot be combined with --{name.replace('_', '-')}")
    for name, file in _FILE_OPTIONS.items():
        if options[name] is not None and options[file] is None:
            raise click.UsageError(f"--{name.replace('_', '-')} needs --{file}")
    if option == "--book" and (options["prices"] is None) == (options["rates"] is None):
        raise click.UsageError("--book needs either --prices or --rates")
    if option == "--book" and options["capital"] is None:
        raise click.UsageError("--book needs --capital")
    if option == "--book" and options["xlsx"] is not None:
        raise click.UsageError("--book cannot be combined with --xlsx, which is for covers of one token")
    if option == "--drop" and options["prices"] is None:
        raise click.UsageError("--drop needs --prices")


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from pricing.version import ENGINE_VERSION, VERSION

        click.echo(f"crashcover {VERSION} (engine {ENGINE_VERSION})")
        ctx.exit()


@click.group(
    cls=Commands,
    epilog=examples.START,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def main() -> None:
    """Price crash cover: parametric insurance against sudden falls of a token's price."""


@main.command(epilog=examples.QUOTE_EXAMPLES)
@source_options
@peg_option
@term_options
@basis_options
@simulation_options
@threads_option
@option("--plot", callback=check_picture, metavar="FILE", help="Draw the exceedance curves: .png, .svg or .pdf.")
@model_error_option
@json_option
@csv_option
@click.pass_context
def quote(ctx: click.Context, /, **options: Any) -> None:
    """Calibrate a token and price covers on it for every combination of --drop, --window and --term."""
    if options["as_json"] and options["as_csv"]:
        raise click.UsageError("choose one of --json and --csv")
    from crashcover.commands.quote import run_quote

    ctx.exit(run_quote(options))


@main.command(epilog=examples.CALIBRATE_EXAMPLE)
@source_options
@peg_option
@json_option
@click.pass_context
def calibrate(ctx: click.Context, /, **options: Any) -> None:
    """Fit the price model of a token and show its assumptions."""
    from crashcover.commands.calibrate import run_calibrate

    ctx.exit(run_calibrate(options))


@main.command(epilog=examples.REPRODUCE_EXAMPLE)
@click.argument("quote_file", metavar="QUOTE_FILE")
@threads_option
@click.pass_context
def reproduce(ctx: click.Context, /, quote_file: str, threads: int) -> None:
    """Recalculate the quotes of a JSON file and check that the numbers agree bit for bit.

    QUOTE_FILE is the output of "crashcover quote --json", or a single quote from it.
    """
    from crashcover.commands.reproduce import run_reproduce

    ctx.exit(run_reproduce(Path(quote_file), threads))


@main.command(epilog=examples.MARKET_EXAMPLE)
@click.argument("panel_file", metavar="PANEL")
@option("--out", required=True, type=click.Path(dir_okay=False), metavar="FILE", help="File to write the market to.")
@option("--as-of", callback=read_instant, metavar="TIME", help="Use closes up to this time: 2024-01-31T00:00Z.")
@splits_option
@price_file_options
@click.pass_context
def market(ctx: click.Context, /, panel_file: str, **options: Any) -> None:
    """Fit the laws of the worst drop to a panel of tokens, for the option --market of quote and calibrate.

    PANEL is a table with a time column and one column of hourly closes per token, or with one row per time and token;
    or a folder of price files named by token.
    """
    from crashcover.commands.market import run_market

    ctx.exit(run_market(Path(panel_file), options))


@main.command(epilog=examples.BACKTEST_EXAMPLES)
@click.argument("panel_file", metavar="PANEL")
@option(
    "--out",
    type=click.Path(file_okay=False),
    default="backtest-results",
    metavar="FOLDER",
    help="Folder for results; a second run continues from there.",
)
@option(
    "--forecaster",
    "forecasters",
    multiple=True,
    metavar="NAME",
    help="constant, own-history, gbm, garch, historical, logit, worst-drop-law or calibrated; by default all. "
    "May repeat.",
)
@option(
    "--drop",
    "drops",
    type=float,
    multiple=True,
    default=[0.1, 0.2, 0.3, 0.4, 0.5],
    metavar="FRACTION",
    help="Drop to quote, 0.5 for 50 %. Can be repeated.",
)
@option(
    "--window",
    "windows",
    multiple=True,
    default=["1h", "24h"],
    metavar="DURATION",
    help="Time over which the reference price looks back. Can be repeated.",
)
@option(
    "--term", "terms", multiple=True, default=["30d"], metavar="DURATION", help="Length of a cover. Can be repeated."
)
@option(
    "--first-start",
    callback=read_instant,
    metavar="TIME",
    help="First start: 2021-04-01T00:00Z; by default 90 days into the panel.",
    group="Periods",
)
@option("--every", default="30d", metavar="DURATION", help="Time from one start to the next.", group="Periods")
@option(
    "--warm-up",
    type=int,
    default=1,
    metavar="N",
    help="First periods, which are used for fitting but not scored.",
    group="Periods",
)
@option(
    "--leave-out",
    multiple=True,
    metavar="NAME",
    help="Token to leave out; by default pegged and wrapped tokens. Can be repeated.",
)
@splits_option
@price_file_options
@option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes; by default one per core. Results do not depend on them.",
    group="Processes",
)
@option(
    "--paths",
    type=click.IntRange(min=1),
    default=10_000,
    metavar="N",
    help="Simulated paths per token.",
    group="Simulation",
)
@option(
    "--sample",
    type=click.IntRange(min=1),
    default=500,
    metavar="N",
    help="Approximate number of token-periods that the slow garch quotes, or with --surface the engine.",
    group="Simulation",
)
@option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    metavar="N",
    help="Seed of simulations and of the intervals.",
    group="Simulation",
)
@option(
    "--surface",
    is_flag=True,
    help="Score the engine alone on 1, 4, 24 and 72 h over 1, 7, 30 and 90 d, at starts every 11 d.",
)
@option("--quiet", is_flag=True, help="Print no progress and no tables.")
@json_option
@click.pass_context
def backtest(ctx: click.Context, /, panel_file: str, **options: Any) -> None:
    """Walk forward through a panel of prices and score forecasters of crashes.

    PANEL is a table with a time column and one column of closes per token, or with one row per time and token; or a
    folder of price files named by token.
    """
    from crashcover.commands.backtest import of_surface, run_backtest, run_surface

    if options["surface"]:
        stated = {name for name in options if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT}
        ctx.exit(run_surface(Path(panel_file), of_surface(options, stated)))
    ctx.exit(run_backtest(Path(panel_file), options))


@main.command(epilog=examples.RATES_EXAMPLES)
@option(
    "--prices",
    required=True,
    metavar="PANEL_OR_FOLDER",
    help="A file of closes of many tokens, or a folder of price files named by token.",
)
@option(
    "--out", required=True, type=click.Path(file_okay=False), metavar="FOLDER", help="Folder where rates are published."
)
@option("--holders", type=click.Path(file_okay=False), metavar="FOLDER", help="Holder files named by token.")
@holder_columns_option
@option(
    "--supplies",
    metavar="FILE",
    help="File of supplies: columns asset, supply; needs --holders. By default the listed total is used.",
)
@option(
    "--pegs",
    metavar="FILE",
    help="File of pegged tokens to rate: columns asset, peg (reserve or synthetic). Other pegged tokens are refused.",
)
@option(
    "--market",
    metavar="PANEL_OR_FILE",
    help="Prices to fit the market to, or a file from `crashcover market`; by default the shipped market.",
    group="Files",
)
@option(
    "--window",
    "windows",
    multiple=True,
    default=["1h", "4h", "24h", "72h"],
    metavar="DURATION",
    help="Time over which the reference price looks back. Can be repeated.",
)
@option(
    "--term",
    "terms",
    multiple=True,
    default=["7d", "30d", "60d", "90d"],
    metavar="DURATION",
    help="Length of a cover. Can be repeated.",
)
@option(
    "--waiting-period",
    "waiting_periods",
    multiple=True,
    default=["0h"],
    metavar="DURATION",
    help="Time without cover at the start of a term. Can be repeated.",
    group="Terms of the cover",
)
@option(
    "--reference",
    "references",
    type=click.Choice(["rolling-high", "lagged", "running-high", "inception"]),
    multiple=True,
    default=["rolling-high"],
    help="Price from which a drop is measured. Can be repeated.",
    group="Terms of the cover",
)
@simulation_options
@option(
    "--as-of",
    callback=read_instant,
    metavar="TIME",
    help="Use closes up to this time: 2024-01-31T00:00Z; by default up to the last close that most tokens reach.",
)
@grid_option
@option(
    "--oldest-close",
    default="24h",
    metavar="DURATION",
    help="A token whose last close is older counts as failed.",
    group="Publication",
)
@option(
    "--valid-for",
    default="36h",
    metavar="DURATION",
    help="Time for which the rates are valid for sales.",
    group="Publication",
)
@option("--keep", type=click.IntRange(min=1), default=7, metavar="N", help="Versions to keep.", group="Publication")
@splits_option
@price_file_options
@workplace_options
@json_option
@click.pass_context
def rates(ctx: click.Context, /, **options: Any) -> None:
    """Calibrate and simulate all tokens and publish their rates (the nightly job).

    A token that fails keeps its earlier rates, marked stale. A job that was stopped continues where it stopped.
    """
    for name in ("supplies", "holder_columns"):
        if options[name] and not options["holders"]:
            raise click.UsageError(f"--{name.replace('_', '-')} needs --holders")
    from crashcover.commands.rates import run_rates

    ctx.exit(run_rates(options))


@main.command(epilog=examples.REPRICE_EXAMPLES)
@click.argument("book", metavar="BOOK")
@option(
    "--rates", required=True, type=click.Path(file_okay=False), metavar="FOLDER", help="Rates of `crashcover rates`."
)
@option("--out", required=True, type=click.Path(file_okay=False), metavar="FOLDER", help="Folder for the priced book.")
@option("--table", metavar="NAME", help="Table of the book, if BOOK is the URL of a database.")
@option(
    "--previous",
    type=click.Path(file_okay=False, exists=True),
    metavar="FOLDER",
    help="Folder of an earlier run, to report which rates moved most and why.",
)
@basis_options
@workplace_options
@json_option
@click.pass_context
def reprice(ctx: click.Context, /, **options: Any) -> None:
    """Price a book of covers on published rates.

    BOOK is a .csv, .csv.gz or .parquet file, a folder of parquet files, or the URL of a database. Rows that cannot be
    priced go to quarantine.csv with the reason. A run that was stopped continues where it stopped.
    """
    from crashcover.commands.reprice import run_reprice

    ctx.exit(run_reprice(options))


@main.command(epilog=examples.REPORT_EXAMPLES)
@option(
    "--out",
    default="report.html",
    type=click.Path(dir_okay=False),
    callback=check_page,
    metavar="FILE",
    help="File for the page; its figures are written next to it with the suffix .json.",
)
@option(
    "--xlsx",
    callback=check_workbook,
    metavar="FILE",
    help="Also write the premiums of the covers as a workbook with live formulas: .xlsx.",
)
@option("--from", "report_file", metavar="FILE", help="Figures of an earlier report, to write its page again.")
@option("--quote", "quotes", metavar="FILE", help="Output of `crashcover quote --json`, to report on its covers.")
@option(
    "--book",
    metavar="FILE",
    help="Covers: .csv, .csv.gz or .parquet with the columns cover_id, asset, drop, window, reference, payout, limit, "
    "currency, term, waiting_period. Reports on capital.",
)
@option("--rates", metavar="FOLDER", help="Folder published by `crashcover rates`, for a book, instead of --prices.")
@prices_option(required=False)
@price_file_options
@knowledge_options
@drop_option(required=False)
@shape_options
@basis_options
@pool_options
@simulation_options
@threads_option
@click.pass_context
def report(ctx: click.Context, /, **options: Any) -> None:
    """Write a page for a committee, on covers of one token or on a book, together with its figures.

    Covers take the options of "crashcover quote", or its JSON output. A book takes prices with one column per
    token, or rates.
    """
    _check_sources(options)
    from crashcover.commands.report import run_report

    ctx.exit(run_report(options))


@main.command(epilog=examples.DEMO_EXAMPLE)
@option(
    "--out",
    type=click.Path(file_okay=False),
    default="demo",
    metavar="FOLDER",
    help="Folder for the files of the demo.",
)
@simulation_options
@threads_option
@click.pass_context
def demo(ctx: click.Context, /, out: str, **options: Any) -> None:
    """Price covers on a synthetic market, draw a picture, and write sample files to experiment with."""
    from crashcover.commands.demo import run_demo
    from crashcover.commands.inputs import read_settings

    ctx.exit(run_demo(Path(out), read_settings(options)))


class _LogCommands(click.Group):
    """Commands of a public log."""

    command_class = Command


@main.group(cls=_LogCommands, epilog=examples.LOG_EXAMPLES)
def log() -> None:
    """Sign checkpoints of a public log, and verify that it only grew since.

    Keys are files in PEM form, as "openssl genpkey -algorithm ed25519" writes them.
    """


@log.command(epilog=examples.LOG_EXAMPLES)
@click.argument("log_file", metavar="LOG")
@option("--origin", required=True, metavar="NAME", help="Name of the log, without blanks: example.org/claims.")
@option("--key", required=True, type=click.Path(dir_okay=False), metavar="FILE", help="Private key of the log.")
@option("--out", required=True, type=click.Path(dir_okay=False), metavar="FILE", help="File of the checkpoint.")
@click.pass_context
def sign(ctx: click.Context, /, log_file: str, origin: str, key: str, out: str) -> None:
    """Write a signed checkpoint: the size and the root of a log."""
    from crashcover.commands.log import run_sign

    ctx.exit(run_sign(Path(log_file), origin=origin, key=Path(key), out=Path(out)))


@log.command(epilog=examples.LOG_EXAMPLES)
@click.argument("log_file", metavar="LOG")
@click.argument("checkpoint_file", metavar="CHECKPOINT")
@option("--public-key", required=True, type=click.Path(dir_okay=False), metavar="FILE", help="Public key of the log.")
@click.pass_context
def verify(ctx: click.Context, /, log_file: str, checkpoint_file: str, public_key: str) -> None:
    """Verify that a log signed a checkpoint, and that the entries of then are unchanged."""
    from crashcover.commands.log import run_verify

    ctx.exit(run_verify(Path(log_file), Path(checkpoint_file), public_key=Path(public_key)))


class _TokenOrCommand(click.Group):
    """A group whose first argument is a token if it is no command: ``fetch OM`` means ``fetch token OM``."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["token", *args]
        return super().parse_args(ctx, args)


@main.group(cls=_TokenOrCommand, epilog=examples.FETCH_EXAMPLES)
def fetch() -> None:
    """Fetch prices from an exchange: "fetch TOKEN" for one token, "fetch panel" for many.

    This is the only command that connects to the internet. It needs no account, and is installed with
    "pip install 'crashcover[fetch]'".
    """


@fetch.command(epilog=examples.FETCH_EXAMPLES)
@click.argument("token")
@option("--out", required=True, type=click.Path(dir_okay=False), metavar="FILE", help="File to write or to continue.")
@fetch_options
@click.pass_context
def token(ctx: click.Context, /, token: str, **options: Any) -> None:
    """Fetch the closed bars of one token into a file that --prices of other commands reads.

    If the file exists, it is continued: its last bars are fetched again and must agree.
    """
    from crashcover.commands.fetch import run_fetch_token

    ctx.exit(run_fetch_token(token, options))


@fetch.command(epilog=examples.FETCH_EXAMPLES)
@click.argument("tokens", nargs=-1)
@option(
    "--out", required=True, type=click.Path(file_okay=False), metavar="FOLDER", help="Folder with one file per token."
)
@option("--tokens-from", metavar="FILE", help="File of further tokens, one per line.")
@option("--all", "all_tokens", is_flag=True, help="All tokens that the venue lists in the quote currency.")
@option("--join", metavar="FILE", help="Write all closes into one wide .csv or .parquet file, too.")
@fetch_options
@click.pass_context
def panel(ctx: click.Context, /, tokens: tuple[str, ...], **options: Any) -> None:
    """Fetch many tokens into a folder that "rates --prices" reads, and into one file for "market" and "backtest".

    Files that exist are continued. A token that fails is named at the end and does not stop the others.
    """
    if bool(tokens or options["tokens_from"]) == options["all_tokens"]:
        raise click.UsageError("name tokens, or give --tokens-from FILE, or --all")
    from crashcover.commands.fetch import run_fetch_panel

    ctx.exit(run_fetch_panel(tokens, options))


@main.command("help")
@click.argument("topic", default="", metavar="TOPIC")
@click.pass_context
def show_help(ctx: click.Context, /, topic: str) -> None:
    """Explain the exit codes ("exits") or a command."""
    from crashcover.commands.topics import explain_topic

    click.echo(explain_topic(ctx.find_root(), topic))
