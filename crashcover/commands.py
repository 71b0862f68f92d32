"""What the commands do, once their options are read."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from calibration import Calibration, calibrate
from crashcover.documents import read_quotes, write_document
from crashcover.exits import Exit
from crashcover.holder_files import read_holders
from crashcover.market import read_market
from crashcover.offers import Offers, make_offers
from crashcover.payout_texts import parse_payout
from crashcover.picture import Chart, Curve, draw_exceedance
from crashcover.price_files import PriceHistory, read_prices
from crashcover.progress import tracking
from crashcover.quoting import Terms, describe_window
from crashcover.sample_market import is_synthetic
from crashcover.table import WIDTH, assumption_list, calibration_panel, cover_table, footnotes
from crashcover.workers import one_blas_thread
from pricing.cover import Cover
from pricing.loadings import CapitalCost
from pricing.premiums import PLAIN_LOADINGS, PricingBasis, sample_for
from pricing.principles import StandardDeviationPrinciple
from pricing.settings import SimulationSettings
from pricing.triggers import Reference
from pricing.units import format_duration, parse_duration

#: Tables take what they need; panels and notes have a width of their own.
_UNBOUNDED = 1000

#: Options of a command by name.
Options = Mapping[str, Any]


def run_quote(options: Options) -> Exit:
    """Price covers on one token: table or JSON on stdout, a picture where asked for."""
    basis, settings, terms = read_basis(options), read_settings(options), read_terms(options)
    history = read_history(options)
    covers = terms.covers(history.asset)
    calibration = calibrate_token(history, options)
    with tracking(settings.n_paths) as track:
        offers = make_offers(
            calibration, covers, basis=basis, settings=settings, with_drivers=not options["as_json"], track=track
        )
    if options["plot"]:
        _draw(offers, history.asset, options["plot"])
    if options["as_json"]:
        click.echo(write_document(offers))
    else:
        console = stdout()
        show_offers(offers, history.asset, console, story=_story(history.asset))
        console.print(footnotes(offers.offers, settings), width=WIDTH)
    return Exit.DONE if offers.quotes else Exit.ALL_REFUSED


def run_calibrate(options: Options) -> Exit:
    """Calibrate one token and show the result."""
    history = read_history(options)
    calibration = calibrate_token(history, options)
    if options["as_json"]:
        click.echo(calibration.to_json())
    else:
        console = stdout()
        console.print(calibration_panel(calibration, history.asset, _story(history.asset)))
        console.print(assumption_list(calibration))
    return Exit.DONE


def run_reproduce(path: Path, n_threads: int) -> Exit:
    """Recalculate every quote of a file and say that the bits agree."""
    quotes = read_quotes(path)
    with tracking(len(quotes)) as track:
        done = track("reproducing")
        for number, quote in enumerate(quotes, start=1):
            quote.reproduce(n_threads=n_threads)
            done(number)
            click.echo(f"reproduced bit for bit: {quote.cover.cover_id}, {quote.price:,} {quote.cover.currency}")
    return Exit.DONE


def stdout() -> Console:
    """Return a console on stdout that is wide enough never to cut a number."""
    return Console(width=_UNBOUNDED, highlight=False)


def show_offers(offers: Offers, asset: str, console: Console, *, story: str = "") -> None:
    """Print the calibration and the table of covers."""
    console.print(calibration_panel(offers.calibration, asset, story))
    console.print(cover_table(offers.offers, offers.surface.settings))


def _titled(asset: str) -> str:
    return f"{asset} (SYNTHETIC)" if is_synthetic(asset) else asset


def _story(asset: str) -> str:
    """Say so where a token does not exist."""
    return "synthetic" if is_synthetic(asset) else ""


def read_terms(options: Options) -> Terms:
    """Make the terms of covers from options."""
    return Terms(
        drops=options["drops"],
        windows=options["windows"],
        terms=options["terms"],
        limit=options["limit"],
        currency=options["currency"],
        reference=Reference[options["reference"].replace("-", "_").upper()],
        payout=parse_payout(options["payout"]),
        waiting_period=options["waiting_period"],
    )


def read_basis(options: Options) -> PricingBasis:
    """Make the loadings from options."""
    capital_rate = options["capital_rate"]
    return PricingBasis(
        risk_load=StandardDeviationPrinciple(multiple=options["risk_load_multiple"]),
        capital=CapitalCost(annual_rate=capital_rate) if capital_rate else None,
        **{name: options[name] for name in PLAIN_LOADINGS},
    )


def read_settings(options: Options) -> SimulationSettings:
    """Make the size of the simulation from options."""
    return SimulationSettings(
        n_paths=options["paths"],
        seed=options["seed"],
        n_threads=options["threads"],
        rare_drops=options["rare_drops"],
    )


def read_history(options: Options) -> PriceHistory:
    """Read the prices of one token, and tell of what was remarkable about the file."""
    path = Path(options["prices"])
    history = read_prices(path, asset=options["asset"], label=options["label"])
    _tell("notice", (f"{path}: {notice}" for notice in history.notices))
    return history


def calibrate_token(history: PriceHistory, options: Options) -> Calibration:
    """Calibrate one token from its files, and tell of findings."""
    holders = read_holders(Path(options["holders"]), asset=options["asset"]) if options["holders"] else None
    market = read_market(Path(options["market"])) if options["market"] else None
    with one_blas_thread():
        calibration = calibrate(
            history.closes, holders=holders, supply=options["supply"], market=market, as_of=options["as_of"]
        )
    _tell(
        "finding",
        (f"{finding.time:%Y-%m-%d %H:%M}Z {finding.kind.value}: {finding.message}" for finding in calibration.findings),
    )
    if calibration.concentration:
        _tell("finding", (f"{each.kind.value}: {each.message}" for each in calibration.concentration.findings))
    return calibration


def _tell(kind: str, texts: Iterable[str]) -> None:
    for text in texts:
        click.echo(f"{kind}: {text}", err=True)


def _draw(offers: Offers, asset: str, path: Path) -> None:
    """Draw one panel a window and one curve a term."""
    covers = [offer.outcome.cover for offer in offers.offers]
    windows = dict.fromkeys(describe_window(cover.trigger) for cover in covers)
    charts = [
        Chart(
            title=f"{asset}, {covers[0].trigger.reference.name.lower().replace('_', ' ')}, window {window}",
            curves=term_curves(offers, [cover for cover in covers if describe_window(cover.trigger) == window]),
        )
        for window in windows
    ]
    draw_exceedance(charts, path, title=f"Worst drops of {_titled(asset)}")


def term_curves(offers: Offers, covers: Iterable[Cover]) -> list[Curve]:
    """Make one curve for each term of covers of one window."""
    by_term = {parse_duration(cover.term, "term"): cover for cover in covers}
    return [
        Curve(label=f"term {format_duration(term)}", sample=sample_for(cover, offers.surface))
        for term, cover in by_term.items()
    ]
