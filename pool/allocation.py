"""Contribution of each cover to the tail of the pool, and the addition of one more cover."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from pool.joint import JointScenarios
from pool.losses import PoolLosses
from pool.tail import tail_value_at_risk, tail_weights
from pricing.contract.book import sum_by
from pricing.contract.cover import Cover
from pricing.contract.loss_functions import CompressedBook
from pricing.contract.shares import shares_of
from pricing.contract.thresholds import least_drop
from pricing.principles import TailValueAtRisk
from pricing.show.frames import make_frame, require_table
from pricing.surface.estimates import Estimate
from pricing.tools.arrays import FloatArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Allocation:
    """A weighted average of the pool's losses, split by cover and by asset.

    Parameters
    ----------
    assets : tuple of str
        Assets of the book.
    by_cover : ndarray of shape (n_covers,)
        Share of each cover; the shares add up to the total.
    by_asset : ndarray of shape (n_assets,)
        Share of each asset.
    """

    assets: tuple[str, ...]
    by_cover: FloatArray = field(repr=False)
    by_asset: FloatArray = field(repr=False)

    @property
    def total(self) -> float:
        """Sum over all covers."""
        return float(self.by_cover.sum())

    def to_frame(self, table: Literal["assets", "covers"] = "assets") -> "pd.DataFrame":
        """Return the split as a data frame.

        Parameters
        ----------
        table : {"assets", "covers"}
            A row per asset, which is the index, or per cover in the order of the book.

        Returns
        -------
        DataFrame
            Columns ``amount``, in the currency of the book, and ``share`` of the total.
        """
        require_table(table, ("assets", "covers"))
        if table == "covers":
            return make_frame({"amount": self.by_cover, "share": self.by_cover / self.total})
        columns = {"asset": self.assets, "amount": self.by_asset, "share": self.by_asset / self.total}
        return make_frame(columns, index="asset")


def allocate(compressed: CompressedBook, scenarios: JointScenarios, weights: FloatArray) -> Allocation:
    """Split a weighted average of the losses.

    Equal weights give expected losses; ``tail_weights`` give contributions to the tail value at risk (co-TVaR), the
    natural allocation (Mildenhall and Major 2022).

    Parameters
    ----------
    compressed : CompressedBook
        The book.
    scenarios : JointScenarios
        Scenarios.
    weights : ndarray of shape (n_scenarios,) or (n_assets, n_scenarios)
        Weight of each scenario, either the same for all assets or times the retained share of each asset's loss.
    """
    weights = np.broadcast_to(weights, scenarios.paths.shape)
    averages = []
    for function in compressed.functions:
        counts = weights[scenarios.row(function.asset)]
        chosen = np.flatnonzero(counts)
        drops = scenarios.worst_drops(function.asset, function.observation, chosen)
        averages.append(function.node_averages(drops, counts[chosen]))
    by_cover = compressed.by_cover(averages)
    book = compressed.book
    by_asset = sum_by(book.asset, by_cover, len(book.assets))
    return Allocation(assets=tuple(book.assets), by_cover=by_cover, by_asset=by_asset)


def expected_losses(compressed: CompressedBook, scenarios: JointScenarios) -> Allocation:
    """Split the expected loss of the pool."""
    return allocate(compressed, scenarios, np.full(scenarios.n_scenarios, 1.0 / scenarios.n_scenarios))


def tail_contributions(
    compressed: CompressedBook,
    scenarios: JointScenarios,
    gross: PoolLosses,
    *,
    level: float,
    net: PoolLosses | None = None,
) -> Allocation:
    """Split the tail value at risk of the pool.

    Parameters
    ----------
    compressed : CompressedBook
        The book.
    scenarios : JointScenarios
        Scenarios.
    gross : PoolLosses
        Losses of the book in these scenarios.
    level : float
        Confidence such as 0.995.
    net : PoolLosses, optional
        Losses after reinsurance, if any; recoveries are credited to the covers whose losses they reimburse.
    """
    if net is None:
        return allocate(compressed, scenarios, tail_weights(gross.total, level))
    retained = np.divide(net.by_asset, gross.by_asset, out=np.zeros_like(gross.by_asset), where=gross.by_asset > 0.0)
    return allocate(compressed, scenarios, tail_weights(net.total, level) * retained)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginalCapital:
    """Addition of one more cover to the tail value at risk of a pool.

    Parameters
    ----------
    alone : float
        Tail value at risk of the cover by itself.
    contribution : float
        Its average loss in the scenarios that form the pool's tail now; the capital cost of a small cover.
    added : Estimate
        Tail value at risk with the cover minus that without it; lies between `contribution` and `alone`.
    """

    alone: float
    contribution: float
    added: Estimate[float]


def marginal_capital(
    pool_total: FloatArray, cover: Cover, scenarios: JointScenarios, *, level: float
) -> MarginalCapital:
    """Return the capital that one more cover needs.

    Parameters
    ----------
    pool_total : ndarray of shape (n_scenarios,)
        Losses of the pool.
    cover : Cover
        The new cover, in the currency of the pool, on an asset that was simulated.
    scenarios : JointScenarios
        Scenarios.
    level : float
        Confidence such as 0.995.

    Raises
    ------
    NotSimulatedError
        If the scenarios lack the asset or the observation.
    """
    drops = scenarios.worst_drops(cover.asset, cover.observation)
    losses = cover.limit * np.where(drops >= least_drop(cover.trigger.drop), shares_of(cover.payout, drops), 0.0)
    with_cover = pool_total + losses
    added = tail_value_at_risk(with_cover, level).value - tail_value_at_risk(pool_total, level).value
    difference = _beyond(with_cover, level) - _beyond(pool_total, level)
    return MarginalCapital(
        alone=tail_value_at_risk(losses, level).value,
        contribution=float(tail_weights(pool_total, level) @ losses),
        added=Estimate(added, float(difference.std()) / len(losses) ** 0.5),
    )


def _beyond(losses: FloatArray, level: float) -> FloatArray:
    """Return the influence of each scenario on the tail value at risk."""
    threshold = np.quantile(losses, TailValueAtRisk(level=level).level, method="inverted_cdf")
    return np.asarray(np.maximum(losses - threshold, 0.0) / (1.0 - level))
