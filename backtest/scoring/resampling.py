"""Confidence intervals that allow for common crashes: whole periods are resampled, never single covers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from pricing.tools.arrays import FloatArray

#: Confidence of every interval.
LEVEL = 0.95
#: Bootstrap resamples.
RESAMPLES = 2000
_TAILS = (0.5 * (1.0 - LEVEL), 0.5 * (1.0 + LEVEL))


class Interval(NamedTuple):
    """A statistic with its confidence interval; NaN if not defined, infinite if not bounded.

    Parameters
    ----------
    value, lower, upper : float
        The statistic and the ends of its interval.
    """

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeriodBootstrap:
    """Resamples of whole periods (Davison and Hinkley 1997, section 3.8).

    Parameters
    ----------
    draws : ndarray of float, shape (n_resamples, n_periods)
        Number of times that each resample contains each period; every row sums to the number of periods.
    """

    draws: FloatArray = field(repr=False)

    @staticmethod
    def draw(n_periods: int, *, seed: int, n_resamples: int = RESAMPLES) -> "PeriodBootstrap":
        """Draw resamples of as many periods as there are, with replacement."""
        chances = np.full(n_periods, 1.0 / n_periods)
        draws = np.random.default_rng(seed).multinomial(n_periods, chances, size=n_resamples)
        return PeriodBootstrap(draws=draws.astype(np.float64))

    def ratio(self, numerator: FloatArray, denominator: FloatArray) -> Interval:
        """Bound a ratio of two sums over periods.

        Studentised bootstrap of its logarithm (Hall 1992, section 3.10), because a few periods contain most events and
        percentiles would be too narrow. The error of each resample is that of the ratio by linearisation.

        Parameters
        ----------
        numerator, denominator : ndarray of float, shape (n_periods,)
            Sums of each period, not negative.

        Returns
        -------
        Interval
            Not bounded above if so few periods contain events that many resamples contain none.
        """
        everything = np.ones((1, len(numerator)))
        value, error = (float(part[0]) for part in _log_ratio(everything, numerator, denominator))
        if not np.isfinite(value):
            return Interval(value=float(np.exp(value)), lower=np.nan, upper=np.nan)
        logs, errors = _log_ratio(self.draws, numerator, denominator)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            distances = np.where(np.isneginf(logs), -np.inf, (logs - value) / errors)
            near, far = np.quantile(distances[~np.isnan(distances)], _TAILS, method="higher") if error else (0.0, 0.0)
            ends = np.exp([value, value - far * error, value - near * error])
        return Interval(value=float(ends[0]), lower=float(ends[1]), upper=float(ends[2]))

    def percentiles(self, statistic: Callable[[FloatArray], FloatArray]) -> Interval:
        """Bound any statistic by the percentiles of its resamples.

        Parameters
        ----------
        statistic : callable
            Takes weights of the periods, shape (n, n_periods), and returns its values, shape (n,). The value of the
            statistic uses weights of one.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            value = float(statistic(np.ones((1, self.draws.shape[1])))[0])
            resampled = statistic(self.draws)
        defined = resampled[np.isfinite(resampled)]
        lower, upper = np.quantile(defined, _TAILS) if len(defined) else (np.nan, np.nan)
        return Interval(value=value, lower=float(lower), upper=float(upper))


def _log_ratio(weights: FloatArray, numerator: FloatArray, denominator: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the log of the ratio and its standard error, for each row of weights."""
    top, bottom = weights @ numerator, weights @ denominator
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = top / bottom
        residuals = (
            weights @ numerator**2
            - 2.0 * ratio * (weights @ (numerator * denominator))
            + ratio**2 * (weights @ denominator**2)
        )
        return np.log(ratio), np.sqrt(np.maximum(residuals, 0.0)) / top
