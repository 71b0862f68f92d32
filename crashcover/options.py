"""Options shared by several commands, and the parsing of their values."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from crashcover.display.messages import tell
from crashcover.short_help import GroupedOption

_DATE = re.compile(r"\d{4}-\d\d-\d\d")

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def read_instant(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    """Parse a time with its zone, or a date, which means midnight UTC at its beginning."""
    if text is None:
        return None
    if _DATE.fullmatch(text):
        tell(f"notice: {text} means {text}T00:00Z, the beginning of the day")
        text += "T00:00Z"
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a time such as 2024-01-31T00:00Z") from error
    if instant.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no time zone (write 2024-01-31T00:00Z for UTC)")
    return instant


def read_day_or_instant(ctx: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    """Parse a time with its zone, or a date, which means the midnight in UTC with which it begins."""
    is_date = text is not None and re.fullmatch(r"\d{4}-\d\d-\d\d", text)
    return read_instant(ctx, parameter, f"{text}T00:00Z" if is_date else text)


def check_picture(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> Path | None:
    """Check the file name of a picture."""
    if text is None:
        return None
    path = Path(text)
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise click.BadParameter(f"{text!r} must end in .png, .svg or .pdf")
    if not path.parent.is_dir():
        raise click.BadParameter(f"the folder of {text!r} does not exist")
    return path


def check_workbook(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> Path | None:
    """Check the file name of a workbook."""
    if text is None:
        return None
    if Path(text).suffix != ".xlsx":
        raise click.BadParameter(f"{text!r} must end in .xlsx")
    if not Path(text).parent.is_dir():
        raise click.BadParameter(f"the folder of {text!r} does not exist")
    return Path(text)


def check_page(_ctx: click.Context, _parameter: click.Parameter, text: str) -> str:
    """Check the file name of a page."""
    if Path(text).suffix not in (".html", ".htm"):
        raise click.BadParameter(f"{text!r} must end in .html")
    if not Path(text).parent.is_dir():
        raise click.BadParameter(f"the folder of {text!r} does not exist")
    return text


def bundle(*options: Decorator) -> Decorator:
    """Bundle options, in the order of the help text."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def option(*names: str, **attributes: Any) -> Decorator:
    """Declare an option that shows its default, if it has one; durations are checked.

    Parameters
    ----------
    names : str
        Names of the option and of its parameter.
    attributes
        Those of a ``click.Option``, and ``group`` for an option that only the long help shows.
    """
    checked = {"callback": check_durations} if attributes.get("metavar") == "DURATION" else {}
    settings = {"show_default": "default" in attributes} | checked | attributes
    return click.option(*names, cls=GroupedOption, **settings)


#: Options of the long help.
_files = partial(option, group="Files")
_terms = partial(option, group="Terms of the cover")
_premium = partial(option, group="Premium")
_simulation = partial(option, group="Simulation")
_pool = partial(option, group="Pool")
_processes = partial(option, group="Processes")
_venue = partial(option, group="Venue")


def check_durations(_ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Check one duration or several; the message names the option.

    Raises
    ------
    InvalidTermsError
        If one is no duration.
    """
    from pricing.errors import InvalidTermsError
    from pricing.tools.units import parse_duration

    name = max(parameter.opts, key=len)
    for text in (value,) if isinstance(value, str) else value or ():
        if text.isdecimal():
            unit = "h" if name == "--window" else "d"
            raise InvalidTermsError(f"{name}: write {text}{unit}, got {text!r} (units are min, h and d)")
        parse_duration(text, name)
    return value


def prices_option(*, required: bool) -> Decorator:
    """Declare the file of prices."""
    return option(
        "--prices",
        required=required,
        metavar="FILE_OR_FOLDER",
        help="Closes: time and close, time and one column per token, or a file as exchanges and data services give it; "
        "or a folder of such files of one token that follow each other.",
    )


def drop_option(*, required: bool) -> Decorator:
    """Declare the drops that fire the trigger."""
    return option(
        "--drop",
        "drops",
        type=float,
        multiple=True,
        required=required,
        metavar="FRACTION",
        help="Drop that fires the trigger, 0.5 for 50 %. Can be repeated.",
    )


#: Example of each option that names columns.
_COLUMNS = {"columns": "time=Date,close=Last", "holder_columns": "address=Wallet,balance=Amount"}


def read_columns(_ctx: click.Context, parameter: click.Parameter, text: str | None) -> dict[str, str] | None:
    """Parse what the columns of a file are: time=Date,close=Last."""
    if text is None:
        return None
    parts = [part.partition("=") for part in text.split(",")]
    columns = {role.strip(): name.strip() for role, _, name in parts}
    if len(columns) != len(parts) or not all(role and name for role, name in columns.items()):
        raise click.BadParameter(f"{text!r} must look like {_COLUMNS[parameter.name or '']}")
    return columns


price_file_options = bundle(
    _files("--format", metavar="NAME", help="Format of the prices; by default recognised by the columns."),
    _files(
        "--columns",
        callback=read_columns,
        metavar="ROLE=NAME,...",
        help="Columns of the prices: time=Date,close=Last. Without a header, columns are numbered from 1.",
    ),
    _files("--resample", metavar="DURATION", help="Length of the bars to make of finer ones, such as 1h."),
    _files(
        "--label",
        type=click.Choice(["open", "close"]),
        help="End of the bar that the time column labels; by default inferred from its name.",
    ),
)
holder_columns_option = _files(
    "--holder-columns",
    callback=read_columns,
    metavar="ROLE=NAME,...",
    help="Columns of the holders: address=Wallet,balance=Amount; by default recognised by their names.",
)
splits_option = _files(
    "--splits",
    metavar="FILE",
    help="Redenominations: columns time (first close in the new unit), ratio (new units per old one, or 1:4), and "
    "asset if there are several tokens.",
)
grid_option = _terms(
    "--grid", metavar="DURATION", help="Time between observations of the covers; by default a bar of the prices."
)
knowledge_options = bundle(
    option("--holders", metavar="FILE", help="Holders: address and balance, or a file as explorers give it."),
    holder_columns_option,
    option("--asset", metavar="NAME", help="Token to choose if a file holds several."),
    _files("--market", metavar="FILE", help="File from `crashcover market`; by default the shipped market."),
    option(
        "--supply", type=float, metavar="TOKENS", help="Number of tokens in existence; by default the listed total."
    ),
    option("--circulating", type=float, metavar="TOKENS", help="Those of them that circulate."),
    _files("--depth", type=float, metavar="MONEY", help="Bids down to 10 % below the price, beside --holders."),
    _files("--daily-volume", type=float, metavar="TOKENS", help="Traded per day on one venue, beside --holders."),
    option("--as-of", callback=read_instant, metavar="TIME", help="Use closes up to this time: 2024-01-31T00:00Z."),
    grid_option,
    _files("--stale-ok", is_flag=True, help="Use prices that end more than three bars before --as-of."),
    splits_option,
)
peg_option = option(
    "--peg",
    type=click.Choice(["reserve", "synthetic"]),
    help="Class of the peg of a pegged token, refused without it: backed by a reserve, or kept by an algorithm, "
    "a position or other tokens. It is quoted at the upper bound of the record of the class.",
)
source_options = bundle(prices_option(required=True), price_file_options, knowledge_options)
simulation_options = bundle(
    _simulation("--paths", type=int, default=100_000, metavar="N", help="Simulated paths."),
    _simulation("--seed", type=int, default=1, metavar="N", help="Seed; results are a function of it."),
    _simulation(
        "--rare-drops",
        is_flag=True,
        help="Importance sampling of deep drops, for probabilities below one in a thousand.",
    ),
)
threads_option = _simulation(
    "--threads", type=int, default=1, metavar="N", help="Threads; results do not depend on them."
)
shape_options = bundle(
    option(
        "--window",
        "windows",
        multiple=True,
        default=["24h"],
        metavar="DURATION",
        help="Time over which the reference price looks back. Can be repeated.",
    ),
    option(
        "--term",
        "terms",
        multiple=True,
        default=["30d"],
        metavar="DURATION",
        help="Length of the cover. Can be repeated.",
    ),
    option("--limit", type=float, default=100_000.0, metavar="AMOUNT", help="Largest payment."),
    _terms("--currency", default="USD", help="Currency of limit and premium."),
    _terms(
        "--reference",
        type=click.Choice(["rolling-high", "lagged", "running-high", "inception"]),
        default="rolling-high",
        help="Price from which the drop is measured.",
    ),
    option("--payout", default="full", help="full, linear:ATTACHMENT:EXHAUSTION or tiered:DROP=SHARE,DROP=SHARE,..."),
    _terms("--waiting-period", default="0h", metavar="DURATION", help="Time without cover at the start of the term."),
)
term_options = bundle(drop_option(required=True), shape_options)
basis_options = bundle(
    _premium(
        "--risk-load",
        default="hazard",
        metavar="NAME",
        help="Price of the uncertain loss: hazard, capital:0.12, wang:0.45, standard-deviation:0.25 and others.",
    ),
    _premium(
        "--load-horizon",
        metavar="DURATION",
        help='Time that a distortion is chosen for, or "term"; by default a year.',
    ),
    _premium("--expense-ratio", type=float, default=0.1, help="Expenses as a fraction of the gross premium."),
    _premium("--fixed-expense", type=float, default=0.0, help="Expense per cover."),
    _premium(
        "--parameter-load", type=float, default=0.0, help="Load per unit of expected loss for unknown parameters."
    ),
    _premium(
        "--survivorship-load",
        type=float,
        default=0.0,
        help="Load per unit of expected loss for tokens that are gone from the record.",
    ),
    _premium(
        "--capital-rate",
        type=float,
        default=0.0,
        help="Annual return on capital: the tail value at risk at 99.5 % over 30 days beyond the expected loss.",
    ),
    _premium("--commission-ratio", type=float, default=0.0, help="Commission as a fraction of the gross premium."),
    _premium("--profit-ratio", type=float, default=0.0, help="Profit as a fraction of the gross premium."),
    _premium("--tax-ratio", type=float, default=0.0, help="Tax as a fraction of the gross premium, added to it."),
    _premium("--minimum-premium", type=float, default=0.0, help="Minimum gross premium per cover."),
    _premium(
        "--minimum-rate-on-line",
        type=float,
        default=0.0,
        help="Minimum gross premium per year, as a fraction of the limit.",
    ),
    _premium("--interest-rate", type=float, default=0.0, help="Continuous annual rate that discounts payments."),
)
model_error_option = _simulation(
    "--model-error", is_flag=True, help="Say how far the expected loss may be off, and price named stresses."
)
workplace_options = bundle(
    _processes(
        "--processes", type=click.IntRange(min=1), metavar="N", help="Local processes; by default one per core."
    ),
    _processes(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Number of Dask workers to start on this machine instead.",
    ),
    _processes("--scheduler", metavar="ADDRESS", help="Address of a running Dask cluster: tcp://host:8786."),
)
pool_options = bundle(
    option("--capital", type=float, metavar="AMOUNT", help="Capital of the pool; required for a book."),
    _pool("--scenarios", type=int, default=50_000, metavar="N", help="Joint scenarios of one period."),
    _pool("--level", type=float, default=0.995, help="Confidence of value at risk and tail value at risk."),
    _pool(
        "--ruin-target",
        type=float,
        default=0.005,
        help="Probability of ruin for which the required capital is computed.",
    ),
    _pool("--horizon-periods", type=int, default=12, metavar="N", help="Number of periods of the ruin horizon."),
    _pool(
        "--share-of-capital",
        type=float,
        default=0.02,
        help="Largest sum of limits on one token, as a fraction of capital.",
    ),
    _pool(
        "--large",
        multiple=True,
        metavar="TOKEN",
        help="Token of ranks 3 to 12 by market value, whose crashes seldom come alone; BTC and ETH are known. Can be "
        "repeated.",
    ),
    _pool(
        "--reinsurance",
        multiple=True,
        metavar="CONTRACT",
        help="quota-share:CEDED:COMMISSION or excess:OCCURRENCE:RETENTION:LIMIT:PREMIUM, where an occurrence is a "
        "period or an asset. Can be repeated; contracts apply in this order.",
    ),
)
fetch_options = bundle(
    option("--venue", default="binance", metavar="NAME", help="Exchange, as ccxt names it."),
    option(
        "--since",
        required=True,
        callback=read_day_or_instant,
        metavar="TIME",
        help="Time at which the first bar opens: 2024-01-01 (midnight UTC) or 2024-01-01T08:00Z.",
    ),
    option(
        "--until",
        callback=read_day_or_instant,
        metavar="TIME",
        help="Time by which the last bar has closed; by default now. The bar that is still running is never written.",
    ),
    option("--bar", default="1h", metavar="LENGTH", help="Length of a bar, from 1m to 1d, as the venue offers it."),
    option("--quote", default="USDT", metavar="CURRENCY", help="Currency of the prices."),
    _venue(
        "--patience",
        default="10min",
        metavar="DURATION",
        help="Time after which a question without a good answer is given up; what was fetched is kept.",
    ),
    _venue("--url", metavar="ADDRESS", help="Address to use instead of the venue's own, such as that of a mirror."),
)
csv_option = option(
    "--csv", "as_csv", is_flag=True, help="Print a table on stdout, one row per cover, and nothing else."
)
json_option = option("--json", "as_json", is_flag=True, help="Print JSON on stdout and nothing else.")
