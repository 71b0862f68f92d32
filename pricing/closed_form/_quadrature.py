"""Integration rules and interpolation between nodes, shared by the closed forms."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from scipy.integrate import quad

from pricing.errors import PrecisionError
from pricing.tools.arrays import FloatArray

_PANEL_ORDER = 16
_WANTED, _ACCEPTED = 1e-11, 1e-8


def integrate(function: Callable[[float], float], edges: Sequence[float], *, scale: float = 0.0) -> float:
    """Integrate over consecutive intervals, none of which contains a kink, to a relative 1e-8 or better.

    Parameters
    ----------
    function : callable
        Integrand, scalar to scalar.
    edges : sequence of float
        Ends of the intervals, ascending.
    scale : float
        Size of the integral, if known: pieces far smaller than it need no relative precision.

    Raises
    ------
    PrecisionError
        If the estimated error is larger.
    """
    pieces = [
        quad(function, low, high, epsabs=_WANTED * scale, epsrel=_WANTED, limit=200, full_output=1)[:2]
        for low, high in pairwise(edges)
    ]
    value, error = (math.fsum(column) for column in zip(*pieces, strict=True))
    if not error <= _ACCEPTED * abs(value):
        raise PrecisionError(f"an integral is {value} with an estimated error of {error}")
    return value


def gauss_legendre(lower: float, upper: float, order: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights, each of shape (order,), of the Gauss-Legendre rule on an interval."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    half = 0.5 * (upper - lower)
    return lower + half * (nodes + 1.0), half * weights


def panels(edges: Sequence[float], width: float) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of 16-point rules on panels of at most ``width``, none of which crosses an edge."""
    rules = []
    for lower, upper in pairwise(edges):
        grid = np.linspace(lower, upper, math.ceil((upper - lower) / width) + 1)
        rules += [gauss_legendre(start, stop, _PANEL_ORDER) for start, stop in pairwise(grid.tolist())]
    return np.concatenate([nodes for nodes, _ in rules]), np.concatenate([weights for _, weights in rules])


def chebyshev_points(lower: float, upper: float, count: int) -> FloatArray:
    """Return Chebyshev points of the second kind in ascending order, including both ends, shape (count,)."""
    return lower + 0.5 * (upper - lower) * (1.0 - np.cos(np.pi * np.arange(count) / (count - 1)))


def interpolation_matrix(nodes: FloatArray, points: FloatArray) -> FloatArray:
    """Return the matrix of shape (points, nodes) that interpolates values at Chebyshev points.

    References
    ----------
    Berrut and Trefethen, Barycentric Lagrange interpolation, SIAM Review 46 (2004).
    """
    gap = points[:, None] - nodes[None, :]
    hit = gap == 0.0
    ratio = _barycentric_weights(nodes.size) / np.where(hit, 1.0, gap)
    rows = ratio / ratio.sum(axis=1, keepdims=True)
    return np.asarray(np.where(hit.any(axis=1, keepdims=True), hit.astype(np.float64), rows))


def differentiation_matrix(nodes: FloatArray) -> FloatArray:
    """Return the matrix of shape (nodes, nodes) that differentiates values at Chebyshev points."""
    weights = _barycentric_weights(nodes.size)
    gap = nodes[:, None] - nodes[None, :]
    np.fill_diagonal(gap, 1.0)
    matrix = weights[None, :] / weights[:, None] / gap
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return matrix


def _barycentric_weights(count: int) -> FloatArray:
    weights = np.where(np.arange(count) % 2 == 0, 1.0, -1.0)
    weights[[0, -1]] *= 0.5
    return weights
