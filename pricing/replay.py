"""Log prices of simulated paths, regenerated from the seed and the number of the path.

The simulation keeps worst drops and no prices. It can be asked again, for a few paths: every random number is a
function of (seed, stream, path). The kernel measures falls only, so each step is asked for its fall; what rises on a
path falls on its mirror image, so each step of the mirrored model is asked for its fall as well.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pricing._kernels import N_LANES
from pricing.errors import SimulationError
from pricing.kernel import simulate_blocks
from pricing.kernel_inputs import ModelArrays, model_arrays, watches_and_records
from pricing.proposals import ProposalArrays, make_proposal
from pricing.signals import Signal
from pricing.surface import DropSurface
from pricing.triggers import Reference

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# A fraction that rounds to 1 is a log fall of 36.7 or more: nothing is left either way, and the logarithm stays finite.
_DEEPEST = 1.0 - 2.0**-53


def replay(surface: DropSurface, paths: Sequence[int] | IntArray) -> FloatArray:
    """Return the log prices of some paths of a surface, from the first step to its longest term.

    They agree with those of the simulation to within rounding, about 1e-13 in log price. A path takes a few
    milliseconds, sixteen neighbours no more than one of them.

    Parameters
    ----------
    surface : DropSurface
        Simulated from the model, not changed since.
    paths : sequence of int
        Numbers of paths, columns of ``surface.worst_drops``.

    Returns
    -------
    ndarray of shape (n_steps + 1, n_paths)
        Log price relative to the start, which is row 0.

    Raises
    ------
    SimulationError
        If there is no such path.

    Examples
    --------
    >>> from pricing import ConstantVolatility, Normal, PriceModel, SimulationSettings, simulate
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
    watches, records = watches_and_records(_every_step(surface))
    returns = np.empty((len(records), len(wanted)))
    for block in np.unique(wanted // N_LANES):
        inside = np.flatnonzero(wanted // N_LANES == block)
        falls, rises = (
            _log_falls(int(block), surface.settings.seed, version, proposal, watches, records)
            for version in (arrays, _mirrored(arrays))
        )
        returns[:, inside] = (rises - falls)[:, wanted[inside] % N_LANES]
    return np.concatenate([np.zeros((1, len(wanted))), np.cumsum(returns, axis=0)])


def _every_step(surface: DropSurface) -> list[Signal]:
    """Watch each step from the price at its beginning."""
    n_steps = max(signal.term_steps for signal in surface.signals)
    return [
        Signal(reference=Reference.INCEPTION, window_steps=0, start_steps=step, term_steps=step + 1)
        for step in range(n_steps)
    ]


def _mirrored(arrays: ModelArrays) -> ModelArrays:
    """Turn every fall into a rise of the same size, and the other way round."""
    law = arrays.law
    if law.size:
        omega, alpha, beta, gamma = law
        law = np.array([omega, alpha + gamma, beta, -gamma])  # what rose before now falls
    return replace(arrays, drift=-arrays.drift, law=law, innovations=-arrays.innovations, sizes=-arrays.sizes)


def _log_falls(
    block: int,
    seed: int,
    arrays: ModelArrays,
    proposal: ProposalArrays | None,
    watches: IntArray,
    records: IntArray,
) -> FloatArray:
    """Return the log fall of each step on the paths of a block, zero where the price rose."""
    falls = np.empty((len(records), N_LANES))
    simulate_blocks(
        seed=seed,
        first_block=block,
        watches=watches,
        records=records,
        worst_drops=falls,
        weights=np.empty(N_LANES),
        proposal=proposal,
        **arrays.as_arguments(),
    )
    return -np.log1p(-np.minimum(falls, _DEEPEST))
