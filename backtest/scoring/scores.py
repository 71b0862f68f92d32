"""Scores of probabilities, as sums over periods that the bootstrap weighs."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backtest.scoring.resampling import Interval, PeriodBootstrap
from pricing.tools.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Quotes and outcomes of one cell, one row per token-period.

    Parameters
    ----------
    quoted : ndarray of float, shape (n,)
        Probabilities strictly between 0 and 1.
    came : ndarray of bool, shape (n,)
        Whether the event occurred.
    period : ndarray of int, shape (n,)
        Number of the period, from 0.
    n_periods : int
        Number of periods.
    """

    quoted: FloatArray = field(repr=False)
    came: BoolArray = field(repr=False)
    period: IntArray = field(repr=False)
    n_periods: int

    def by_period(self, values: npt.ArrayLike) -> FloatArray:
        """Sum values of the rows over each period."""
        sums = np.bincount(self.period, np.asarray(values, dtype=np.float64), self.n_periods)
        return np.asarray(sums, dtype=np.float64)

    def rows(self, chosen: BoolArray) -> "Sample":
        """Return the chosen rows."""
        return Sample(
            quoted=self.quoted[chosen],
            came=self.came[chosen],
            period=self.period[chosen],
            n_periods=self.n_periods,
        )


def log_losses(quoted: FloatArray, came: BoolArray) -> FloatArray:
    """Return minus the log of the probability quoted for the outcome, in nats (Good 1952)."""
    return -np.where(came, np.log(quoted), np.log1p(-quoted))


def brier_losses(quoted: FloatArray, came: BoolArray) -> FloatArray:
    """Return squared errors of the probabilities (Brier 1950)."""
    return np.square(quoted - came)


def actual_to_expected(sample: Sample, bootstrap: PeriodBootstrap) -> Interval:
    """Divide the number of events by the expected number."""
    return bootstrap.ratio(sample.by_period(sample.came), sample.by_period(sample.quoted))


def mean(sample: Sample, values: npt.ArrayLike, bootstrap: PeriodBootstrap) -> Interval:
    """Average values of the rows, which are not negative."""
    return bootstrap.ratio(sample.by_period(values), sample.by_period(np.ones(len(sample.period))))


def skill(sample: Sample, losses: FloatArray, reference: FloatArray, bootstrap: PeriodBootstrap) -> Interval:
    """Return the share of the reference's losses that is avoided: 0 is no better than the reference, 1 is perfect."""
    left = bootstrap.ratio(sample.by_period(losses), sample.by_period(reference))
    return Interval(value=1.0 - left.value, lower=1.0 - left.upper, upper=1.0 - left.lower)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranking:
    """Counts of pairs in which an event was quoted higher than a non-event.

    Parameters
    ----------
    concordant : ndarray of float, shape (n_periods, n_periods)
        Pairs of an event of one period and a non-event of another in which the event was quoted higher; ties count
        half.
    pairs : ndarray of float, shape (n_periods, n_periods)
        Number of all pairs.
    """

    concordant: FloatArray = field(repr=False)
    pairs: FloatArray = field(repr=False)

    def within_periods(self, bootstrap: PeriodBootstrap) -> Interval:
        """Area under the ROC curve, pooled over pairs of the same period: ranks tokens, not months."""
        concordant, pairs = np.diag(self.concordant), np.diag(self.pairs)
        return bootstrap.percentiles(lambda weights: (weights @ concordant) / (weights @ pairs))

    def overall(self, bootstrap: PeriodBootstrap) -> Interval:
        """Area under the ROC curve over all pairs."""
        return bootstrap.percentiles(lambda weights: _form(weights, self.concordant) / _form(weights, self.pairs))


def _form(weights: FloatArray, matrix: FloatArray) -> FloatArray:
    """Evaluate the quadratic form of a matrix for each row of weights."""
    return np.asarray(((weights @ matrix) * weights).sum(axis=1))


def rank(sample: Sample) -> Ranking:
    """Count concordant pairs (Mann and Whitney 1947), for every pair of periods."""
    events, event_period = sample.quoted[sample.came], sample.period[sample.came]
    concordant = np.zeros((sample.n_periods, sample.n_periods))
    pairs = np.zeros_like(concordant)
    n_events = np.bincount(event_period, minlength=sample.n_periods)
    for period in range(sample.n_periods):
        others = np.sort(sample.quoted[(sample.period == period) & ~sample.came])
        below = 0.5 * (np.searchsorted(others, events, "left") + np.searchsorted(others, events, "right"))
        concordant[:, period] = np.bincount(event_period, below, sample.n_periods)
        pairs[:, period] = n_events * len(others)
    return Ranking(concordant=concordant, pairs=pairs)


def lorenz_curve(sample: Sample) -> tuple[FloatArray, FloatArray]:
    """Accumulate token-periods and events, lowest quote first.

    Returns
    -------
    covers, events : ndarray of float
        Shares from 0 to 1; token-periods with the same quote are taken together.
    """
    order = np.argsort(sample.quoted, kind="stable")
    last_of_a_quote = np.append(np.diff(sample.quoted[order]) > 0.0, True)
    came = np.cumsum(sample.came[order])
    covers = (np.flatnonzero(last_of_a_quote) + 1) / len(order)
    return np.append(0.0, covers), np.append(0.0, came[last_of_a_quote] / max(int(came[-1]), 1))


def gini(curve: tuple[FloatArray, FloatArray]) -> float:
    """Return twice the area between the diagonal and a Lorenz curve: 0 for a constant rate."""
    covers, events = curve
    return float(1.0 - np.sum(np.diff(covers) * (events[1:] + events[:-1])))


def quantile_groups(values: FloatArray, n_groups: int) -> IntArray:
    """Divide values into groups of about equal size, numbered upwards.

    Equal values stay together, so there may be fewer groups.
    """
    edges = np.quantile(values, np.arange(1, n_groups) / n_groups)
    return np.unique(np.searchsorted(edges, values, side="left"), return_inverse=True)[1]
