"""Tests of breaches of a quantile: whether they are as frequent as promised, and independent of each other.

Both tests are likelihood ratios of a Markov chain of hits (Kupiec 1995, Journal of Derivatives 3; Christoffersen 1998,
International Economic Review 39).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, xlogy

from pricing.tools.arrays import BoolArray, FloatArray, IntArray

#: Number of earlier periods needed for the first reserve: the largest of nine is exceeded one time in ten.
FEWEST_RATIOS = 9
#: Share of periods that may breach the reserve.
BREACH_RATE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachTests:
    """Likelihood ratios with their p-values.

    Parameters
    ----------
    trials, breaches : int
        Total length of all sequences, and number of hits.
    expected : float
        Expected number of hits.
    coverage, coverage_p_value : float
        Kupiec's test that hits are as frequent as promised: chi-square with 1 degree of freedom.
    independence, independence_p_value : float
        Christoffersen's test that a hit does not make the next more likely: 1 degree of freedom.
    conditional, conditional_p_value : float
        Both tests together: the sum of the statistics, 2 degrees of freedom.
    """

    trials: int
    breaches: int
    expected: float
    coverage: float
    coverage_p_value: float
    independence: float
    independence_p_value: float
    conditional: float
    conditional_p_value: float


def breach_tests(hits: BoolArray, follows: BoolArray, rate: float) -> BreachTests:
    """Test one or several sequences of hits, written one after the other.

    Parameters
    ----------
    hits : ndarray of bool, shape (n,)
        Hits, in order of time within each sequence.
    follows : ndarray of bool, shape (n,)
        Whether a trial directly follows the one before it in the array.
    rate : float
        Promised frequency.
    """
    n, x = len(hits), int(hits.sum())
    coverage = 2.0 * (_log_likelihood(x, n, x / max(n, 1)) - _log_likelihood(x, n, rate))
    before, after = hits[:-1][follows[1:]], hits[1:][follows[1:]]
    independence = _independence(before, after)
    return BreachTests(
        trials=n,
        breaches=x,
        expected=rate * n,
        coverage=coverage,
        coverage_p_value=float(chdtrc(1, coverage)),
        independence=independence,
        independence_p_value=float(chdtrc(1, independence)),
        conditional=coverage + independence,
        conditional_p_value=float(chdtrc(2, coverage + independence)),
    )


def _log_likelihood(hits: int, trials: int, rate: float) -> float:
    return float(xlogy(hits, rate) + xlogy(trials - hits, 1.0 - rate))


def _independence(before: BoolArray, after: BoolArray) -> float:
    """Test separate hit rates after a hit and after a non-hit against one common rate."""
    counts = [(int(after[before == state].sum()), int((before == state).sum())) for state in (False, True)]
    apart = math.fsum(_log_likelihood(hits, trials, hits / max(trials, 1)) for hits, trials in counts)
    together = _log_likelihood(int(after.sum()), len(after), float(after.mean()) if len(after) else 0.0)
    return max(2.0 * (apart - together), 0.0)


def reserve_breaches(came: FloatArray, expected: FloatArray) -> tuple[BoolArray, float]:
    """Compare the events of each period with a reserve set before it.

    The reserve is the expected number times a quantile of the ratios came / expected of all earlier periods: among n
    ratios, the one of rank 0.9 (n + 1), rounded. If the ratios of periods are exchangeable, the next one exceeds it
    with probability 1 - rank / (n + 1), however strongly tokens crash together.

    Parameters
    ----------
    came, expected : ndarray of float, shape (n_periods,)
        Events of each period, and the sum of their probabilities.

    Returns
    -------
    breaches : ndarray of bool, shape (n_periods - 9,)
        From the tenth period on; empty if there are fewer.
    rate : float
        Share of breaches to expect, about a tenth.
    """
    ratios = came / expected
    earlier = np.arange(FEWEST_RATIOS, len(ratios))
    ranks = np.rint((1.0 - BREACH_RATE) * (earlier + 1)).astype(np.intp)
    reserves = [np.sort(ratios[:n])[rank - 1] for n, rank in zip(earlier, ranks, strict=True)]
    rates = 1.0 - ranks / (earlier + 1)
    return ratios[FEWEST_RATIOS:] > np.array(reserves), float(rates.mean()) if len(rates) else BREACH_RATE


def token_sequences(token: IntArray, period: IntArray) -> tuple[IntArray, BoolArray]:
    """Sort token-periods into one sequence per token.

    Returns
    -------
    order : ndarray of int, shape (n,)
        Rows by token and period.
    follows : ndarray of bool, shape (n,)
        Whether a row in that order belongs to the same token as the previous row, one period later.
    """
    order = np.lexsort((period, token))
    same = np.diff(token[order]) == 0
    next_period = np.diff(period[order]) == 1
    return order, np.append(False, same & next_period)
