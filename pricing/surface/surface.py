"""The worst drop of every simulated path, for every signal: the basis of the prices of all covers on one asset."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from pricing.contract.observation import Observation
from pricing.contract.payouts import Payout
from pricing.contract.sentences import describe_observation, observation_texts
from pricing.contract.shares import shares_of
from pricing.contract.signals import Signal, find_signal, observation_of
from pricing.contract.triggers import DropTrigger, Reference
from pricing.errors import CorruptSurfaceError, NewerFormatError
from pricing.models.price_model import MODEL_CLASSES, PriceModel
from pricing.show import drawing
from pricing.show.formats import share, with_error
from pricing.show.frames import make_frame
from pricing.show.html_tables import Table, write_html
from pricing.surface.estimates import Estimate, WeightedSample
from pricing.surface.exceedance_curves import GRID, draw_curve, finish_chart
from pricing.surface.settings import SimulationSettings
from pricing.tools import array_file, plain
from pricing.tools.arrays import FloatArray
from pricing.tools.stored import format_name, read_format
from pricing.tools.units import Duration, require_fraction

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """Size of the change of weights that anchoring required.

    Parameters
    ----------
    relative_entropy : float
        Of the anchored law relative to the simulated one, in nats; 0 if nothing changed.
    effective_share : float
        Effective number of paths after anchoring as a share of all, without the weights of rare-drop sampling.
    smallest_factor, largest_factor : float
        Range of the factors on the probability of a path.
    nodes : int
        Number of anchored probabilities that are met.
    left_out : int
        Number of nodes that too few paths reached.
    """

    relative_entropy: float
    effective_share: float
    smallest_factor: float
    largest_factor: float
    nodes: int
    left_out: int


_KIND, _VERSION = "surface", 2


_FILE_CLASSES = (*MODEL_CLASSES, Anchoring, SimulationSettings, Signal, Reference)


class SampledSurface(ABC):
    """Estimates from the worst drops of a signal, given for each path or for groups of paths."""

    __slots__ = ()

    #: Size and seed of the simulation.
    settings: SimulationSettings

    @property
    @abstractmethod
    def observations(self) -> tuple[Observation, ...]:
        """Observations that the surface contains."""

    @abstractmethod
    def sample_of(self, observation: Observation) -> WeightedSample:
        """Return the worst drops of an observation, sorted.

        Raises
        ------
        NotSimulatedError
            If the surface does not contain them.
        """

    def sample(
        self,
        *,
        window: Duration | None = timedelta(hours=24),
        term: Duration = timedelta(days=30),
        reference: Reference = Reference.ROLLING_HIGH,
        waiting_period: Duration = timedelta(0),
    ) -> WeightedSample:
        """Return the worst drops of one signal, sorted.

        Raises
        ------
        NotSimulatedError
            If the surface does not contain the signal.
        """
        return self.sample_of(Observation(reference=reference, window=window, term=term, waiting_period=waiting_period))

    @overload
    def exceedance(
        self,
        drop: float,
        *,
        window: Duration | None = ...,
        term: Duration = ...,
        reference: Reference = ...,
        waiting_period: Duration = ...,
    ) -> Estimate[float]: ...

    @overload
    def exceedance(
        self,
        drop: Sequence[float] | FloatArray,
        *,
        window: Duration | None = ...,
        term: Duration = ...,
        reference: Reference = ...,
        waiting_period: Duration = ...,
    ) -> Estimate[FloatArray]: ...

    def exceedance(
        self,
        drop: float | Sequence[float] | FloatArray,
        *,
        window: Duration | None = timedelta(hours=24),
        term: Duration = timedelta(days=30),
        reference: Reference = Reference.ROLLING_HIGH,
        waiting_period: Duration = timedelta(0),
    ) -> Estimate[float] | Estimate[FloatArray]:
        """Estimate the probability of a worst drop of `drop` or more.

        Parameters
        ----------
        drop : float or array of float
            Fractions of the reference price.
        window, term, waiting_period : timedelta or str
            As in the cover.
        reference : Reference
            As in the trigger.

        Returns
        -------
        Estimate
            Probability and standard error, floats for one drop, arrays of the shape of `drop` otherwise.
        """
        sample = self.sample(window=window, term=term, reference=reference, waiting_period=waiting_period)
        drops = np.asarray(drop, dtype=np.float64)
        for value in drops.flat:
            require_fraction(float(value), "drop")
        estimates = [sample.exceedance(float(value)) for value in drops.flat]
        if drops.ndim == 0:
            return estimates[0]
        curve: Estimate[FloatArray] = Estimate(
            np.array([estimate.value for estimate in estimates]).reshape(drops.shape),
            np.array([estimate.standard_error for estimate in estimates]).reshape(drops.shape),
        )
        return curve

    def expected_payout(
        self,
        payout: Payout,
        *,
        trigger: DropTrigger,
        term: Duration = timedelta(days=30),
        waiting_period: Duration = timedelta(0),
    ) -> Estimate[float]:
        """Estimate the expected payout as a share of the limit."""
        sample = self.sample(
            window=trigger.window, term=term, reference=trigger.reference, waiting_period=waiting_period
        )
        return sample.mean(shares_of(payout, sample.tail(trigger.drop)))

    def to_frame(self, drops: Sequence[float] = GRID) -> "pd.DataFrame":
        """Return the probabilities of a grid of drops as a data frame: a row per observation and drop.

        Parameters
        ----------
        drops : sequence of float
            Fractions of the reference price.

        Returns
        -------
        DataFrame
            Columns ``reference``, ``window``, ``waiting_period``, ``term``, ``drop``, ``probability`` and
            ``standard_error``; durations are texts such as 24h.
        """
        rows = [
            (*observation_texts(each), drop, *astuple(self.sample_of(each).exceedance(drop)))
            for each in self.observations
            for drop in drops
        ]
        return make_frame(dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True)))

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the exceedance curve of every observation with its 95 % band.

        Parameters
        ----------
        axes : Axes, optional
            Axes of matplotlib to draw on; by default those of a new picture.
        """
        axes = drawing.new_axes(axes, _HEIGHT)
        for style, each in enumerate(self.observations):
            draw_curve(axes, self.sample_of(each), style=style, name=describe_observation(each))
        finish_chart(axes, self.settings.n_paths, resolved=bool(self.settings.rare_drops))
        drawing.legend(axes, "upper right")
        return axes

    def _repr_html_(self) -> str:
        rows = [
            (describe_observation(each), *(_chance(self.sample_of(each).exceedance(drop)) for drop in _SHOWN_DROPS))
            for each in self.observations
        ]
        headings = ("Worst drop of at least", *(share(drop) for drop in _SHOWN_DROPS))
        settings = self.settings
        return write_html(
            "Worst drops",
            Table(rows=rows, headings=headings, caption="Probability ± standard error, %"),
            notes=[f"{settings.n_paths:,} paths, seed {settings.seed}. Standard errors are of the simulation only."],
        )


_COLUMNS = ("reference", "window", "waiting_period", "term", "drop", "probability", "standard_error")
_SHOWN_DROPS = (0.1, 0.2, 0.3, 0.5, 0.8)
_HEIGHT = 3.6


def _chance(estimate: Estimate[float]) -> str:
    return with_error({"value": estimate.value, "standard_error": estimate.standard_error}, 100.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DropSurface(SampledSurface):
    """Weighted samples of worst drops, one per (reference, window, waiting period, term).

    Created by ``simulate`` or read by ``load``.

    Parameters
    ----------
    model : PriceModel
        Simulated model.
    settings : SimulationSettings
        Size and seed of the simulation.
    model_digest : str
        Identity of the model with its tables, and of the engine.
    signals : tuple of Signal
        Observed signals.
    worst_drops : ndarray of shape (n_signals, n_paths)
        Worst drop of each path, a fraction of the reference price.
    weights : ndarray of shape (n_paths,) or (n_signals, n_paths), optional
        Weight of each path, with mean 1; a row per signal if their terms must meet different anchors; None if all
        weights are 1.
    anchoring : Anchoring, optional
        Change of the weights of the longest term to meet the anchors of the model; None if it has none.
    """

    model: PriceModel
    settings: SimulationSettings
    model_digest: str
    signals: tuple[Signal, ...]
    worst_drops: FloatArray = field(repr=False)
    weights: FloatArray | None = field(default=None, repr=False)
    anchoring: Anchoring | None = None

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Observations that the surface contains."""
        return tuple(observation_of(signal, self.model.step) for signal in self.signals)

    def sample_of(self, observation: Observation) -> WeightedSample:
        """Return the worst drops of an observation, sorted.

        Raises
        ------
        NotSimulatedError
            If the surface does not contain them.
        """
        row = find_signal(observation, self.signals, self.model.step)
        return WeightedSample.of_paths(self.worst_drops[row], self.row_weights(row))

    def weights_of(self, observation: Observation) -> FloatArray | None:
        """Return the weights of the paths for one observation; None if all are 1.

        Raises
        ------
        NotSimulatedError
            If the surface does not contain it.
        """
        return self.row_weights(find_signal(observation, self.signals, self.model.step))

    def row_weights(self, row: int) -> FloatArray | None:
        """Return the weights of the paths for one of the signals; None if all are 1."""
        return self.weights if self.weights is None or self.weights.ndim == 1 else np.asarray(self.weights[row])

    def quantile(
        self,
        probability: float,
        *,
        window: Duration | None = timedelta(hours=24),
        term: Duration = timedelta(days=30),
        reference: Reference = Reference.ROLLING_HIGH,
        waiting_period: Duration = timedelta(0),
    ) -> Estimate[float]:
        """Estimate the worst drop that is not exceeded with a given probability, such as 0.995.

        Raises
        ------
        PrecisionError
            If too few paths lie beyond it.
        """
        sample = self.sample(window=window, term=term, reference=reference, waiting_period=waiting_period)
        return sample.quantile(probability)

    def save(self, path: str | Path) -> None:
        """Write the surface to one checksummed file.

        Raises
        ------
        PricingError
            If a law of the model has no plain form.
        """
        header = {
            "format": format_name(_KIND, _VERSION),
            "model": plain.to_plain(self.model),
            "settings": plain.to_plain(self.settings),
            "model_digest": self.model_digest,
            "signals": plain.to_plain(self.signals),
            "anchoring": plain.to_plain(self.anchoring),
        }
        weights = np.empty(0) if self.weights is None else self.weights
        array_file.save(Path(path), header, [weights, self.worst_drops])

    @staticmethod
    def load(path: str | Path) -> "DropSurface":
        """Read a surface; its arrays stay on disk, mapped into memory.

        Raises
        ------
        CorruptSurfaceError
            If the file is damaged or not a surface.
        """
        try:
            header, arrays = array_file.parse(array_file.map_file(Path(path), follow=True), n_arrays=2)
            return read_format(header["format"], _KIND, {_VERSION: lambda: _surface_of(header, *arrays)})
        except (FileNotFoundError, NewerFormatError):
            raise
        except array_file.DAMAGE as error:
            raise CorruptSurfaceError(f"{path} is damaged or not a surface: {error}") from error


def _surface_of(header: dict[str, Any], weights: FloatArray, worst_drops: FloatArray) -> DropSurface:
    return DropSurface(
        model=plain.from_plain(header["model"], _FILE_CLASSES),
        settings=plain.from_plain(header["settings"], _FILE_CLASSES),
        model_digest=header["model_digest"],
        signals=plain.from_plain(header["signals"], _FILE_CLASSES),
        worst_drops=worst_drops,
        weights=weights if weights.size else None,
        anchoring=plain.from_plain(header["anchoring"], _FILE_CLASSES),
    )
