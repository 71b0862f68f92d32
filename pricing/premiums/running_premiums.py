"""A premium that is paid as it is earned: at a running rate until the trigger fires, the term ends or the cover stops.

At the fair rate, the discounted premiums while they are paid are worth the benefit paid at the trigger. Only the law
of the trigger's time matters, given as its probability by each of several times: from a surface with several
terms, from a closed form, or from a market. In between, the hazard rate is assumed to be constant.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate

import numpy as np

from pricing.contract.cover import Cover
from pricing.contract.observation import Observation
from pricing.contract.triggers import DropTrigger
from pricing.errors import InvalidTermsError, UnresolvedError
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import premium, sample_for
from pricing.surface.estimates import Estimate, WeightedSample
from pricing.surface.surface import DropSurface
from pricing.tools.arrays import FloatArray
from pricing.tools.units import YEAR, Duration, parse_duration

_SLOPE_STEP = 1e-6


def running_rate(years: Sequence[float], probabilities: Sequence[float], *, rate: float = 0.0) -> float:
    """Return the fair premium per year and unit of benefit, paid continuously until the trigger or the last time.

    Whoever pays it may stop at any time: at a constant hazard rate, they have then paid exactly for the cover received.
    If the hazard rate varies, they have paid the average of the whole term; ``stop_values`` returns the value of a
    stop.

    Parameters
    ----------
    years : sequence of float
        Times from the start in increasing order, in years; the last is the end of the term.
    probabilities : sequence of float
        Probability that the trigger has fired by each time, not decreasing, below 1.
    rate : float
        Continuous riskless rate per year.

    Raises
    ------
    InvalidTermsError
        If times or probabilities are not those of a law.

    References
    ----------
    Zhang, Leung and Hadjiliadis, Stochastic modeling and fair valuation of drawdown insurance, Insur. Math. Econ. 53
    (2013); the method is that for credit default swaps.

    Examples
    --------
    >>> from math import exp
    >>> round(running_rate([0.5, 1.0], [1 - exp(-0.2), 1 - exp(-0.4)], rate=0.05), 12)
    0.4
    """
    return _average_hazard(*_checked_law(years, probabilities, rate), rate)


def running_rate_estimate(
    surface: DropSurface, trigger: DropTrigger, *, terms: Sequence[Duration], rate: float = 0.0
) -> Estimate[float]:
    """Return the fair premium per year and unit of limit of a simulated cover that pays the whole limit at the trigger.

    Parameters
    ----------
    surface : DropSurface
        Worst drops, simulated for each of the terms.
    trigger : DropTrigger
        Trigger of the benefit.
    terms : sequence of timedelta or str
        Terms in increasing order; the last is the term of the cover, the others locate the time of the trigger.
    rate : float
        Continuous riskless rate per year.

    Raises
    ------
    NotSimulatedError
        If the surface does not contain the trigger over one of the terms.
    UnresolvedError
        If no path fired the trigger.

    Examples
    --------
    >>> from pricing import ConstantVolatility, Normal, PriceModel, simulate
    >>> model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    >>> surface = simulate(model, terms=("10d", "20d", "30d"))
    >>> estimate = running_rate_estimate(surface, DropTrigger(drop=0.2), terms=("10d", "20d", "30d"))
    >>> print(f"{estimate.value:.2f} +- {estimate.standard_error:.2f} per year")
    5.66 +- 0.03 per year
    """
    lengths = [parse_duration(term, "terms") for term in terms]
    watched = [Observation(reference=trigger.reference, window=trigger.window, term=length) for length in lengths]
    samples = [surface.sample_of(observation) for observation in watched]
    times, probabilities = _law_by_term(samples, trigger, lengths, rate)
    if probabilities[-1] == 0.0:
        raise UnresolvedError(f"none of {samples[-1].n_paths} paths fell by {trigger.drop:.0%}: there is no rate")
    slopes = _slopes(_average_hazard, times, probabilities, rate)
    variance = float(slopes @ _covariance(samples, probabilities, trigger.drop) @ slopes)
    return Estimate(_average_hazard(times, probabilities, rate), math.sqrt(max(variance, 0.0)))


def running_premium(
    cover: Cover, surface: DropSurface, basis: PricingBasis | None = None, *, terms: Sequence[Duration]
) -> Estimate[float]:
    """Return the premium per year that replaces a gross premium while the cover lasts.

    The discounted payments until the trigger fires are worth the gross premium. If the buyer stops early, the insurer
    does not receive the outstanding part of fixed expenses and of the minimum.

    Parameters
    ----------
    cover : Cover
        The contract.
    surface : DropSurface
        Worst drops, simulated for each of the terms.
    basis : PricingBasis, optional
        Loadings and interest rate; by default ``PricingBasis()``.
    terms : sequence of timedelta or str
        Terms in increasing order, longer than the waiting period; the last is the term of the cover, the others locate
        the time of the trigger.

    Returns
    -------
    Estimate
        Premium per year in the currency of the cover. The standard errors of premium and time are added, which is
        conservative.

    Raises
    ------
    InvalidTermsError
        If the terms do not increase to that of the cover.
    QuoteRefusedError
        As in ``premium``.

    Examples
    --------
    >>> from pricing import ConstantVolatility, FullPayout, Normal, PriceModel, simulate
    >>> model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    >>> surface = simulate(model, terms=("10d", "20d", "30d"))
    >>> cover = Cover(
    ...     cover_id="C-1", asset="OM", trigger=DropTrigger(drop=0.25), payout=FullPayout(), limit=1e5, currency="USD"
    ... )
    >>> each_year = running_premium(cover, surface, terms=("10d", "20d", "30d"))
    >>> print(f"{each_year.value / 365:,.0f} +- {each_year.standard_error / 365:,.0f} per day")
    204 +- 3 per day
    """
    basis = basis or PricingBasis()
    lengths = [parse_duration(term, "terms") for term in terms]
    if not lengths or lengths[-1] != cover.term:
        raise InvalidTermsError(f"terms must end with the term of the cover, got {terms}")
    priced = premium(cover, surface, basis)
    samples = [sample_for(replace(cover, term=length), surface) for length in lengths]
    times, fired = _law_by_term(samples, cover.trigger, lengths, basis.interest_rate)
    years = _annuity(times, fired, basis.interest_rate)
    slopes = _slopes(_annuity, times, fired, basis.interest_rate)
    error = math.sqrt(max(float(slopes @ _covariance(samples, fired, cover.trigger.drop) @ slopes), 0.0))
    each_year = priced.gross / years
    return Estimate(each_year, priced.standard_error / years + each_year * error / years)


def perpetual_running_rate(years: Sequence[float], probabilities: Sequence[float], *, rate: float) -> float:
    """Return the fair premium per year and unit of benefit, paid continuously until the trigger, without end of term.

    The hazard rate of the last interval continues for ever; for rolling windows and drawdowns it tends to a constant.
    Parameters and errors are those of ``running_rate``; the rate is positive.
    """
    hazards, annuities = _pieces(*_checked_law(years, probabilities, rate), rate)
    if not rate > 0.0:
        raise InvalidTermsError(f"rate must be positive for a premium without end, got {rate}")
    for_ever = math.exp(-rate * years[-1]) * (1.0 - probabilities[-1]) / (hazards[-1] + rate)
    benefit = float(hazards @ annuities) + hazards[-1] * for_ever
    return float(benefit / (annuities.sum() + for_ever))


def stop_values(
    years: Sequence[float], probabilities: Sequence[float], *, running_premium: float, rate: float = 0.0
) -> FloatArray:
    """Return the value of the rest of the cover to the holder at each time, if the trigger has not fired by then.

    It is the value of the outstanding benefit less the outstanding premium. If it is negative, the holder gains by
    stopping; if it is positive, the insurer would gain.

    Parameters
    ----------
    years, probabilities, rate
        As in ``running_rate``.
    running_premium : float
        Premium per year and unit of benefit.

    Returns
    -------
    ndarray of shape (n_times,)
        Values per unit of benefit at the start of each interval, without the end of the term, where the value is zero.
    """
    hazards, annuities = _pieces(*_checked_law(years, probabilities, rate), rate)
    starts = np.concatenate(([0.0], years[:-1]))
    alive = np.concatenate(([1.0], 1.0 - np.asarray(probabilities[:-1])))
    to_come = np.cumsum(((hazards - running_premium) * annuities)[::-1])[::-1]
    return np.asarray(to_come / (alive * np.exp(-rate * starts)))


def _law_by_term(
    samples: Sequence[WeightedSample], trigger: DropTrigger, terms: Sequence[timedelta], rate: float
) -> tuple[FloatArray, FloatArray]:
    # Sums of the same weights in two orders may differ by rounding.
    fired = list(accumulate((sample.exceedance(trigger.drop).value for sample in samples), max))
    return _checked_law([term / YEAR for term in terms], fired, rate)


def _annuity(times: FloatArray, fired: FloatArray, rate: float) -> float:
    """Return the value of one unit per year until the trigger or the last time."""
    return float(_pieces(times, fired, rate)[1].sum())


def _average_hazard(times: FloatArray, fired: FloatArray, rate: float) -> float:
    hazards, annuities = _pieces(times, fired, rate)
    return float(hazards @ annuities / annuities.sum())


def _pieces(times: FloatArray, fired: FloatArray, rate: float) -> tuple[FloatArray, FloatArray]:
    """Return the hazard rate of each interval and the value of one unit per year paid in it until the trigger."""
    lengths = np.diff(times, prepend=0.0)
    survived = -np.log1p(-np.concatenate(([0.0], fired)))
    hazards = np.diff(survived) / lengths
    decay = (hazards + rate) * lengths
    starts = np.exp(-survived[:-1] - rate * (times - lengths))
    # (1 - e^-x) / x, which is 1 if neither discounting nor the trigger reduces it.
    kept = np.ones_like(decay)
    np.divide(-np.expm1(-decay), decay, out=kept, where=decay != 0.0)
    return hazards, starts * lengths * kept


def _slopes(
    of: Callable[[FloatArray, FloatArray, float], float], times: FloatArray, fired: FloatArray, rate: float
) -> FloatArray:
    """Return the derivatives of a function of the law by the probabilities, by central differences."""
    step = _SLOPE_STEP * (1.0 - fired[-1])
    moves = step * np.eye(len(fired))
    changes = [of(times, fired + move, rate) - of(times, fired - move, rate) for move in moves]
    return np.asarray(np.array(changes) / (2.0 * step))


def _covariance(samples: Sequence[WeightedSample], fired: FloatArray, drop: float) -> FloatArray:
    """Return the covariances of the probabilities: a path that fires within a term fires within each longer one."""
    n_paths = samples[0].n_paths
    squares = np.array([np.square(sample.weighted(np.ones(sample.n_beyond(drop)))).sum() for sample in samples])
    return np.asarray((np.minimum.outer(squares, squares) / n_paths - np.outer(fired, fired)) / n_paths)


def _checked_law(years: Sequence[float], probabilities: Sequence[float], rate: float) -> tuple[FloatArray, FloatArray]:
    times, fired = np.asarray(years, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if times.ndim != 1 or times.shape != fired.shape or not times.size:
        raise InvalidTermsError(
            f"years and probabilities must have the same length of at least 1, got {times.shape} and {fired.shape}"
        )
    if not ((np.diff(times, prepend=0.0) > 0.0).all() and np.isfinite(times).all()):
        raise InvalidTermsError(f"years must be positive, increasing and finite, got {times.tolist()}")
    if not ((np.diff(fired, prepend=0.0) >= 0.0).all() and fired[-1] < 1.0):
        raise InvalidTermsError(f"probabilities must not decrease, from at least 0 to below 1, got {fired.tolist()}")
    if not math.isfinite(rate):
        raise InvalidTermsError(f"rate must be finite, got {rate}")
    return times, fired
