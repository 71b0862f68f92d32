"""Every term from three windows: for independent steps, three days determine a month.

Triggers within two periods of two windows each are independent if the periods do not touch. Such 1-dependent
sequences have so short a memory that the probability of no trigger over n windows is, to high accuracy,
``Q(n) = Q(3) (Q(3) / Q(2))^(n - 3)`` (Haiman 1999). A simulation of three windows takes 3 / n of the time of n. Two of
the three are observed twice, the first two and the last two, which halves the variance of the ratio.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from pricing.contract.thresholds import least_drop
from pricing.contract.triggers import Reference
from pricing.engine.simulation import simulate
from pricing.errors import InvalidModelError, InvalidTermsError
from pricing.models.price_model import PriceModel
from pricing.models.volatility import ConstantVolatility
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import DropSurface
from pricing.tools.units import Duration, format_duration, parse_duration, require_fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class TermEstimate:
    """A trigger probability over a term, extrapolated from three windows.

    Parameters
    ----------
    value : float
        Probability of a worst drop of at least the given drop.
    standard_error : float
        Its Monte Carlo standard error.
    lower, upper : float
        Rigorous bounds at the estimated probabilities of two and three windows; they hold for any independent steps and
        limit the error of the extrapolation.
    """

    value: float
    standard_error: float
    lower: float
    upper: float


def simulate_three_windows(
    model: PriceModel,
    *,
    window: Duration = "24h",
    reference: Reference = Reference.ROLLING_HIGH,
    settings: SimulationSettings | None = None,
) -> DropSurface:
    """Simulate the surface that ``exceedance_over_term`` needs.

    Parameters
    ----------
    model : PriceModel
        A model with constant volatility: its steps are independent.
    window : timedelta or str
        Window of the trigger.
    reference : Reference
        Reference, ROLLING_HIGH or LAGGED.
    settings : SimulationSettings, optional
        As in ``simulate``.

    Raises
    ------
    InvalidModelError
        If steps depend on each other.
    InvalidTermsError
        If the reference has no window.
    """
    if not isinstance(model.volatility, ConstantVolatility):
        raise InvalidModelError(
            f"volatility must be ConstantVolatility, got {type(model.volatility).__name__} (three windows are enough "
            "only if steps are independent)"
        )
    if not reference.has_window:
        raise InvalidTermsError(f"reference must be ROLLING_HIGH or LAGGED, got {reference.name}")
    span = parse_duration(window, "window")
    return simulate(
        model,
        windows=(span,),
        terms=(2 * span, 3 * span),
        references=(reference,),
        waiting_periods=("0h", span),
        settings=settings,
    )


def exceedance_over_term(surface: DropSurface, drop: float, *, term: Duration) -> TermEstimate:
    """Extrapolate the trigger probability of three windows to a longer term.

    The error of the extrapolation is far below that of a simulation if a trigger within two windows is unlikely:
    Haiman bounds it by ``3.3 (n - 1) p(2)^2`` for ``p(2) <= 0.025``. It is tested against direct simulation for
    normal and Student-t steps.

    Parameters
    ----------
    surface : DropSurface
        Surface from ``simulate_three_windows``.
    drop : float
        Drop, a fraction.
    term : timedelta or str
        Term of at least three windows, not necessarily a whole number.

    Raises
    ------
    InvalidTermsError
        If the term is shorter than three windows, or the surface does not have terms of two and three windows.
    """
    require_fraction(drop, "drop")
    rows, n_windows = _rows(surface), _windows_in(surface, parse_duration(term, "term"))
    weights = np.broadcast_to(1.0 if surface.weights is None else surface.weights, surface.worst_drops.shape)
    first_two, last_two, all_three = (weights[row] * (surface.worst_drops[row] >= least_drop(drop)) for row in rows)
    within_two, within_three = 0.5 * (first_two + last_two), all_three
    p2, p3 = float(within_two.mean()), float(within_three.mean())
    if p3 >= 1.0:
        return TermEstimate(value=1.0, standard_error=1.0 / surface.settings.n_paths, lower=0.0, upper=1.0)
    log_two, log_three = math.log1p(-p2), math.log1p(-p3)
    log_survival = (n_windows - 2.0) * log_three - (n_windows - 3.0) * log_two
    influence = (n_windows - 2.0) / (1.0 - p3) * within_three - (n_windows - 3.0) / (1.0 - p2) * within_two
    return TermEstimate(
        value=-math.expm1(log_survival),
        standard_error=math.exp(log_survival) * float(influence.std()) / math.sqrt(len(influence)),
        lower=-math.expm1(min(math.floor(n_windows / 2) * log_two, math.floor(n_windows / 3) * log_three)),
        upper=-math.expm1(max(math.ceil(n_windows - 1) * log_two, math.ceil((n_windows - 1) / 2) * log_three)),
    )


def _rows(surface: DropSurface) -> tuple[int, int, int]:
    """Return the rows of the first two windows, the last two and all three."""
    window = surface.signals[0].window_steps
    observed = [(signal.start_steps, signal.term_steps) for signal in surface.signals]
    wanted = ((0, 2 * window), (window, 3 * window), (0, 3 * window))
    if not set(wanted) <= set(observed):
        raise InvalidTermsError("surface must hold the terms of two and three windows (use simulate_three_windows)")
    first_two, last_two, all_three = map(observed.index, wanted)
    return first_two, last_two, all_three


def _windows_in(surface: DropSurface, term: timedelta) -> float:
    """Return the term in windows of the surface."""
    n_windows = term / (surface.signals[0].window_steps * surface.model.step)
    if n_windows < 3.0:
        raise InvalidTermsError(f"term must be at least three windows, got {format_duration(term)}")
    return n_windows
