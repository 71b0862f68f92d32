"""A surface on disk in a quarter of the space, ready to use: sorted, with a coarsened body and a complete tail.

Neighbouring paths are combined into groups, each with the mean drop of its paths. The width of a group is limited by
the error that it causes: any exceedance is off by less than a stated share of its own standard error. If a single path
matters that much, as in the tail, it stays separate. Means of drops within a group are exact, so a payout that is
linear across a group has no error. A payout of several steps is off by at most the root of their number times that
share, provided that weights leave the indicators of two drops positively correlated, as they are without weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pricing.contract.observation import Observation
from pricing.contract.signals import Signal, find_signal, observation_of
from pricing.contract.triggers import Reference
from pricing.errors import CorruptSurfaceError, InvalidTermsError, NewerFormatError
from pricing.rates.grouped_sample import GroupedSample
from pricing.rates.tail_sums import TailSums, tail_shapes
from pricing.surface.estimates import WeightedSample
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import DropSurface, SampledSurface
from pricing.tools import array_file, plain
from pricing.tools.arrays import FloatArray, IntArray
from pricing.tools.stored import format_name, read_format
from pricing.tools.units import format_duration, parse_duration

_KIND = "compact surface"
_FILE_CLASSES = (SimulationSettings, Signal, Reference)

_CELL = 1.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompactSurface(SampledSurface):
    """Grouped worst drops per signal: the data of an asset in a rate store.

    Created by ``compact`` or read by ``load``.

    Parameters
    ----------
    model_digest : str
        Identity of the simulated model with its tables, and of the engine.
    settings : SimulationSettings
        Size and seed of the simulation.
    step : timedelta
        Step of the simulation.
    share_of_error : float
        Largest error of an exceedance as a share of its standard error.
    signals : tuple of Signal
        Observed signals.
    tails : tuple of TailSums
        Worst drops of each signal.
    """

    model_digest: str
    settings: SimulationSettings
    step: timedelta
    share_of_error: float
    signals: tuple[Signal, ...]
    tails: tuple[TailSums, ...] = field(repr=False)

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Observations that the surface contains."""
        return tuple(observation_of(signal, self.step) for signal in self.signals)

    def sample_of(self, observation: Observation) -> GroupedSample:
        """Return the worst drops of an observation, sorted.

        Raises
        ------
        NotSimulatedError
            If the surface does not contain them.
        """
        return self.tail(observation).sample()

    def tail(self, observation: Observation) -> TailSums:
        """Return the worst drops of an observation, cumulated from the deepest on.

        Raises
        ------
        NotSimulatedError
            If the surface does not contain them.
        """
        return self.tails[find_signal(observation, self.signals, self.step)]

    def save(self, path: str | Path) -> None:
        """Write the surface to one checksummed file."""
        header, arrays = self._stored()
        array_file.save(Path(path), header, arrays)

    def write(self, file: BinaryIO) -> bytes:
        """Write the surface to a file that is open at a multiple of 64 bytes; return its checksum."""
        header, arrays = self._stored()
        return array_file.write(file, header, arrays)

    def _stored(self) -> tuple[dict[str, Any], list[FloatArray]]:
        header = {
            "format": format_name(_KIND, 1),
            "model_digest": self.model_digest,
            "settings": plain.to_plain(self.settings),
            "step": format_duration(self.step),
            "share_of_error": self.share_of_error,
            "signals": plain.to_plain(self.signals),
            "n_groups": [tail.columns.shape[1] - 1 for tail in self.tails],
            "largest_weight": self.tails[0].largest_weight,
        }
        arrays = [array.ravel() for tail in self.tails for array in (tail.columns, tail.powers)]
        return header, [np.concatenate(arrays)]

    @staticmethod
    def load(path: str | Path) -> "CompactSurface":
        """Read a surface; its arrays stay on disk, mapped into memory.

        Raises
        ------
        CorruptSurfaceError
            If the file is damaged or not a compact surface.
        NewerFormatError
            If a newer release wrote it.
        """
        try:
            content = array_file.map_file(Path(path), follow=True)
        except ValueError as error:  # it is empty
            raise CorruptSurfaceError(f"{path} is damaged or not a compact surface: {error}") from error
        return CompactSurface.of_content(content, str(path))

    @staticmethod
    def of_content(content: array_file.Bytes, name: str) -> "CompactSurface":
        """Read a surface from mapped content; see ``load``.

        Parameters
        ----------
        content : ndarray of uint8
            All of it, mapped into memory.
        name : str
            Name of the content, for messages.
        """
        try:
            header, (numbers,) = array_file.parse(content, n_arrays=1)
            return read_format(header["format"], _KIND, {1: lambda: _surface_of(header, np.asarray(numbers))})
        except NewerFormatError:
            raise
        except array_file.DAMAGE as error:
            raise CorruptSurfaceError(f"{name} is damaged or not a compact surface: {error}") from error


def _surface_of(header: dict[str, Any], numbers: FloatArray) -> CompactSurface:
    settings = plain.from_plain(header["settings"], _FILE_CLASSES)
    return CompactSurface(
        model_digest=header["model_digest"],
        settings=settings,
        step=parse_duration(header["step"], "step"),
        share_of_error=header["share_of_error"],
        signals=plain.from_plain(header["signals"], _FILE_CLASSES),
        tails=_tails(numbers, header["n_groups"], settings.n_paths, header["largest_weight"]),
    )


def compact(surface: DropSurface, *, share_of_error: float = 0.1) -> CompactSurface:
    """Sort and coarsen the worst drops of a surface.

    Parameters
    ----------
    surface : DropSurface
        Surface with all paths.
    share_of_error : float
        Largest error of an exceedance as a share of its standard error, above 0 and at most 1.

    Raises
    ------
    InvalidTermsError
        If the share is out of range.
    """
    if not 0.0 < share_of_error <= 1.0:
        raise InvalidTermsError(f"share_of_error must be above 0 and at most 1, got {share_of_error}")
    largest = 1.0 if surface.weights is None else float(surface.weights.max())  # of any signal: the file holds one
    samples = (
        WeightedSample.of_paths(drops, surface.row_weights(row)) for row, drops in enumerate(surface.worst_drops)
    )
    return CompactSurface(
        model_digest=surface.model_digest,
        settings=surface.settings,
        step=surface.model.step,
        share_of_error=share_of_error,
        signals=surface.signals,
        tails=tuple(
            replace(TailSums.of_sample(group(sample, share_of_error)), largest_weight=largest) for sample in samples
        ),
    )


def _tails(numbers: FloatArray, n_groups: Sequence[int], paths: int, largest_weight: float) -> tuple[TailSums, ...]:
    """Split the numbers of a file into the columns and powers of each signal."""
    shapes = [shape for n in n_groups for shape in tail_shapes(n)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    if ends[-1] != len(numbers):
        raise ValueError(f"expected {ends[-1]} numbers, got {len(numbers)}")
    arrays = [part.reshape(shape) for part, shape in zip(np.split(numbers, ends[:-1]), shapes, strict=True)]
    return tuple(
        TailSums(columns, powers, paths, largest_weight)
        for columns, powers in zip(arrays[::2], arrays[1::2], strict=True)
    )


def group(sample: WeightedSample, share_of_error: float) -> GroupedSample:
    """Combine neighbours as long as the error of every exceedance stays below a share of its standard error.

    Parameters
    ----------
    sample : WeightedSample
        Sample of all paths.
    share_of_error : float
        See ``compact``.
    """
    weights = sample.weighted(np.ones(sample.n_paths))
    reached = np.cumsum(weights)
    variances = np.cumsum(np.square(weights)) - np.square(reached) / sample.n_paths
    errors = np.sqrt(np.maximum(variances, 0.0))  # standard errors of exceedances, times the number of paths
    starts = _even_starts(weights, errors, share_of_error)
    while True:
        joined = np.add.reduceat(weights, starts)
        drops = _mean_drops(sample.drops, weights, starts, joined)
        too_wide = _errors_of_groups(sample, reached, starts, drops) >= share_of_error * np.minimum.reduceat(
            errors, starts
        )
        sizes = np.diff(starts, append=sample.n_paths)
        too_wide &= sizes > 1
        if not too_wide.any():
            break
        starts = np.sort(np.append(starts, (starts + sizes // 2)[too_wide]))
    return GroupedSample(
        drops=drops,
        weights=joined,
        squares=np.add.reduceat(np.square(weights), starts),
        paths=sample.n_paths,
        largest_weight=float(weights.max()),
    )


def _even_starts(weights: FloatArray, errors: FloatArray, share_of_error: float) -> IntArray:
    """Split the paths wherever the added probability, in standard errors, fills a cell.

    An exceedance within a group is off by about half of the group's probability, so a cell is nearly twice the share.
    """
    gained = np.cumsum(weights / np.maximum(errors, weights))
    cells = np.floor(gained / (_CELL * share_of_error))
    return np.flatnonzero(np.diff(cells, prepend=-1.0))


def _mean_drops(drops: FloatArray, weights: FloatArray, starts: IntArray, joined: FloatArray) -> FloatArray:
    """Return the mean drop of each group, in the same order."""
    last = np.append(starts[1:], len(drops)) - 1
    means = np.add.reduceat(weights * drops, starts) / joined
    return np.asarray(np.clip(means, drops[last], drops[starts]))  # by rounding, a mean may be outside its group


def _errors_of_groups(sample: WeightedSample, reached: FloatArray, starts: IntArray, drops: FloatArray) -> FloatArray:
    """Return the largest error of an exceedance within each group, times the number of paths."""
    cumulated = np.append(0.0, reached)
    ends = np.append(starts[1:], sample.n_paths)
    at_or_beyond = sample.n_paths - np.searchsorted(sample.drops[::-1], drops, side="left")
    beyond = sample.n_paths - np.searchsorted(sample.drops[::-1], drops, side="right")
    too_little = cumulated[np.maximum(beyond, starts)] - cumulated[starts]
    too_much = cumulated[ends] - cumulated[np.minimum(at_or_beyond, ends)]
    return np.asarray(np.maximum(too_little, too_much))
