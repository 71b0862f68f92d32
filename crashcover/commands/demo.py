"""The demo: the synthetic sample market from files to tables and a picture."""

import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from calibration import calibrate
from crashcover import sample_market
from crashcover.commands.exits import Exit
from crashcover.display.console import show_offers, stdout
from crashcover.display.picture import Chart, Curve, draw_exceedance
from crashcover.display.progress import stages
from crashcover.display.table import WIDTH, footnotes
from crashcover.files.holders import read_holders
from crashcover.files.prices import read_prices
from crashcover.offers.offers import Offer, Offers, make_offers
from crashcover.offers.terms import Terms
from crashcover.runs.workers import one_blas_thread
from crashcover.sample_market import SyntheticToken
from pricing.premiums.basis import PricingBasis
from pricing.surface.settings import SimulationSettings
from pricing.tools.libraries import load_library
from pricing.tools.progress import Progress

TERMS = Terms(drops=(0.2, 0.3, 0.5), windows=("1h", "24h"), terms=("7d", "30d"))
_DRAWN_TERM = "30d"

_BANNER = (
    "SYNTHETIC MARKET. The four tokens below do not exist: their prices come from a random number generator with the "
    f"seed {sample_market.SEED} and their holders from a rank-size rule. Nothing here says anything about a real token."
)


def run_demo(folder: Path, settings: SimulationSettings) -> Exit:
    """Write the sample market, price covers on each token from the files, print the tables and draw the picture."""
    load_library("matplotlib", extra="plot")
    folder.mkdir(parents=True, exist_ok=True)
    console = stdout()
    console.print(Text(_BANNER, style="bold"), width=WIDTH)
    prices, holders = sample_market.write_files(folder)
    charts: list[Chart] = []
    shown: list[Offer] = []
    with stages() as begin:
        for token in sample_market.TOKENS:
            offers = _offers(token, prices, holders, settings, begin)
            console.print()
            shown.extend(offers.offers)
            show_offers(offers, token.name, console, story=f"synthetic: {token.story}")
            charts.append(_chart(token, offers))
    console.print(footnotes(shown, settings), width=WIDTH)
    picture = folder / "exceedance.png"
    draw_exceedance(
        charts, picture, title=f"SYNTHETIC tokens: worst drops within {_DRAWN_TERM}, below the rolling high"
    )
    _point_to_files(console, prices, holders, picture)
    return Exit.DONE


def _offers(
    token: SyntheticToken, prices: Path, holders: Path, settings: SimulationSettings, begin: Progress
) -> Offers:
    with one_blas_thread():
        calibration = calibrate(
            read_prices(prices, asset=token.name).closes,
            holders=read_holders(holders, asset=token.name),
            supply=sample_market.SUPPLY,
        )
    return make_offers(calibration, TERMS.covers(token.name), basis=PricingBasis(), settings=settings, begin=begin)


def _chart(token: SyntheticToken, offers: Offers) -> Chart:
    curves = [
        Curve(label=f"within {window}", sample=offers.surface.sample(window=window, term=_DRAWN_TERM))
        for window in TERMS.windows
    ]
    return Chart(title=f"{token.name}: {token.story}", curves=curves)


def _program() -> str:
    """Return the command as it was called, so that it can be copied even if its environment is not active."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "crashcover" else "crashcover"


def _point_to_files(console: Console, prices: Path, holders: Path, picture: Path) -> None:
    console.print(f"\nPicture: {picture}\nPrices:  {prices}\nHolders: {holders}\n")
    console.print("Quote from these files, or from your own in the same form:\n")
    console.print(
        f"  {_program()} quote --prices {prices} --holders {holders} --supply {sample_market.SUPPLY:.0f} \\\n"
        f"    --asset {sample_market.WHALE.name} --drop 0.3 --window 24h --term 30d --limit 100000",
        soft_wrap=True,
    )
