"""How a path moves under the law of its worst drop: clustering by arch, crashes as jumps, the level set by the law.

The law says how deep a month goes and nothing of the order of events; a path model says the order and, left alone, gets
the depth wrong. So the path keeps the shape of the token's own returns (clustering, fat tails), is scaled until its
months are as deep and as unlike each other as those of the law, and leaves the rest to the anchors.
"""

import math
from datetime import timedelta

import numpy as np

from calibration.law.crashes import CrashRate
from calibration.law.drop_law import TERM
from calibration.law.worst_month import WorstMonth
from calibration.paths.volatility import VolatilityFit
from pricing.engine.simulation import simulate
from pricing.models.price_model import Collapse, PriceModel
from pricing.models.volatility import ConstantVolatility, VolatilityLaw, scaled_volatility
from pricing.surface.settings import SimulationSettings
from pricing.tools.units import steps_per_year

#: Paths that the median month of a shape is read from: an error of one per cent of the level, which anchors remove.
PILOT = SimulationSettings(n_paths=2048, seed=1)

#: Median drop of a collapse: half of them fall by more than half the price in a day.
COLLAPSE_DROP = 0.5
#: A collapse has at least and at most this probability in a month; anchors say the rest.
LEAST_COLLAPSE, MOST_COLLAPSE = 1e-3, 0.05

_TAME_DEVIATION = 0.2


def collapse_of_month(month: WorstMonth, crashes: CrashRate) -> Collapse:
    """Return the slow crashes of a token's own: months whose median is as deep as `COLLAPSE_DROP`.

    Crashes within a step are jumps; those that take hours come as a multiple of the volatility. Their probability is
    that of an own crash of half that log drop or more within the day.

    Parameters
    ----------
    month : WorstMonth
        The law of the longest window.
    crashes : CrashRate
        Crashes of the token's own within that window.
    """
    depth = -math.log1p(-COLLAPSE_DROP)
    factor = depth / -math.log1p(-month.median_drop)
    expected = crashes.rate * min(1.0, (0.5 * depth / -math.log1p(-crashes.threshold_drop)) ** -crashes.index)
    probability = -math.expm1(-expected)
    return Collapse(
        probability=min(max(probability, LEAST_COLLAPSE), MOST_COLLAPSE), factor=min(max(factor, 1.5), 20.0)
    )


def paths_of_month(fit: VolatilityFit, *, step: timedelta, month: WorstMonth) -> tuple[VolatilityLaw, float]:
    """Scale a volatility law until its months are as deep and as unlike each other as those of the law.

    Without drift and jumps every log drop is proportional to the root of the variance, so one simulation is enough: a
    factor sets the median, and a factor that differs from path to path adds its variance to that of the log drops.

    Parameters
    ----------
    fit : VolatilityFit
        Shape.
    step : timedelta
        Length of a step.
    month : WorstMonth
        The law.

    Returns
    -------
    volatility : ConstantVolatility or Garch
        The scaled law.
    volatility_spread : float
        Standard deviation of the log of the factor of a path.
    """
    # At its own level a wild shape may fall by everything that a double can hold, and no median is left to scale by.
    tame = scaled_volatility(fit.law, _TAME_DEVIATION / math.sqrt(_largest_variance(fit.law, step) * (TERM / step)))
    pilot = simulate(
        PriceModel(volatility=tame, innovations=fit.innovations, step=step),
        windows=(month.window,),
        terms=(TERM,),
        settings=PILOT,
    )
    deep, median, shallow = np.quantile(-np.log1p(-pilot.worst_drops[0]), (0.84, 0.5, 0.16))
    missing = month.dispersion**2 - (0.5 * math.log(deep / shallow)) ** 2
    return scaled_volatility(tame, -math.log1p(-month.median_drop) / float(median)), math.sqrt(max(0.0, missing))


def _largest_variance(law: VolatilityLaw, step: timedelta) -> float:
    """Return the variance per step that dominates a term."""
    if isinstance(law, ConstantVolatility):
        return law.annual**2 / steps_per_year(step)
    return max(law.initial_variance, law.omega / (1.0 - law.persistence))
