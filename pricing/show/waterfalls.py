"""The build-up of a premium as a picture: every line, their sum, and the error of the sum."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

from pricing.show import drawing
from pricing.show.formats import cents, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BAR_HEIGHT, _MARGIN = 0.27, 0.55
_SUMS = ("Gross premium", "To pay")


def build_up_height(lines: Mapping[str, Decimal], tax: Decimal) -> float:
    """Return the height in inches that a picture needs."""
    return _BAR_HEIGHT * len(_bars(lines, tax)) + _MARGIN


def draw_build_up(
    axes: "Axes", lines: Mapping[str, Decimal], *, tax: Decimal, currency: str, standard_error: float
) -> None:
    """Draw the lines of a premium end to end.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    lines : mapping of str to Decimal
        Amounts by name; they add up to the gross premium, and lines of zero are left out.
    tax : Decimal
        Tax on the gross premium.
    currency : str
        Currency of the amounts.
    standard_error : float
        Standard error of the gross premium.
    """
    bars, ink = _bars(lines, tax), drawing.ink(axes)
    for place, (name, begin, end, amount) in enumerate(bars):
        colour = ink if name in _SUMS else drawing.BLUE
        axes.barh(place, end - begin, left=begin, height=0.62, color=colour, linewidth=0)
        spread = drawing.BAND * standard_error if name == _SUMS[0] else 0.0
        if spread:
            axes.errorbar(end, place, xerr=spread, fmt="none", ecolor=drawing.ORANGE, elinewidth=1.6, capsize=2.5)
        text = (end + spread, place), (5, 0)
        axes.annotate(
            cents(str(amount)), *text, textcoords="offset points", va="center", fontsize=drawing.SMALL, color=ink
        )
        if place + 1 < len(bars):
            axes.plot([end, end], [place + 0.31, place + 0.69], color=drawing.GREY, linewidth=0.7)
    drawing.name_places(axes, range(len(bars)), [name for name, *_ in bars])
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.16 * max(end for _, _, end, _ in bars) or 1.0)
    drawing.plain(axes, grid="x")
    drawing.money(axes.xaxis)
    drawing.label(axes, across=f"{currency}, whole term (orange: 95 % interval of the simulation)")


def _bars(lines: Mapping[str, Decimal], tax: Decimal) -> list[tuple[str, float, float, Decimal]]:
    """Return name, begin, end and amount of every bar."""
    charged = {name: amount for name, amount in lines.items() if amount}
    ends = list(accumulate(charged.values()))
    gross = ends[-1] if ends else Decimal(0)
    bars = [
        (words(name), float(end - amount), float(end), amount)
        for (name, amount), end in zip(charged.items(), ends, strict=True)
    ]
    bars.append((_SUMS[0], 0.0, float(gross), gross))
    if tax:
        bars += [("Tax", float(gross), float(gross + tax), tax), (_SUMS[1], 0.0, float(gross + tax), gross + tax)]
    return bars
