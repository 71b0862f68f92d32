"""Probabilities of cells from a price model."""

import warnings
from collections.abc import Sequence

import numpy as np

from backtest.cells import Cell, spans_of
from backtest.known import smoothed
from pricing.engine.simulation import simulate
from pricing.errors import PrecisionWarning
from pricing.models.price_model import PriceModel
from pricing.surface.settings import SimulationSettings
from pricing.tools.arrays import FloatArray


def exceedances(model: PriceModel, cells: Sequence[Cell], settings: SimulationSettings) -> FloatArray:
    """Simulate a model once and read every cell from the surface.

    Returns
    -------
    ndarray of float, shape (n_cells,)
        Between half a path and all paths but half of one: a count of zero does not mean a probability of zero.
    """
    spans = spans_of(cells)
    surface = simulate(
        model, windows=[span.window for span in spans], terms=[span.term for span in spans], settings=settings
    )
    with warnings.catch_warnings():
        # The scores show the cost of too few paths.
        warnings.simplefilter("ignore", PrecisionWarning)
        values = [surface.exceedance(cell.drop, window=cell.span.window, term=cell.span.term).value for cell in cells]
    return smoothed(np.array(values) * settings.n_paths, settings.n_paths)
