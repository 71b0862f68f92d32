"""From a price model to the probabilities of cells."""

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
    """Simulate a model once and read off every cell.

    Returns
    -------
    ndarray of float, shape (n_cells,)
        Never below half a path, nor above all but half of one: no path is not no chance.
    """
    spans = spans_of(cells)
    surface = simulate(
        model, windows=[span.window for span in spans], terms=[span.term for span in spans], settings=settings
    )
    with warnings.catch_warnings():
        # What too few paths cost is for the scores to show.
        warnings.simplefilter("ignore", PrecisionWarning)
        values = [surface.exceedance(cell.drop, window=cell.span.window, term=cell.span.term).value for cell in cells]
    return smoothed(np.array(values) * settings.n_paths, settings.n_paths)
