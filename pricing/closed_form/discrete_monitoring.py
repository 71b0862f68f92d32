"""Exact recursions for prices watched on a grid, and the shifts that adapt continuous formulas to a grid.

The steps of the log price are independent with any smooth law, given as a `StepLaw`; `normal_steps` returns that of
geometric Brownian motion. Every recursion runs backwards on the probability of the trigger itself, so its terms are
positive and small probabilities keep their relative precision.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr

from pricing.closed_form._checks import (
    as_probability,
    at_least_once,
    check_count,
    check_diffusion,
    check_finite,
    check_model,
    check_terms,
    log_distance,
    log_drawdown,
)
from pricing.closed_form._quadrature import chebyshev_points, gauss_legendre, interpolation_matrix, panels
from pricing.errors import InvalidTermsError
from pricing.tools.arrays import FloatArray

ArrayFunction = Callable[[FloatArray], FloatArray]

#: Mean overshoot of a normal random walk, in step deviations: -zeta(1/2)/sqrt(2 pi).
OVERSHOOT = 0.5825971579390107

_OVERSHOOTS = {"fixed_barrier": 1.0, "fixed_lag": math.sqrt(2.0), "drawdown": 2.0}
_PANEL_IN_STDEVS = 4.0
_REACH = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLaw:
    """Law of the log return of one step.

    Parameters
    ----------
    density, cdf : callable
        Density and distribution function of the log return, shape (n,) to (n,); smooth on the scale of ``stdev``.
    mean, stdev : float
        Mean and standard deviation of the log return.
    """

    density: ArrayFunction
    cdf: ArrayFunction
    mean: float
    stdev: float

    def __post_init__(self) -> None:
        check_finite(mean=self.mean)
        check_model(stdev=self.stdev)


def normal_steps(*, volatility: float, log_drift: float, step_years: float) -> StepLaw:
    """Return the law of the steps of geometric Brownian motion.

    Parameters
    ----------
    volatility : float
        Per square root of a year, positive.
    log_drift : float
        Drift of the log price per year.
    step_years : float
        Step in years.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.
    """
    check_diffusion(volatility, log_drift)
    check_terms(step_years=step_years)
    mean, stdev = log_drift * step_years, volatility * math.sqrt(step_years)

    def density(x: FloatArray) -> FloatArray:
        return np.asarray(np.exp(-0.5 * ((x - mean) / stdev) ** 2) / (stdev * math.sqrt(2.0 * math.pi)))

    def cdf(x: FloatArray) -> FloatArray:
        return np.asarray(ndtr((x - mean) / stdev))

    return StepLaw(density=density, cdf=cdf, mean=mean, stdev=stdev)


def monitored_drop(
    *,
    drop: float,
    volatility: float,
    step_years: float,
    event: Literal["fixed_barrier", "fixed_lag", "drawdown"],
) -> float:
    """Return the drop for which a continuous formula approximates monitoring on a grid.

    The log distance grows by one overshoot for T1, by sqrt(2) for T3, whose return moves at both ends, and by two
    overshoots for T4 and T5, which miss the high as well as the low. Accurate to one or two per cent if the distance is
    at least ten steps wide and the probability above 1e-3; use the recursions otherwise.

    Parameters
    ----------
    drop : float
        Drop of the cover, a fraction.
    volatility : float
        Per square root of a year, positive.
    step_years : float
        Monitoring step in years.
    event : {"fixed_barrier", "fixed_lag", "drawdown"}
        The event that is watched.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.

    References
    ----------
    Broadie, Glasserman and Kou, A continuity correction for discrete barrier options, Math. Finance 7 (1997);
    Siegmund, Sequential Analysis (1985), whose 1.166 for cumulative sums is two overshoots.
    """
    distance = log_distance(drop)
    check_model(volatility=volatility)
    check_terms(step_years=step_years)
    if event not in _OVERSHOOTS:
        raise InvalidTermsError(f"event must be one of {', '.join(_OVERSHOOTS)}, got {event!r}")
    shift = _OVERSHOOTS[event] * OVERSHOOT * volatility * math.sqrt(step_years)
    return -math.expm1(-distance - shift)


def discrete_touch_probability(*, drop: float, steps: StepLaw, n_steps: int) -> float:
    """T1 on a grid: probability that one of ``n_steps`` prices is at or below ``1 - drop`` of the start.

    Parameters
    ----------
    drop : float
        Drop, a fraction.
    steps : StepLaw
        Law of a step. For tails heavier than normal, paths are lost that first rise by nine standard deviations
        of the whole term.
    n_steps : int
        Number of observations.

    Raises
    ------
    InvalidTermsError
        If a term is outside its domain.
    """
    distance = log_distance(drop)
    check_count(n_steps=n_steps)
    nodes, weights = _nodes_above_level(distance, steps, n_steps)
    kernel = steps.density(nodes[None, :] - nodes[:, None]) * weights
    touched_next = steps.cdf(-nodes)
    touched = np.zeros_like(nodes)
    for _ in range(n_steps - 1):
        touched = touched_next + kernel @ touched
    start = np.array([distance])
    return as_probability(float(steps.cdf(-start)[0] + steps.density(nodes - distance) * weights @ touched))


def untouched_expectation(
    payoff: ArrayFunction, *, drop: float, steps: StepLaw, n_steps: int, kinks: tuple[float, ...] = ()
) -> float:
    """Return the expected payoff of the last price if none of ``n_steps`` is at or below ``1 - drop`` of the start.

    Parameters
    ----------
    payoff : callable
        Payoff of the final log price relative to the start, shape (n,) to (n,).
    drop, steps, n_steps
        As in `discrete_touch_probability`.
    kinks : tuple of float
        Log prices at which the payoff is not smooth.

    Raises
    ------
    InvalidTermsError
        If a term is outside its domain.
    """
    distance = log_distance(drop)
    check_count(n_steps=n_steps)
    nodes, weights = _nodes_above_level(distance, steps, n_steps, tuple(distance + kink for kink in kinks))
    kernel = steps.density(nodes[None, :] - nodes[:, None]) * weights
    value = payoff(nodes - distance)
    for _ in range(n_steps - 1):
        value = kernel @ value
    return float(steps.density(nodes - distance) * weights @ value)


def _nodes_above_level(
    distance: float, steps: StepLaw, n_steps: int, kinks: tuple[float, ...] = ()
) -> tuple[FloatArray, FloatArray]:
    top = distance + max(steps.mean, 0.0) * n_steps + _REACH * steps.stdev * math.sqrt(n_steps)
    edges = [0.0, *sorted(kink for kink in kinks if 0.0 < kink < top), top]
    return panels(edges, _PANEL_IN_STDEVS * steps.stdev)


def discrete_drawdown_probability(*, drop: float, steps: StepLaw, n_steps: int, current_drawdown: float = 0.0) -> float:
    """T5 on a grid: probability that one of ``n_steps`` prices is ``drop`` or more below the highest before it.

    Also T4 if the window is no shorter than the term. Uses Lindley's recursion for the depth below the high, with an
    atom at zero for the paths at a new high.

    Parameters
    ----------
    drop : float
        Drop, a fraction.
    steps : StepLaw
        Law of a step, with any tail.
    n_steps : int
        Number of observations after the start.
    current_drawdown : float
        Fraction by which the price is already below its high.

    Raises
    ------
    InvalidTermsError
        If a term is outside its domain.
    """
    distance, start = log_distance(drop), log_drawdown(current_drawdown, drop)
    check_count(n_steps=n_steps)
    inner, weights = panels([0.0, distance], _PANEL_IN_STDEVS * steps.stdev)
    depths = np.concatenate([[0.0], inner])
    weights = np.concatenate([[0.0], weights])

    def transition(depth: FloatArray) -> FloatArray:
        matrix = steps.density(depth[:, None] - depths[None, :]) * weights
        matrix[:, 0] = 1.0 - steps.cdf(depth)
        return matrix

    kernel, reached_next = transition(depths), steps.cdf(depths - distance)
    reached = np.zeros_like(depths)
    for _ in range(n_steps - 1):
        reached = reached_next + kernel @ reached
    from_start = np.array([start])
    return as_probability(float(steps.cdf(from_start - distance)[0] + transition(from_start)[0] @ reached))


def one_step_window_probability(*, drop: float, steps: StepLaw, n_steps: int) -> float:
    """T4 on a grid with a window of one step: probability that one of ``n_steps`` returns is a drop.

    Parameters and errors are those of `discrete_drawdown_probability`.
    """
    distance = log_distance(drop)
    check_count(n_steps=n_steps)
    return at_least_once(as_probability(float(steps.cdf(np.array([-distance]))[0])), n_steps)


def two_step_window_probability(*, drop: float, steps: StepLaw, n_steps: int) -> float:
    """T4 on a grid with a window of two steps: a drop within one step, or within two steps together.

    Only the fall of the last step matters for the next one, so the recursion runs on it, with an atom at zero for a
    last step that was a rise.

    Parameters and errors are those of `discrete_drawdown_probability`.
    """
    distance = log_distance(drop)
    check_count(n_steps=n_steps)
    order = 32 + 4 * math.ceil(distance / steps.stdev)
    falls = chebyshev_points(0.0, distance, order)
    kernel = np.array([_next_fall_weights(fall, distance, falls, steps, order) for fall in falls])
    kernel[:, 0] += 1.0 - steps.cdf(np.zeros(1))[0]
    triggered_next = steps.cdf(falls - distance)
    triggered = np.zeros_like(falls)
    for _ in range(n_steps):
        triggered = triggered_next + kernel @ triggered
    return as_probability(float(triggered[0]))


def _next_fall_weights(fall: float, distance: float, falls: FloatArray, steps: StepLaw, order: int) -> FloatArray:
    """Return weights of the next fall: after ``fall``, one smaller than ``distance - fall`` does not trigger."""
    points, weights = gauss_legendre(0.0, distance - fall, order)
    return np.asarray((weights * steps.density(-points)) @ interpolation_matrix(falls, points))
