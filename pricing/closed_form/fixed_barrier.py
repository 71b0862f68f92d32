"""T1: the price touches a fixed level below its start, under geometric Brownian motion with continuous monitoring."""

import math

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, log_ndtr, ndtr

from pricing.closed_form._checks import (
    as_probability,
    check_diffusion,
    check_finite,
    check_model,
    check_terms,
    log_distance,
)
from pricing.closed_form._quadrature import integrate
from pricing.errors import InvalidModelError, InvalidTermsError
from pricing.tools.arrays import FloatArray


def touch_probability(*, drop: float, volatility: float, log_drift: float, term_years: float) -> float:
    """Probability that the price touches ``1 - drop`` of its start within the term.

    Exact to rounding in relative terms, also in the far tail and for volatilities close to zero.

    Parameters
    ----------
    drop : float
        Fraction by which the level lies below the price at inception.
    volatility : float
        Per square root of a year, positive.
    log_drift : float
        Drift of the log price per year.
    term_years : float
        Term in years.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.

    References
    ----------
    Reiner and Rubinstein, Unscrambling the binary code, Risk 4 (1991).

    Examples
    --------
    >>> round(touch_probability(drop=0.3, volatility=1.0, log_drift=-0.5, term_years=30 / 365), 6)
    0.253574
    """
    distance = log_distance(drop)
    check_diffusion(volatility, log_drift)
    check_terms(term_years=term_years)
    spread = volatility * math.sqrt(term_years)
    direct = (-distance - log_drift * term_years) / spread
    mirrored = (-distance + log_drift * term_years) / spread
    if mirrored > 0.0:
        reflected = math.exp(-2.0 * log_drift * distance / volatility**2) * float(ndtr(mirrored))
    else:
        # The exponent is (mirrored^2 - direct^2) / 2, so the scaled complementary error function avoids both overflow
        # and underflow.
        reflected = 0.5 * math.exp(-0.5 * direct**2) * float(erfcx(-mirrored / math.sqrt(2.0)))
    return as_probability(float(ndtr(direct)) + reflected)


def cash_at_expiry(*, drop: float, volatility: float, log_drift: float, term_years: float, rate: float) -> float:
    """Present value of one unit paid at the end of the term if the level was touched.

    Parameters and errors are those of `touch_probability`; ``rate`` is continuous, per year.

    Examples
    --------
    >>> from math import log
    >>> level = {"drop": 1 - 100 / 105, "volatility": 0.2, "log_drift": 0.1 - 0.02}
    >>> round(15 * cash_at_expiry(**level, term_years=0.5, rate=0.1), 4)
    9.3604
    """
    check_finite(rate=rate)
    probability = touch_probability(drop=drop, volatility=volatility, log_drift=log_drift, term_years=term_years)
    return math.exp(-rate * term_years) * probability


def cash_at_hit(*, drop: float, volatility: float, log_drift: float, term_years: float, rate: float) -> float:
    """Present value of one unit paid the moment the level is touched, ``E[exp(-rate tau); tau <= T]``.

    Parameters and errors are those of `touch_probability`; ``rate`` is continuous, per year, and must not be too
    negative, see below.

    Raises
    ------
    InvalidModelError
        Also if ``rate < -log_drift**2 / (2 volatility**2)``.

    Examples
    --------
    >>> level = {"drop": 1 - 100 / 105, "volatility": 0.2, "log_drift": 0.1 - 0.02}
    >>> round(15 * cash_at_hit(**level, term_years=0.5, rate=0.1), 4)
    9.7264
    """
    distance = log_distance(drop)
    check_diffusion(volatility, log_drift)
    check_finite(rate=rate)
    variance = volatility**2
    tilted_square = log_drift**2 + 2.0 * rate * variance
    if tilted_square < 0.0:
        raise InvalidModelError(f"rate must be at least -log_drift^2/(2 volatility^2), got {rate}")
    # Girsanov: discounting is a change of drift, and the smaller of the two admissible drifts keeps both factors <= 1.
    tilted = math.sqrt(tilted_square)
    factor = math.exp(-distance * (log_drift + tilted) / variance)
    return factor * touch_probability(drop=drop, volatility=volatility, log_drift=-tilted, term_years=term_years)


def bridge_touch_probability(
    *,
    start_distance: npt.ArrayLike,
    end_distance: npt.ArrayLike,
    volatility: float,
    step_years: float,
) -> FloatArray:
    """Probability that a path touched the level between two observations of it.

    Corrects discrete monitoring for T1 only: a window or a drawdown also misses its high between the observations.

    Parameters
    ----------
    start_distance, end_distance : array_like
        Log distances of the two observations above the level; one that is not positive has touched it. They are
        broadcast.
    volatility : float
        Per square root of a year, positive; the drift is irrelevant.
    step_years : float
        Time between the observations in years.

    Returns
    -------
    ndarray
        Probabilities in the broadcast shape.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If the step or the volatility is not positive.
    """
    check_model(volatility=volatility)
    check_terms(step_years=step_years)
    start, end = np.asarray(start_distance, dtype=np.float64), np.asarray(end_distance, dtype=np.float64)
    room = np.maximum(start, 0.0) * np.maximum(end, 0.0)
    return np.asarray(np.exp(-2.0 * room / (volatility**2 * step_years)))


def down_in_put(
    *, drop: float, strike: float, volatility: float, log_drift: float, term_years: float, rate: float
) -> float:
    """Price of a put that is activated when the price touches ``1 - drop``, per unit of the price at inception.

    Parameters and errors are those of `down_in_put_spread`; ``strike`` is a share of the price at inception.
    """
    return down_in_put_spread(
        drop=drop,
        upper_strike=strike,
        lower_strike=0.0,
        volatility=volatility,
        log_drift=log_drift,
        term_years=term_years,
        rate=rate,
    )


def down_in_put_spread(
    *,
    drop: float,
    upper_strike: float,
    lower_strike: float,
    volatility: float,
    log_drift: float,
    term_years: float,
    rate: float,
) -> float:
    """Price of ``min((upper - S_T)+, upper - lower)``, paid at the end of the term if ``1 - drop`` was touched.

    The payout is one unit for each strike above the final price, so its value is the integral of the probability of
    ending below a strike after a touch: there is no cancellation, even far out of the money.

    Parameters
    ----------
    drop : float
        Fraction by which the level lies below the price at inception.
    upper_strike, lower_strike : float
        Strikes as shares of the price at inception; the lower one may be 0.
    volatility : float
        Per square root of a year, positive.
    log_drift : float
        Drift of the log price per year; for a market price ``rate - dividend_yield - volatility**2 / 2``.
    term_years : float
        Term in years.
    rate : float
        Continuous, per year.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If the strikes are not ordered, or a term or a parameter is outside its domain.
    PrecisionError
        If the integral does not reach a relative 1e-8.

    References
    ----------
    Reiner and Rubinstein, Breaking down the barriers, Risk 4 (1991), their B - C + D.
    """
    distance = log_distance(drop)
    check_diffusion(volatility, log_drift)
    check_terms(upper_strike=upper_strike, term_years=term_years)
    check_finite(rate=rate)
    if not 0.0 <= lower_strike < upper_strike:
        raise InvalidTermsError(f"lower_strike must be between 0 and upper_strike={upper_strike}, got {lower_strike}")

    def below_strike(strike: float) -> float:
        return touched_below(math.log(strike), distance, volatility, log_drift, term_years)

    # Reflection puts a kink into the integrand at the level.
    level = min(max(1.0 - drop, lower_strike), upper_strike)
    return math.exp(-rate * term_years) * integrate(below_strike, (lower_strike, level, upper_strike))


def touched_below(end: float, distance: float, volatility: float, log_drift: float, term_years: float) -> float:
    """Probability that the log price touches ``-distance`` within the term and ends below ``end``."""
    spread, drift = volatility * math.sqrt(term_years), log_drift * term_years
    if end <= -distance:
        return float(ndtr((end - drift) / spread))
    ends_below_level = float(ndtr((-distance - drift) / spread))
    log_ratio = -2.0 * log_drift * distance / volatility**2
    higher, lower = (drift - distance) / spread, (drift - end - 2.0 * distance) / spread
    if lower > 0.0:
        higher, lower = -lower, -higher  # the difference of two tails does not cancel, unlike that of two bodies
    reflected = math.exp(log_ratio + float(log_ndtr(higher))) - math.exp(log_ratio + float(log_ndtr(lower)))
    return ends_below_level + reflected
