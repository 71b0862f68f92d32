"""Pictures of premiums, principles, limits of rates, and the pool."""

from datetime import timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from docs.studies.pictures.canvas import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    SKY,
    Picture,
    new_figure,
    page_examples,
    per_cent_axis,
)
from pool import draw_horizons, pool_losses
from pricing import RateLimits
from pricing.principles import (
    CostOfCapitalPrinciple,
    ExpectedValuePrinciple,
    ProportionalHazardTransform,
    StandardDeviationPrinciple,
    WangTransform,
)


def premium_build_up() -> Picture:
    """Draw the lines of the premium of premium.md, from the expected loss to what the buyer pays."""
    statement = page_examples("premium.md", 1)["quote"].statement
    lines = {name.replace("_", " "): float(amount) for name, amount in statement.lines.items()}
    gross, tax = float(statement.gross), float(statement.tax)
    figure, axes = new_figure(width=8.4, height=3.9)
    bottom = 0.0
    for place, (name, amount) in enumerate(lines.items()):
        _draw_step(axes, place, amount, bottom, BLUE if name == "expected loss" else SKY)
        bottom += amount
    _draw_step(axes, len(lines), gross, 0.0, BLUE)
    _draw_step(axes, len(lines) + 1, tax, gross, ORANGE)
    _draw_step(axes, len(lines) + 2, gross + tax, 0.0, BLUE, connected=False)
    names = [*lines, "gross", "tax", "total"]
    axes.set_xticks(range(len(names)), [name.replace(" ", "\n") for name in names], fontsize=8)
    axes.set(ylabel="USD", xlim=(-0.6, len(names) - 0.4), ylim=(0, 4000))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_title("A premium line by line, for a limit of 100,000 USD")
    axes.grid(visible=False, axis="x")
    return "premium-build-up", figure


def _draw_step(axes: Axes, place: int, amount: float, bottom: float, colour: str, *, connected: bool = True) -> None:
    axes.bar(place, amount, bottom=bottom, color=colour, width=0.66)
    if connected:
        axes.plot([place - 0.33, place + 1.33], [bottom + amount] * 2, color=GREY, linewidth=0.7)
    axes.text(place, bottom + amount + 55, f"{amount:,.2f}", ha="center", fontsize=8.5)


def distortions() -> Picture:
    """Draw what five principles charge for a binary cover, over its probability."""
    figure, axes = new_figure()
    probabilities = np.geomspace(1e-4, 0.5, 200)
    shown = (
        ("proportional hazard, exponent 0.7", ProportionalHazardTransform(exponent=0.7), ORANGE, "-"),
        ("standard deviation, multiple 0.25", StandardDeviationPrinciple(multiple=0.25), PINK, "--"),
        ("Wang, shift 0.45", WangTransform(shift=0.45), BLUE, "-"),
        ("expected value, loading 1", ExpectedValuePrinciple(loading=1.0), GREEN, "-."),
        ("cost of capital, 1 % on TVaR 99.5 %", CostOfCapitalPrinciple(rate=0.01, level=0.995), SKY, "-"),
    )
    for name, principle, colour, dashes in shown:
        prices = np.array([principle.price_of_binary(float(probability)) for probability in probabilities])
        axes.plot(probabilities, prices / probabilities, dashes, color=colour, label=name)
    axes.set(xscale="log", yscale="log", xlim=(1e-4, 0.5), ylim=(0.95, 40.0))
    per_cent_axis(axes.xaxis)
    axes.yaxis.set_major_locator(FixedLocator([1, 2, 3, 5, 10, 20, 30]))
    axes.yaxis.set_minor_locator(FixedLocator([]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set(xlabel="probability of the event", ylabel="price over expected loss")
    axes.set_title("What principles charge for a binary cover")
    axes.legend(loc="upper right", fontsize=8.5)
    return "distortions", figure


def rate_limits() -> Picture:
    """Draw a rate that jumps and comes back, and what limits make of it."""
    limits, hours = RateLimits(), np.arange(73)
    asked = np.where((hours >= 6) & (hours < 42), 0.03, 0.01)
    rates = [0.01]
    for rate in asked[1:]:
        rates.append(limits.limited(before=rates[-1], asked=float(rate), elapsed=timedelta(hours=1)).rate)
    figure, axes = new_figure(height=3.0)
    axes.step(hours, asked, "--", where="post", color=ORANGE, label="the model asks for")
    axes.step(hours, rates, where="post", color=BLUE, label="under the limits, set every hour")
    axes.set(xlabel="hours", ylabel="rate on line", xlim=(0, 72), ylim=(0.005, 0.035))
    axes.set_xticks(range(0, 73, 6))
    per_cent_axis(axes.yaxis)
    axes.set_title("A rate moves within reach of the one before")
    axes.legend(loc="upper right")
    return "rate-limits", figure


def pool_exceedance() -> Picture:
    """Draw occurrence and aggregate losses of a year for the book of pool.md, before and after reinsurance."""
    names = page_examples("pool.md", 2)
    scenarios = names["scenarios"]
    gross = pool_losses(names["book"], scenarios)
    net = names["contracts"][0].retain(gross)
    years = draw_horizons(scenarios.n_scenarios, 12, levels=scenarios.level)
    periods = np.geomspace(1.2, 250.0, 120)
    figure, axes = new_figure()
    for losses, colour, label in ((gross, ORANGE, "gross"), (net, BLUE, "after reinsurance")):
        by_year = losses.total[years.scenarios]
        for values, dashes, name in ((by_year.sum(axis=1), "-", "AEP"), (by_year.max(axis=1), "--", "OEP")):
            axes.plot(periods, np.quantile(values, 1.0 - 1.0 / periods), dashes, color=colour, label=f"{name}, {label}")
    axes.axhline(1_600.0, color=GREY, linewidth=1.0)
    axes.text(1.25, 1_650.0, "capital: 1,600", color=GREY, fontsize=8.5)
    axes.set(
        xscale="log", xlim=(1.2, 250.0), ylim=(0, 5_000), xlabel="return period, years", ylabel="loss of a year, USD"
    )
    axes.xaxis.set_major_locator(FixedLocator([2, 5, 10, 25, 50, 100, 250]))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_title("Losses of a year by return period: four covers with a limit of 1,000 each")
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 0.98))
    return "pool-exceedance", figure
