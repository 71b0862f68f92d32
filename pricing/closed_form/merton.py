"""T1 under Merton's model: first passage of a diffusion with normal jumps.

The transform has no closed form. It solves an integro-differential equation in the distance to the level, which is
collocated at Chebyshev points and inverted in time. Monitoring is continuous; ``log_drift`` is the drift of the
diffusive part of the log price: nothing is taken off for variance or jumps.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from pricing.closed_form._checks import (
    as_probability,
    check_diffusion,
    check_finite,
    check_model,
    check_not_negative,
    check_terms,
    log_distance,
)
from pricing.closed_form._quadrature import (
    chebyshev_points,
    differentiation_matrix,
    gauss_legendre,
    interpolation_matrix,
)
from pricing.closed_form.laplace import ComplexArray, agreed, invert

FloatArray = npt.NDArray[np.float64]

_NODES = (160, 200)
_TOLERANCE = 1e-7
_STDEVS = 10.0
_JUMP_ORDER = 64


def merton_touch_probability(
    *,
    drop: float,
    volatility: float,
    log_drift: float,
    jumps_per_year: float,
    jump_mean: float,
    jump_stdev: float,
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
    jump_mean, jump_stdev : float
        Mean and standard deviation of the log jump; falls are negative, the deviation is positive.
    term_years : float
        Term in years.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.
    PrecisionError
        If two collocations do not agree to a relative 1e-7: jumps too narrow, or a tail too far, for the grid.

    Examples
    --------
    >>> crash = {"jumps_per_year": 2.0, "jump_mean": -0.35, "jump_stdev": 0.15}
    >>> round(merton_touch_probability(drop=0.5, volatility=0.6, log_drift=0.394678816, **crash, term_years=7 / 365), 7)
    0.0016199
    """
    distance = log_distance(drop)
    check_diffusion(volatility, log_drift)
    check_not_negative(jumps_per_year=jumps_per_year)
    check_finite(jump_mean=jump_mean)
    check_model(jump_stdev=jump_stdev)
    check_terms(term_years=term_years)
    variance = volatility**2 + jumps_per_year * (jump_mean**2 + jump_stdev**2)
    height = distance + abs(log_drift) * term_years + abs(jump_mean)
    height += _STDEVS * (math.sqrt(variance * term_years) + jump_stdev)

    def probability(count: int) -> float:
        nodes = chebyshev_points(0.0, height, count)
        generator = _generator(nodes, volatility, log_drift, jumps_per_year, jump_mean, jump_stdev)
        jumps_below = jumps_per_year * ndtr((-nodes - jump_mean) / jump_stdev)
        at_inception = interpolation_matrix(nodes, np.array([distance]))[0]

        def log_transform(frequency: ComplexArray) -> ComplexArray:
            passage = [at_inception @ _passage(point, generator, jumps_below) for point in frequency]
            return np.asarray(np.log(np.array(passage)) - np.log(frequency))

        return invert(
            log_transform, time=term_years, volatility=volatility, log_drift=log_drift, relative_tolerance=_TOLERANCE
        )

    return as_probability(agreed(probability(_NODES[0]), probability(_NODES[1]), _TOLERANCE))


def _generator(
    nodes: FloatArray, volatility: float, log_drift: float, jumps_per_year: float, jump_mean: float, jump_stdev: float
) -> FloatArray:
    """Matrix of the generator on functions that vanish below the level and above the grid."""
    slope = differentiation_matrix(nodes)
    jumps = _jump_matrix(nodes, jump_mean, jump_stdev)
    diffusion = 0.5 * volatility**2 * slope @ slope + log_drift * slope
    return np.asarray(diffusion + jumps_per_year * (jumps - np.eye(nodes.size)))


def _jump_matrix(nodes: FloatArray, jump_mean: float, jump_stdev: float) -> FloatArray:
    """Row i averages a function over the place where a jump from node i lands."""
    rows = np.zeros((nodes.size, nodes.size))
    for row, node in zip(rows, nodes, strict=True):
        centre = node + jump_mean
        lower = max(centre - _STDEVS * jump_stdev, nodes[0])
        upper = min(centre + _STDEVS * jump_stdev, nodes[-1])
        if lower < upper:
            points, weights = gauss_legendre(lower, upper, _JUMP_ORDER)
            density = np.exp(-0.5 * ((points - centre) / jump_stdev) ** 2) / (jump_stdev * math.sqrt(2.0 * math.pi))
            row[:] = (weights * density) @ interpolation_matrix(nodes, points)
    return rows


def _passage(frequency: complex, generator: FloatArray, jumps_below: FloatArray) -> npt.NDArray[np.complex128]:
    """``E exp(-frequency tau)`` at every node: one at the level, zero at the top of the grid."""
    system = frequency * np.eye(jumps_below.size) - generator
    system[[0, -1]] = 0.0
    system[0, 0] = system[-1, -1] = 1.0
    return np.asarray(np.linalg.solve(system, np.concatenate([[1.0], jumps_below[1:-1], [0.0]])))
