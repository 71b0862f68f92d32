"""Pictures of what a cover promises."""

import numpy as np
from matplotlib.axes import Axes

from docs.studies.pictures.canvas import BLUE, GREEN, GREY, ORANGE, PINK, WIDTH, Picture, new_figure, per_cent_axis
from pricing import FullPayout, LinearPayout, TieredPayout

WINDOW, DROP, SEED = 24, 0.2, 4
#: A rise, a slow slide, a jump up, a sudden fall and a recovery: hours and log prices at their ends.
HOURS, LOGS = (0, 44, 150, 164, 172, 240), (0.0, 0.14, -0.10, 0.07, -0.19, -0.10)


def path() -> np.ndarray:
    """Draw the path of the picture, hour by hour."""
    hours = np.arange(HOURS[-1] + 1)
    noise = np.cumsum(np.random.default_rng(SEED).normal(0.0, 0.004, len(hours)))
    bridge = noise - np.interp(hours, HOURS, noise[list(HOURS)])
    return 100.0 * np.exp(np.interp(hours, HOURS, LOGS) + bridge)


def reference_prices(prices: np.ndarray) -> dict[str, tuple[np.ndarray, str, str]]:
    """Return the four reference prices, with colour and dashes."""
    rolling = np.array([prices[max(0, hour - WINDOW) : hour + 1].max() for hour in range(len(prices))])
    lagged = np.full(len(prices), np.nan)
    lagged[WINDOW:] = prices[:-WINDOW]
    return {
        "rolling high": (rolling, BLUE, "-"),
        "lagged": (lagged, ORANGE, "--"),
        "running high": (np.maximum.accumulate(prices), GREEN, "-."),
        "inception": (np.full(len(prices), prices[0]), PINK, ":"),
    }


def references() -> Picture:
    """Draw one path, its four reference prices, and the falls below them."""
    prices = path()
    figure, (above, below) = new_figure(rows=2, height=5.6, sharex=True, height_ratios=(1.15, 1.0))
    days = np.arange(len(prices)) / 24.0
    for name, (reference, colour, dashes) in reference_prices(prices).items():
        above.plot(days, reference, dashes, color=colour, label=name, linewidth=1.5)
        falls = 1.0 - prices / reference
        below.plot(days, falls, dashes, color=colour, linewidth=1.5)
        _mark_trigger(below, days, falls, colour)
    above.plot(days, prices, color="black", linewidth=1.2, label="price")
    above.set(title="Price and the four reference prices", ylabel="price, USD")
    above.legend(ncols=5, loc="lower left", fontsize=8.5, handlelength=2.4, columnspacing=1.2)
    above.set_ylim(66, 122)
    below.axhline(DROP, color=GREY, linewidth=1.0)
    below.text(0.05, DROP + 0.008, "trigger: 20 %", color=GREY, fontsize=8.5)
    below.set(title="Fall below each reference; a dot marks the hour in which a cover fires")
    below.set(xlabel="days since the observation began", ylabel="fall", xlim=(0, 10), ylim=(0, 0.32))
    per_cent_axis(below.yaxis)
    return "references", figure


def _mark_trigger(axes: Axes, days: np.ndarray, falls: np.ndarray, colour: str) -> None:
    fired = np.flatnonzero(np.nan_to_num(falls) >= DROP)
    if len(fired):
        axes.plot(days[fired[0]], falls[fired[0]], "o", color=colour, markersize=6, zorder=3)


def payouts() -> Picture:
    """Draw the share of the limit that three payouts pay, for a trigger of 30 %."""
    figure, axes = new_figure(width=WIDTH, height=3.2)
    drops = np.linspace(0.0, 1.0, 2001)
    shown = (
        ("FullPayout()", FullPayout(), BLUE, "-"),
        ("LinearPayout(0.3, 0.9)", LinearPayout(attachment=0.3, exhaustion=0.9), ORANGE, "--"),
        ("TieredPayout({0.3: 0.25, 0.5: 0.6, 0.8: 1.0})", TieredPayout({0.3: 0.25, 0.5: 0.6, 0.8: 1.0}), GREEN, "-."),
    )
    for name, payout, colour, dashes in shown:
        shares = np.where(drops >= 0.3, payout.share(drops), 0.0)
        axes.plot(drops, shares, dashes, color=colour, label=name)
    axes.axvline(0.3, color=GREY, linewidth=1.0)
    axes.text(0.29, 0.55, "trigger: 30 %", color=GREY, fontsize=8.5, ha="right")
    axes.set(xlabel="worst drop within the term", ylabel="share of the limit", xlim=(0, 1), ylim=(-0.02, 1.05))
    axes.set_title("What is paid")
    axes.legend(loc="lower right", fontsize=8.5, bbox_to_anchor=(1.0, 0.04))
    per_cent_axis(axes.xaxis)
    per_cent_axis(axes.yaxis)
    return "payouts", figure
