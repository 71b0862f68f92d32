"""Pictures of the law of the worst month, of anchors, of the crash rate, and of how good quotes were."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from calibration import RiskSignals, concentration, hazard_factor, shipped_market
from docs.studies.pictures.canvas import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    Picture,
    draw_exceedance,
    new_figure,
    page_examples,
    page_table,
    per_cent_axis,
    probability_axis,
)
from pricing import SimulationSettings, simulate
from pricing.contract.observation import Observation

MONTH = "30d"


def law() -> Picture:
    """Draw both parts of the shipped laws for a token like its market: volatility 100 %, no run-up, no record."""
    laws = shipped_market(datetime(2025, 7, 1, tzinfo=UTC)).laws
    figure, panels = new_figure(2, sharey=True)
    for axes, each in zip(panels, laws, strict=True):
        _draw_law(axes, each)
        axes.set_title(f"Within {each.window.total_seconds() / 3600:.0f} h")
    panels[0].set_ylabel("probability in 30 days")
    panels[0].legend(loc="upper right")
    return "law", figure


def _draw_law(axes: Axes, drop_law: Any) -> None:
    drops = np.linspace(0.02, 0.9, 200)
    centre, rate = np.array([drop_law.level.intercept]), np.exp([drop_law.own.log_rate])
    logs = -np.log1p(-drops)
    for rates, colour, dashes, label in (
        (0.0 * rate, BLUE, "--", "common part"),
        (None, ORANGE, "-.", "own crashes"),
        (rate, "black", "-", "both"),
    ):
        values = [
            -np.expm1(-rate[0] * drop_law.own.beyond(log))
            if rates is None
            else drop_law.exceedance(log, centre, rates)[0]
            for log in logs
        ]
        axes.plot(drops, values, dashes, color=colour, label=label, linewidth=2.2 if label == "both" else 1.5)
    probability_axis(axes, 1e-4)
    per_cent_axis(axes.xaxis)
    axes.set(xlabel="drop", xlim=(0, 0.9))


def anchors() -> Picture:
    """Draw the law of calibration.md, its nodes, and paths before and after anchoring."""
    names = page_examples("calibration.md", 2)
    found, surface = names["found"], names["surface"]
    settings = SimulationSettings(n_paths=20_000, seed=1)
    free = simulate(replace(found.model, anchors=()), windows=("24h",), terms=(MONTH,), settings=settings)
    [anchor] = [each for each in found.model.anchors if each.observation == Observation()]
    figure, axes = new_figure()
    for each, colour, label in ((free, ORANGE, "paths before anchoring"), (surface, BLUE, "paths after anchoring")):
        draw_exceedance(axes, each.sample(window="24h", term=MONTH), colour=colour, label=label)
    axes.plot(anchor.drops, anchor.probabilities, "o", color="black", markersize=5, label="anchors: the law")
    probability_axis(axes, 1e-4)
    per_cent_axis(axes.xaxis)
    axes.set(xlabel="drop within 24 hours", ylabel="probability in 30 days", xlim=(0, 0.95))
    axes.set_title("Paths are reweighted to meet the law (20,000 paths; bands: 95 %)")
    axes.legend(loc="upper right")
    return "anchors", figure


def crash_rate_factor() -> Picture:
    """Draw the factor on the crash rate over HHI and over an unlock, each alone."""
    figure, (left, right) = new_figure(2, sharey=True)
    largest = np.sqrt(np.geomspace(0.004, 1.0, 60))
    measured = [concentration(_holders(share), supply=1.0) for share in largest]
    factors = [hazard_factor(concentration=each) for each in measured]
    _draw_factors(left, [each.hhi.upper for each in measured], factors, BLUE)
    left.plot(0.101, 1.0, "o", color="black", markersize=5)
    left.annotate("median of 42 lists", (0.101, 1.0), (0.013, 1.5), arrowprops={"arrowstyle": "-", "color": GREY})
    left.set(xscale="log", xlabel="HHI of the holders", ylabel="factor on the rate of own crashes", xlim=(0.003, 1.0))
    left.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    left.set_title("Concentration")
    unlocks = np.linspace(0.0, 0.5, 60)
    _draw_factors(right, unlocks, [hazard_factor(signals=RiskSignals(unlock_share=share)) for share in unlocks], GREEN)
    right.set(xlabel="unlock in 30 days, share of the float", xlim=(0, 0.5), yscale="log", ylim=(0.4, 6.0))
    right.set_title("Unlocks")
    per_cent_axis(right.xaxis)
    right.yaxis.set_major_locator(FixedLocator([0.5, 1.0, 2.0, 3.0, 4.0, 6.0]))
    right.yaxis.set_minor_locator(FixedLocator([]))
    right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return "crash-rate-factor", figure


def _holders(largest: float) -> pd.DataFrame:
    """List one large holder and two thousand small ones."""
    balances = [largest, *[(1.0 - largest) / 2000.0] * 2000]
    return pd.DataFrame({"address": [f"0x{number}" for number in range(2001)], "balance": balances})


def _draw_factors(axes: Axes, scores: Sequence[float], factors: Sequence, colour: str) -> None:
    axes.axhline(1.0, color=GREY, linewidth=1.0)
    axes.plot(scores, [each.value for each in factors], color=colour)
    lower, upper = [each.lower for each in factors], [each.upper for each in factors]
    axes.fill_between(scores, lower, upper, color=colour, alpha=0.2, linewidth=0, label="90 % interval")
    axes.legend(loc="upper left")


def accuracy() -> Picture:
    """Draw the tables of evidence.md: A/E by fall, and observed over quoted frequencies by decile."""
    figure, (left, right) = new_figure(2, width=8.2, height=3.9, width_ratios=(1.15, 1.0))
    _draw_ratios(left, page_table("evidence.md", "scores"))
    _draw_deciles(right, page_table("evidence.md", "deciles"))
    return "accuracy", figure


def _draw_ratios(axes: Axes, rows: list[list[str]]) -> None:
    for place, (fall, _, ratio, *_) in enumerate(reversed(rows)):
        value, lower, upper = (float(number) for number in re.findall(r"[\d.]+", ratio))
        colour = BLUE if fall.startswith("24") else ORANGE
        axes.plot([lower, upper], [place, place], color=colour, linewidth=2.0, solid_capstyle="butt")
        axes.plot(value, place, "o", color=colour, markersize=5)
    axes.axvline(1.0, color=GREY, linewidth=1.0)
    axes.set_yticks(range(len(rows)), [row[0].replace("%", " %") for row in reversed(rows)])
    axes.set(xscale="log", xlim=(0.18, 30.0), xlabel="happened over quoted (95 % interval)")
    axes.xaxis.set_major_locator(FixedLocator([0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0]))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_title("A/E by fall")


def _draw_deciles(axes: Axes, rows: list[list[str]]) -> None:
    for (fall, *cells), colour, marker in zip(rows, (BLUE, GREEN, PINK, ORANGE), "os^D", strict=True):
        figures = [[float(number) for number in re.findall(r"[\d.]+", cell)] for cell in cells]
        kept = [(quoted / 100.0, came / 100.0) for quoted, came, _ in figures if came > 0.0]
        axes.plot(*zip(*kept, strict=True), marker, color=colour, markersize=4.5, label=fall.replace("%", " %"))
    axes.plot([1e-3, 1.0], [1e-3, 1.0], color=GREY, linewidth=1.0)
    axes.set(xscale="log", yscale="log", xlim=(3e-3, 1.0), ylim=(8e-4, 1.0), xlabel="quoted", ylabel="happened")
    for axis in (axes.xaxis, axes.yaxis):
        per_cent_axis(axis)
    axes.legend(loc="upper left", fontsize=8.5, handletextpad=0.2)
    axes.set_title("Frequencies by decile of the quote")
