"""T3 and T4 over many windows: rigorous bounds, and extrapolation from the law of two and three windows.

Let p(n) be the probability of a trigger within a term of n windows. The bounds hold for every process with
independent, identically distributed increments, whatever their law: not triggering is increasing in each increment, so
association (Harris, FKG) applies. They do not hold if volatility depends on the path, as under GARCH.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from pricing.closed_form._checks import (
    as_probability,
    at_least_once,
    check_count,
    check_probability,
    check_terms,
    log_distance,
)
from pricing.closed_form._quadrature import panels
from pricing.closed_form.calendar_gaps import jump_gap_intensity, jump_gap_probability
from pricing.closed_form.drawdown import drawdown_probability
from pricing.errors import InvalidTermsError

# Haiman's constant and the range for which the theorem is proved.
_HAIMAN_CONSTANT, _HAIMAN_RANGE = 3.3, 0.025
_WHOLE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Rigorous bounds on a probability."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HaimanEstimate:
    """An extrapolated probability and the bound on its error: infinite outside the range of the theorem."""

    probability: float
    error_bound: float


def window_bounds(*, probability: float, windows_covered: int, n_windows: float) -> Bounds:
    """Bound the trigger probability of a long term by that of a term of a few windows.

    Parameters
    ----------
    probability : float
        Trigger probability within ``windows_covered`` windows, of T3 or of T4.
    windows_covered : int
        Number of windows, at least 2.
    n_windows : float
        Term in windows, at least ``windows_covered``.

    Raises
    ------
    InvalidTermsError
        If a term is outside its domain.

    Examples
    --------
    >>> bounds = window_bounds(probability=0.1, windows_covered=2, n_windows=4)
    >>> round(bounds.lower, 4), round(bounds.upper, 4)
    (0.19, 0.271)
    """
    check_probability(probability=probability)
    check_count(2, windows_covered=windows_covered)
    check_terms(n_windows=n_windows)
    if n_windows < windows_covered - _WHOLE:
        raise InvalidTermsError(f"n_windows must be at least windows_covered={windows_covered}, got {n_windows}")
    disjoint = math.floor(n_windows / windows_covered + _WHOLE)
    covering = math.ceil((n_windows - 1.0) / (windows_covered - 1.0) - _WHOLE)
    return Bounds(lower=at_least_once(probability, disjoint), upper=at_least_once(probability, covering))


def ratio_extrapolation(*, two_windows: float, three_windows: float, n_windows: float) -> float:
    """Return the trigger probability of a long term by geometric extrapolation of survival over two and three windows.

    Parameters
    ----------
    two_windows, three_windows : float
        Trigger probabilities within two and three windows.
    n_windows : float
        Term in windows, at least 3.

    Raises
    ------
    InvalidTermsError
        If the probabilities are not ordered or the term is too short.
    """
    _check_extrapolation(two_windows, three_windows, n_windows)
    log_two, log_three = math.log1p(-two_windows), math.log1p(-three_windows)
    return as_probability(-math.expm1(log_three + (n_windows - 3.0) * (log_three - log_two)))


def haiman_extrapolation(*, two_windows: float, three_windows: float, n_windows: float) -> HaimanEstimate:
    """Return the trigger probability of a long term by Haiman's theorem on maxima of 1-dependent sequences.

    Parameters and errors are those of `ratio_extrapolation`. The error bound is 3.3 (n - 1) p(2)^2, valid for p(2) up
    to 0.025.

    References
    ----------
    Haiman, First passage time for some stationary processes, Stoch. Proc. Appl. 80 (1999).
    """
    _check_extrapolation(two_windows, three_windows, n_windows)
    difference = three_windows - two_windows
    log_lead = math.log1p(three_windows - 2.0 * two_windows)  # 2 q1 - q2 with q = 1 - p
    log_decay = math.log1p(difference + 2.0 * difference**2)
    bound = _HAIMAN_CONSTANT * (n_windows - 1.0) * two_windows**2 if two_windows <= _HAIMAN_RANGE else math.inf
    return HaimanEstimate(
        probability=as_probability(-math.expm1(log_lead - (n_windows - 1.0) * log_decay)), error_bound=bound
    )


def _check_extrapolation(two_windows: float, three_windows: float, n_windows: float) -> None:
    check_probability(two_windows=two_windows, three_windows=three_windows)
    check_terms(n_windows=n_windows)
    if not two_windows <= three_windows <= 2.0 * two_windows or three_windows == 1.0:
        raise InvalidTermsError(
            f"three_windows must be between two_windows={two_windows} and twice that, and below 1, got {three_windows}"
        )
    if n_windows < 3.0:
        raise InvalidTermsError(f"n_windows must be at least 3, got {n_windows}")


def rolling_high_bounds(
    *, drop: float, volatility: float, log_drift: float, window_years: float, term_years: float
) -> Bounds:
    """Bounds on T4, the drop from the highest price of the last window, under geometric Brownian motion.

    Lower bound: a drawdown within one of the calendar windows of the term triggers. Upper bound: a term of L windows
    triggers no more often than the drawdown from its running high, and the best L is used. Exact if the window is no
    shorter than the term.

    Parameters
    ----------
    drop : float
        Drop, a fraction.
    volatility : float
        Per square root of a year, positive.
    log_drift : float
        Drift of the log price per year.
    window_years, term_years : float
        Window and term in years.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.
    """
    check_terms(window_years=window_years, term_years=term_years)

    def drawdown_within(years: float) -> float:
        return drawdown_probability(drop=drop, volatility=volatility, log_drift=log_drift, term_years=years)

    whole_term = drawdown_within(term_years)
    n_windows = term_years / window_years
    if n_windows <= 1.0 + _WHOLE:
        return Bounds(lower=whole_term, upper=whole_term)
    lower = at_least_once(drawdown_within(window_years), math.floor(n_windows + _WHOLE))
    upper = whole_term
    for covered in range(2, math.floor(n_windows + _WHOLE) + 1):
        within = drawdown_within(covered * window_years)
        bounds = window_bounds(probability=within, windows_covered=covered, n_windows=n_windows)
        upper = min(upper, bounds.upper)
    return Bounds(lower=lower, upper=upper)


def jump_only_lower_bound(
    *, drop: float, jumps_per_year: float, jump_mean: float, jump_stdev: float, term_years: float
) -> float:
    """Return the probability that a single jump is a drop: a lower bound on T4 and T5, for normal log jumps.

    Rigorous with any independent diffusion, drift or further jumps, because the path drops across the jump itself.
    This needs continuous monitoring: on a grid, and for T2 and T3, a rise within the same step can hide the jump.

    Parameters
    ----------
    drop : float
        Drop, a fraction.
    jumps_per_year, jump_mean, jump_stdev : float
        Normal log jumps; falls are negative, the deviation is positive.
    term_years : float
        Term in years.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.
    """
    intensity = jump_gap_intensity(drop=drop, jumps_per_year=jumps_per_year, jump_mean=jump_mean, jump_stdev=jump_stdev)
    return jump_gap_probability(gap_intensity=intensity, term_years=term_years)


def jump_pair_probability(
    *,
    drop: float,
    jumps_per_year: float,
    jump_mean: float,
    jump_stdev: float,
    window_years: float,
    term_years: float,
) -> float:
    """Return the T4 probability of a price that only jumps, counting single jumps and pairs within a window.

    Exact as the expected number of jumps in a window goes to zero, otherwise an approximation, not a bound.

    Parameters and errors are those of `jump_only_lower_bound`; ``window_years`` is the window in years.
    """
    check_terms(window_years=window_years, term_years=term_years)
    single = jump_gap_intensity(drop=drop, jumps_per_year=jumps_per_year, jump_mean=jump_mean, jump_stdev=jump_stdev)
    pair = _pair_probability(log_distance(drop), jump_mean, jump_stdev)
    return -math.expm1(-term_years * (single + jumps_per_year**2 * window_years * pair))


def _pair_probability(distance: float, jump_mean: float, jump_stdev: float) -> float:
    """Return the probability that two jumps together make a drop but neither does alone."""
    first, weights = panels([-distance, 0.0], 4.0 * jump_stdev)
    standard = (first - jump_mean) / jump_stdev
    density = np.exp(-0.5 * standard**2) / (jump_stdev * math.sqrt(2.0 * math.pi))
    second = ndtr((-distance - first - jump_mean) / jump_stdev) - ndtr((-distance - jump_mean) / jump_stdev)
    return float(weights * density @ second)
