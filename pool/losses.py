"""The losses of a book in joint scenarios."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pool.joint import JointScenarios
from pricing.contract.loss_functions import CompressedBook
from pricing.show.frames import make_frame
from pricing.tools.arrays import FloatArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolLosses:
    """Payments of a pool in each scenario.

    Parameters
    ----------
    assets : tuple of str
        Assets.
    by_asset : ndarray of shape (n_assets, n_scenarios)
        Loss from the covers on each asset, in the currency of the book.
    """

    assets: tuple[str, ...]
    by_asset: FloatArray = field(repr=False)

    def to_frame(self) -> "pd.DataFrame":
        """Return the losses as a data frame: a row per scenario, a column per asset."""
        return make_frame(dict(zip(self.assets, self.by_asset, strict=True)))

    @property
    def total(self) -> FloatArray:
        """Loss of each scenario, shape (n_scenarios,)."""
        return np.asarray(self.by_asset.sum(axis=0))


def pool_losses(compressed: CompressedBook, scenarios: JointScenarios) -> PoolLosses:
    """Evaluate a book in every scenario.

    Raises
    ------
    NotSimulatedError
        If the scenarios lack an asset or an observation of the book.
    """
    by_asset = np.zeros((len(scenarios.assets), scenarios.n_scenarios))
    for function in compressed.functions:
        drops = scenarios.worst_drops(function.asset, function.observation)
        by_asset[scenarios.row(function.asset)] += function.loss(drops)
    return PoolLosses(assets=scenarios.assets, by_asset=by_asset)
