"""T3: the return over exactly one window, monitored continuously, under geometric Brownian motion.

In units of the window the lagged return is Slepian's process W(t + 1) - W(t). Shepp's determinant gives the exact law
of its maximum over a whole number of windows; beyond three the law is extrapolated.
"""

import math
from itertools import permutations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from pricing.closed_form._checks import as_probability, check_diffusion, check_finite, check_terms, log_distance
from pricing.closed_form._quadrature import gauss_legendre
from pricing.errors import InvalidTermsError
from pricing.tools.arrays import FloatArray

_REACH = 8.5  # a normal density beyond it is under 1e-16
_NODES_PER_AXIS = {2: 64, 3: 40}
_LONGEST_EXACT = 3
_CERTAIN = 1.0 - 1e-10


def fixed_lag_probability(
    *,
    drop: float,
    volatility: float,
    log_drift: float,
    window_years: float,
    term_years: float,
    exact_windows: int = _LONGEST_EXACT,
) -> float:
    """Probability that the price falls ``drop`` or more over exactly one window, at any time within the term.

    Exact if the start of the window moves over 0, 1, 2 or 3 window lengths, that is for terms of 1 to 4 windows.
    Longer terms are extrapolated from the last two exact ones, ``F(t) = F(k) (F(k)/F(k-1))^(t-k)``; the error
    at t = 3 from k = 2 is at most 3e-4. Terms between whole numbers are interpolated by the same rule.

    Parameters
    ----------
    drop : float
        Fraction.
    volatility : float
        Per square root of a year, positive.
    log_drift : float
        Drift of the log price per year.
    window_years, term_years : float
        Window and term in years; the term is one window, or at least two windows.
    exact_windows : {2, 3}
        Longest horizon k of window starts that is computed exactly.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.

    References
    ----------
    Shepp, First passage time for a particular Gaussian process, Ann. Math. Stat. 42 (1971).
    """
    distance = log_distance(drop)
    check_diffusion(volatility, log_drift)
    check_terms(window_years=window_years, term_years=term_years)
    if exact_windows not in _NODES_PER_AXIS:
        raise InvalidTermsError(f"exact_windows must be 2 or 3, got {exact_windows}")
    threshold = (distance + log_drift * window_years) / (volatility * math.sqrt(window_years))
    horizon = term_years / window_years - 1.0
    if abs(horizon) < 1e-9:
        return slepian_exceedance(threshold=threshold, windows=0)
    if horizon < 1.0 - 1e-9:
        raise InvalidTermsError(
            f"term_years must be one window or at least two, got {term_years} with window_years={window_years}"
        )
    return _between_whole_windows(threshold, horizon, exact_windows)


def _between_whole_windows(threshold: float, horizon: float, exact_windows: int) -> float:
    """Continue the survival geometrically from the two whole horizons next to, or before, the given one."""
    last = min(max(math.ceil(horizon - 1e-9), 2), exact_windows)
    before, at_last = (slepian_exceedance(threshold=threshold, windows=windows) for windows in (last - 1, last))
    if before > _CERTAIN:
        return at_last  # the answer is between this and one; the survival is too small to extrapolate
    log_before, log_last = math.log1p(-before), math.log1p(-at_last)
    return as_probability(-math.expm1(log_last + (horizon - last) * (log_last - log_before)))


def slepian_exceedance(*, threshold: float, windows: int) -> float:
    """Probability that W(t + 1) - W(t) reaches the threshold for some t in ``[0, windows]``: 1 - F(windows).

    The term of the determinant without a permutation is computed separately in closed form, so small probabilities keep
    their relative precision: 1e-12 for up to two windows, 1e-9 for three.

    Parameters
    ----------
    threshold : float
        Threshold in standard deviations of the return over one window.
    windows : {0, 1, 2, 3}
        Range of the start, in window lengths.

    Raises
    ------
    InvalidTermsError
        If the number of windows is not one of these.
    InvalidModelError
        If the threshold is not finite.

    Examples
    --------
    >>> round(slepian_exceedance(threshold=2.0, windows=2), 10)
    0.255155067
    """
    check_finite(threshold=threshold)
    if windows not in range(_LONGEST_EXACT + 1):
        raise InvalidTermsError(f"windows must be 0, 1, 2 or 3, got {windows}")
    below, above = float(ndtr(threshold)), float(ndtr(-threshold))
    at_starts = above * math.fsum(below**k for k in range(windows + 1))
    if windows == 0:
        return at_starts
    if windows == 1:
        density = _density(threshold)
        return as_probability(at_starts + float(density * (threshold * below + density)))
    return as_probability(at_starts - _permuted_terms(threshold, windows))


def _permuted_terms(threshold: float, windows: int) -> float:
    """Return Shepp's determinant without its diagonal term, integrated over ordered y; the last y analytically."""
    nodes, weights = gauss_legendre(0.0, max(threshold, 0.0) + _REACH, _NODES_PER_AXIS[windows])
    gaps = np.meshgrid(*[nodes] * windows, indexing="ij")
    volume = np.prod(np.meshgrid(*[weights] * windows, indexing="ij"), axis=0)
    y = np.concatenate([np.zeros((1, *volume.shape)), np.cumsum(gaps, axis=0)])

    def entry(row: int, column: int) -> FloatArray:
        if column == windows:
            return np.asarray(ndtr(y[row] - y[windows] + threshold))
        return _density(y[row] - y[column + 1] + threshold)

    table = [[entry(row, column) for column in range(windows + 1)] for row in range(windows + 1)]
    total = np.zeros_like(volume)
    for order in permutations(range(windows + 1)):
        if order != tuple(range(windows + 1)):
            total += _sign(order) * np.prod([table[row][column] for row, column in enumerate(order)], axis=0)
    return float(np.sum(volume * total))


def _density(x: npt.ArrayLike) -> FloatArray:
    return np.asarray(np.exp(-0.5 * np.square(x)) / math.sqrt(2.0 * math.pi))


def _sign(order: tuple[int, ...]) -> float:
    inversions = sum(earlier > later for index, later in enumerate(order) for earlier in order[:index])
    return -1.0 if inversions % 2 else 1.0
