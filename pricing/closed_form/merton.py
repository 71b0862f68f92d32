"""T1 under Merton's model: first passage of a diffusion with normal jumps.

The transform has no closed form. It solves an integro-differential equation in the distance to the level, which is
collocated at Chebyshev points and inverted in time. Monitoring is continuous; ``log_drift`` is the drift of the
diffusive part of the log price: it is not adjusted for variance or jumps.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import schur
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
from pricing.tools.arrays import FloatArray

_NODES = (120, 160)
_TOLERANCE = 1e-6
_STDEVS = 10.0  # of the whole term above the start, and of a jump around its mean
_LAYER = 10.0  # standard deviations of the diffusion next to the level that get the densest points


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
        If two collocations do not agree to a relative 1e-6: jumps too narrow for the grid, or a probability below 1e-8.

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
    bend = math.asinh(height / (_LAYER * volatility * math.sqrt(term_years)))

    def probability(count: int) -> float:
        grid = _Grid(height=height, bend=bend, points=chebyshev_points(0.0, 1.0, count))
        generator = _generator(grid, volatility, log_drift, jumps_per_year, jump_mean, jump_stdev)
        jumps_below = jumps_per_year * ndtr((-grid.distances - jump_mean) / jump_stdev)
        at_inception = grid.row_at(distance)
        passage = _passage_transform(generator, jumps_below, at_inception)

        def log_transform(frequency: ComplexArray) -> ComplexArray:
            return np.asarray(np.log(passage(frequency)) - np.log(frequency))

        return invert(
            log_transform, time=term_years, volatility=volatility, log_drift=log_drift, relative_tolerance=_TOLERANCE
        )

    return as_probability(agreed(probability(_NODES[0]), probability(_NODES[1]), _TOLERANCE))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Chebyshev points on [0, 1], concentrated by a hyperbolic sine near the level, where the solution is steep."""

    height: float
    bend: float
    points: FloatArray

    @property
    def distances(self) -> FloatArray:
        return self.distance_of(self.points)

    def distance_of(self, points: FloatArray) -> FloatArray:
        return np.asarray(self.height * np.sinh(self.bend * points) / math.sinh(self.bend))

    def point_of(self, distances: FloatArray) -> FloatArray:
        return np.asarray(np.arcsinh(distances * math.sinh(self.bend) / self.height) / self.bend)

    def row_at(self, distance: float) -> FloatArray:
        """Return weights that interpolate values at the points."""
        return np.asarray(interpolation_matrix(self.points, self.point_of(np.array([distance])))[0])

    def stretch(self, points: FloatArray) -> FloatArray:
        """Return the distance per unit of the point."""
        return np.asarray(self.height * self.bend * np.cosh(self.bend * points) / math.sinh(self.bend))


def _generator(
    grid: _Grid, volatility: float, log_drift: float, jumps_per_year: float, jump_mean: float, jump_stdev: float
) -> FloatArray:
    """Return the matrix of the generator on functions that vanish below the level and above the grid."""
    slope = differentiation_matrix(grid.points) / grid.stretch(grid.points)[:, None]
    jumps = _jump_matrix(grid, jump_mean, jump_stdev)
    diffusion = 0.5 * volatility**2 * slope @ slope + log_drift * slope
    return np.asarray(diffusion + jumps_per_year * (jumps - np.eye(grid.points.size)))


def _jump_matrix(grid: _Grid, jump_mean: float, jump_stdev: float) -> FloatArray:
    """Return the matrix whose row i averages a function over the positions after a jump from node i."""
    rows = np.zeros((grid.points.size, grid.points.size))
    unit_points, unit_weights = gauss_legendre(0.0, 1.0, grid.points.size // 2)
    for row, centre in zip(rows, grid.distances + jump_mean, strict=True):
        reach = np.clip(centre + _STDEVS * jump_stdev * np.array([-1.0, 1.0]), 0.0, grid.height)
        lower, upper = grid.point_of(reach)
        points, weights = lower + (upper - lower) * unit_points, (upper - lower) * unit_weights
        standard = (grid.distance_of(points) - centre) / jump_stdev
        density = np.exp(-0.5 * standard**2) / (jump_stdev * math.sqrt(2.0 * math.pi))
        row[:] = (weights * grid.stretch(points) * density) @ interpolation_matrix(grid.points, points)
    return rows


def _passage_transform(
    generator: FloatArray, jumps_below: FloatArray, at_inception: FloatArray
) -> Callable[[ComplexArray], ComplexArray]:
    """Return ``E exp(-s tau)`` as a function of s, shape (n,): one at the level, zero at the top of the grid.

    One Schur form serves every s. Eigenvectors would be faster still, but with a drift that is strong relative to the
    volatility they become parallel.
    """
    triangle, rotation = schur(generator[1:-1, 1:-1].astype(np.complex128), output="complex")
    entry = rotation.conj().T @ (generator[1:-1, 0] + jumps_below[1:-1])
    row = at_inception[1:-1] @ rotation

    def passage(frequency: ComplexArray) -> ComplexArray:
        # Back substitution for all s at once: a library call for each would cost more than its arithmetic.
        solution = np.repeat(entry[:, None], frequency.size, axis=1)
        for index in reversed(range(entry.size)):
            solution[index] /= frequency - triangle[index, index]
            solution[:index] += triangle[:index, index, None] * solution[index]
        return np.asarray(at_inception[0] + row @ solution)

    return passage
