"""Result of an insurer who had sold a cover of limit 1 on every token at their own price."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backtest.scoring.resampling import Interval, PeriodBootstrap
from backtest.scoring.scores import Sample
from pricing.premiums.basis import PricingBasis
from pricing.tools.arrays import BoolArray, FloatArray

#: Probability that the capital is enough for a year.
CONFIDENCE = 0.995
_YEAR_DAYS = 365.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """Premiums and losses of the periods that start in a calendar year, in units of the limit."""

    year: int
    premium: float
    losses: float
    loss_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Premiums and losses of covers of limit 1 that pay the full limit.

    Parameters
    ----------
    covers, declined : int
        Covers sold, and covers whose premium would have reached the limit.
    premium, losses : ndarray of float, shape (n_periods,)
        Gross premium and losses of each period, in units of the limit.
    loss_ratio : Interval
        Ratio of all losses to all gross premium.
    years : tuple of Year
        Results by calendar year of the start.
    worst_period : float
        Largest loss of one period after expenses, in gross premiums of an average period.
    drawdown : float
        Largest fall of the cumulated result after expenses, in the same unit.
    capital : float
        Annual loss that is not exceeded with probability 0.995 if the periods of the year are drawn at random, in
        gross premiums of a year.
    """

    covers: int
    declined: int
    premium: FloatArray = field(repr=False)
    losses: FloatArray = field(repr=False)
    loss_ratio: Interval
    years: tuple[Year, ...]
    worst_period: float
    drawdown: float
    capital: float


def gross_premium(probability: FloatArray, basis: PricingBasis) -> FloatArray:
    """Price covers of limit 1 that pay the full limit, as ``pricing.premium`` does.

    Parameters
    ----------
    probability : ndarray of float, shape (n,)
        Probability of the event.
    basis : PricingBasis
        Loadings; cost of capital, interest, shares of the limit per year and minima are left out.
    """
    price = np.array([basis.risk_load.price_of_binary(float(p)) for p in probability])
    fixed = basis.fixed_expense + math.fsum(each.fixed for each in basis.loadings)
    needed = price + basis.ratio_of_loss * probability + fixed
    gross: FloatArray = needed / (1.0 - basis.ratio_of_gross)
    return gross


def keep_account(
    sample: Sample,
    starts: npt.NDArray[np.datetime64],
    bootstrap: PeriodBootstrap,
    basis: PricingBasis,
    *,
    period_days: float,
    seed: int,
) -> Account:
    """Sell and settle every cover that is insurable.

    Parameters
    ----------
    sample : Sample
        Quotes and outcomes.
    starts : ndarray of datetime64, shape (n_periods,)
        Start of each period.
    bootstrap : PeriodBootstrap
        Resamples for the interval of the loss ratio.
    basis : PricingBasis
        Loadings.
    period_days : float
        Number of days from one start to the next.
    seed : int
        Seed of the simulated years.
    """
    gross = gross_premium(sample.quoted, basis)
    sold: BoolArray = gross < 1.0
    premium, losses = sample.by_period(gross * sold), sample.by_period(sample.came & sold)
    result = premium * (1.0 - basis.expense_ratio) - basis.fixed_expense * sample.by_period(sold) - losses
    average = float(premium.mean())
    periods_a_year = max(round(_YEAR_DAYS / period_days), 1)
    return Account(
        covers=int(sold.sum()),
        declined=int((~sold).sum()),
        premium=premium,
        losses=losses,
        loss_ratio=bootstrap.ratio(losses, premium),
        years=_years(starts, premium, losses),
        worst_period=_over(max(-float(result.min()), 0.0), average),
        drawdown=_over(largest_drawdown(result), average),
        capital=_over(_capital(result, periods_a_year, seed), average * periods_a_year),
    )


def _over(amount: float, unit: float) -> float:
    return amount / unit if unit else np.nan


def _years(starts: npt.NDArray[np.datetime64], premium: FloatArray, losses: FloatArray) -> tuple[Year, ...]:
    calendar = starts.astype("datetime64[Y]").astype(np.int64) + 1970
    return tuple(
        _year(int(year), float(premium[calendar == year].sum()), float(losses[calendar == year].sum()))
        for year in np.unique(calendar)
    )


def _year(year: int, premium: float, losses: float) -> Year:
    return Year(year=year, premium=premium, losses=losses, loss_ratio=_over(losses, premium))


def largest_drawdown(result: FloatArray) -> float:
    """Return the largest fall of the cumulated result from an earlier high, including the beginning.

    Examples
    --------
    >>> largest_drawdown(np.array([2.0, -3.0, 1.0, -2.0]))
    4.0
    """
    cumulated = np.append(0.0, np.cumsum(result))
    return float((np.maximum.accumulate(cumulated) - cumulated).max())


def _capital(result: FloatArray, periods_a_year: int, seed: int, n_years: int = 20_000) -> float:
    drawn = np.random.default_rng(seed).integers(len(result), size=(n_years, periods_a_year))
    return max(-float(np.quantile(result[drawn].sum(axis=1), 1.0 - CONFIDENCE)), 0.0)
