"""Dynamics of paths under the law of the worst drop: clustering by arch, crashes as jumps, the level set by the law.

The law describes the depth of a month and not the order of events. A path model describes the order but, by itself,
gets the depth wrong. So the paths keep the shape of the token's own returns (clustering, fat tails), are scaled until
the depth of their months has the median and dispersion of the law, and the anchors do the rest.
"""

import math
from datetime import timedelta

import numpy as np

from calibration.law.crashes import CrashRate
from calibration.law.drop_law import TERM
from calibration.law.worst_month import WorstMonth
from calibration.paths.volatility import PERSISTENCE_BOUND
from pricing.engine.simulation import simulate
from pricing.models.innovations import InnovationLaw
from pricing.models.price_model import Collapse, PriceModel
from pricing.models.volatility import ConstantVolatility, Garch, VolatilityLaw, scaled_volatility
from pricing.surface.settings import SimulationSettings
from pricing.tools.units import steps_per_year

#: Simulation for the median month of a shape: it leaves an error of one per cent of the level, which anchors remove.
PILOT = SimulationSettings(n_paths=2048, seed=1)

#: Median drop of a collapse: half of them fall by more than half the price in a day.
COLLAPSE_DROP = 0.5
#: Bounds on the probability of a collapse in a month; anchors do the rest.
LEAST_COLLAPSE, MOST_COLLAPSE = 1e-3, 0.05

_TAME_DEVIATION = 0.2


def stretched_volatility(law: VolatilityLaw, factor: float) -> VolatilityLaw:
    """Return a volatility law for steps that are longer by a factor.

    A variance shock fades as fast per hour as before, but not more slowly than `PERSISTENCE_BOUND` per step; the share
    of the news in the variance stays.
    """
    if factor == 1.0 or isinstance(law, ConstantVolatility):
        return law
    persistence = min(law.persistence**factor, PERSISTENCE_BOUND)
    kept = persistence / law.persistence if law.persistence else 1.0
    mean = law.omega / (1.0 - law.persistence)
    return Garch(
        omega=factor * mean * (1.0 - persistence),
        alpha=kept * law.alpha,
        beta=kept * law.beta,
        gamma=kept * law.gamma,
        initial_variance=factor * law.initial_variance,
    )


def collapse_of_month(month: WorstMonth, crashes: CrashRate) -> Collapse:
    """Return a token's own slow crashes: months whose median worst drop is `COLLAPSE_DROP`.

    Crashes within a step are jumps; those that take hours are modelled as a multiple of the volatility. Their
    probability is that of an own crash of half that log drop or more within the day.

    Parameters
    ----------
    month : WorstMonth
        Worst month for the longest window.
    crashes : CrashRate
        The token's own crashes within that window.
    """
    depth = -math.log1p(-COLLAPSE_DROP)
    factor = depth / -math.log1p(-month.median_drop)
    expected = crashes.rate * min(1.0, (0.5 * depth / -math.log1p(-crashes.threshold_drop)) ** -crashes.index)
    probability = -math.expm1(-expected)
    return Collapse(
        probability=min(max(probability, LEAST_COLLAPSE), MOST_COLLAPSE), factor=min(max(factor, 1.5), 20.0)
    )


def paths_of_month(
    law: VolatilityLaw, innovations: InnovationLaw, *, step: timedelta, month: WorstMonth
) -> tuple[VolatilityLaw, float]:
    """Scale a volatility law until its months have the median and dispersion of the law.

    Without drift and jumps every log drop is proportional to the root of the variance, so one simulation is enough: a
    factor sets the median, and a factor that varies from path to path adds its variance to that of the log drops.

    Parameters
    ----------
    law : ConstantVolatility or Garch
        Law of the variance per step, at any level.
    innovations : Normal, StudentT, Empirical
        Law of the standardised shock.
    step : timedelta
        Length of a step.
    month : WorstMonth
        Worst month to match.

    Returns
    -------
    volatility : ConstantVolatility or Garch
        The scaled law.
    volatility_spread : float
        Standard deviation of the log of the factor of a path.
    """
    # At its own level an extreme shape may fall by more than a double can represent, and there would be no median to
    # scale.
    tame = scaled_volatility(law, _TAME_DEVIATION / math.sqrt(_largest_variance(law, step) * (TERM / step)))
    pilot = simulate(
        PriceModel(volatility=tame, innovations=innovations, step=step),
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
