"""The pictures of the page: SVG, drawn from the plain values of a summary."""

import math
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

#: Colours that stay apart in grey and for colour-blind eyes (Okabe and Ito 2008), with dashes to go with them.
_STYLES = (
    ("#000000", "-"),
    ("#E69F00", "-"),
    ("#56B4E9", "--"),
    ("#009E73", "-."),
    ("#CC79A7", ":"),
    ("#0072B2", "-"),
    ("#D55E00", "-"),
    ("#8C6D1F", "--"),
)
_BLUE = "#0072B2"
_HOLLOW: dict[str, Any] = {"color": "0.5", "markersize": 5, "fillstyle": "none"}
_COLUMNS = 4
#: From this frequency on probabilities are shown on a plain axis, below on a logarithmic one.
_COMMON = 0.25
#: Range of A/E that is shown; values outside are drawn at the edge as a triangle.
_LEAST_RATIO, _LARGEST_RATIO = 0.1, 10.0

Values = Mapping[str, Any]


def reliability(cell: Values) -> str:
    """Draw the observed frequency against the quoted probability, by decile of the quote, with 95 % intervals."""
    figure, panels = _small_multiples(cell)
    lowest, highest = _probability_range(cell)
    for axes, (name, scores) in zip(panels, cell["forecasters"].items(), strict=False):
        axes.plot([lowest, highest], [lowest, highest], color="0.6", linewidth=1)
        for group in scores["by_decile"]:
            _reliability_point(axes, group, lowest, highest)
        axes.set(xlim=(lowest, highest), ylim=(lowest, highest))
        if cell["frequency"] < _COMMON:
            axes.set(xscale="log", yscale="log")
            _plain_numbers(axes.xaxis, every_decade=True)
            _plain_numbers(axes.yaxis, every_decade=True)
        axes.set_title(name, fontsize=9, loc="left")
    figure.supxlabel("quoted probability, % (deciles of the quote)", fontsize=9)
    figure.supylabel("observed frequency, %", fontsize=9)
    return _svg(figure)


def ratio_by_decile(cell: Values) -> str:
    """Draw the ratio of events to expected events by decile of the quote, with 95 % intervals."""
    figure, panels = _small_multiples(cell)
    for axes, (name, scores) in zip(panels, cell["forecasters"].items(), strict=False):
        axes.axhspan(0.5, 2.0, color="0.93", linewidth=0)
        axes.axhline(1.0, color="0.5", linewidth=1)
        ratios = [group["actual_to_expected"] for group in scores["by_decile"]]
        _ratio_points(axes, ratios)
        axes.set(yscale="log", ylim=(_LEAST_RATIO, _LARGEST_RATIO), xlim=(0.4, 10.6), xticks=range(1, 11))
        _plain_numbers(axes.yaxis)
        axes.set_title(name, fontsize=9, loc="left")
    figure.supxlabel("decile of the quoted probability, lowest first (equal quotes stay together)", fontsize=9)
    figure.supylabel("A/E: actual over expected events", fontsize=9)
    return _svg(figure)


def by_period(cell: Values, starts: Sequence[str]) -> str:
    """Draw quotes and events over time, and A/E cumulated since the first period."""
    figure = _figure(9.6, 5.4)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    times = _times(starts)
    _draw_quotes(above, cell, times)
    below.axhline(1.0, color="0.5", linewidth=1)
    for style, scores in zip(_styles(), cell["forecasters"].values(), strict=False):
        came, expected = (np.cumsum(scores["by_period"][key]) for key in ("events", "expected"))
        begun = expected > 0.0
        below.plot(times[begun], came[begun] / expected[begun], **style)
    below.set(yscale="log", ylim=(_LEAST_RATIO, _LARGEST_RATIO))
    _plain_numbers(below.yaxis)
    below.set_ylabel("A/E", fontsize=9)
    below.set_title("A/E cumulated since the first period", fontsize=9, loc="left")
    figure.legend(*above.get_legend_handles_labels(), fontsize=8, frameon=False, loc="outside right upper")
    return _svg(figure)


def _draw_quotes(axes: "Axes", cell: Values, times: "np.typing.NDArray[np.datetime64]") -> None:
    """Draw average quotes as lines and the observed share of events as dots."""
    widest = max(cell["forecasters"].values(), key=lambda scores: scores["token_periods"])["by_period"]
    share = 100 * np.array(widest["events"]) / np.array(widest["token_periods"])
    for style, (name, scores) in zip(_styles(), cell["forecasters"].items(), strict=False):
        covers, expected = (np.array(scores["by_period"][key]) for key in ("token_periods", "expected"))
        axes.plot(times[covers > 0], 100 * expected[covers > 0] / covers[covers > 0], label=name, **style)
    lowest = 0.0
    if cell["frequency"] < _COMMON:
        lowest = max(cell["frequency"], 1e-4)
        axes.set(yscale="log", ylim=(lowest, 130))
        _plain_numbers(axes.yaxis, every_decade=True)
    axes.plot(times[share > lowest], share[share > lowest], "o", color="0.35", markersize=5, label="observed")
    axes.plot(times[share <= lowest], np.full((share <= lowest).sum(), 1.15 * lowest), "v", **_HOLLOW)
    axes.set_ylabel("% of tokens", fontsize=9)
    axes.set_title("average quote (lines) and observed (dots; hollow: none), by start", fontsize=9, loc="left")


def lorenz_and_loss_ratio(cell: Values, starts: Sequence[str], expense_ratio: float) -> str:
    """Draw Lorenz curves of the rate and cumulated loss ratios."""
    figure = _figure(9.6, 4.0)
    left, right = figure.subplots(1, 2)
    left.plot([0, 100], [0, 100], color="0.6", linewidth=1)
    right.axhline(100 * (1.0 - expense_ratio), color="0.5", linewidth=1)
    for style, (name, scores) in zip(_styles(), cell["forecasters"].items(), strict=False):
        lorenz = 100 * np.array(scores["lorenz"])
        left.plot(np.linspace(0.0, 100.0, len(lorenz)), lorenz, label=f"{name} ({scores['gini']:.2f})", **style)
        premium, losses = (np.cumsum(scores["money"][key]) for key in ("premium", "losses"))
        begun = losses > 0.0
        right.plot(_times(starts)[begun], 100 * losses[begun] / premium[begun], **style)
    left.set(xlim=(0, 100), ylim=(0, 100))
    left.set_xlabel("% of token-periods, lowest rate first", fontsize=9)
    left.set_ylabel("% of events", fontsize=9)
    left.set_title("Lorenz curve of the rate (Gini coefficient)", fontsize=9, loc="left")
    left.legend(fontsize=7.5, frameon=False, loc="upper left")
    right.set(yscale="log")
    _plain_numbers(right.yaxis)
    right.set_ylabel("losses over gross premium, %", fontsize=9)
    right.set_title("cumulated loss ratio (grey line: break-even after expenses)", fontsize=9, loc="left")
    right.tick_params(axis="x", rotation=30)
    return _svg(figure)


def _times(starts: Sequence[str]) -> "np.typing.NDArray[np.datetime64]":
    return np.array([start[:10] for start in starts], dtype="datetime64[D]")


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _small_multiples(cell: Values) -> "tuple[Figure, Sequence[Axes]]":
    """Create one panel per forecaster."""
    n = len(cell["forecasters"])
    rows = -(-n // _COLUMNS)
    figure = _figure(9.6, 2.4 * rows + 0.5)
    panels = figure.subplots(rows, min(n, _COLUMNS), sharex=True, sharey=True, squeeze=False)
    for axes in panels.flat:
        axes.tick_params(labelsize=8, labelbottom=True)
        axes.grid(visible=True, color="0.92", linewidth=0.6)
        axes.set_axisbelow(True)
    for axes in panels.flat[n:]:
        axes.set_visible(False)
    return figure, list(panels.flat)


def _styles() -> list[dict[str, Any]]:
    return [{"color": colour, "linestyle": dashes, "linewidth": 1.4} for colour, dashes in _STYLES]


def _probability_range(cell: Values) -> tuple[float, float]:
    """Choose one range for both axes, in per cent: rare events from a thirtieth of their frequency on."""
    return (0.0, 100.0) if cell["frequency"] >= _COMMON else (100 * max(cell["frequency"], 1e-4) / 30.0, 100.0)


def _reliability_point(axes: "Axes", group: Values, lowest: float, highest: float) -> None:
    """Draw one decile; a quote or a share below the range is drawn at its edge."""
    quoted = 100 * group["quoted"]
    value, lower, upper = (math.nan if end is None else 100 * end for end in group["came"])
    across = max(quoted, 1.15 * lowest)
    if not group["events"]:
        axes.plot([across], [1.15 * lowest], "v", **_HOLLOW)
        return
    axes.plot([across] * 2, [np.fmax(lower, lowest), np.fmin(upper, highest)], color=_BLUE, linewidth=1.2, alpha=0.55)
    axes.plot([across], [value], "<" if quoted < lowest else "o", color=_BLUE, markersize=4)


def _ratio_points(axes: "Axes", ratios: Sequence[Sequence[float | None]]) -> None:
    for decile, (value, lower, upper) in enumerate(ratios, start=1):
        ratio = value or 0.0
        marker = "v" if ratio < _LEAST_RATIO else "^" if ratio > _LARGEST_RATIO else "o"
        ends = (lower or _LEAST_RATIO, upper or _LARGEST_RATIO) if ratio else (_LEAST_RATIO, _LEAST_RATIO)
        axes.plot([decile, decile], ends, color=_BLUE, linewidth=1.2, alpha=0.55)
        shown = min(max(ratio, 1.12 * _LEAST_RATIO), _LARGEST_RATIO / 1.12)
        axes.plot([decile], [shown], marker, color=_BLUE, markersize=4, fillstyle="full" if ratio else "none")


def _plain_numbers(axis: "Axis", *, every_decade: bool = False) -> None:
    """Label a logarithmic axis with plain numbers, at 1, 2 and 5 of each decade or at its beginning only."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0,) if every_decade else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
    axis.set_minor_formatter(NullFormatter())


def _svg(figure: "Figure") -> str:
    from matplotlib import rc_context

    text = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "crashcover", "font.family": "sans-serif"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
