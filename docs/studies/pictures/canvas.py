"""Elements that all pictures share: style, axes of probabilities and drops, files, and the examples of the pages."""

import contextlib
import doctest
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from docs.studies.blocks import PAGES
from pricing import WeightedSample

mpl.use("Agg")
mpl.rcParams |= {
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": "0.4",
    "grid.color": "0.9",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "figure.constrained_layout.use": True,
}

FOLDER = PAGES / "pictures"
#: Colours that stay apart in grey and for colour-blind eyes (Okabe and Ito 2008).
BLUE, ORANGE, GREEN, PINK, SKY, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "0.45"
WIDTH, HEIGHT = 7.4, 3.6
DPI = 150
N_COLOURS = 128
#: Normal quantile of a 95 % band, and the fewest paths that tell a probability from zero.
BAND, FEWEST_PATHS = 1.96, 3

#: A picture and the name of its file.
Picture = tuple[str, Figure]
Draw = Callable[[], Picture]


def new_figure(
    columns: int = 1, *, rows: int = 1, width: float = WIDTH, height: float = HEIGHT, **options: Any
) -> tuple[Figure, Any]:
    """Return a figure and its axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(wspace=0.05)
    return figure, figure.subplots(rows, columns, **options)


def save(picture: Picture) -> Path:
    """Write a picture with few colours, so that its file stays small."""
    name, figure = picture
    path = FOLDER / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=DPI)
    image = Image.open(buffer).convert("RGB").quantize(N_COLOURS, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    return path


def page_examples(page: str, n_blocks: int) -> dict[str, Any]:
    """Run the first Python blocks of a page and return their names."""
    text = (PAGES / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(>>> .*?)^```", text, flags=re.DOTALL | re.MULTILINE)[:n_blocks]
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for example in doctest.DocTestParser().get_examples("\n".join(blocks)):
            exec(compile(example.source, page, "single"), names)
    return names


def page_table(page: str, block: str) -> list[list[str]]:
    """Read the rows of a table that a study wrote into a page."""
    text = (PAGES / page).read_text(encoding="utf-8")
    found = re.search(rf"<!-- begin {block}: .*?-->(.*?)<!-- end {block} -->", text, flags=re.DOTALL)
    assert found, f"{page} has no block {block}"
    lines = [line for line in found[1].splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def probability_axis(axes: Axes, lowest: float, highest: float = 1.3) -> None:
    """Make the vertical axis one of probabilities in per cent, on a log scale."""
    axes.set_yscale("log")
    axes.set_ylim(lowest, highest)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda _value, _: ""))


def per_cent_axis(axis: Any) -> None:
    """Label fractions in per cent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))


def draw_exceedance(axes: Axes, sample: WeightedSample, *, colour: str, label: str, dashes: str = "-") -> None:
    """Draw an exceedance curve with its 95 % band, as far as enough paths went."""
    drops = [drop for drop in np.arange(0.01, 1.0, 0.005) if sample.n_beyond(float(drop)) >= FEWEST_PATHS]
    found = [sample.exceedance(float(drop)) for drop in drops]
    value, error = np.array([each.value for each in found]), np.array([each.standard_error for each in found])
    spread = np.exp(BAND * error / value)
    axes.plot(drops, value, dashes, color=colour, label=label)
    axes.fill_between(drops, value / spread, np.minimum(value * spread, 1.0), color=colour, alpha=0.2, linewidth=0)
