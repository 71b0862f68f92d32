"""The style of all pictures: size, colours, axes, bands of error, and SVG that can occur many times in one page."""

import re
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from pricing.show.texts import readable
from pricing.tools.arrays import FloatArray, IntArray
from pricing.tools.libraries import load_library

if TYPE_CHECKING:
    from typing import Literal

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    LegendPlace = Literal["upper right", "upper left", "upper center"]

#: Colours that stay apart in grey and for colour-blind eyes (Okabe and Ito 2008).
BLUE, ORANGE, GREEN, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#8A8F98", "#1f2933"
LIGHT, PAPER = "#D9DEE4", "#E8EBEE"
#: Curves of one chart, in this order: pairs of a colour and dashes.
STYLES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), ("#CC79A7", ":"), ("#56B4E9", "-"), ("#E69F00", "--"))
#: Normal quantile of a 95 % band.
BAND = 1.96
SMALL, NORMAL = 8.0, 9.0
#: Width of a picture in inches: the text of an A4 page.
WIDTH = 6.9


def figure(height: float) -> "Figure":
    """Return a picture of the width of the page."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained", facecolor="none")


def new_axes(axes: "Axes | None", height: float) -> "Axes":
    """Return the given axes, or those of a new picture, which a notebook shows.

    Raises
    ------
    MissingLibraryError
        If matplotlib is not installed.
    """
    if axes is not None:
        return axes
    drawn: Axes = load_library("matplotlib.pyplot", extra="plot").subplots(
        figsize=(WIDTH, height), layout="constrained"
    )[1]
    return drawn


def ink(axes: "Axes") -> str:
    """Return the colour of text: dark on light or transparent pictures, light on dark ones."""
    from matplotlib.colors import to_rgba

    red, green, blue, opacity = to_rgba(axes.get_figure(root=True).get_facecolor())  # type: ignore[union-attr]
    return PAPER if opacity * (1.0 - (0.299 * red + 0.587 * green + 0.114 * blue)) > 0.5 else INK


def plain(axes: "Axes", *, grid: str = "both") -> None:
    """Remove elements that carry no information."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
    axes.grid(visible=True, axis=grid, color=GREY, alpha=0.22, linewidth=0.6)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=SMALL, color=GREY, labelcolor=ink(axes), length=3)


def label(axes: "Axes", *, across: str = "", up: str = "") -> None:
    """Name the axes, with their units."""
    axes.set_xlabel(readable(across), fontsize=SMALL, color=ink(axes), parse_math=False)
    axes.set_ylabel(readable(up), fontsize=SMALL, color=ink(axes), parse_math=False)


def plain_numbers(axis: "Axis", steps: Sequence[float] = (1.0,)) -> None:
    """Label a logarithmic axis with plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.12g}"))
    axis.set_minor_formatter(NullFormatter())


def legend(axes: "Axes", place: "LegendPlace") -> None:
    """Name the curves."""
    box = axes.legend(fontsize=SMALL, frameon=True, framealpha=0.9, edgecolor="none", loc=place, labelcolor=ink(axes))
    for text in box.get_texts():
        text.set(text=readable(text.get_text()), parse_math=False)


def title(axes: "Axes", text: str) -> None:
    """Name a picture."""
    axes.set_title(readable(text), fontsize=NORMAL, loc="left", color=ink(axes), parse_math=False)


def name_places(axes: "Axes", places: "Sequence[float] | IntArray", names: Iterable[str]) -> None:
    """Name places of the vertical axis."""
    axes.set_yticks(places, [readable(name) for name in names], parse_math=False)


def money(axis: "Axis") -> None:
    """Label an axis with whole amounts and thousands separators."""
    axis.set_major_formatter(lambda value, _: f"{value:,.12g}")


def banded(
    axes: "Axes", across: FloatArray, value: FloatArray, ends: tuple[FloatArray, FloatArray], *, style: int, name: str
) -> None:
    """Draw a curve and the band of its error, in one of ``STYLES``."""
    colour, dashes = STYLES[style % len(STYLES)]
    axes.plot(across, value, color=colour, linestyle=dashes, linewidth=1.6, label=name)
    axes.fill_between(across, *ends, color=colour, alpha=0.18, linewidth=0)


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
