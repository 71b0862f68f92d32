"""The pictures of a report on covers, drawn from its plain values."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from pricing.show import drawing
from pricing.show.drawing import BLUE, GREEN, GREY, INK, LIGHT, NORMAL, ORANGE, SMALL
from pricing.show.formats import cents, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = Mapping[str, Any]


def waterfall(statement: Values, currency: str, name: str) -> str:
    """Draw the build-up of a premium, line by line.

    Parameters
    ----------
    statement : mapping
        Lines, gross premium, tax and total as decimal texts.
    currency : str
        Currency of the amounts.
    name : str
        Name of the picture.
    """
    lines = [line for line in statement["lines"] if float(line["amount"])]
    ends = list(accumulate(float(line["amount"]) for line in lines))
    bars = [
        (words(line["name"]), end - float(line["amount"]), end, line["amount"])
        for line, end in zip(lines, ends, strict=True)
    ]
    bars.append(("Gross premium", 0.0, float(statement["gross"]), statement["gross"]))
    if float(statement["tax"]):
        bars.append(("Tax", float(statement["gross"]), float(statement["total"]), statement["tax"]))
        bars.append(("To pay", 0.0, float(statement["total"]), statement["total"]))
    picture = drawing.figure(0.27 * len(bars) + 0.55)
    axes = picture.subplots()
    for place, (title, begin, end, amount) in enumerate(bars):
        is_sum = title in ("Gross premium", "To pay")
        axes.barh(place, end - begin, left=begin, height=0.62, color=INK if is_sum else BLUE, linewidth=0)
        axes.annotate(
            cents(amount), (end, place), (5, 0), textcoords="offset points", va="center", fontsize=SMALL, color=INK
        )
        if place + 1 < len(bars):
            axes.plot([end, end], [place + 0.31, place + 0.69], color=GREY, linewidth=0.7)
    axes.set_yticks(range(len(bars)), [bar[0] for bar in bars])
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.16 * max(bar[2] for bar in bars))
    drawing.plain(axes, grid="x")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.12g}")
    drawing.label(axes, across=f"{currency}, whole term")
    return drawing.svg(picture, name)


def exceedance(cover: Values, simulation: Values, name: str) -> str:
    """Draw exceedance curves of the worst drop before and after anchoring, with 95 % bands and the cover's points."""
    picture = drawing.figure(3.3)
    axes = picture.subplots()
    if cover["simulated_curve"]:
        _curve(axes, cover["simulated_curve"], ORANGE, "--", "simulated, before anchoring")
    _curve(axes, cover["curve"], BLUE, "-", "priced from")
    if cover["anchors"]:
        drops, probabilities = (100 * np.array(cover["anchors"][key]) for key in ("drops", "probabilities"))
        axes.plot(drops, probabilities, "o", markersize=4, markerfacecolor="white", color=INK, label="anchored here")
    lowest = 100 * simulation["fewest_paths"] / simulation["n_paths"]
    _resolution(axes, lowest, simulation)
    axes.set(yscale="log", xlim=(0.0, 100.0), ylim=(0.4 * lowest, 140.0))
    _mark(axes, cover["points"])
    drawing.plain_numbers(axes.yaxis)
    drawing.plain(axes)
    drawing.label(
        axes, across="worst drop of the term, % of the reference price", up="probability of at least that drop, %"
    )
    drawing.legend(axes, "upper right")
    return drawing.svg(picture, name)


def _curve(axes: "Axes", curve: Values, colour: str, dashes: str, label: str) -> None:
    drops, value, lower, upper = (100 * np.array(curve[key]) for key in ("drops", "probabilities", "lower", "upper"))
    axes.plot(drops, value, color=colour, linestyle=dashes, linewidth=1.6, label=label)
    axes.fill_between(drops, lower, upper, color=colour, alpha=0.18, linewidth=0)


def _resolution(axes: "Axes", lowest: float, simulation: Values) -> None:
    """Shade probabilities that the paths cannot resolve; weighted paths resolve more than their number suggests."""
    if simulation["rare_drops"]:
        return
    axes.axhspan(0.0, lowest, color="#F1F3F5", linewidth=0, zorder=0)
    text = f"not resolved: fewer than {simulation['fewest_paths']} of {simulation['n_paths']:,} paths"
    axes.text(99.0, 0.92 * lowest, text, fontsize=SMALL - 1, color=GREY, ha="right", va="top")


def _mark(axes: "Axes", points: Sequence[Values]) -> None:
    """Mark the cover's own points, with their names in two rows above the picture."""
    for place, point in enumerate(points):
        axes.axvline(100 * point["drop"], color=GREEN, linewidth=1.1, linestyle=(0, (4, 2)))
        axes.annotate(
            f"{100 * point['drop']:g} %: {point['name']}",
            (100 * point["drop"], 1.0),
            (0, 2 + 10 * (place % 2)),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=SMALL,
            color=GREEN,
            ha="center",
            va="bottom",
        )


def drivers(cover: Values, titles: Mapping[str, str], name: str) -> str:
    """Draw the shares of the expected loss, with 95 % intervals."""
    shares = cover["drivers"]
    picture = drawing.figure(0.3 * len(shares) + 0.6)
    axes = picture.subplots()
    for place, share in enumerate(shares):
        value, error = 100 * share["value"], 196 * share["standard_error"]
        axes.barh(place, value, height=0.6, color=BLUE if share["resolved"] else LIGHT, linewidth=0)
        axes.plot([value - error, value + error], [place, place], color=INK, linewidth=1.1, solid_capstyle="butt")
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    axes.set_yticks(range(len(shares)), [titles[share["name"]] for share in shares])
    axes.invert_yaxis()
    drawing.plain(axes, grid="x")
    drawing.label(axes, across="% of the expected loss (line: 95 % interval)")
    return drawing.svg(picture, name)


def worst_month(calibration: Values, name: str) -> str:
    """Draw the law of the worst month, and the part of it that is due to the uncertainty of its level."""
    picture = drawing.figure(2.7)
    left, right = picture.subplots(1, 2, sharex=True)
    styles = ((ORANGE, "--"), (BLUE, "-"), (GREEN, "-."))
    for month, (colour, dashes) in zip(calibration["worst_months"], styles, strict=False):
        drops = 100 * np.array(month["drops"])
        whole, certain = (100 * np.array(month[key]) for key in ("probabilities", "certain_probabilities"))
        style = {"color": colour, "linestyle": dashes, "linewidth": 1.6, "label": f"within {month['window']}"}
        left.plot(drops, whole, **style)
        right.plot(drops, 100 * (1.0 - certain / whole), **style)
    left.set(yscale="log", xlim=(0.0, 92.0), ylim=(1e-3, 140.0))
    drawing.plain_numbers(left.yaxis)
    right.axhline(0.0, color=GREY, linewidth=0.8)
    titles = ("as priced", "due to level uncertainty")
    units = ("probability of at least that drop, %", "part of the probability, %")
    for axes, title, unit in zip((left, right), titles, units, strict=True):
        axes.set_title(title, fontsize=NORMAL, loc="left", color=INK)
        drawing.plain(axes)
        drawing.label(axes, across="worst drop of 30 days, %", up=unit)
    drawing.legend(left, "upper right")
    return drawing.svg(picture, name)
