"""The pictures of a report on covers, drawn from its plain values."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from pricing.show import drawing
from pricing.show.drawing import BLUE, GREEN, GREY, INK, NORMAL, ORANGE, SMALL
from pricing.show.waterfalls import build_up_height, draw_build_up
from pricing.surface.exceedance_curves import finish_chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = Mapping[str, Any]

_NAMED_FALLS = 3


def waterfall(statement: Values, currency: str, name: str, *, error: float) -> str:
    """Draw the build-up of a premium, line by line.

    Parameters
    ----------
    statement : mapping
        Lines, gross premium, tax and total as decimal texts.
    currency : str
        Currency of the amounts.
    name : str
        Name of the picture.
    error : float
        Standard error of the gross premium.
    """
    lines = {line["name"]: Decimal(line["amount"]) for line in statement["lines"]}
    tax = Decimal(statement["tax"])
    picture = drawing.figure(build_up_height(lines, tax))
    draw_build_up(picture.subplots(), lines, tax=tax, currency=currency, standard_error=error)
    return drawing.svg(picture, name)


def exceedance(cover: Values, simulation: Values, name: str) -> str:
    """Draw exceedance curves of the worst drop before and after anchoring, with 95 % bands and the cover's points."""
    picture = drawing.figure(1.9)
    axes = picture.subplots()
    if cover["simulated_curve"]:
        _curve(axes, cover["simulated_curve"], 1, "simulated, before anchoring")
    _curve(axes, cover["curve"], 0, "priced from")
    if cover["anchors"]:
        drops, probabilities = (100 * np.array(cover["anchors"][key]) for key in ("drops", "probabilities"))
        axes.plot(drops, probabilities, "o", markersize=4, markerfacecolor="white", color=INK, label="anchored here")
    finish_chart(axes, simulation["n_paths"], resolved=simulation["rare_drops"])
    _mark(axes, cover["points"])
    drawing.legend(axes, "upper right")
    return drawing.svg(picture, name)


def _curve(axes: "Axes", curve: Values, style: int, name: str) -> None:
    drops, value, *ends = (100 * np.array(curve[key]) for key in ("drops", "probabilities", "lower", "upper"))
    drawing.banded(axes, drops, value, (ends[0], ends[1]), style=style, name=name)


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


def history(values: Values, name: str) -> str:
    """Draw the price history, and mark the falls that would have fired the trigger; the deepest are named."""
    picture = drawing.figure(2.3)
    axes = picture.subplots()
    times = np.array(values["times"], dtype="datetime64[s]")
    axes.plot(times, values["closes"], color=BLUE, linewidth=1.1)
    falls = values["falls"]
    dates = np.array([fall["time"] for fall in falls], dtype="datetime64[s]")
    closes = [fall["close"] for fall in falls]
    axes.plot(dates, closes, "v", markersize=5, color=ORANGE, linewidth=0)
    for place in sorted(range(len(falls)), key=lambda each: -falls[each]["drop"])[:_NAMED_FALLS]:
        text = f"−{100 * falls[place]['drop']:.0f} %"
        spot = (dates[place], closes[place])
        axes.annotate(text, spot, (0, -11), textcoords="offset points", fontsize=SMALL, color=ORANGE, ha="center")
    axes.set_yscale("log")
    axes.margins(x=0.02, y=0.16)
    drawing.plain_numbers(axes.yaxis, (1.0, 2.0, 5.0))
    drawing.plain(axes)
    drawing.label(axes, up="close, logarithmic scale")
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
