"""Exceedance curves with the band of their simulation error, as far as the paths resolve them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from pricing.show import drawing
from pricing.surface.estimates import Estimate, WeightedSample
from pricing.tools.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A probability of fewer paths than this cannot be distinguished from zero with 95 % confidence.
FEWEST_PATHS = 3
#: Drops at which curves are evaluated.
GRID = tuple(percent / 100 for percent in range(1, 100))
_FINE_GRID = tuple(step / 200 for step in range(2, 200))


def exceedance_band(
    sample: WeightedSample, grid: Iterable[float]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return drops, probabilities, standard errors and both ends of the band, as far as there are enough paths.

    The band is even on the logarithmic scale: a probability multiplied and divided by the exponential of 1.96 relative
    standard errors.

    Parameters
    ----------
    sample : WeightedSample
        Worst drops.
    grid : iterable of float
        Drops in increasing order.
    """
    drops = [drop for drop in grid if sample.n_beyond(drop) >= FEWEST_PATHS]
    estimates = [_exceedance(sample, drop) for drop in drops]
    probability = np.array([estimate.value for estimate in estimates])
    error = np.array([estimate.standard_error for estimate in estimates])
    spread = np.exp(drawing.BAND * error / probability)
    return np.array(drops), probability, error, probability / spread, np.minimum(probability * spread, 1.0)


def _exceedance(sample: WeightedSample, drop: float) -> Estimate[float]:
    """Estimate an exceedance without a warning of few paths: the band shows how wide the error is."""
    weighted = sample.weighted(np.ones(sample.n_beyond(drop)))
    mean = float(weighted.sum()) / sample.n_paths
    return Estimate(mean, sample.standard_error(weighted, mean))


def draw_curve(axes: "Axes", sample: WeightedSample, *, style: int, name: str) -> None:
    """Draw an exceedance curve with its band, both in per cent."""
    drops, probability, _, *ends = (100 * each for each in exceedance_band(sample, _FINE_GRID))
    drawing.banded(axes, drops, probability, (ends[0], ends[1]), style=style, name=name)


def finish_chart(axes: "Axes", n_paths: int, *, resolved: bool) -> None:
    """Set scales and labels of a chart of exceedance curves.

    Parameters
    ----------
    axes : Axes
        Axes with the curves.
    n_paths : int
        Number of paths.
    resolved : bool
        Whether weighted paths resolve more than their number suggests; otherwise what they do not resolve is shaded.
    """
    lowest = 100.0 * FEWEST_PATHS / n_paths
    if not resolved:
        shade_unresolved(axes, lowest, n_paths)
    axes.set(yscale="log", xlim=(0.0, 100.0), ylim=(0.4 * lowest, 140.0))
    drawing.plain_numbers(axes.yaxis)
    drawing.plain(axes)
    drawing.label(
        axes,
        across="worst drop of the term, % of the reference price (bands: 95 % of the simulation)",
        up="probability of at least that drop, %",
    )


def shade_unresolved(axes: "Axes", lowest: float, n_paths: int) -> None:
    """Shade the probabilities, in per cent, that the paths cannot resolve."""
    axes.axhspan(0.0, lowest, color=drawing.GREY, alpha=0.12, linewidth=0, zorder=0)
    text = f"not resolved: fewer than {FEWEST_PATHS} of {n_paths:,} paths"
    axes.text(1.0, 0.92 * lowest, text, fontsize=drawing.SMALL - 1, color=drawing.GREY, va="top")
