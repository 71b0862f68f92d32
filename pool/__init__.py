"""Total cost of many covers on many tokens: from a book and its surfaces to capital, and back to each cover.

::

    covers --> Book --> compress --> loss functions ---+
    surfaces, Dependence --> joint_scenarios ----------+--> pool_losses --> reinsurance --> PoolReport
                                                               |
                      covers <-- allocate <-- tail_weights <---+

One crash hits every holder of a token, and the shock of a month hits every token: both are in the scenarios, so that
sums over covers and tokens are sums within a scenario.
"""

from pool.allocation import Allocation, MarginalCapital, allocate, expected_losses, marginal_capital, tail_contributions
from pool.capacity import Accumulation, accumulations
from pool.dependence import Dependence, TokenRisk
from pool.exceedance import (
    Occurrence,
    ReturnLevel,
    aggregate_exceedance,
    largest_occurrence,
    occurrence_exceedance,
    return_levels,
)
from pool.horizons import Horizons, draw_horizons
from pool.joint import JointScenarios, JointSettings, joint_scenarios
from pool.leverage import (
    LeveragedPositions,
    LeverageLines,
    LeverageTerms,
    crash_shortfall,
    leverage_lines,
    tail_margin_rate,
)
from pool.losses import PoolLosses, pool_losses
from pool.majors import LARGE_OWN_SHARE, MAJORS
from pool.manipulation import PriceSource, manipulation_limit, manipulation_sale
from pool.reinsurance import ExcessOfLoss, QuotaShare, Reinsurance, retain, retained_income
from pool.report import PoolReport, PoolTerms, periods_in_a_year, pool_report
from pool.ruin import capital_for_ruin, largest_deficits, ruin_probability
from pool.summaries import AssetLine, LossSummary
from pool.tail import measure, tail_value_at_risk, tail_weights, value_at_risk
from pricing.contract.book import Book
from pricing.contract.loss_functions import CompressedBook, LossFunction, compress
from pricing.contract.observation import Observation

__all__ = [
    "LARGE_OWN_SHARE",
    "MAJORS",
    "Accumulation",
    "Allocation",
    "AssetLine",
    "Book",
    "CompressedBook",
    "Dependence",
    "ExcessOfLoss",
    "Horizons",
    "JointScenarios",
    "JointSettings",
    "LeverageLines",
    "LeverageTerms",
    "LeveragedPositions",
    "LossFunction",
    "LossSummary",
    "MarginalCapital",
    "Observation",
    "Occurrence",
    "PoolLosses",
    "PoolReport",
    "PoolTerms",
    "PriceSource",
    "QuotaShare",
    "Reinsurance",
    "ReturnLevel",
    "TokenRisk",
    "accumulations",
    "aggregate_exceedance",
    "allocate",
    "capital_for_ruin",
    "compress",
    "crash_shortfall",
    "draw_horizons",
    "expected_losses",
    "joint_scenarios",
    "largest_deficits",
    "largest_occurrence",
    "leverage_lines",
    "manipulation_limit",
    "manipulation_sale",
    "marginal_capital",
    "measure",
    "occurrence_exceedance",
    "periods_in_a_year",
    "pool_losses",
    "pool_report",
    "retain",
    "retained_income",
    "return_levels",
    "ruin_probability",
    "tail_contributions",
    "tail_margin_rate",
    "tail_value_at_risk",
    "tail_weights",
    "value_at_risk",
]
