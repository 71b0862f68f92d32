"""Run a price model once and keep, for each path, only the worst drop of each signal."""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pricing._kernels import N_LANES
from pricing.contract.observation import Observation
from pricing.contract.signals import Signal, combine_observations, make_signal, make_signals
from pricing.contract.triggers import Reference
from pricing.engine.anchoring import anchored_weights
from pricing.engine.kernel import simulate_blocks
from pricing.engine.kernel_inputs import ModelArrays, arrays_digest, model_arrays, path_factors, watches_and_records
from pricing.engine.rare_drops.mixture import ProposalArrays, make_proposal
from pricing.errors import PrecisionWarning, SimulationError, TooLargeError
from pricing.models.anchors import Anchor, anchors_for
from pricing.models.price_model import PriceModel
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import Anchoring, DropSurface
from pricing.tools.arrays import FloatArray
from pricing.tools.progress import Report, silent
from pricing.tools.units import Duration

_BLOCKS_A_BATCH = 256
_MOST_ERRORS = 6.0
#: Drops about which a model says nothing are raised to this share of the smallest one that it knows.
_JUST_BELOW = 1.0 - 1e-9


def simulate(
    model: PriceModel,
    *,
    windows: Sequence[Duration] = ("24h",),
    terms: Sequence[Duration] = ("30d",),
    references: Sequence[Reference] = (Reference.ROLLING_HIGH,),
    waiting_periods: Sequence[Duration] = ("0h",),
    settings: SimulationSettings | None = None,
    progress: Report | None = None,
) -> DropSurface:
    """Simulate the worst drops of every combination of reference, window, term and waiting period.

    The result is a function of the model, the seed and the number of paths: neither the number of threads nor the other
    signals of the same call change any bit of it. Only with ``rare_drops`` do the other signals matter, because paths
    are drawn so that the drops of all of them are common. If the model has anchors, their signals are simulated as well
    and the paths are reweighted to meet them.

    Parameters
    ----------
    model : PriceModel
        Law of the log price.
    windows, terms, waiting_periods : sequence of timedelta or str
        Windows, terms and waiting periods, whole numbers of the model's steps.
    references : sequence of Reference
        References; those without a window are simulated once for all windows.
    settings : SimulationSettings, optional
        Number of paths, seed and threads; by default ``SimulationSettings()``.
    progress : callable, optional
        Called with the number of paths done after each batch.

    Returns
    -------
    DropSurface
        The worst drops.

    Raises
    ------
    InvalidTermsError
        If a duration does not fit the step.
    SimulationError
        If a log price is not finite.

    Examples
    --------
    >>> from pricing import ConstantVolatility, Normal
    >>> model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    >>> surface = simulate(model, settings=SimulationSettings(n_paths=20_000, seed=7))
    >>> estimate = surface.exceedance(0.2, window="24h", term="30d")
    >>> print(f"{estimate.value:.3f} +- {estimate.standard_error:.3f}")
    0.369 +- 0.003
    """
    observations = combine_observations(
        windows=windows, terms=terms, references=references, waiting_periods=waiting_periods
    )
    return simulate_observations(model, observations, settings or SimulationSettings(), progress)


def simulate_observations(
    model: PriceModel,
    observations: Iterable[Observation],
    settings: SimulationSettings,
    progress: Report | None = None,
) -> DropSurface:
    """Simulate the worst drops for covers; the other arguments are those of ``simulate``."""
    asked = make_signals(observations, model.step)
    anchors = [anchors_for(model.anchors, signal.term_steps * model.step) for signal in asked]
    met = {anchor: make_signal(anchor.observation, model.step) for each in anchors for anchor in each}
    signals = tuple(sorted({*asked, *met.values()}))
    arrays = model_arrays(model)
    proposal = make_proposal(arrays, asked) if settings.rare_drops else None
    sample = _allocate(len(signals) + 1, settings.n_paths)
    worst_drops, weights = sample[:-1], sample[-1]
    _fill(worst_drops, weights, arrays, proposal, signals, settings, progress or silent("simulating", settings.n_paths))
    if proposal:
        _check_weights(weights, proposal.plain_share)
    factors = path_factors(model)
    if model.collapse:
        by_path = np.resize(factors.weights, settings.n_paths)
        weights *= by_path * (settings.n_paths / by_path.sum())  # the last block may be incomplete
    if model.least_known_drop:
        np.maximum(worst_drops, _JUST_BELOW * model.least_known_drop, out=worst_drops)
    anchoring: Anchoring | None = None
    if model.anchors:
        rows = {anchor: worst_drops[signals.index(signal)] for anchor, signal in met.items()}
        weights, anchoring = _anchor(rows, weights, anchors)
    return DropSurface(
        model=model,
        settings=settings,
        model_digest=arrays_digest(
            arrays, model.anchors, factors, *([proposal] if proposal else []), least_known_drop=model.least_known_drop
        ),
        signals=asked,
        worst_drops=worst_drops if signals == asked else worst_drops[[signals.index(signal) for signal in asked]],
        weights=weights if proposal or anchoring or model.collapse else None,
        anchoring=anchoring,
    )


def _anchor(
    rows: Mapping[Anchor, FloatArray], weights: FloatArray, anchors: Sequence[tuple[Anchor, ...]]
) -> tuple[FloatArray, Anchoring]:
    """Return the weights of each signal, as one row if all must meet the same anchors, and the change for the longest.

    Parameters
    ----------
    rows : mapping of Anchor to ndarray of shape (n_paths,)
        Worst drops for each anchor.
    weights : ndarray of shape (n_paths,)
        Weights of the simulation.
    anchors : sequence of tuple of Anchor
        Anchors of each signal.
    """
    found = {
        each: anchored_weights([rows[anchor] for anchor in each], weights, each) for each in dict.fromkeys(anchors)
    }
    longest, change = found[max(found, key=lambda each: each[-1].term)]
    return longest if len(found) == 1 else np.stack([found[each][0] for each in anchors]), change


def _check_weights(weights: FloatArray, plain_share: float) -> None:
    """Warn if the mean of the likelihood ratios differs from one, its value by construction.

    Among few paths there may be none that follows the model, and the largest ratio is not seen. Therefore the deviation
    of a ratio is assumed to be at least that of one which is either 0 or `1 / plain_share`.
    """
    deviation = max(float(weights.std()), math.sqrt(1.0 / plain_share - 1.0))
    error = deviation / math.sqrt(len(weights))
    if abs(float(weights.mean()) - 1.0) > _MOST_ERRORS * error > 0.0:
        warnings.warn(
            f"the weights of rare-drop sampling average {weights.mean():.3f} +- {error:.3f} and not 1: use "
            "rare_drops=False for this model",
            PrecisionWarning,
            stacklevel=3,
        )


def _allocate(n_rows: int, n_paths: int) -> FloatArray:
    try:
        return np.empty((n_rows, n_paths))
    except MemoryError as error:
        size = f"{8e-9 * n_rows * n_paths:,.0f} GB"
        raise TooLargeError(f"n_paths must fit into memory, got {n_paths}: {size}") from error


def _fill(
    worst_drops: FloatArray,
    weights: FloatArray,
    arrays: ModelArrays,
    proposal: ProposalArrays | None,
    signals: tuple[Signal, ...],
    settings: SimulationSettings,
    progress: Report,
) -> None:
    """Run the batches one after another; the interpreter can be interrupted between batches."""
    watches, records = watches_and_records(signals)

    def run(first_path: int) -> int:
        part = worst_drops[:, first_path : first_path + _BLOCKS_A_BATCH * N_LANES]
        batch, batch_weights = np.empty_like(part), np.empty_like(part[0])
        n_broken = simulate_blocks(
            seed=settings.seed,
            first_block=first_path // N_LANES,
            watches=watches,
            records=records,
            worst_drops=batch,
            weights=batch_weights,
            proposal=proposal,
            **arrays.as_arguments(),
        )
        if n_broken:
            raise SimulationError(
                f"the log price is not finite on {n_broken} of {batch[0].size} paths from {first_path} on "
                "(a variance law with alpha + beta + gamma / 2 above 1 explodes, and so does a volatility in per cent)"
            )
        part[:] = batch
        weights[first_path : first_path + part.shape[1]] = batch_weights
        return int(part.shape[1])

    n_done = 0
    for n_paths in _in_threads(run, range(0, settings.n_paths, _BLOCKS_A_BATCH * N_LANES), settings.n_threads):
        n_done += n_paths
        progress(n_done)


def _in_threads(run: Callable[[int], int], starts: range, n_threads: int) -> Iterator[int]:
    """Map over batches; one thread means the current one, so that a process that never uses more can fork safely."""
    if n_threads == 1:
        for start in starts:
            yield run(start)
        return
    with ThreadPoolExecutor(n_threads, thread_name_prefix="simulate") as pool:
        yield from pool.map(run, starts)
