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

from calibration import Concentration, concentration, hazard_factor, shipped_market
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
    """Draw the factor on the crash rate over the share of one owner, whole and split, and over what circulates."""
    figure, (left, right) = new_figure(2, sharey=True)
    shares = np.linspace(0.0, 0.999, 60)
    whole = [hazard_factor(concentration=_held(share, 1)) for share in shares]
    _draw_factors(left, shares, whole, BLUE, "one owner, one wallet")
    split = [hazard_factor(concentration=_held(share, 2000)).value for share in shares]
    left.plot(shares, split, color=ORANGE, linestyle="--", label="the same in 2,000 wallets")
    left.set(xlabel="share of the supply in unknown hands", ylabel="factor on the rate of own crashes", xlim=(0, 1))
    left.set_title("Control (others stake)")
    left.legend(loc="upper left")
    circulating = np.linspace(0.05, 1.0, 60)
    floats = [hazard_factor(concentration=_held(0.7, 1, circulating=share)) for share in circulating]
    _draw_factors(right, circulating, floats, GREEN, "factor; band: 90 % interval")
    right.set(xlabel="circulating share of the supply", xlim=(0, 1), yscale="log", ylim=(0.4, 4.0))
    right.set_title("Float (70 % unknown)")
    right.legend(loc="upper right")
    for axes in (left, right):
        per_cent_axis(axes.xaxis)
    right.yaxis.set_major_locator(FixedLocator([0.5, 1.0, 2.0, 3.0]))
    right.yaxis.set_minor_locator(FixedLocator([]))
    right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return "crash-rate-factor", figure


def _held(share: float, wallets: int, circulating: float | None = None) -> Concentration:
    """Measure a supply of which one owner has a share, in some wallets, and a staking contract the remainder."""
    sizes = np.linspace(0.9, 1.1, wallets) * share / wallets
    rows = pd.DataFrame({"address": [f"0x{number}" for number in range(wallets + 1)], "balance": [1.0 - share, *sizes]})
    return concentration(rows, supply=1.0, labels={"0x0": "staking"}, circulating=circulating)


def _draw_factors(axes: Axes, places: Sequence[float], factors: Sequence, colour: str, label: str) -> None:
    axes.axhline(1.0, color=GREY, linewidth=1.0)
    axes.plot(places, [each.value for each in factors], color=colour, label=label)
    lower, upper = [each.lower for each in factors], [each.upper for each in factors]
    axes.fill_between(places, lower, upper, color=colour, alpha=0.2, linewidth=0)


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
