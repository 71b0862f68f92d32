"""The whole pool on one page: losses, exceedance, capital, ruin, allocation and accumulation."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from pool.allocation import Allocation, expected_losses, tail_contributions
from pool.capacity import SHARE_OF_CAPITAL, accumulations
from pool.exceedance import RETURN_PERIODS, ReturnLevel, return_levels
from pool.horizons import draw_horizons
from pool.joint import JointScenarios
from pool.leverage import LeverageLines
from pool.losses import pool_losses
from pool.reinsurance import Reinsurance, retain, retained_income
from pool.ruin import capital_for_ruin, ruin_probability
from pool.summaries import (
    RETURN_CURVES,
    AssetLine,
    LossSummary,
    capital_frame,
    capital_table,
    draw_return_levels,
    levels_frame,
    levels_table,
    losses_frame,
    losses_table,
    tokens_frame,
    tokens_table,
)
from pool.tail import tail_value_at_risk
from pricing.contract.book import Book
from pricing.contract.loss_functions import CompressedBook
from pricing.errors import InvalidTermsError
from pricing.show import drawing
from pricing.show.frames import make_frame, require_table
from pricing.show.html_tables import write_html
from pricing.surface.estimates import Estimate
from pricing.tools.arrays import FloatArray
from pricing.tools.plain import Form, to_plain
from pricing.tools.units import YEAR, format_duration

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


PoolTable = Literal["tokens", "covers", "losses", "return_levels", "capital"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTerms:
    """Capital, income, reinsurance and targets of the pool.

    Parameters
    ----------
    capital : float
        Capital at the start, in the currency of the book.
    income : float
        Premium of a period less expenses, before reinsurance.
    level : float
        Confidence of the tail measures.
    ruin_target : float
        Probability of ruin for which the required capital is computed.
    horizon_periods : int
        Number of periods of the ruin horizon.
    reinsurance : tuple of QuotaShare, ExcessOfLoss or another contract
        Applied in this order.
    share_of_capital : float
        Largest sum of limits on one token, as a fraction of capital.
    manipulation_limits : mapping of str to float, optional
        Largest sum of limits by asset, see ``pool.manipulation``.
    return_periods : tuple of float
        Return periods of the exceedance table, in years.
    """

    capital: float
    income: float
    level: float = 0.995
    ruin_target: float = 0.005
    horizon_periods: int = 12
    reinsurance: tuple[Reinsurance, ...] = ()
    share_of_capital: float = SHARE_OF_CAPITAL
    manipulation_limits: Mapping[str, float] | None = None
    return_periods: tuple[float, ...] = RETURN_PERIODS

    def __post_init__(self) -> None:
        for name in ("capital", "income"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise InvalidTermsError(f"{name} must be finite and not negative, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolReport:
    """Figures of the pool: amounts in the currency of the book, estimates with standard errors.

    Parameters
    ----------
    currency : str
        Currency of the book.
    n_covers, n_functions, n_scenarios : int
        Numbers of covers, of the loss functions into which they were combined, and of scenarios.
    period : timedelta
        Length of a scenario.
    gross, net : LossSummary
        Losses of a period from covers, before and after reinsurance.
    income : float
        Income of a period after reinsurance.
    leverage_income : float
        Expected margins and penalties minus shortfalls of leverage products in a period.
    return_levels : tuple of ReturnLevel
        Occurrence and aggregate exceedance of a year, before reinsurance.
    ruin : Estimate
        Probability of ruin within the horizon.
    capital_for_ruin : Estimate
        Capital at which the probability of ruin equals the target.
    capital_for_tail : Estimate
        Tail value at risk of a period's losses net of its income.
    assets : tuple of AssetLine
        Exposure and risk contribution of each token, in the order of the book.
    expected_by_cover, tail_by_cover : ndarray of shape (n_covers,)
        Expected loss before reinsurance and tail contribution after it.
    """

    currency: str
    n_covers: int
    n_functions: int
    n_scenarios: int
    period: timedelta
    gross: LossSummary
    net: LossSummary
    income: float
    leverage_income: float
    return_levels: tuple[ReturnLevel, ...]
    ruin: Estimate[float]
    capital_for_ruin: Estimate[float]
    capital_for_tail: Estimate[float]
    assets: tuple[AssetLine, ...]
    expected_by_cover: FloatArray = field(repr=False, metadata={"plain": False})
    tail_by_cover: FloatArray = field(repr=False, metadata={"plain": False})

    def to_frame(self, table: PoolTable = "tokens") -> "pd.DataFrame":
        """Return one table of the report as a data frame.

        Parameters
        ----------
        table : {"tokens", "covers", "losses", "return_levels", "capital"}
            Exposure and risk contribution of each token; expected loss and tail contribution of each cover, in the
            order of the book; the loss of one period before and after reinsurance; losses by return period in years;
            capital and probability of ruin. Estimates have a column with their standard errors.

        Raises
        ------
        InvalidTermsError
            If there is no such table.
        MissingLibraryError
            If pandas is not installed.
        """
        require_table(table, get_args(PoolTable))
        if table == "tokens":
            return tokens_frame(self.assets)
        if table == "covers":
            return make_frame({"expected_loss": self.expected_by_cover, "tail_contribution": self.tail_by_cover})
        if table == "losses":
            return losses_frame({"gross": self.gross, "net": self.net})
        if table == "return_levels":
            return levels_frame(self.return_levels)
        return capital_frame({name: getattr(self, name) for name in _CAPITAL})

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the losses of a year by return period with their 95 % bands, before reinsurance.

        Parameters
        ----------
        axes : Axes, optional
            Axes of matplotlib to draw on; by default those of a new picture.
        """
        axes = drawing.new_axes(axes, _HEIGHT)
        years = [level.return_period for level in self.return_levels]
        curves = {name: [getattr(level, name) for level in self.return_levels] for name in RETURN_CURVES}
        draw_return_levels(axes, years, curves, self.currency)
        return axes

    def _repr_html_(self) -> str:
        capital = {name: getattr(self, name) for name in _CAPITAL}
        return write_html(
            f"Pool of {self.n_covers:,} covers on {len(self.assets):,} tokens",
            losses_table({"before reinsurance": self.gross, "after reinsurance": self.net}, self.currency),
            capital_table(capital, self.income, self.currency),
            levels_table(self.return_levels, self.currency),
            tokens_table(self.assets, self.currency),
            notes=[
                f"{self.n_scenarios:,} scenarios of {format_duration(self.period)}. Standard errors are of the "
                "simulation and do not include errors of the model."
            ],
        )

    def to_json(self) -> str:
        """Write everything except the per-cover columns as JSON with sorted keys."""
        return json.dumps(to_plain(self, Form.NAMED), sort_keys=True, allow_nan=False)


_CAPITAL = ("ruin", "capital_for_ruin", "capital_for_tail")
#: Height of a picture in inches.
_HEIGHT = 3.2


def pool_report(
    compressed: CompressedBook,
    scenarios: JointScenarios,
    terms: PoolTerms,
    *,
    leverage: LeverageLines | None = None,
    seed: int = 1,
) -> PoolReport:
    """Report on a pool.

    Parameters
    ----------
    compressed : CompressedBook
        The book.
    scenarios : JointScenarios
        Joint scenarios of one period; a year is the nearest whole number of periods.
    terms : PoolTerms
        Capital, income, reinsurance and targets of the pool.
    leverage : LeverageLines, optional
        Income and cost of leverage products in the same scenarios.
    seed : int
        Seed of the shuffles that order the periods.

    Raises
    ------
    NotSimulatedError
        If the scenarios lack an asset or an observation of the book.
    PrecisionError
        If there are too few scenarios for a level, a return period or a probability of ruin.
    """
    gross = pool_losses(compressed, scenarios)
    net = retain(terms.reinsurance, gross) if terms.reinsurance else gross
    income = retained_income(terms.reinsurance, terms.income)
    leverage_income = np.zeros(scenarios.n_scenarios) if leverage is None else leverage.net_income
    net_losses = net.total - income - leverage_income
    years, horizons = (
        draw_horizons(scenarios.n_scenarios, n_periods, levels=scenarios.level, seed=seed)
        for n_periods in (periods_in_a_year(scenarios.period), terms.horizon_periods)
    )
    expected = expected_losses(compressed, scenarios)
    tail = tail_contributions(compressed, scenarios, gross, level=terms.level, net=net if terms.reinsurance else None)
    return PoolReport(
        currency=compressed.book.currency,
        n_covers=len(compressed.book),
        n_functions=len(compressed.functions),
        n_scenarios=scenarios.n_scenarios,
        period=scenarios.period,
        gross=LossSummary.of(gross.total, terms.level),
        net=LossSummary.of(net.total, terms.level),
        income=income,
        leverage_income=float(leverage_income.mean()),
        return_levels=return_levels(gross, years, terms.return_periods),
        ruin=ruin_probability(net_losses, terms.capital, horizons),
        capital_for_ruin=capital_for_ruin(net_losses, terms.ruin_target, horizons),
        capital_for_tail=tail_value_at_risk(net_losses, terms.level),
        assets=_asset_lines(compressed.book, terms, scenarios, expected, tail),
        expected_by_cover=expected.by_cover,
        tail_by_cover=tail.by_cover,
    )


def periods_in_a_year(period: timedelta) -> int:
    """Return the whole number of periods that is nearest to a year: twelve of 30 days."""
    return max(round(YEAR / period), 1)


def _asset_lines(
    book: Book, terms: PoolTerms, scenarios: JointScenarios, expected: Allocation, tail: Allocation
) -> tuple[AssetLine, ...]:
    standing = accumulations(
        book,
        capital=terms.capital,
        share_of_capital=terms.share_of_capital,
        manipulation_limits=terms.manipulation_limits,
    )
    rows = zip(standing, expected.by_asset.tolist(), tail.by_asset.tolist(), strict=True)
    return tuple(
        AssetLine(
            accumulation=accumulation,
            expected_loss=loss,
            tail_contribution=contribution,
            group=scenarios.tokens[accumulation.asset].group,
            own_share=scenarios.tokens[accumulation.asset].share_alone,
        )
        for accumulation, loss, contribution in rows
    )
