"""T2: gaps between ends of consecutive calendar windows (a cliquet of digitals), for any law of the window return.

Windows do not overlap and their returns are independent, so the law of one window is all that is needed:
`merton_window_probability` and `merton_window_payout` give it for normal returns with normal jumps. The limit of short
windows, in which only jumps can gap (Tankov), is the ``jump_gap`` family.
"""

import math
from typing import Literal

import numpy as np
from scipy.special import gammaln, log_ndtr, ndtr, xlogy

from pricing.closed_form._checks import (
    as_probability,
    at_least_once,
    check_count,
    check_diffusion,
    check_finite,
    check_model,
    check_not_negative,
    check_probability,
    check_terms,
    log_distance,
)
from pricing.errors import InvalidTermsError
from pricing.tools.arrays import FloatArray


def gap_probability(*, window_probability: float, n_windows: int) -> float:
    """Probability of at least one gap in ``n_windows`` independent windows.

    Parameters
    ----------
    window_probability : float
        Probability that the return over one window is a gap.
    n_windows : int
        Number of windows in the term.

    Raises
    ------
    InvalidTermsError
        If the probability or the number is outside its domain.

    Examples
    --------
    >>> gap_probability(window_probability=0.1, n_windows=2)
    0.19
    """
    check_probability(window_probability=window_probability)
    check_count(n_windows=n_windows)
    return at_least_once(window_probability, n_windows)


def every_gap_payout(*, window_payout: float, n_windows: int, window_discount: float = 1.0) -> float:
    """Value of a payout for every window, each at the end of its window.

    Parameters
    ----------
    window_payout : float
        Expected payout of one window.
    n_windows : int
        Number of windows in the term.
    window_discount : float
        Discount factor over one window.

    Raises
    ------
    InvalidTermsError
        If a term is outside its domain.
    """
    _check_payout(window_payout, window_discount)
    check_count(n_windows=n_windows)
    return window_payout * math.fsum(window_discount**window for window in range(1, n_windows + 1))


def first_gap_payout(
    *, window_payout: float, window_probability: float, n_windows: int, window_discount: float = 1.0
) -> float:
    """Value of a payout for the first gap only, at the end of its window.

    Parameters and errors are those of `every_gap_payout` and `gap_probability`.
    """
    _check_payout(window_payout, window_discount)
    check_probability(window_probability=window_probability)
    check_count(n_windows=n_windows)
    if window_probability == 1.0:
        return window_payout * window_discount
    # A window counts if there was no earlier gap: a geometric sum whose ratio is survival times discount.
    log_ratio = math.log1p(-window_probability) + math.log(window_discount)
    windows_alive = math.expm1(n_windows * log_ratio) / math.expm1(log_ratio) if log_ratio else float(n_windows)
    return window_payout * window_discount * windows_alive


def _check_payout(window_payout: float, window_discount: float) -> None:
    check_terms(window_discount=window_discount)
    if not 0.0 <= window_payout < math.inf:
        raise InvalidTermsError(f"window_payout must be finite and not negative, got {window_payout}")


def merton_window_probability(
    *,
    drop: float,
    volatility: float,
    log_drift: float,
    window_years: float,
    jumps_per_year: float = 0.0,
    jump_mean: float = 0.0,
    jump_stdev: float = 0.0,
) -> float:
    """Probability that the price ends one window ``drop`` or more below its start.

    Parameters
    ----------
    drop : float
        Size of the fall, a fraction.
    volatility : float
        Of the diffusive part, per square root of a year, positive.
    log_drift : float
        Drift of the diffusive part of the log price per year.
    window_years : float
        Window in years.
    jumps_per_year, jump_mean, jump_stdev : float
        Normal log jumps; falls are negative. Without them the price is a geometric Brownian motion.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.

    References
    ----------
    Merton, Option pricing when underlying stock returns are discontinuous, J. Financ. Econ. 3 (1976).
    """
    distance = log_distance(drop)
    weights, means, stdevs = _mixture(volatility, log_drift, window_years, jumps_per_year, jump_mean, jump_stdev)
    return as_probability(float(weights @ ndtr((-distance - means) / stdevs)))


def merton_window_payout(
    *,
    drop: float,
    volatility: float,
    log_drift: float,
    window_years: float,
    jumps_per_year: float = 0.0,
    jump_mean: float = 0.0,
    jump_stdev: float = 0.0,
) -> float:
    """Return the expected put-type payout of one window, ``E(1 - drop - S_end / S_start)+``, undiscounted.

    Parameters and errors are those of `merton_window_probability`.
    """
    distance = log_distance(drop)
    weights, means, stdevs = _mixture(volatility, log_drift, window_years, jumps_per_year, jump_mean, jump_stdev)
    return float(weights @ _lognormal_put(distance, means, stdevs))


def _mixture(
    volatility: float,
    log_drift: float,
    window_years: float,
    jumps_per_year: float,
    jump_mean: float,
    jump_stdev: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return weights, means and standard deviations of the window return, one normal law for each number of jumps."""
    check_diffusion(volatility, log_drift)
    check_terms(window_years=window_years)
    check_not_negative(jumps_per_year=jumps_per_year, jump_stdev=jump_stdev)
    check_finite(jump_mean=jump_mean)
    expected = jumps_per_year * window_years
    count = np.arange(math.ceil(expected + 12.0 * math.sqrt(expected)) + 30.0)
    weights = np.exp(xlogy(count, expected) - expected - gammaln(count + 1.0))
    means = log_drift * window_years + count * jump_mean
    return weights, means, np.sqrt(volatility**2 * window_years + count * jump_stdev**2)


def _lognormal_put(distance: float, mean: FloatArray, stdev: FloatArray) -> FloatArray:
    """``E(e^-distance - e^X)+`` for normal X; log cdfs avoid overflow for small values."""
    strike_part = -distance + log_ndtr((-distance - mean) / stdev)
    asset_part = mean + 0.5 * stdev**2 + log_ndtr((-distance - mean) / stdev - stdev)
    return np.asarray(-np.exp(strike_part) * np.expm1(np.minimum(asset_part - strike_part, 0.0)))


def jump_gap_intensity(*, drop: float, jumps_per_year: float, jump_mean: float, jump_stdev: float) -> float:
    """Return the expected jumps per year that alone lower the price by ``drop`` or more, for normal log jumps.

    Parameters
    ----------
    drop : float
        Size of the fall, a fraction.
    jumps_per_year, jump_mean, jump_stdev : float
        Normal log jumps; falls are negative, the deviation is positive.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.

    References
    ----------
    Tankov, Pricing and hedging gap risk, J. Comput. Finance 13 (2010).
    """
    distance = log_distance(drop)
    _check_jumps(jumps_per_year, jump_mean, jump_stdev)
    return jumps_per_year * float(ndtr((-distance - jump_mean) / jump_stdev))


def jump_gap_payout_intensity(*, drop: float, jumps_per_year: float, jump_mean: float, jump_stdev: float) -> float:
    """Return the expected sum of the put-type payouts ``(1 - drop - e^J)+`` of the jumps of one year.

    Parameters and errors are those of `jump_gap_intensity`.
    """
    distance = log_distance(drop)
    _check_jumps(jumps_per_year, jump_mean, jump_stdev)
    return jumps_per_year * float(_lognormal_put(distance, np.array([jump_mean]), np.array([jump_stdev]))[0])


def _check_jumps(jumps_per_year: float, jump_mean: float, jump_stdev: float) -> None:
    check_not_negative(jumps_per_year=jumps_per_year)
    check_finite(jump_mean=jump_mean)
    check_model(jump_stdev=jump_stdev)


def jump_gap_probability(*, gap_intensity: float, term_years: float) -> float:
    """Probability of a gap in the limit of short windows, when only a jump can cause one.

    Parameters
    ----------
    gap_intensity : float
        Gaps per year, from `jump_gap_intensity` or any other jump law.
    term_years : float
        Term in years.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.
    """
    check_not_negative(gap_intensity=gap_intensity)
    check_terms(term_years=term_years)
    return -math.expm1(-gap_intensity * term_years)


def jump_gap_payout(
    *,
    payout_intensity: float,
    gap_intensity: float,
    rate: float,
    term_years: float,
    paid_at: Literal["gap", "expiry"] = "gap",
) -> float:
    """Value of a payout for the first gap in the limit of short windows.

    Parameters
    ----------
    payout_intensity : float
        Expected payout of all gaps of one year, from `jump_gap_payout_intensity` or any other payout and jump law.
    gap_intensity : float
        Gaps per year.
    rate : float
        Continuous, per year, not negative.
    term_years : float
        Term in years.
    paid_at : {"gap", "expiry"}
        When the payout is paid.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.
    """
    check_not_negative(payout_intensity=payout_intensity, gap_intensity=gap_intensity, rate=rate)
    check_terms(term_years=term_years)
    if paid_at == "gap":
        return payout_intensity * _annuity(rate + gap_intensity, term_years)
    if paid_at == "expiry":
        return payout_intensity * math.exp(-rate * term_years) * _annuity(gap_intensity, term_years)
    raise InvalidTermsError(f"paid_at must be 'gap' or 'expiry', got {paid_at!r}")


def _annuity(force: float, term_years: float) -> float:
    """Integral of ``exp(-force t)`` over the term."""
    return term_years if force == 0.0 else -math.expm1(-force * term_years) / force
