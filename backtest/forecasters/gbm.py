"""Geometric Brownian motion on the volatility of the last 90 days."""

from dataclasses import dataclass

import numpy as np

from backtest.cells import Cell, spans_of
from backtest.known import Known, Quotes, smoothed
from pricing.contract.thresholds import least_log_fall
from pricing.engine.simulation import simulate
from pricing.models.innovations import Normal
from pricing.models.price_model import PriceModel
from pricing.models.volatility import ConstantVolatility
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import DropSurface
from pricing.tools.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class GeometricBrownianMotion:
    """Constant volatility, normal returns.

    Without drift a log fall is the volatility times the same fall at volatility one, so one simulation serves all
    tokens.

    Parameters
    ----------
    n_paths : int
        Paths of that simulation; no quote is below half a path.
    """

    n_paths: int = 50_000
    name: str = "gbm"

    def quote(self, known: Known) -> Quotes:
        """Quote from the volatility of each token."""
        spans = spans_of(known.cells)
        surface = simulate(
            PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=Normal(), step=known.step),
            windows=[span.window for span in spans],
            terms=[span.term for span in spans],
            settings=SimulationSettings(n_paths=self.n_paths, seed=known.seed),
        )
        return Quotes(
            probabilities=np.column_stack([_exceedance(surface, cell, known.volatility) for cell in known.cells])
        )


def _exceedance(surface: DropSurface, cell: Cell, volatility: FloatArray) -> FloatArray:
    """Count the paths whose fall at volatility one, times the volatility, is deep enough."""
    sample = surface.sample(window=cell.span.window, term=cell.span.term)
    unit_falls = -np.log1p(-sample.drops[::-1])
    n_short = np.searchsorted(unit_falls, least_log_fall(cell.drop) / volatility)
    return smoothed(sample.n_paths - n_short, sample.n_paths)
