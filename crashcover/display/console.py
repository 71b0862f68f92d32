"""The console that results are printed on."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from crashcover.display.table import calibration_panel, cover_table
from crashcover.offers.offers import Offers
from pricing.show.texts import readable

#: Tables take the width that they need; panels and notes have a fixed width.
_UNBOUNDED = 1000


class TextConsole(Console):
    """A console to which a text is a text: brackets are no markup, and control characters are written as escapes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render; only the console itself may send control characters."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(readable(segment.text), segment.style)


def stdout() -> Console:
    """Return a console on stdout that is wide enough never to cut a number."""
    return TextConsole(width=_UNBOUNDED)


def show_offers(offers: Offers, asset: str, console: Console, *, story: str = "") -> None:
    """Print the calibration and the table of covers."""
    console.print(calibration_panel(offers.calibration, asset, story))
    console.print(cover_table(offers.offers, offers.surface.settings))
