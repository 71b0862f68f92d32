"""Worst drops and payments in the order of the paths, so that two of them can be set side by side path by path."""

from datetime import timedelta

import numpy as np

from pricing.contract.cover import Cover
from pricing.contract.signals import find_signal, make_signal
from pricing.contract.triggers import Reference
from pricing.surface.estimates import Estimate, WeightedSample
from pricing.surface.surface import DropSurface
from pricing.tools.arrays import FloatArray
from pricing.tools.units import Duration, parse_duration


def worst_drops_by_path(
    surface: DropSurface,
    *,
    window: Duration | None,
    reference: Reference,
    term: Duration,
    waiting_period: Duration = timedelta(0),
    holder: str = "the surface",
) -> FloatArray:
    """Return the worst drops of one signal in the order of the paths, shape (n_paths,); errors name the holder.

    Raises
    ------
    NotSimulatedError
        If the surface does not hold the signal.
    """
    step = parse_duration(surface.model.step, "step")
    signal = make_signal(reference=reference, window=window, term=term, waiting_period=waiting_period, step=step)
    return np.asarray(surface.worst_drops[find_signal(signal, surface.signals, step, holder=holder)])


def cover_drops_by_path(cover: Cover, surface: DropSurface) -> FloatArray:
    """Return the worst drop that a cover watches on each path, shape (n_paths,).

    Raises
    ------
    NotSimulatedError
        If the surface does not hold the signal of the cover.
    """
    return worst_drops_by_path(
        surface,
        window=cover.trigger.window,
        reference=cover.trigger.reference,
        term=cover.term,
        waiting_period=cover.waiting_period,
    )


def shares_by_path(cover: Cover, surface: DropSurface) -> FloatArray:
    """Return the share of the limit that a cover pays on each path, shape (n_paths,).

    Raises
    ------
    NotSimulatedError
        If the surface does not hold the signal of the cover.
    """
    worst_drops = cover_drops_by_path(cover, surface)
    return np.where(worst_drops >= cover.trigger.drop, cover.payout.share(worst_drops), 0.0)


def mean_over_paths(values: FloatArray, weights: FloatArray | None) -> Estimate[float]:
    """Average a value of each path, shape (n_paths,), with the weights of a surface."""
    sample = WeightedSample.of_paths(values, weights)
    return sample.mean(sample.drops)
