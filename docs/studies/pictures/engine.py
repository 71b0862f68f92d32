"""Pictures of simulated worst drops."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes

from calibration import calibrate
from crashcover.sample_market import SUPPLY, TOKENS, closes, holders
from docs.studies.pictures.canvas import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    Picture,
    draw_exceedance,
    new_figure,
    page_examples,
    per_cent_axis,
    probability_axis,
)
from pricing import ConstantVolatility, Normal, PriceModel, Reference, SimulationSettings, simulate
from pricing.closed_form import discrete_drawdown_probability, drawdown_probability, monitored_drop, normal_steps


def exceedance_curves() -> Picture:
    """Draw the four signals of the surface of simulation.md."""
    surface = page_examples("simulation.md", 1)["surface"]
    figure, axes = new_figure()
    signals = (
        ("24h", "30d", ORANGE, "-"),
        ("24h", "7d", ORANGE, "--"),
        ("1h", "30d", BLUE, "-"),
        ("1h", "7d", BLUE, "--"),
    )
    for window, term, colour, dashes in signals:
        label = f"within {window[:-1]} h, term of {term[:-1]} days"
        draw_exceedance(axes, surface.sample(window=window, term=term), colour=colour, label=label, dashes=dashes)
    probability_axis(axes, 3e-5)
    per_cent_axis(axes.xaxis)
    axes.set(xlabel="drop", ylabel="probability of this drop or a deeper one", xlim=(0, 0.6))
    axes.set_title("Exceedance curves of one surface (50,000 paths; bands: 95 %)")
    axes.legend(loc="upper right")
    return "exceedance-curves", figure


def sample_market() -> Picture:
    """Draw the four tokens of ``make demo``: exceedance curves of the synthetic market."""
    figure, panels = new_figure(2, rows=2, width=8.0, height=5.8, sharex=True, sharey=True)
    for axes, token in zip(panels.flat, TOKENS, strict=True):
        found = calibrate(closes(token), holders=holders(token), supply=SUPPLY)
        surface = simulate(found.model, windows=("1h", "24h"), settings=SimulationSettings(n_paths=100_000, seed=1))
        for window, colour, dashes in (("1h", BLUE, "-"), ("24h", ORANGE, "--")):
            sample = surface.sample(window=window, term="30d")
            draw_exceedance(axes, sample, colour=colour, label=f"within {window[:-1]} h", dashes=dashes)
        axes.set_title(token.name)
        axes.text(0.04, 4e-5, fill(token.story, 22, break_on_hyphens=False), fontsize=8.5, color=GREY)
        probability_axis(axes, 2e-5)
        axes.set_xlim(0, 1)
        per_cent_axis(axes.xaxis)
    panels[0, 0].legend(loc="upper right")
    figure.supxlabel("worst drop within 30 days, below the rolling high (bands: 95 % of the simulation)", fontsize=9.5)
    figure.supylabel("probability of this drop or a deeper one", fontsize=9.5)
    return "sample-market", figure


def rare_drops() -> Picture:
    """Draw relative standard errors of plain simulation and of rare-drop sampling over probability."""
    names = page_examples("rare-drops.md", 1)
    rare, model, n_paths = names["surface"], names["model"], 20_000
    plain = simulate(model, settings=SimulationSettings(n_paths=n_paths, seed=1))
    drops = np.arange(0.10, 0.36, 0.0025)
    figure, axes = new_figure()
    for surface, colour, label in ((plain, ORANGE, "plain simulation"), (rare, BLUE, "rare_drops=True")):
        curve = surface.exceedance(drops)
        seen = curve.value > (3.0 / n_paths if surface is plain else 1e-13)
        axes.plot(curve.value[seen], curve.standard_error[seen] / curve.value[seen], color=colour, label=label)
    rarer = np.geomspace(1e-13, 3.0 / n_paths, 50)
    axes.plot(rarer, 1.0 / np.sqrt(n_paths * rarer), ":", color=ORANGE, linewidth=1.2, label="plain, expected: 1/√(Np)")
    axes.set(xscale="log", yscale="log", xlim=(1.2, 1e-13), ylim=(3e-3, 10.0))
    per_cent_axis(axes.yaxis)
    axes.set(xlabel="probability of the drop", ylabel="relative standard error")
    axes.set_title("Error of 20,000 paths by rarity of the drop")
    axes.legend(loc="upper left")
    return "rare-drops", figure


def monitoring() -> Picture:
    """Draw the law of the drawdown under continuous and hourly monitoring, beside a simulation."""
    volatility, days = 1.0, 7
    terms = {"volatility": volatility, "log_drift": 0.0}
    drops = np.arange(0.05, 0.405, 0.01)
    step, term = 1.0 / 8760.0, days / 365.0
    steps = normal_steps(**terms, step_years=step)
    shifted = [monitored_drop(drop=drop, volatility=volatility, step_years=step, event="drawdown") for drop in drops]
    continuous = [drawdown_probability(drop=drop, **terms, term_years=term) for drop in drops]
    corrected = [drawdown_probability(drop=drop, **terms, term_years=term) for drop in shifted]
    exact = [discrete_drawdown_probability(drop=drop, steps=steps, n_steps=24 * days) for drop in drops]
    figure, axes = new_figure()
    axes.plot(drops, continuous, color=ORANGE, label="continuous law")
    axes.plot(drops, exact, color=BLUE, label="hourly, exact recursion")
    axes.plot(drops, corrected, "--", color=SKY, label="continuous law at the shifted drop")
    _draw_simulated(axes, volatility, days)
    probability_axis(axes, 3e-4)
    per_cent_axis(axes.xaxis)
    axes.set(xlabel="drop below the running high", ylabel="probability within 7 days", xlim=(0.05, 0.4))
    axes.set_title("What hourly monitoring misses (volatility 100 %)")
    axes.legend(loc="lower left")
    return "monitoring", figure


def _draw_simulated(axes: Axes, volatility: float, days: int) -> None:
    model = PriceModel(volatility=ConstantVolatility(annual=volatility), innovations=Normal())
    surface = simulate(
        model,
        references=(Reference.RUNNING_HIGH,),
        terms=(f"{days}d",),
        settings=SimulationSettings(n_paths=50_000, seed=1),
    )
    drops = np.arange(0.06, 0.40, 0.04)
    curve = surface.exceedance(drops, reference=Reference.RUNNING_HIGH, term=f"{days}d")
    axes.errorbar(
        drops, curve.value, 1.96 * curve.standard_error, fmt="o", color=GREEN, ecolor=GREY, markersize=4,
        label="simulation, 50,000 paths",
    )  # fmt: skip
