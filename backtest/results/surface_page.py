"""The surface as a data frame, a picture, tables of texts and a self-contained page."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from backtest.results.page import ends, number
from pricing.show import drawing
from pricing.show.html_tables import Table, write_html

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values = Mapping[str, Any]

#: Range of A/E that is shown.
_LEAST, _LARGEST = 0.1, 10.0


def surface_frame(summary: Values) -> pd.DataFrame:
    """Return the cells of a surface as a data frame.

    Parameters
    ----------
    summary : mapping
        Output of ``summarise_surface``.

    Returns
    -------
    DataFrame
        Columns ``window``, ``term``, ``drop``, ``token_periods``, ``events``, ``expected``, ``actual_to_expected`` with
        the ends of its interval, ``predicted_lower``, ``predicted_upper`` and ``outside``.
    """
    names = ("window", "term", "drop", "token_periods", "events", "expected")
    rows = [
        {name: cell[name] for name in names}
        | dict(zip(("actual_to_expected", "lower", "upper"), cell["actual_to_expected"], strict=True))
        | dict(zip(("predicted_lower", "predicted_upper"), cell["predicted"], strict=True))
        | {"outside": cell["outside"]}
        for cell in summary["cells"]
    ]
    return pd.DataFrame(rows)


def surface_rows(summary: Values, fewest_events: int = 0) -> list[tuple[str, ...]]:
    """Return one row of texts per cell: fall, term, events, A/E with both intervals, and whether it is outside.

    Parameters
    ----------
    summary : mapping
        Output of ``summarise_surface``.
    fewest_events : int
        Cells with fewer events are left out.
    """
    return [
        (
            f"{cell['window']} ≥ {100 * cell['drop']:g} %",
            cell["term"],
            f"{cell['token_periods']:,}",
            f"{cell['events']:,}",
            number(cell["actual_to_expected"][0], ".2f"),
            ends(cell["actual_to_expected"], ".2f"),
            ends((1.0, *cell["predicted"]), ".2f"),
            "outside" if cell["outside"] else "",
        )
        for cell in summary["cells"]
        if cell["events"] >= fewest_events
    ]


HEADINGS = ("fall", "term", "quoted", "events", "A/E", "interval", "if the law is right", "")


def together_rows(summary: Values) -> list[tuple[str, ...]]:
    """Return one row of texts per cell of a month: the share of tokens that fell, and what the law expects of it.

    The last two are the share of starts beyond the value at risk of an equal pool, and their losses over its tail value
    at risk.
    """
    return [
        (
            each["name"],
            *(
                f"{100 * seen:.0f} ({100 * low:.0f} to {100 * high:.0f})"
                for seen, (low, high) in zip(each["observed"], each["predicted"], strict=True)
            ),
            "{:.0f} ({:.0f} to {:.0f})".format(*(100 * value for value in each["beyond"])),
            "{:.2f} ({:.2f} to {:.2f})".format(*each["severity"]),
        )
        for each in summary["together"]
    ]


TOGETHER_HEADINGS = (
    "% of tokens that fall together",
    "median start",
    "90 % of starts",
    "99 % of starts",
    "% of starts beyond VaR 95 %",
    "loss there / TVaR",
)


def surface_notes(summary: Values) -> list[str]:
    """Return the sentences below the tables."""
    low, high = summary["bounds"]
    outside = [f"{cell['name']}" for cell in summary["cells"] if cell["outside"]]
    return [
        f"{summary['token_periods']:,} quotes of {summary['forecaster']} at {len(summary['starts'])} starts every "
        f"{summary['every']} from {summary['starts'][0][:10]} to {summary['starts'][-1][:10]}.",
        f"Intervals: {summary['intervals']['level']:.0%}, from blocks of time as long as the term, at least a month. "
        "If the law is right: what A/E may be by the shocks that tokens share.",
        f"Outside {low:g} to {high:g}, an interval that excludes 1, and {summary['fewest_events']} events or more: "
        f"{', '.join(outside) or 'none'}.",
        f"Mean distance of the log of A/E from 0, cells of at least {summary['fewest_events']} events: "
        f"{number(summary['mean_distance'], '.2f')}.",
    ]


def write_surface_page(summary: Values) -> str:
    """Write tables and picture as one self-contained HTML page.

    Parameters
    ----------
    summary : mapping
        Output of ``summarise_surface``, or read back from its JSON.
    """
    tables = write_html(
        "The whole surface",
        Table(rows=surface_rows(summary), headings=HEADINGS, n_texts=2),
        Table(rows=together_rows(summary), headings=TOGETHER_HEADINGS),
        notes=surface_notes(summary),
    )
    picture = drawing.svg(draw_surface(summary), "surface")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>crashcover: surface</title></head>'
        f'<body style="font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto">{picture}{tables}'
        "</body></html>\n"
    )


def draw_surface(summary: Values) -> "Figure":
    """Draw A/E with its interval by drop and term, one panel per window; grey is within the bounds.

    Parameters
    ----------
    summary : mapping
        Output of ``summarise_surface``.
    """
    windows = list(dict.fromkeys(cell["window"] for cell in summary["cells"]))
    picture = drawing.figure(2.6 * -(-len(windows) // 2))
    panels = picture.subplots(-(-len(windows) // 2), 2, sharex=True, sharey=True, squeeze=False)
    for axes, window in zip(panels.flat, windows, strict=False):
        _draw_window(axes, [cell for cell in summary["cells"] if cell["window"] == window], summary["bounds"])
        drawing.title(axes, f"falls within {window}")
    for axes in panels.flat[len(windows) :]:
        axes.set_visible(False)
    drawing.legend(panels[0, 0], "upper left")
    picture.supxlabel("drop, %", fontsize=drawing.SMALL)
    picture.supylabel("A/E: events over expected events", fontsize=drawing.SMALL)
    return picture


def _draw_window(axes: "Axes", cells: Sequence[Values], bounds: Sequence[float]) -> None:
    axes.axhspan(*bounds, color=drawing.GREY, alpha=0.15, linewidth=0)
    axes.axhline(1.0, color=drawing.GREY, linewidth=0.9)
    for style, term in enumerate(dict.fromkeys(cell["term"] for cell in cells)):
        colour = drawing.STYLES[style % len(drawing.STYLES)][0]
        axes.plot([], [], "o", color=colour, markersize=4, label=term)
        for cell in (cell for cell in cells if cell["term"] == term and cell["events"]):
            value, low, high = cell["actual_to_expected"]
            across = 100 * cell["drop"] + 1.4 * (style - 1.5)
            axes.plot([across] * 2, [low or _LEAST, high or _LARGEST], color=colour, linewidth=1.0, alpha=0.6)
            axes.plot([across], [value], "o", color=colour, markersize=7 if cell["outside"] else 4)
    axes.set(yscale="log", ylim=(_LEAST, _LARGEST))
    drawing.plain_numbers(axes.yaxis, (1.0, 2.0, 5.0))
    drawing.plain(axes)
