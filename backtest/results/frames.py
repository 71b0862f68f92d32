"""Scores as data frames and as a picture, made from the plain values of a summary."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from pricing.show import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = Mapping[str, Any]

#: Scores that have an interval.
_SCORES = ("actual_to_expected", "log_skill", "brier_skill", "auc_within_periods")
_COUNTS = ("token_periods", "events", "refused")


def scores_frame(summary: Values) -> pd.DataFrame:
    """Return the scores as a data frame: a row per cell and forecaster.

    Parameters
    ----------
    summary : mapping
        Output of ``summarise``.

    Returns
    -------
    DataFrame
        Columns ``cell``, ``forecaster``, ``token_periods``, ``events``, ``refused``, and each score with the ends of
        its 95 % interval; NaN if it is not defined or not bounded.
    """
    rows = [
        {"cell": cell["name"], "forecaster": name}
        | {count: scores[count] for count in _COUNTS}
        | {column: number for score in _SCORES for column, number in _interval(score, scores[score]).items()}
        for cell in summary["cells"]
        for name, scores in cell["forecasters"].items()
    ]
    return pd.DataFrame(rows)


def deciles_frame(summary: Values) -> pd.DataFrame:
    """Return what was quoted and what came as a data frame: a row per cell, forecaster and decile of the quotes.

    Parameters
    ----------
    summary : mapping
        Output of ``summarise``.
    """
    rows = [
        {"cell": cell["name"], "forecaster": name, "decile": decile}
        | {each: group[each] for each in ("token_periods", "events", "quoted")}
        | _interval("came", group["came"])
        for cell in summary["cells"]
        for name, scores in cell["forecasters"].items()
        for decile, group in enumerate(scores["by_decile"], start=1)
    ]
    return pd.DataFrame(rows)


def plot_actual_to_expected(summary: Values, axes: "Axes | None" = None) -> "Axes":
    """Draw events over expected events of every cell and forecaster with their 95 % intervals.

    Parameters
    ----------
    summary : mapping
        Output of ``summarise``.
    axes : Axes, optional
        Axes of matplotlib to draw on; by default those of a new picture.
    """
    frame = scores_frame(summary)
    axes = drawing.new_axes(axes, 0.27 * len(frame) + 0.9)
    ink = drawing.ink(axes)
    axes.axvline(1.0, color=drawing.GREY, linewidth=0.9)
    ratio, lower, upper = (frame[f"actual_to_expected{end}"].to_numpy() for end in ("", "_lower", "_upper"))
    for place, ends in enumerate(zip(lower, ratio, upper, strict=True)):
        axes.plot(ends, [place] * 3, color=drawing.BLUE, linewidth=1.4)  # an end that is not bounded is not drawn
    axes.plot(ratio, range(len(frame)), "o", color=ink, markersize=4)
    names = zip(frame["forecaster"], frame["cell"], strict=True)
    drawing.name_places(axes, range(len(frame)), [f"{forecaster}, {cell}" for forecaster, cell in names])
    axes.invert_yaxis()
    axes.set_xscale("log")
    drawing.plain_numbers(axes.xaxis, (1.0, 2.0, 5.0))
    drawing.plain(axes, grid="x")
    drawing.label(axes, across="A/E: events over expected events (line: 95 % interval; 1 is right)")
    return axes


def _interval(name: str, interval: Sequence[float | None]) -> dict[str, float]:
    value, lower, upper = (math.nan if end is None else float(end) for end in interval)
    return {name: value, f"{name}_lower": lower, f"{name}_upper": upper}
