"""The console that results are printed on."""

from rich.console import Console

from crashcover.display.table import calibration_panel, cover_table
from crashcover.offers.offers import Offers

#: Tables take the width that they need; panels and notes have a fixed width.
_UNBOUNDED = 1000


def stdout() -> Console:
    """Return a console on stdout that is wide enough never to cut a number."""
    return Console(width=_UNBOUNDED, highlight=False)


def show_offers(offers: Offers, asset: str, console: Console, *, story: str = "") -> None:
    """Print the calibration and the table of covers."""
    console.print(calibration_panel(offers.calibration, asset, story))
    console.print(cover_table(offers.offers, offers.surface.settings))
