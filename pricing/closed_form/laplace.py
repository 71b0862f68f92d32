"""Numerical inversion of the Laplace transform of a first-passage law.

A transform is given by its logarithm, so that neither a tail of 1e-200 nor a factor of e^700 exceeds the range of
floating point numbers. The contour is a parabola, the image of a vertical line under the Brownian root
``sqrt(nu^2/sigma^4 + 2 s/sigma^2)``: along it, the integrand decreases like a normal density and is never larger than
on the real axis, where the vertex is placed at the saddle point. The terms of the sum are therefore no larger than the
answer, and the answer keeps its relative precision however small it is.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pricing.errors import PrecisionError

ComplexArray = npt.NDArray[np.complex128]
#: Logarithm of a Laplace transform at complex points, shape (n,) to (n,); on any branch of the logarithm.
LogTransform = Callable[[ComplexArray], ComplexArray]

# A rule of step x has error exp(-2 pi d/x) for a pole at distance d, and exp(-2 pi^2/x^2) for a unit normal density.
_STEPS_TO_POLE = 8.0
_NORMAL_STEP = 0.5
_NORMAL_REACH = 8.6
_MOST_NODES = 200_000
_UNDERFLOW = 1e-290


def invert(
    log_transform: LogTransform, *, time: float, volatility: float, log_drift: float, relative_tolerance: float = 1e-8
) -> float:
    """Recover a positive function of time from the logarithm of its Laplace transform.

    Two rules of different step are compared, so that cancellation, or a singularity close to the contour, is detected.
    A singularity beyond the contour is not detected, but first-passage laws have none there.

    Parameters
    ----------
    log_transform : callable
        Logarithm of the transform; its singularities must lie at zero and on the negative real axis.
    time : float
        Years, positive.
    volatility, log_drift : float
        Parameters of the diffusive part of the process; they determine the contour.
    relative_tolerance : float
        Largest difference between the two rules, as a share of the value.

    Raises
    ------
    PrecisionError
        If the two rules disagree, or the drift is so strong that the contour would need too many nodes.

    Examples
    --------
    >>> decay = invert(lambda s: -np.log(s + 1.0), time=2.0, volatility=1.0, log_drift=0.0)
    >>> round(decay, 12) == round(math.exp(-2.0), 12)
    True
    """
    pull = abs(log_drift) / volatility**2
    vertex = _saddle(log_transform, time)
    excess = 2.0 * vertex / volatility**2
    root = math.sqrt(pull**2 + excess)
    pole_distance = excess / (root + pull)
    width = 1.0 / (volatility * math.sqrt(time))
    step = min(pole_distance / _STEPS_TO_POLE, _NORMAL_STEP * width)
    if _NORMAL_REACH * width > _MOST_NODES * step:
        raise PrecisionError(
            f"log_drift={log_drift} is too strong relative to volatility={volatility} to invert over {time} years"
        )

    def rule(fineness: float) -> float:
        height = np.arange(0.0, _NORMAL_REACH * width * fineness, step / fineness)
        frequency: ComplexArray = np.asarray(vertex + volatility**2 * height * (1j * root - height / 2.0))
        exponent = frequency * time + log_transform(frequency)
        shift = float(exponent[0].real)
        terms = (np.exp(exponent - shift) * (root + 1j * height)).real
        total = float(terms.sum()) - 0.5 * float(terms[0])
        return math.exp(shift) * total * volatility**2 * step / (fineness * math.pi)

    return agreed(rule(1.0), rule(1.2), relative_tolerance)


def _saddle(log_transform: LogTransform, time: float) -> float:
    """Find the minimum of the integrand on the positive real axis, to within a quarter."""

    def log_integrand(point: float) -> float:
        return point + float(log_transform(np.array([point / time], dtype=np.complex128))[0].real)

    point = 2.0
    while log_integrand(1.25 * point) < log_integrand(point):
        point *= 1.25
    return point / time


def agreed(coarse: float, fine: float, relative_tolerance: float) -> float:
    """Return the finer of two computations of one number if the coarser one agrees.

    Raises
    ------
    PrecisionError
        If they differ by more than the tolerance, or are not numbers. Below 1e-290 floating point numbers lose
        precision.
    """
    if not abs(coarse - fine) <= relative_tolerance * abs(fine) + _UNDERFLOW:
        raise PrecisionError(
            f"two resolutions disagree: {coarse} and {fine}, relative tolerance {relative_tolerance:g}"
        )
    return fine
