"""Common parts of all pictures of a report: size, colours, axes, and SVG that can occur many times in one page."""

import re
from collections.abc import Sequence
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    LegendPlace = Literal["upper right", "upper left", "upper center"]

#: Colours that stay apart in grey and for colour-blind eyes (Okabe and Ito 2008).
BLUE, ORANGE, GREEN, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#8A8F98", "#1f2933"
LIGHT = "#D9DEE4"
SMALL, NORMAL = 8.0, 9.0
#: Width of a picture in inches: the text of an A4 page.
WIDTH = 6.9


def figure(height: float) -> "Figure":
    """Return a picture of the width of the page."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained", facecolor="none")


def plain(axes: "Axes", *, grid: str = "both") -> None:
    """Remove elements that carry no information."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
    axes.grid(visible=True, axis=grid, color="#E8EBEE", linewidth=0.6)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=SMALL, color=GREY, labelcolor=INK, length=3)


def label(axes: "Axes", *, across: str = "", up: str = "") -> None:
    """Name the axes, with their units."""
    axes.set_xlabel(across, fontsize=SMALL, color=INK)
    axes.set_ylabel(up, fontsize=SMALL, color=INK)


def plain_numbers(axis: "Axis", steps: Sequence[float] = (1.0,)) -> None:
    """Label a logarithmic axis with plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.12g}"))
    axis.set_minor_formatter(NullFormatter())


def legend(axes: "Axes", place: "LegendPlace") -> None:
    """Name the curves."""
    axes.legend(fontsize=SMALL, frameon=True, framealpha=0.9, edgecolor="none", loc=place, labelcolor=INK)


def svg(picture: "Figure", name: str) -> str:
    """Write a picture as SVG.

    Parameters
    ----------
    picture : Figure
        The drawing.
    name : str
        Distinct for each picture of a page: the prefix of every identifier, because HTML allows each only once.
    """
    from matplotlib import rc_context

    text = StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "crashcover", "font.family": "sans-serif"}):
        picture.savefig(text, format="svg", metadata=nothing)
    body = text.getvalue()[text.getvalue().index("<svg") :]
    return re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", body)
