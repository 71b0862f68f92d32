"""A price model and its signals as plain arrays for the kernel."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pricing._kernels import N_LANES
from pricing.contract.signals import Signal
from pricing.engine.quantile_tables import exponential_table, quantile_table
from pricing.errors import InvalidModelError
from pricing.models.anchors import Anchor
from pricing.models.innovations import Empirical, Normal
from pricing.models.jumps import Jumps, split_of
from pricing.models.price_model import PriceModel
from pricing.models.volatility import ConstantVolatility
from pricing.tools.arrays import FloatArray, LongArray
from pricing.tools.plain import to_json
from pricing.tools.units import steps_per_year
from pricing.version import ENGINE_VERSION

_MOST_JUMPS_A_STEP = 1000.0
#: Order of the factors on volatility: any first few paths are spread evenly over all of them (van der Corput).
_BALANCED = (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelArrays:
    """Arguments of the kernel that come from the model, with the kernel's names."""

    drift: float
    deviation: float
    initial_variance: float
    scales: FloatArray
    law: FloatArray
    innovations: FloatArray
    innovations_are_values: bool
    waits: FloatArray
    mean_waits: FloatArray
    splits: FloatArray
    sizes: FloatArray

    def as_arguments(self) -> dict[str, Any]:
        """Return the arguments by name."""
        return {name: getattr(self, name) for name in self.__slots__}


def model_arrays(model: PriceModel) -> ModelArrays:
    """Turn a model into kernel arguments: rates per step, laws as tables.

    Raises
    ------
    InvalidModelError
        If a law cannot be tabulated, or a jump source is denser than a thousand jumps per step.
    """
    per_year = steps_per_year(model.step)
    sources = [source for source in model.jumps if source.per_year > 0.0]
    sizes = [quantile_table(source.sizes, split_of(source.sizes)) for source in sources]
    return ModelArrays(
        drift=model.annual_drift / per_year,
        scales=path_factors(model).scales,
        innovations=_innovations(model),
        innovations_are_values=isinstance(model.innovations, Empirical),
        waits=exponential_table(),
        mean_waits=np.array([_mean_wait(source, per_year) for source in sources]),
        splits=np.array([split_of(source.sizes) for source in sources]),
        sizes=np.array(sizes) if sizes else np.empty((0, 1)),
        **_volatility(model, per_year),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathFactors:
    """Factors and weights of the paths of a block.

    Parameters
    ----------
    scales : ndarray of shape (N_LANES,)
        Factor on the volatility of each path.
    weights : ndarray of shape (N_LANES,)
        Weight of each path, with mean one.
    """

    scales: FloatArray
    weights: FloatArray


def path_factors(model: PriceModel) -> PathFactors:
    """Spread the volatility over the paths of a block, and use the last for a collapse if the model has one.

    The factors are the quantiles of a lognormal law at the midpoints of equal parts, scaled so that the standard
    deviation of their logs is exact.
    """
    order = _BALANCED if model.collapse is None else tuple(lane for lane in _BALANCED if lane < N_LANES - 1)
    middles = Normal().quantile((np.arange(len(order)) + 0.5) / len(order))
    factors = np.exp(model.volatility_spread * middles / np.sqrt(np.mean(middles * middles)))[list(order)]
    if model.collapse is None:
        return PathFactors(scales=factors, weights=np.ones(N_LANES))
    probability = model.collapse.probability
    ordinary = np.full(len(order), (1.0 - probability) * N_LANES / len(order))
    return PathFactors(
        scales=np.append(factors, model.collapse.factor), weights=np.append(ordinary, probability * N_LANES)
    )


def _volatility(model: PriceModel, per_year: float) -> dict[str, Any]:
    law = model.volatility
    if isinstance(law, ConstantVolatility):
        return {"deviation": law.annual / per_year**0.5, "initial_variance": 0.0, "law": np.empty(0)}
    coefficients = np.array([law.omega, law.alpha, law.beta, law.gamma])
    return {"deviation": 0.0, "initial_variance": law.initial_variance, "law": coefficients}


def _innovations(model: PriceModel) -> FloatArray:
    if isinstance(model.innovations, Empirical):
        return np.array(model.innovations.values)
    return quantile_table(model.innovations)


def _mean_wait(source: Jumps, per_year: float) -> float:
    if source.per_year > _MOST_JUMPS_A_STEP * per_year:
        raise InvalidModelError(
            f"per_year must be at most {_MOST_JUMPS_A_STEP * per_year:.3g} with this step, got {source.per_year:.3g} "
            "(that many small jumps are a diffusion: use the volatility)"
        )
    return per_year / source.per_year


def arrays_digest(arrays: ModelArrays, anchors: Sequence[Anchor], *parts: Any, least_known_drop: float = 0.0) -> str:
    """Identify a simulation by all inputs from the model, and by the engine version.

    Parameters
    ----------
    arrays : ModelArrays
        Arguments of the kernel.
    anchors : sequence of Anchor
        Anchors that the paths are reweighted to meet.
    parts : dataclasses of numbers and arrays
        The proposal, if there is one.
    least_known_drop : float
        Smallest drop about which the model says anything.

    Notes
    -----
    The tables are computed with the mathematical library of the machine. Two machines with the same digest draw the
    same numbers to the last bit.
    """
    digest = hashlib.sha256(ENGINE_VERSION.encode())
    for anchor in anchors:
        digest.update(to_json(anchor).encode())
    if least_known_drop:
        digest.update(f"least_known_drop{least_known_drop!r}".encode())
    for part in (arrays, *parts):
        for name in sorted(part.__slots__):
            array = np.ascontiguousarray(getattr(part, name), dtype="<f8")
            digest.update(f"{name}{array.shape}".encode())
            digest.update(array.tobytes())
    return digest.hexdigest()


def watches_and_records(signals: Sequence[Signal]) -> tuple[LongArray, LongArray]:
    """Share one watch among all signals that differ only in their term.

    Returns
    -------
    watches : ndarray of shape (n_watches, 3)
        Reference, window and start.
    records : ndarray of shape (n_signals, 3)
        Term, watch and row of the signal, ordered by term.
    """
    last = max(signal.term_steps for signal in signals)
    # A window of one step more than the path has reaches as far back as any longer one, with less memory.
    windows = [min(signal.window_steps, last - signal.start_steps + 1) for signal in signals]
    keys = [
        (int(signal.reference), window, signal.start_steps) for signal, window in zip(signals, windows, strict=True)
    ]
    watches = sorted(set(keys))
    records = [
        (signal.term_steps, watches.index(key), row)
        for row, (signal, key) in enumerate(zip(signals, keys, strict=True))
    ]
    return np.array(watches, dtype=np.int64), np.array(sorted(records), dtype=np.int64)
