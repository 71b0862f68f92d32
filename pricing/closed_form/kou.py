"""T1 under Kou's model: first passage of a diffusion with double-exponential jumps, by Laplace inversion.

Monitoring is continuous. ``log_drift`` is the drift of the diffusive part of the log price: it is not adjusted for
variance or jumps.
"""

import math

import numpy as np

from pricing.closed_form._checks import (
    as_probability,
    check_diffusion,
    check_model,
    check_not_negative,
    check_terms,
    log_distance,
)
from pricing.closed_form.laplace import ComplexArray, invert
from pricing.errors import InvalidModelError

Fraction = tuple[np.polynomial.Polynomial, np.polynomial.Polynomial]


def kou_touch_probability(
    *,
    drop: float,
    volatility: float,
    log_drift: float,
    jumps_per_year: float,
    p_up: float,
    eta_up: float,
    eta_down: float,
    term_years: float,
) -> float:
    """Probability that the price touches or jumps below ``1 - drop`` of its start within the term.

    Parameters
    ----------
    drop : float
        Fraction by which the level lies below the price at inception.
    volatility : float
        Of the diffusive part, per square root of a year, positive.
    log_drift : float
        Drift of the diffusive part of the log price per year.
    jumps_per_year : float
        Expected number of jumps in a year.
    p_up : float
        Probability that a jump goes up.
    eta_up, eta_down : float
        Rates of the exponential sizes: a jump up has mean ``1 / eta_up``, a jump down mean ``-1 / eta_down``.
    term_years : float
        Term in years.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.
    PrecisionError
        If two inversions at different resolutions differ by more than a relative 1e-8.

    References
    ----------
    Kou and Wang, First passage times of a jump diffusion process, Adv. Appl. Probab. 35 (2003), theorem 3.1.

    Examples
    --------
    >>> crash = {"jumps_per_year": 2.0, "p_up": 0.0, "eta_up": 12.0, "eta_down": 3.0}
    >>> round(kou_touch_probability(drop=0.3, volatility=0.8, log_drift=0.18, **crash, term_years=7 / 365), 8)
    0.01725665
    """
    distance = log_distance(drop)
    _check_jumps(jumps_per_year, p_up, eta_up, eta_down)
    return _first_passage(
        distance,
        volatility=volatility,
        log_drift=-log_drift,
        jumps_per_year=jumps_per_year,
        p_towards=1.0 - p_up,
        eta_towards=eta_down,
        eta_away=eta_up,
        term_years=term_years,
    )


def kou_rise_probability(
    *,
    rise: float,
    volatility: float,
    log_drift: float,
    jumps_per_year: float,
    p_up: float,
    eta_up: float,
    eta_down: float,
    term_years: float,
) -> float:
    """Probability that the price touches or jumps above ``1 + rise`` of its start within the term.

    Parameters and errors are those of `kou_touch_probability`; ``rise`` is a positive fraction.
    """
    check_terms(rise=rise)
    _check_jumps(jumps_per_year, p_up, eta_up, eta_down)
    return _first_passage(
        math.log1p(rise),
        volatility=volatility,
        log_drift=log_drift,
        jumps_per_year=jumps_per_year,
        p_towards=p_up,
        eta_towards=eta_up,
        eta_away=eta_down,
        term_years=term_years,
    )


def _check_jumps(jumps_per_year: float, p_up: float, eta_up: float, eta_down: float) -> None:
    check_not_negative(jumps_per_year=jumps_per_year)
    check_model(eta_up=eta_up, eta_down=eta_down)
    if not 0.0 <= p_up <= 1.0:
        raise InvalidModelError(f"p_up must be between 0 and 1, got {p_up}")


def _first_passage(
    distance: float,
    *,
    volatility: float,
    log_drift: float,
    jumps_per_year: float,
    p_towards: float,
    eta_towards: float,
    eta_away: float,
    term_years: float,
) -> float:
    """First passage upwards over ``distance``; "towards" is the direction of the level."""
    check_diffusion(volatility, log_drift)
    check_terms(term_years=term_years)
    exponent = _exponent_polynomials(volatility, log_drift, jumps_per_year, p_towards, eta_towards, eta_away)
    jumps_towards = jumps_per_year * p_towards > 0.0

    def log_transform(frequency: ComplexArray) -> ComplexArray:
        roots = _roots(frequency, exponent)
        log_passage = _log_passage(roots, distance, eta_towards) if jumps_towards else -roots[:, -1] * distance
        return log_passage - np.log(frequency)

    return as_probability(invert(log_transform, time=term_years, volatility=volatility, log_drift=log_drift))


def _exponent_polynomials(
    volatility: float, log_drift: float, jumps_per_year: float, p_towards: float, eta_towards: float, eta_away: float
) -> Fraction:
    """Numerator and denominator of the Lévy exponent G(x) of Kou and Wang, in lowest terms."""
    x = np.polynomial.Polynomial([0.0, 1.0])
    diffusion = log_drift * x + 0.5 * volatility**2 * x**2 - jumps_per_year
    towards, away = eta_towards - x, eta_away + x
    jumps_away = jumps_per_year * (1.0 - p_towards) * eta_away
    if jumps_per_year * p_towards == 0.0:
        return diffusion * away + jumps_away, away
    jumps_towards = jumps_per_year * p_towards * eta_towards
    return diffusion * towards * away + jumps_towards * away + jumps_away * towards, towards * away


def _roots(frequency: ComplexArray, exponent: Fraction) -> ComplexArray:
    """Roots of G(x) = frequency, shape (n, degree), by ascending real part."""
    numerator, denominator = exponent
    roots = np.array([(numerator - point * denominator).roots() for point in frequency])
    return np.asarray(np.take_along_axis(roots, np.argsort(roots.real, axis=1), axis=1))


def _log_passage(roots: ComplexArray, distance: float, eta: float) -> ComplexArray:
    """Logarithm of ``E exp(-frequency tau)`` from the two roots on the right."""
    near, far = roots[:, -2], roots[:, -1]
    bracket = (eta - near) * far + (far - eta) * near * np.exp(-(far - near) * distance)
    return np.asarray(np.log(bracket / (eta * (far - near))) - near * distance)
