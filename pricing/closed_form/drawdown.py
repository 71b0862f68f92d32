"""T5, and T4 with a window no shorter than the term: drawdown from the running high under geometric Brownian motion.

The depth below the high is a Brownian motion reflected at zero and killed at the log distance of the drop. Two exact
forms of its law are used, each where it is more accurate: the Laplace transform for the probability of the drawdown,
which keeps its relative precision in the far tail, and the eigenfunction series for the probability of no drawdown over
a long term. Monitoring is continuous.
"""

import cmath
import math
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq
from scipy.special import hyp1f1

from pricing.closed_form._checks import (
    as_probability,
    check_diffusion,
    check_not_negative,
    check_terms,
    log_distance,
    log_drawdown,
)
from pricing.closed_form._quadrature import integrate
from pricing.closed_form.laplace import ComplexArray, invert
from pricing.errors import PrecisionError
from pricing.tools.arrays import FloatArray

# The series is used if a few modes are enough and the first one is not dominated by the drift.
_SHORTEST_SERIES_TIME = 0.25
_STEEPEST_SERIES_DRIFT = 6.0
_TAYLOR_BELOW = 0.01
_NORM_TAYLOR = (-1.0 / 2835.0, 2.0 / 315.0, -1.0 / 15.0, 1.0 / 3.0)
_LEAST_DISCOUNT = 1e-9


def drawdown_probability(
    *, drop: float, volatility: float, log_drift: float, term_years: float, current_drawdown: float = 0.0
) -> float:
    """Probability that the price falls ``drop`` below its running high within the term.

    The Laplace transform is inverted along a contour through the saddle point: relative precision about 1e-10 down to
    the smallest floating point number.

    Parameters
    ----------
    drop : float
        Fraction by which the price must fall below its high.
    volatility : float
        Per square root of a year, positive.
    log_drift : float
        Drift of the log price per year.
    term_years : float
        Term in years.
    current_drawdown : float
        Fraction by which the price is already below its high at inception.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.
    PrecisionError
        If two inversions at different resolutions disagree.

    References
    ----------
    Taylor, A stopped Brownian motion formula, Ann. Probab. 3 (1975); Lehoczky, Ann. Probab. 5 (1977).

    Examples
    --------
    >>> round(drawdown_probability(drop=0.3, volatility=2.0, log_drift=-2.0, term_years=1 / 365), 6)
    0.001547
    """
    return discounted_drawdown_probability(
        drop=drop,
        volatility=volatility,
        log_drift=log_drift,
        term_years=term_years,
        rate=0.0,
        current_drawdown=current_drawdown,
    )


def discounted_drawdown_probability(
    *, drop: float, volatility: float, log_drift: float, term_years: float, rate: float, current_drawdown: float = 0.0
) -> float:
    """Present value of one unit paid at the drawdown, if it occurs within the term: ``E[exp(-rate tau); tau <= T]``.

    Parameters and errors are those of `drawdown_probability`; ``rate`` is continuous, per year, not negative.
    """
    distance, start = log_distance(drop), log_drawdown(current_drawdown, drop)
    check_diffusion(volatility, log_drift)
    check_terms(term_years=term_years)
    check_not_negative(rate=rate)

    def log_transform(frequency: ComplexArray) -> ComplexArray:
        return _log_transform(frequency + rate, distance, start, volatility, log_drift) - np.log(frequency)

    return as_probability(invert(log_transform, time=term_years, volatility=volatility, log_drift=log_drift))


def drawdown_transform(
    *, drop: float, volatility: float, log_drift: float, rate: float, current_drawdown: float = 0.0
) -> float:
    """Laplace transform of the time of the drawdown, ``E exp(-rate tau)``: value of one unit paid at the drawdown.

    Parameters and errors are those of `drawdown_probability`; ``rate`` is continuous, per year, positive.
    """
    distance, start = log_distance(drop), log_drawdown(current_drawdown, drop)
    check_diffusion(volatility, log_drift)
    check_terms(rate=rate)
    at_rate = np.array([rate], dtype=np.complex128)
    return as_probability(math.exp(_log_transform(at_rate, distance, start, volatility, log_drift)[0].real))


def _log_transform(
    frequency: ComplexArray, distance: float, start: float, volatility: float, log_drift: float
) -> ComplexArray:
    """Logarithm of Taylor's transform at complex frequencies, free of overflow and of cancellation."""
    pull = log_drift / volatility**2
    excess = 2.0 * frequency / volatility**2
    root = np.sqrt(pull**2 + excess)
    # root - pull and root + pull multiply to the excess: the one that cancels is taken from the other.
    larger = root + abs(pull)
    smaller = excess / larger
    minus, plus = (smaller, larger) if pull > 0.0 else (larger, smaller)

    def log_flux(depth: float) -> ComplexArray:
        return np.asarray(root * depth + np.log(minus + plus * np.exp(-2.0 * root * depth)))

    return np.asarray(pull * (start - distance) + log_flux(start) - log_flux(distance))


def drawdown_survival(
    *, drop: float, volatility: float, log_drift: float, term_years: float, current_drawdown: float = 0.0
) -> float:
    """Probability that the price stays within ``drop`` of its running high for the whole term.

    Uses the eigenfunction series if it converges in a few modes, which keeps relative precision over long terms;
    otherwise one minus `drawdown_probability`, with an absolute precision of 1e-12. Parameters and errors are those of
    `drawdown_probability`.

    References
    ----------
    Magdon-Ismail, Atiya, Pratap and Abu-Mostafa, J. Appl. Probab. 41 (2004), in the form that sums the survival.
    """
    distance, start = log_distance(drop), log_drawdown(current_drawdown, drop)
    check_diffusion(volatility, log_drift)
    check_terms(term_years=term_years)
    scaled_time = volatility**2 * term_years / distance**2
    scaled_drift = log_drift * distance / volatility**2
    if scaled_time < _SHORTEST_SERIES_TIME or scaled_drift > _STEEPEST_SERIES_DRIFT:
        return 1.0 - drawdown_probability(
            drop=drop,
            volatility=volatility,
            log_drift=log_drift,
            term_years=term_years,
            current_drawdown=current_drawdown,
        )
    return as_probability(_survival_series(scaled_time, scaled_drift, start / distance))


def _survival_series(scaled_time: float, scaled_drift: float, scaled_start: float) -> float:
    """Sum the modes; a negative eigenvalue is the hyperbolic mode, which exists for a scaled upward drift above one."""
    room = 1.0 - scaled_start
    squares = _eigenvalues(scaled_drift, 4 + math.ceil(math.sqrt(90.0 / scaled_time) / math.pi))
    weight = _sinc(squares) ** 2 * room * _sinc(squares * room**2) / _mode_norm(squares)
    exponent = -scaled_drift * room - (scaled_drift**2 + squares) * scaled_time / 2.0
    return float(np.sum(weight * np.exp(exponent)))


def _eigenvalues(scaled_drift: float, count: int) -> FloatArray:
    """Squares of the first roots of ``theta cot(theta) = scaled_drift``, one in each interval of length pi."""
    edges = [-((abs(scaled_drift) + 1.0) ** 2), *((np.pi * np.arange(1, count + 1)) ** 2).tolist()]

    def mismatch(square: float) -> float:
        theta = cmath.sqrt(square)
        return cmath.cos(theta).real - scaled_drift * float(_sinc(np.array(square)))

    return np.array([brentq(mismatch, low, high, xtol=1e-15, rtol=1e-15) for low, high in pairwise(edges)])


def _sinc(squares: FloatArray) -> FloatArray:
    """``sin(theta)/theta`` as a function of theta squared; hyperbolic if the square is negative."""
    return np.asarray(np.sinc(np.sqrt(squares.astype(np.complex128)) / np.pi).real)


def _mode_norm(squares: FloatArray) -> FloatArray:
    """Squared norm of a mode, ``(1 - sinc(2 theta)) / (2 theta^2)``, by Taylor series if that form cancels."""
    small = np.abs(squares) < _TAYLOR_BELOW
    safe = np.where(small, 1.0, squares)
    return np.where(small, np.polyval(_NORM_TAYLOR, squares), (1.0 - _sinc(4.0 * safe)) / (2.0 * safe))


def expected_drawdown_time(*, drop: float, volatility: float, log_drift: float, current_drawdown: float = 0.0) -> float:
    """Return the expected number of years until the price is first ``drop`` below its running high.

    Parameters and errors are those of `drawdown_probability`.

    Raises
    ------
    PrecisionError
        If the expectation exceeds the largest floating point number.

    Examples
    --------
    >>> round(expected_drawdown_time(drop=0.5, volatility=1.0, log_drift=0.0), 6) == round(math.log(2.0) ** 2, 6)
    True
    """
    distance, start = log_distance(drop), log_drawdown(current_drawdown, drop)
    check_diffusion(volatility, log_drift)
    # A path from the high passes the current drawdown on its way to the drop, so the two times add up.
    years = _time_from_high(distance, volatility, log_drift) - _time_from_high(start, volatility, log_drift)
    if not math.isfinite(years):
        raise PrecisionError(f"the expected time to a drop of {drop} is beyond the range of floating point numbers")
    return years


def _time_from_high(distance: float, volatility: float, log_drift: float) -> float:
    # sigma^2 / (2 nu^2) (e^x - 1 - x) with x = 2 nu h / sigma^2; Kummer's function is its form without cancellation.
    scaled_time = distance**2 / volatility**2
    return scaled_time * float(hyp1f1(1.0, 3.0, 2.0 * log_drift * distance / volatility**2))


def expected_maximum_log_drawdown(*, volatility: float, log_drift: float, term_years: float) -> float:
    """Return the expected maximum drawdown of the log price within the term, by integrating its exceedance probability.

    Parameters and errors are those of `drawdown_probability`.

    References
    ----------
    Magdon-Ismail, Atiya, Pratap and Abu-Mostafa (2004), this computes their Q functions without tables.
    """
    check_diffusion(volatility, log_drift)
    check_terms(term_years=term_years)
    spread = volatility * math.sqrt(term_years)
    scale = max(spread, -log_drift * term_years)
    reach = 10.0 * spread + max(-log_drift * term_years, 0.0)  # beyond it the exceedance is under 1e-22
    if log_drift * term_years > spread:
        # An upward drift turns the normal tail into an exponential one, e^(-2 nu h / sigma^2) nu^2 T / sigma^2.
        scale = volatility**2 / log_drift
        reach = min(reach, scale * (25.0 + math.log(spread / scale)))

    def exceedance(distance: float) -> float:
        def log_transform(frequency: ComplexArray) -> ComplexArray:
            return _log_transform(frequency, distance, 0.0, volatility, log_drift) - np.log(frequency)

        return invert(log_transform, time=term_years, volatility=volatility, log_drift=log_drift)

    edges = [0.0, *np.geomspace(scale / 2.0, reach, 8).tolist()]
    return integrate(exceedance, edges, scale=scale)


def perpetual_insurance_rate(
    *, drop: float, volatility: float, log_drift: float, rate: float, current_drawdown: float = 0.0
) -> float:
    """Fair premium per year and unit of benefit, paid continuously until the drawdown, with no end of term.

    Parameters and errors are those of `drawdown_transform`.

    References
    ----------
    Zhang, Leung and Hadjiliadis, Stochastic modeling and fair valuation of drawdown insurance, Insur. Math. Econ. 53
    (2013).
    """
    paid = drawdown_transform(
        drop=drop, volatility=volatility, log_drift=log_drift, rate=rate, current_drawdown=current_drawdown
    )
    if 1.0 - paid < _LEAST_DISCOUNT:
        raise PrecisionError(f"rate={rate} is too small for the precision of a perpetual premium")
    return rate * paid / (1.0 - paid)


def insurance_rate(
    *, drop: float, volatility: float, log_drift: float, term_years: float, rate: float, current_drawdown: float = 0.0
) -> float:
    """Fair premium per year and unit of benefit, paid continuously until the drawdown or the end of the term.

    Parameters and errors are those of `discounted_drawdown_probability`.
    """
    law = {"drop": drop, "volatility": volatility, "log_drift": log_drift, "current_drawdown": current_drawdown}
    benefit = discounted_drawdown_probability(**law, term_years=term_years, rate=rate)

    def discounted_survival(years: float) -> float:
        return math.exp(-rate * years) * (1.0 - drawdown_probability(**law, term_years=years))

    annuity = integrate(discounted_survival, (0.0, term_years))
    return benefit / annuity
