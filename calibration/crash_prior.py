"""What the market says about crashes before a look at the token's own record: a rate and a severity, and their source.

The figures are counts of token-months in which the worst fall reached a size (241 tokens of one exchange, 51 starts 30
days apart). Rate and severity are computed from them here, so that each can be done again by hand or by machine.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from pricing.errors import DataError, InvalidModelError
from pricing.models import GeneralizedParetoFalls
from pricing.units import YEAR, format_duration, require_fraction

FloatArray = npt.NDArray[np.float64]

TOKEN_MONTHS, TOKEN_MONTH = 8691, timedelta(days=30)
SOURCE = (
    "worst {window} fall from the highest hourly close, in {months:,} token-months of 241 tokens traded against USDT "
    "on Binance, April 2021 to June 2025, counted in November 2026; pairs still trading at the end, so true rates are "
    "higher; a quote dated inside that period looks ahead"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashPrior:
    """Rate and severity of crashes of a token about which nothing is known.

    Parameters
    ----------
    threshold_drop : float
        Smallest fall that counts as a crash, a fraction of the price.
    per_year : float
        Expected crashes in a year of 365 days.
    severity : GeneralizedParetoFalls
        Law of the log jump, from the threshold on.
    source : str
        Data, period and method.
    """

    threshold_drop: float
    per_year: float
    severity: GeneralizedParetoFalls
    source: str

    def __post_init__(self) -> None:
        require_fraction(self.threshold_drop, "threshold_drop")
        if not 0.0 < self.per_year < math.inf:
            raise InvalidModelError(f"per_year must be positive and finite, got {self.per_year}")


def published_prior(step: timedelta) -> CrashPrior:
    """Choose the prior for bars of a given length.

    Up to one hour a crash is a fall of 20 % in one bar, seen in any hour of 1.98 % of the token-months. For longer
    bars, up to a day, it is a fall of 40 %, seen in any 24 hours of 2.09 %: about as rare, where 20 % a day is the
    rough weather of every third month and belongs to volatility.

    Raises
    ------
    DataError
        If the step is longer than a day.
    """
    if step <= timedelta(hours=1):
        return prior_from_exceedances(
            drops=(0.20, 0.25, 0.30, 0.40, 0.50, 0.60, 0.70, 0.90),
            events=(172, 81, 41, 6, 3, 2, 1, 0),
            source=SOURCE.format(window="1 h", months=TOKEN_MONTHS),
        )
    if step <= timedelta(days=1):
        return prior_from_exceedances(
            drops=(0.40, 0.50, 0.60, 0.70, 0.90),
            events=(182, 35, 10, 4, 1),
            source=SOURCE.format(window="24 h", months=TOKEN_MONTHS),
        )
    raise DataError(f"step must be at most 24h to tell a crash from a slow fall, got {format_duration(step)}")


def prior_from_exceedances(*, drops: Sequence[float], events: Sequence[int], source: str) -> CrashPrior:
    """Turn counts of token-months with a fall beyond each of several sizes into a prior.

    A month with at least one crash has probability ``1 - exp(-rate * 30 / 365)``, which gives the rate.

    Parameters
    ----------
    drops : sequence of float, shape (k,)
        Sizes, rising; the first is the threshold.
    events : sequence of int, shape (k,)
        Token-months, out of 8,691, with a fall of at least that size.
    source : str
        Where the counts are from.
    """
    share = events[0] / TOKEN_MONTHS
    return CrashPrior(
        threshold_drop=drops[0],
        per_year=-math.log1p(-share) * (YEAR / TOKEN_MONTH),
        severity=fit_falls(drops, events),
        source=source,
    )


def fit_falls(drops: Sequence[float], events: Sequence[int]) -> GeneralizedParetoFalls:
    """Fit a generalised Pareto law to counts of exceedances by maximum likelihood.

    The counts between two sizes are multinomial with the probabilities that the law gives to the log falls between them
    (grouped maximum likelihood); the last class is open.

    Parameters
    ----------
    drops : sequence of float, shape (k,)
        Sizes, rising; the first is the threshold.
    events : sequence of int, shape (k,)
        Number of falls of at least that size, not rising.
    """
    log_falls = -np.log1p(-np.asarray(drops))
    excesses = log_falls - log_falls[0]
    classes = np.asarray(events) - np.append(events[1:], 0)

    def loss(parameters: FloatArray) -> float:
        log_scale, shape = parameters
        survival = _survival(excesses, math.exp(log_scale), shape)
        probabilities = survival - np.append(survival[1:], 0.0)
        seen = classes > 0
        # a shape with an end point below an observed fall has likelihood zero
        return -float(classes[seen] @ np.log(probabilities[seen])) if np.all(probabilities[seen] > 0.0) else math.inf

    start = np.array([math.log(0.1), 0.1])
    best = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 2000})
    return GeneralizedParetoFalls(
        threshold=float(log_falls[0]), scale=math.exp(float(best.x[0])), shape=float(best.x[1])
    )


def _survival(excesses: FloatArray, scale: float, shape: float) -> FloatArray:
    """Probability that the excess of a generalised Pareto law is at least so large."""
    if shape == 0.0:
        return np.exp(-excesses / scale)
    growth = np.maximum(1.0 + shape * excesses / scale, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(-np.log(growth) / shape))
