"""Panels and tables of a calibration and its covers, for a terminal of 100 columns or more."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from calibration import explain
from crashcover.offers.drivers import is_resolved
from crashcover.offers.offers import AnyCalibration, Offer
from crashcover.offers.terms import describe_window
from pricing.contract.cover import Cover
from pricing.errors import Reason, Refusal
from pricing.premiums.premium import LINES, Premium, PremiumFlag
from pricing.premiums.statements import CENT, rounded, statement
from pricing.quotes.quote import Quote
from pricing.surface.settings import SimulationSettings
from pricing.tools.units import format_duration

#: Width of panels and notes.
WIDTH = 104

_IMPRECISE = "*"
#: From this limit on, amounts are shown in whole units: decimals are far below the standard error.
_WHOLE_UNITS_FROM = 10_000.0
#: Headings of the sums below the lines of a premium.
_SUMS = {"gross": "premium", "tax": "tax", "total": "to pay"}
_USUAL = frozenset({"expected_loss", "risk_load", "expenses", "gross"})
_DRIVER_NOTE = (
    "market, own: parts of the expected loss: volatility and the shocks that all tokens share, and the token's own "
    "crashes. holders, level: factors that it contains for holders and signals other than unknown, and for the "
    "uncertainty of its level. '?': a standard error above 10 points."
)
_PARAMETER_NOTE = "param.: load for parameter uncertainty, a share of the expected loss (--parameter-load)."
_IMPRECISE_NOTE = (
    f"{_IMPRECISE} imprecise: the standard error of the expected loss, with or without risk load, exceeds a tenth of "
    "it (raise --paths)."
)


def calibration_panel(calibration: AnyCalibration, asset: str, story: str = "") -> Panel:
    """Summarise a calibration.

    Parameters
    ----------
    calibration : Calibration or PegCalibration
        Calibration to summarise.
    asset : str
        Name of the token.
    story : str
        Addition to the name, for example that the token is synthetic.
    """
    figures = Table.grid(padding=(0, 2))
    figures.add_column(style="bold")
    figures.add_column()
    for name, text in calibration.figures:
        figures.add_row(name, text)
    doubts = [Text(f"- {reason}") for reason in explain(calibration.verdict)]
    verdict = [Text("Warnings:", style="bold"), *doubts] if doubts else [Text("No warnings.")]
    title = f"{asset} ({story})" if story else asset
    return Panel(Group(figures, Text(), *verdict), title=Text(title), title_align="left", box=box.ROUNDED, width=WIDTH)


def assumption_list(calibration: AnyCalibration) -> RenderableType:
    """List the assumptions of a calibration."""
    lines = Table.grid(padding=(0, 1))
    for assumption in calibration.assumptions:
        lines.add_row("-", assumption)
    return Panel(lines, title="Assumptions", title_align="left", box=box.ROUNDED, width=WIDTH)


def cover_table(offers: Sequence[Offer], settings: SimulationSettings) -> Table:
    """Tabulate covers on one asset.

    Parameters
    ----------
    offers : sequence of Offer
        Covers, at least one, all with the same limit and currency.
    settings : SimulationSettings
        Size of the simulation, which limits its resolution.
    """
    shown = _amounts_shown([offer.outcome for offer in offers if isinstance(offer.outcome, Quote)])
    currency = offers[0].cover.currency
    table = _headed(currency, shown, with_drivers=any(offer.drivers for offer in offers))
    for offer in offers:
        table.add_row(*_terms(offer.cover), *_prices(offer.outcome, settings, shown), *_shares(offer))
    return table


def _amounts_shown(quotes: Sequence[Quote]) -> dict[str, str]:
    """Return the headings of the amounts to show in a table: the usual ones, and any others that are charged."""
    lines = quotes[0].basis.lines if quotes else LINES
    headings = {name: line.heading for name, line in lines.items()} | _SUMS
    charged = {name for quote in quotes for name, amount in _amounts(quote.premium).items() if amount}
    if "tax" not in charged:
        charged -= {"total"}  # it is the premium
    return {name: heading for name, heading in headings.items() if name in _USUAL | charged}


def _amounts(priced: Premium) -> dict[str, float]:
    return priced.lines | {name: getattr(priced, name) for name in _SUMS}


def _headed(currency: str, amounts: Mapping[str, str], *, with_drivers: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    headings = [
        "drop\n%",
        "window\n",
        "term\n",
        "prob.\n%",
        *(f"{heading}\n{currency}" for heading in amounts.values()),
        f"s.e.\n{currency}",
        "rate\n%",
    ]
    for heading in headings + (["market\n%", "own\n%", "holders\nx", "level\nx"] if with_drivers else []):
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _terms(cover: Cover) -> tuple[str, str, str]:
    return (
        f"{100 * cover.trigger.drop:g}",
        describe_window(cover.trigger),
        format_duration(cover.term),
    )


def _prices(outcome: Quote | Refusal, settings: SimulationSettings, amounts: Iterable[str]) -> tuple[str, ...]:
    if isinstance(outcome, Refusal):
        fired = outcome.trigger_probability  # also if none of the triggered paths pays anything
        probability = _rounded(fired) if fired else f"< {300 / settings.n_paths:.2g}"
        # Two words in two columns keep the table narrow.
        uninsurable = outcome.reason is Reason.UNINSURABLE
        words = {"expenses": "not", "gross": "insurable"} if uninsurable else {"gross": outcome.reason.value}
        return (probability, *(words.get(name, "") for name in amounts), "", "")
    priced, unit = outcome.premium, _unit(outcome.cover)
    written = statement(priced, unit=unit)
    cells = {
        **{name: f"{amount:,}" for name, amount in written.lines.items()},
        "gross": f"{written.gross:,}",
        "tax": f"{written.tax:,}",
        "total": f"{written.total:,}",
    }
    if _is_imprecise(outcome):
        cells["expected_loss"] += _IMPRECISE
    return (
        _rounded(priced.trigger_probability),
        *(cells[name] for name in amounts),
        f"{rounded(priced.standard_error, unit):,}",
        _rounded(priced.rate_on_line),
    )


def _rounded(fraction: float) -> str:
    """Write a fraction as per cent with three digits."""
    return f"{100 * fraction:.3g}"


def _unit(cover: Cover) -> Decimal:
    return Decimal(1) if cover.limit >= _WHOLE_UNITS_FROM else CENT


def _shares(offer: Offer) -> tuple[str, ...]:
    if offer.drivers is None:
        return ()
    shares = [f"{100 * share.value:.0f}" if is_resolved(share) else "?" for share in offer.drivers.shares.values()]
    factors = [f"{factor.value:.2f}" if is_resolved(factor) else "?" for factor in offer.drivers.factors.values()]
    return (*shares, *factors)


def footnotes(offers: Sequence[Offer], settings: SimulationSettings) -> RenderableType:
    """Return notes on the common terms of the covers and on the signs in their tables."""
    cover = offers[0].cover
    size = f"{settings.n_paths:,} paths, seed {settings.seed}"
    notes = [
        f"Limit {cover.limit:,.0f} {cover.currency}, {_payout(cover)}; {size}. "
        "rate: premium over limit, for the whole term. s.e.: standard error of the simulation, without errors of "
        "the model (--model-error)."
    ]
    if any(isinstance(offer.outcome, Quote) and offer.outcome.premium.parameter_load for offer in offers):
        notes.append(_PARAMETER_NOTE)
    if any(_is_imprecise(offer.outcome) for offer in offers):
        notes.append(_IMPRECISE_NOTE)
    if any(offer.drivers for offer in offers):
        notes.append(_DRIVER_NOTE)
    return Group(*(Text(note, style="dim") for note in notes))


def _is_imprecise(outcome: Quote | Refusal) -> bool:
    return isinstance(outcome, Quote) and outcome.premium.flag is PremiumFlag.IMPRECISE


def _payout(cover: Cover) -> str:
    name = type(cover.payout).__name__.removesuffix("Payout").lower()
    waiting = cover.waiting_period
    return f"{name} payout" + (f", waiting period {format_duration(waiting)}" if waiting else "")
