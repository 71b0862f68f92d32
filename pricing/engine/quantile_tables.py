"""Quantile functions as tables of cubics: one table serves every innovation law and every jump size law.

The unit interval is split at a probability `split`. On each side the conditional uniform ``v`` in (0, 1) is divided
into octaves and each octave into equal segments, so the tail is as finely resolved as the middle; on each segment a
cubic interpolates the quantile function at four points, including both ends. Small ``v`` is the far tail of its side.
"""

from collections.abc import Callable

import numpy as np

from pricing._kernels import N_OCTAVES, N_SEGMENTS
from pricing.errors import InvalidModelError
from pricing.models.innovations import QuantileLaw
from pricing.tools.arrays import FloatArray

_NODES = (0.0, 0.25, 0.75, 1.0)
_LARGEST_PROBABILITY = 1.0 - 2.0**-53


def quantile_table(law: QuantileLaw, split: float = 0.5) -> FloatArray:
    """Tabulate a quantile function.

    Parameters
    ----------
    law : QuantileLaw
        The law; if it has no ``upper_quantile``, its upper tail is resolved to 2^-53.
    split : float
        Probability of the lower side, where the quantile function may have a kink.

    Returns
    -------
    ndarray of shape (8 * N_OCTAVES * N_SEGMENTS,)
        Coefficients of 1, t, t^2 and t^3 of every segment of the lower, then of the upper side.

    Raises
    ------
    InvalidModelError
        If the quantile function is not finite and non-decreasing.
    """
    lower = _side(law, lambda v: _lower_quantile(law, split * v), wanted=split > 0.0)
    upper = _side(law, lambda v: _upper_quantile(law, (1.0 - split) * v), wanted=split < 1.0)
    if (np.diff(lower[:, 0]) < 0.0).any() or (np.diff(upper[:, 0]) > 0.0).any():
        raise InvalidModelError(f"quantile(u) must not decrease with u, but that of {law!r} does")
    return np.concatenate([_cubics(lower), _cubics(upper)]).ravel()


def exponential_table() -> FloatArray:
    """Tabulate the unit exponential law, with its upper tail on the lower side: waiting times between jumps."""
    return quantile_table(_MirroredExponential(), split=1.0) * -1.0


class _MirroredExponential:
    """The law of minus a unit exponential variable."""

    def quantile(self, u: FloatArray) -> FloatArray:
        return np.log(u)


def _lower_quantile(law: QuantileLaw, u: FloatArray) -> FloatArray:
    return np.asarray(law.quantile(u), dtype=np.float64)


def _upper_quantile(law: QuantileLaw, u: FloatArray) -> FloatArray:
    if hasattr(law, "upper_quantile"):
        return np.asarray(law.upper_quantile(u), dtype=np.float64)
    return _lower_quantile(law, np.minimum(1.0 - u, _LARGEST_PROBABILITY))


def _side(law: QuantileLaw, quantile: Callable[[FloatArray], FloatArray], *, wanted: bool) -> FloatArray:
    """Evaluate one side at the nodes of every segment, shape (segments, 4)."""
    octave, segment = np.divmod(np.arange(N_OCTAVES * N_SEGMENTS), N_SEGMENTS)
    within = (segment[:, np.newaxis] + np.array(_NODES)) / N_SEGMENTS
    v = np.ldexp(1.0 + within, octave[:, np.newaxis] - N_OCTAVES)
    if not wanted:
        return np.zeros_like(v)
    values = quantile(v.ravel()).reshape(v.shape)
    if not np.isfinite(values).all():
        raise InvalidModelError(f"quantile(u) must be finite for every u in (0, 1), but that of {law!r} is not")
    return values


def _cubics(values: FloatArray) -> FloatArray:
    """Turn values at the four nodes into coefficients, shape (segments, 4); without a library, to fix the bits."""
    start, quarter, three_quarters, end = values.T
    rise = end - start
    first = quarter - start - 0.25 * rise
    second = three_quarters - start - 0.75 * rise
    # On a segment the value is start + rise t + t (1 - t) (a + b t), and t (1 - t) is 3/16 at both inner nodes.
    b = 2.0 * (second - first) * (16.0 / 3.0)
    a = first * (16.0 / 3.0) - 0.25 * b
    return np.stack([start, rise + a, b - a, -b], axis=1)
