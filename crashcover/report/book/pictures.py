"""The pictures of a report on a book, drawn from its plain values."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pool.summaries import RETURN_CURVES, draw_return_levels
from pricing.show import drawing
from pricing.show.drawing import BAND, BLUE, GREY, INK, ORANGE, SMALL
from pricing.surface.estimates import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = Mapping[str, Any]

#: Number of tokens that a picture shows.
_MOST_TOKENS = 15


def period_losses(content: Values, name: str) -> str:
    """Draw exceedance probabilities of losses of one period, with 95 % intervals, before and after reinsurance."""
    picture = drawing.figure(3.0)
    axes = picture.subplots()
    curves = content["period_curves"]
    for key, title, colour, dashes in (("gross", "gross", BLUE, "-"), ("net", "after reinsurance", ORANGE, "--")):
        if key in curves:
            probabilities = 100 * np.array([point["probability"] for point in curves[key]])
            losses, errors = _read(curves[key])
            axes.plot(losses, probabilities, color=colour, linestyle=dashes, linewidth=1.6, label=title)
            lower, upper = np.maximum(losses - BAND * errors, 0.0), losses + BAND * errors
            axes.fill_betweenx(probabilities, lower, upper, color=colour, alpha=0.18, linewidth=0)
    _mark_capital(axes, content)
    axes.set(yscale="log", xlim=(0.0, None))
    drawing.plain_numbers(axes.yaxis, (1.0, 2.0, 5.0))
    drawing.money(axes.xaxis)
    drawing.plain(axes)
    drawing.label(axes, across=f"loss of one period, {content['currency']}", up="probability of exceeding it, %")
    drawing.legend(axes, "upper center")
    return drawing.svg(picture, name)


def _read(points: Sequence[Values]) -> tuple[Any, Any]:
    return tuple(np.array([point[key] for point in points]) for key in ("value", "standard_error"))  # type: ignore[return-value]


def _mark_capital(axes: "Axes", content: Values) -> None:
    means = content["aims"]["capital"] + content["pool"]["income"]
    axes.axvline(means, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
    text = "capital and income of a period "
    axes.annotate(
        text, (means, 0.03), xycoords=("data", "axes fraction"), rotation=90, fontsize=SMALL, ha="right", color=INK
    )


def _estimate(values: Values) -> Estimate[float]:
    return Estimate(values["value"], values["standard_error"])


def year_losses(content: Values, name: str) -> str:
    """Draw losses by return period: the sum, the worst period and the worst token of a year, with 95 % intervals."""
    levels = content["pool"]["return_levels"]
    picture = drawing.figure(3.0)
    curves = {name: [_estimate(level[name]) for level in levels] for name in RETURN_CURVES}
    draw_return_levels(picture.subplots(), [level["return_period"] for level in levels], curves, content["currency"])
    return drawing.svg(picture, name)


def tokens(content: Values, name: str) -> str:
    """Draw limits against capacity, and shares of the expected loss against shares of the tail."""
    shown = content["tokens"][:_MOST_TOKENS]
    picture = drawing.figure(0.3 * len(shown) + 1.0)
    left, right = picture.subplots(1, 2, sharey=True)
    places = np.arange(len(shown))
    _draw_limits(left, shown, places, content["currency"])
    _draw_shares(right, content, shown, places)
    drawing.name_places(left, places, [token["asset"] for token in shown])
    left.invert_yaxis()
    for axes in (left, right):
        drawing.plain(axes, grid="x")
        axes.legend(fontsize=SMALL, frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderpad=0.1)
    return drawing.svg(picture, name)


def _draw_limits(axes: "Axes", shown: Sequence[Values], places: Any, currency: str) -> None:
    fits = [token["room"] >= 0.0 for token in shown]
    limits = [token["limits"] for token in shown]
    axes.barh(places, limits, height=0.62, color=[BLUE if fit else ORANGE for fit in fits], label="limits")
    capacity = [token["capacity"] for token in shown]
    axes.plot(capacity, places, "|", color=INK, markersize=13, markeredgewidth=1.8, label="capacity")
    axes.set_xlim(0.0, None)
    axes.locator_params(axis="x", nbins=4)
    drawing.money(axes.xaxis)
    drawing.label(axes, across=f"sum of limits, {currency} (orange: beyond capacity)")


def _draw_shares(axes: "Axes", content: Values, shown: Sequence[Values], places: Any) -> None:
    expected = (
        100 / content["pool"]["gross"]["expected"]["value"] if content["pool"]["gross"]["expected"]["value"] else 0.0
    )
    whole = content["pool"]["net"]["tail_value_at_risk"]["value"]
    tail = 100 / whole if whole else 0.0
    axes.barh(
        places - 0.2,
        [expected * token["expected"]["value"] for token in shown],
        height=0.36,
        color=GREY,
        label="expected loss",
    )
    shares, errors = _read([token["tail"] for token in shown])
    axes.barh(places + 0.2, tail * shares, height=0.36, color=BLUE, label="tail")
    axes.errorbar(tail * shares, places + 0.2, xerr=BAND * tail * errors, fmt="none", ecolor=INK, elinewidth=1.0)
    axes.set_xlim(0.0, None)
    drawing.label(axes, across="% of the book (line: 95 % interval)")
