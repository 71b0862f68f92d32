"""Tiered leverage products as lines of the pool: it receives margins and penalties and pays shortfalls.

Positions above a leverage of five pay a tail-risk margin and are liquidated by auction. A liquidation that raises more
than the debt pays a penalty, and the pool gets a share of it. A liquidation that raises less is paid by the venue's
fund, then by the pool, then by the profitable side of the market.

All positions are assumed to be opened at the reference price of the drop and sold at its lowest price. This gives the
largest possible shortfall and the smallest possible penalty.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from pool.joint import JointScenarios
from pricing.contract.observation import Observation
from pricing.errors import InvalidTermsError
from pricing.show.frames import make_frame
from pricing.tools.arrays import FloatArray
from pricing.tools.units import YEAR

if TYPE_CHECKING:
    import pandas as pd

#: Positions of at most this leverage do not involve the pool.
LOW_LEVERAGE = 5.0
#: The log of a crash's log fall is normal with mean 0 and this standard deviation (judgement).
CRASH_DEVIATION = 0.75

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(200)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeveragedPositions:
    """Positions of one asset and one leverage.

    Parameters
    ----------
    asset : str
        Asset.
    leverage : float
        Ratio of position to margin, above 5.
    notional : float
        Value of the positions, in the currency of the pool, positive.
    """

    asset: str
    leverage: float
    notional: float

    def __post_init__(self) -> None:
        if not LOW_LEVERAGE < self.leverage < math.inf:
            raise InvalidTermsError(
                f"leverage must be above {LOW_LEVERAGE:g}, got {self.leverage} (lower tiers do not involve the pool)"
            )
        if not 0.0 < self.notional < math.inf:
            raise InvalidTermsError(f"notional must be positive and finite, got {self.notional}")

    @property
    def debt(self) -> float:
        """Debt of the positions, as a share of their value at opening."""
        return 1.0 - 1.0 / self.leverage


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageTerms:
    """Terms of tiered leverage products; rates are fractions.

    Parameters
    ----------
    maintenance_margin : float
        Ratio of equity to position at which a position is liquidated.
    penalty_rate : float
        Ratio of penalty to debt.
    pool_share : float
        Share of the penalty that the pool receives.
    margin_loading : float
        Ratio of the tail-risk margin to the expected shortfall, at least 1.
    venue_fund : float
        Amount that the venue's fund pays of the shortfall on each asset in a period before the pool pays; in the
        currency of the pool.
    shortfall_limit : float
        Most that the pool pays on each asset in a period, in its currency; the profitable side bears the rest.
    """

    maintenance_margin: float = 0.005
    penalty_rate: float = 0.13
    pool_share: float = 0.60
    margin_loading: float = 1.5
    venue_fund: float = 0.0
    shortfall_limit: float = math.inf

    def __post_init__(self) -> None:
        for name in ("maintenance_margin", "penalty_rate", "pool_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InvalidTermsError(f"{name} must be from 0 to 1, got {getattr(self, name)} (13 % is 0.13)")
        if not 1.0 <= self.margin_loading < math.inf:
            raise InvalidTermsError(f"margin_loading must be at least 1 and finite, got {self.margin_loading}")
        for name in ("venue_fund", "shortfall_limit"):
            if not getattr(self, name) >= 0.0:
                raise InvalidTermsError(f"{name} must not be negative, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeverageLines:
    """Income and cost of leveraged positions for the pool in one period.

    Parameters
    ----------
    margins : float
        Tail-risk margins, received in every scenario.
    penalties : ndarray of shape (n_scenarios,)
        Pool's share of liquidation penalties.
    shortfalls : ndarray of shape (n_scenarios,)
        Payments of the pool.
    """

    margins: float
    penalties: FloatArray = field(repr=False)
    shortfalls: FloatArray = field(repr=False)

    @property
    def net_income(self) -> FloatArray:
        """Margins and penalties less shortfalls, shape (n_scenarios,)."""
        return self.margins + self.penalties - self.shortfalls

    def to_frame(self) -> "pd.DataFrame":
        """Return the lines and ``net_income`` as a data frame: a row per scenario."""
        names = ("penalties", "shortfalls", "net_income")
        margins = np.full_like(self.penalties, self.margins)
        return make_frame({"margins": margins} | {name: getattr(self, name) for name in names})


def crash_shortfall(leverage: float) -> float:
    """Return the expected shortfall of a position in a crash, sold at the lowest price, as a share of its value.

    ``E (1 - 1/L - exp(-Z))^+`` with log Z normal; rises with leverage.

    Examples
    --------
    >>> [round(crash_shortfall(leverage), 2) for leverage in (2, 5, 10, 20, 50)]
    [0.17, 0.43, 0.53, 0.58, 0.61]
    """
    if not 1.0 < leverage < math.inf:
        raise InvalidTermsError(f"leverage must be above 1 and finite, got {leverage}")
    debt = 1.0 - 1.0 / leverage
    harmless = float(ndtr(math.log(-math.log(debt)) / CRASH_DEVIATION))
    u = harmless + (1.0 - harmless) * 0.5 * (_NODES + 1.0)
    crash = np.exp(CRASH_DEVIATION * ndtri(u))
    return float(0.5 * (1.0 - harmless) * _NODE_WEIGHTS @ (debt - np.exp(-crash)))


def tail_margin_rate(leverage: float, *, crashes_per_year: float, loading: float) -> float:
    """Return the tail-risk margin of a day, as a share of the value of a position.

    Parameters
    ----------
    leverage : float
        Ratio of position to margin.
    crashes_per_year : float
        Crashes expected in a year, not negative.
    loading : float
        Ratio of margin to expected shortfall.

    Examples
    --------
    >>> print(f"{tail_margin_rate(10, crashes_per_year=0.05, loading=1.0):.4%} of notional a day")
    0.0072% of notional a day
    """
    if not 0.0 <= crashes_per_year < math.inf:
        raise InvalidTermsError(f"crashes_per_year must be finite and not negative, got {crashes_per_year}")
    return loading * crashes_per_year * (timedelta(days=1) / YEAR) * crash_shortfall(leverage)


def leverage_lines(
    positions: Sequence[LeveragedPositions],
    scenarios: JointScenarios,
    *,
    crashes_per_year: float,
    observation: Observation | None = None,
    terms: LeverageTerms | None = None,
) -> LeverageLines:
    """Compute the income and the cost of leveraged positions in every scenario.

    Parameters
    ----------
    positions : sequence of LeveragedPositions
        Positions, the same in every period.
    scenarios : JointScenarios
        Scenarios.
    crashes_per_year : float
        Number of crashes per year that margins are set for.
    observation : Observation, optional
        Observation whose worst drop liquidates positions; by default, a drop within 24 hours over 30 days.
    terms : LeverageTerms, optional
        Terms of the products.
    """
    observation, terms = observation or Observation(), terms or LeverageTerms()
    days = scenarios.period / timedelta(days=1)
    margins, penalties, shortfalls = 0.0, np.zeros(scenarios.n_scenarios), np.zeros(scenarios.n_scenarios)
    for asset in dict.fromkeys(group.asset for group in positions):
        prices = 1.0 - scenarios.worst_drops(asset, observation)
        missing = np.zeros_like(prices)
        for group in (group for group in positions if group.asset == asset):
            rate = tail_margin_rate(group.leverage, crashes_per_year=crashes_per_year, loading=terms.margin_loading)
            margins += days * rate * group.notional
            penalties += group.notional * _penalty(prices, group.debt, terms)
            missing += group.notional * np.maximum(group.debt - prices, 0.0)
        shortfalls += np.clip(missing - terms.venue_fund, 0.0, terms.shortfall_limit)
    return LeverageLines(margins=margins, penalties=penalties, shortfalls=shortfalls)


def _penalty(prices: FloatArray, debt: float, terms: LeverageTerms) -> FloatArray:
    """Return the pool's share of the penalty at each sale price, as a share of the value of the positions."""
    is_liquidated = prices * (1.0 - terms.maintenance_margin) <= debt
    left = np.clip(prices - debt, 0.0, terms.penalty_rate * debt)
    return np.where(is_liquidated, terms.pool_share * left, 0.0)
