"""Pictures of choose-a-load.md: what loads cost, over chances and terms, and what they are held against."""

from datetime import timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from docs.studies.pictures.canvas import BLUE, GREEN, GREY, ORANGE, PINK, SKY, Picture, new_figure, per_cent_axis
from pricing.principles import HazardTransform, PremiumPrinciple, parse_risk_load
from pricing.tools.arrays import FloatArray

#: Loads by name, with their colours and dashes.
SHOWN = (
    ("hazard", BLUE, "-"),
    ("wang:0.45", SKY, "-"),
    ("capital:0.1", GREEN, "-."),
    ("full-collateral", ORANGE, "-"),
    ("standard-deviation:0.25", PINK, "--"),
)
_MONTHLY = np.geomspace(1e-4, 0.2, 120)
#: Expected losses of 30 days, and the capital per unit of limit that a pool needs; the table of the page.
_POOL = np.array([[0.0001, 0.001, 0.01, 0.05, 0.2], [0.018, 0.135, 0.72, 0.93, 0.80]])
#: Median multiples of catastrophe bonds by expected loss per year: begin and end of each class, and the multiple.
_BOND_MULTIPLES = ((0.001, 0.005, 22.0), (0.005, 0.01, 5.5), (0.02, 0.03, 3.1), (0.08, 0.12, 1.75))


def load_multiples() -> Picture:
    """Draw what loads make of a binary cover of 30 days, over its expected loss."""
    figure, axes = new_figure()
    for name, colour, dashes in SHOWN:
        prices = _prices(parse_risk_load(name), 30.0, _MONTHLY)
        axes.plot(_MONTHLY, prices / _MONTHLY, dashes, color=colour, label=name)
    _multiple_axis(axes)
    _chance_axis(axes)
    axes.set_title("Price over expected loss: a binary cover of 30 days, before expenses")
    axes.legend(loc="upper right", fontsize=8.5)
    return "load-multiples", figure


def load_bonds() -> Picture:
    """Draw the yearly price of the default load against what catastrophe bonds pay."""
    figure, axes = new_figure()
    yearly = np.geomspace(0.001, 0.3, 120)
    monthly = -np.expm1(30.0 / 365.0 * np.log1p(-yearly))
    for name, colour, dashes in SHOWN[:1] + SHOWN[-1:]:
        axes.plot(yearly, _prices(parse_risk_load(name), 365.0, monthly) / yearly, dashes, color=colour, label=name)
    seen = yearly[yearly <= 0.12]
    axes.plot(seen, 0.0464 / seen + 1.51, color=GREY, linewidth=1.2, label="bonds: 4.64 % + 1.51 × expected loss")
    for place, (begin, end, multiple) in enumerate(_BOND_MULTIPLES):
        label = None if place else "bonds: median of a class"
        axes.plot([begin, end], [multiple, multiple], color=ORANGE, linewidth=3.0, solid_capstyle="butt", label=label)
    _multiple_axis(axes)
    axes.set(xscale="log", xlim=(0.001, 0.3), xlabel="expected loss per year")
    axes.xaxis.set_major_locator(FixedLocator([0.001, 0.003, 0.01, 0.03, 0.1, 0.3]))
    per_cent_axis(axes.xaxis)
    axes.set_title("A yearly cover, and the spreads of 460 catastrophe bonds")
    axes.legend(loc="upper right", fontsize=8.5)
    return "load-bonds", figure


def load_terms() -> Picture:
    """Draw the ratio of 52 weekly covers to a yearly one, in chances of a loaded payment within a year."""
    figure, axes = new_figure()
    per_term = [(f"{name}, chosen for a term", parse_risk_load(name, horizon="term")) for name in ("wang:0.45",)]
    loads = [(name, parse_risk_load(name)) for name in ("hazard", "wang:0.45", "standard-deviation:0.25")]
    styles = ((BLUE, "-"), (SKY, "-."), (PINK, "--"), (GREEN, ":"))
    for (name, load), (colour, dashes) in zip(loads + per_term, styles, strict=True):
        by_the_week = within(52.0 * 7.0, 1.0 - (1.0 - _prices(load, 7.0, _MONTHLY)) ** (30.0 / 7.0))
        axes.plot(_MONTHLY, by_the_week / _prices(load, 364.0, _MONTHLY), dashes, color=colour, label=name)
    axes.axhspan(0.95, 1.05, color=GREY, alpha=0.15, linewidth=0)
    axes.set(ylim=(0.8, 7.0), yscale="log", ylabel="52 weekly covers over a yearly one")
    _plain_ticks(axes, [0.8, 1, 1.5, 2, 3, 4, 5, 6, 7])
    _chance_axis(axes)
    axes.set_title("Loads that agree over terms: 1 − (1 − weekly)^52 over the yearly rate")
    axes.legend(loc="upper right", fontsize=8.5)
    return "load-terms", figure


def load_capital() -> Picture:
    """Draw the capital that the default load charges for, and that of the pool."""
    figure, axes = new_figure(height=3.2)
    load = HazardTransform()
    margin_only = HazardTransform(capital_rate=0.0)
    years = 30.0 / 365.0
    kept = [np.log1p(-_prices(each, 30.0, _MONTHLY)) for each in (margin_only, load)]
    axes.plot(_MONTHLY, (kept[0] - kept[1]) / (load.capital_rate * years), color=BLUE, label="hazard")
    axes.plot(
        *_POOL,
        "o",
        color=ORANGE,
        clip_on=False,
        label="pool of tokens that fall together, TVaR 99.5 % less expected loss",
    )
    axes.set(ylim=(0.0, 1.02), ylabel="capital per unit of limit")
    _chance_axis(axes)
    axes.set_title("The capital behind a cover")
    axes.legend(loc="lower right", fontsize=8.5)
    return "load-capital", figure


def load_rates() -> Picture:
    """Draw the rate on line of the default load by term, and what it consists of for a month."""
    figure, (by_term, by_part) = new_figure(2, width=8.4)
    days = np.arange(1, 181)
    for monthly, colour in ((0.05, ORANGE), (0.01, BLUE), (0.001, GREEN)):
        rates = [float(_prices(HazardTransform(), float(each), np.array([monthly]))[0]) for each in days]
        by_term.plot(days, rates, color=colour, label=f"{100 * monthly:g} % per 30 days")
        by_term.plot(days, within(days, monthly), ":", color=colour, linewidth=1.2)
    by_term.set(xlabel="term, days", ylabel="rate on line, before expenses", yscale="log", xlim=(0, 180))
    by_term.set_xticks(range(0, 181, 30))
    per_cent_axis(by_term.yaxis)
    by_term.set_title("Default load by term (dotted: expected loss)")
    by_term.legend(loc="lower right", fontsize=8.5)
    whole, margin = (_prices(HazardTransform(capital_rate=rate), 30.0, _MONTHLY) for rate in (0.1, 0.0))
    shares = np.array([_MONTHLY, margin - _MONTHLY, whole - margin]) / whole
    labels = ("expected loss", "margin on the crash rate", "cost of capital")
    by_part.stackplot(_MONTHLY, shares, colors=(BLUE, SKY, ORANGE), labels=labels, linewidth=0)
    by_part.set(ylim=(0.0, 1.0), ylabel="share of the price")
    per_cent_axis(by_part.yaxis)
    _chance_axis(by_part)
    by_part.set_title("What it pays for, 30 days")
    by_part.legend(loc="lower left", fontsize=8.5, frameon=True)
    return "load-rates", figure


def within(days: FloatArray | float, monthly: FloatArray | float) -> FloatArray:
    """Return the chance within a number of days of an event that comes at a constant rate, given that of 30 days."""
    return np.asarray(-np.expm1(days / 30.0 * np.log1p(-np.asarray(monthly))))


def _prices(load: PremiumPrinciple, days: float, monthly: FloatArray) -> FloatArray:
    of_term = load.over(timedelta(days=days))
    return np.array([of_term.price_of_binary(float(chance)) for chance in within(days, monthly)])


def _chance_axis(axes: Axes) -> None:
    axes.set(xscale="log", xlim=(_MONTHLY[0], _MONTHLY[-1]), xlabel="expected loss per 30 days")
    axes.xaxis.set_major_locator(FixedLocator([1e-4, 1e-3, 1e-2, 0.05, 0.2]))
    axes.xaxis.set_minor_formatter(NullFormatter())
    per_cent_axis(axes.xaxis)


def _multiple_axis(axes: Axes) -> None:
    axes.set(yscale="log", ylim=(0.95, 45.0), ylabel="price over expected loss")
    _plain_ticks(axes, [1, 2, 3, 5, 10, 20, 40])


def _plain_ticks(axes: Axes, values: list[float]) -> None:
    axes.yaxis.set_major_locator(FixedLocator(values))
    axes.yaxis.set_minor_locator(FixedLocator([]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
