"""Worst drops and payments in the order of the paths, so that two of them can be compared path by path."""

import numpy as np

from pricing.contract.cover import Cover
from pricing.contract.observation import Observation
from pricing.contract.shares import shares_of
from pricing.contract.signals import find_signal
from pricing.contract.thresholds import least_drop
from pricing.surface.estimates import Estimate, WeightedSample
from pricing.surface.surface import DropSurface
from pricing.tools.arrays import FloatArray


def worst_drops_by_path(surface: DropSurface, observation: Observation, *, holder: str = "the surface") -> FloatArray:
    """Return the worst drops of an observation in the order of the paths, shape (n_paths,).

    Raises
    ------
    NotSimulatedError
        If the surface does not contain them; the message names the holder.
    """
    row = find_signal(observation, surface.signals, surface.model.step, holder=holder)
    return np.asarray(surface.worst_drops[row])


def shares_by_path(cover: Cover, surface: DropSurface) -> FloatArray:
    """Return the share of the limit that a cover pays on each path, shape (n_paths,).

    Raises
    ------
    NotSimulatedError
        If the surface does not contain the signal of the cover.
    """
    worst_drops = worst_drops_by_path(surface, cover.observation)
    return np.where(worst_drops >= least_drop(cover.trigger.drop), shares_of(cover.payout, worst_drops), 0.0)


def mean_over_paths(values: FloatArray, weights: FloatArray | None) -> Estimate[float]:
    """Estimate the mean of a value of each path, shape (n_paths,), with the weights of a surface."""
    sample = WeightedSample.of_paths(values, weights)
    return sample.mean(sample.drops)
