"""Exceedance curves: probabilities of worst drops of a given size or more, as far as the simulation resolves them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pricing.show.texts import readable
from pricing.surface.estimates import WeightedSample
from pricing.surface.exceedance_curves import FEWEST_PATHS, draw_curve
from pricing.tools.whole_files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_COLUMNS, _PANEL_WIDTH, _PANEL_HEIGHT = 2, 5.6, 3.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One curve of a chart.

    Parameters
    ----------
    label : str
        Entry of the legend.
    sample : WeightedSample
        Worst drops of the signal.
    """

    label: str
    sample: WeightedSample = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One panel of the picture.

    Parameters
    ----------
    title : str
        Heading.
    curves : sequence of Curve
        Curves, at most six.
    """

    title: str
    curves: Sequence[Curve]


def draw_exceedance(charts: Sequence[Chart], path: Path, *, title: str) -> None:
    """Draw exceedance curves, one panel per chart, with common axes.

    Parameters
    ----------
    charts : sequence of Chart
        Charts, at least one.
    path : Path
        Picture to write; its suffix determines the format.
    title : str
        Heading of the picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(_COLUMNS, len(charts))
    rows = -(-len(charts) // columns)
    figure = Figure(figsize=(_PANEL_WIDTH * columns + 0.6, _PANEL_HEIGHT * rows + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, chart in zip(panels.flat, charts, strict=False):
        _draw_chart(axes, chart)
    for axes in panels.flat[len(charts) :]:
        axes.set_visible(False)
    _scale(panels.flat[0], charts)
    figure.supxlabel(
        "worst drop within the term, % of the reference price (bands: 95 %, simulation error only)", fontsize=10
    )
    figure.supylabel("probability of at least that drop, %", fontsize=10)
    figure.suptitle(readable(title), fontsize=12, fontweight="bold", parse_math=False)
    with replacing(path) as part:
        figure.savefig(part, dpi=130, format=path.suffix.removeprefix("."))


def _draw_chart(axes: "Axes", chart: Chart) -> None:
    for style, curve in enumerate(chart.curves):
        draw_curve(axes, curve.sample, style=style, name=curve.label)
    limit = _resolution(chart)
    axes.axhline(100 * limit, color="0.35", linewidth=0.9)
    n_paths = chart.curves[0].sample.n_paths
    axes.axhspan(0.0, 100 * limit, color="0.93", linewidth=0)
    axes.text(1, 112 * limit, f"not resolved below {FEWEST_PATHS} of {n_paths:,} paths", fontsize=8, color="0.35")
    axes.set_title(chart.title, fontsize=10, loc="left")
    axes.grid(visible=True, which="major", color="0.88", linewidth=0.8)
    axes.grid(visible=True, which="minor", axis="y", color="0.94", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9, labelbottom=True, labelleft=True)
    axes.legend(fontsize=9, frameon=True, framealpha=0.9, edgecolor="0.85", loc="upper right")


def _resolution(chart: Chart) -> float:
    return FEWEST_PATHS / chart.curves[0].sample.n_paths


def _scale(axes: "Axes", charts: Sequence[Chart]) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    axes.set_yscale("log")
    axes.set_xlim(0.0, 100.0)
    axes.set_ylim(50.0 * min(map(_resolution, charts)), 130.0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda percent, _: f"{percent:g}"))
    axes.xaxis.set_major_locator(MultipleLocator(10))
