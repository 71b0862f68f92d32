"""Log prices of simulated paths, regenerated from the seed and the number of the path.

The simulation keeps worst drops but no prices. A few paths can be simulated again: every random number is a
function of (seed, stream, path), and the kernel can record the prices.
"""

from collections.abc import Sequence

import numpy as np

from pricing._kernels import N_LANES
from pricing.engine.kernel import simulate_blocks
from pricing.engine.kernel_inputs import model_arrays, watches_and_records
from pricing.engine.rare_drops.mixture import make_proposal
from pricing.errors import SimulationError
from pricing.surface.surface import DropSurface
from pricing.tools.arrays import FloatArray, LongArray


def replay(surface: DropSurface, paths: Sequence[int] | LongArray) -> FloatArray:
    """Return the log prices of some paths of a surface, from the first step to its longest term.

    They equal those of the simulation bit for bit. A block of sixteen neighbouring paths takes a few microseconds per
    day.

    Parameters
    ----------
    surface : DropSurface
        Surface as simulated, unchanged.
    paths : sequence of int
        Numbers of the paths, which are columns of ``surface.worst_drops``.

    Returns
    -------
    ndarray of shape (n_steps + 1, n_paths)
        Log price relative to the start, which is row 0.

    Raises
    ------
    SimulationError
        If a path does not exist.

    Examples
    --------
    >>> from pricing import ConstantVolatility, Normal, PriceModel, Reference, SimulationSettings, simulate
    >>> model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    >>> surface = simulate(model, references=(Reference.RUNNING_HIGH,), settings=SimulationSettings(n_paths=100))
    >>> log_prices = replay(surface, [17])[:, 0]
    >>> worst = 1.0 - np.exp(log_prices - np.maximum.accumulate(log_prices)).min()
    >>> bool(abs(worst - surface.worst_drops[0, 17]) < 1e-12)
    True
    """
    wanted = np.asarray(paths, dtype=np.int64)
    if wanted.ndim != 1 or not ((wanted >= 0) & (wanted < surface.settings.n_paths)).all():
        raise SimulationError(f"paths must be numbers from 0 to {surface.settings.n_paths - 1}, got {paths}")
    arrays = model_arrays(surface.model)
    proposal = make_proposal(arrays, surface.signals) if surface.settings.rare_drops else None
    watches, records = watches_and_records(surface.signals)
    log_prices = np.zeros((records[-1, 0] + 1, len(wanted)))
    block_prices = np.empty((records[-1, 0], N_LANES))
    for block in np.unique(wanted // N_LANES):
        inside = np.flatnonzero(wanted // N_LANES == block)
        simulate_blocks(
            seed=surface.settings.seed,
            first_block=int(block),
            watches=watches,
            records=records,
            worst_drops=np.empty((len(records), N_LANES)),
            weights=np.empty(N_LANES),
            proposal=proposal,
            log_prices=block_prices,
            **arrays.as_arguments(),
        )
        log_prices[1:, inside] = block_prices[:, wanted[inside] % N_LANES]
    return log_prices
