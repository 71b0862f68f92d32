"""Horizons of several periods: the book is renewed, and periods share only the error of the level."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pool.streams import shuffle
from pricing.errors import PrecisionError, SimulationError
from pricing.principles.loss_distribution import LossDistribution
from pricing.principles.tails import estimate_quantile
from pricing.surface.estimates import FEWEST_BEYOND, Estimate, WeightedSample
from pricing.tools.arrays import FloatArray, IntArray

#: Scenarios that are neighbours in level and fill this many horizons count as having the same level.
_HORIZONS_A_LEVEL = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Horizons:
    """Horizons, each a row of scenarios in the order of its periods.

    Parameters
    ----------
    scenarios : ndarray of int, shape (n_horizons, n_periods)
        Scenario of each period.
    n_disjoint : int
        Number of horizons that the scenarios fill without being used twice. Standard errors count only these: an
        average over several shuffles varies less than one over a single shuffle (Hoeffding 1963, section 5).
    """

    scenarios: IntArray = field(repr=False)
    n_disjoint: int

    def probability(self, happened: npt.NDArray[np.bool_]) -> Estimate[float]:
        """Estimate the probability of an event from its occurrence in each horizon."""
        value = float(happened.mean())
        variance = value * (1.0 - value) / self.n_disjoint
        return Estimate(value, math.sqrt(variance) if variance else 1.0 / self.n_disjoint)

    def quantile(self, values: FloatArray, level: float) -> Estimate[float]:
        """Estimate the value that is exceeded with probability at most ``1 - level``.

        Raises
        ------
        PrecisionError
            If fewer than ten disjoint horizons lie beyond it.
        """
        if (1.0 - level) * self.n_disjoint * (1.0 + 1e-12) < FEWEST_BEYOND:
            raise PrecisionError(
                f"level {level} leaves {(1.0 - level) * self.n_disjoint:.3g} of {self.n_disjoint} disjoint horizons "
                f"beyond it, fewer than {FEWEST_BEYOND} (draw more scenarios)"
            )
        sample = WeightedSample.of_paths(values, None)
        beyond = 1.0 - level
        error = math.sqrt(beyond * level / self.n_disjoint)
        return estimate_quantile(LossDistribution.of_sample(sample, sample.drops), beyond, error)


def draw_horizons(
    n_scenarios: int, n_periods: int, *, levels: FloatArray | None = None, n_shuffles: int = 20, seed: int = 1
) -> Horizons:
    """Put scenarios end to end, one shuffle after another.

    Parameters
    ----------
    n_scenarios : int
        Scenarios of one period.
    n_periods : int
        Periods of a horizon.
    levels : ndarray of shape (n_scenarios,), optional
        A quantity that stays the same from period to period, such as ``JointScenarios.level``: each horizon is made
        of scenarios with almost the same value. If absent, periods are independent.
    n_shuffles : int
        Number of times that every scenario is used.
    seed : int
        Seed of the shuffles; they have a random stream of their own.

    Raises
    ------
    SimulationError
        If there are fewer scenarios than periods.
    """
    if not 1 <= n_periods <= n_scenarios or n_shuffles < 1:
        raise SimulationError(
            f"n_periods must be from 1 to the {n_scenarios} scenarios, and n_shuffles at least 1, got {n_periods} and "
            f"{n_shuffles}"
        )
    n_disjoint = n_scenarios // n_periods
    used = []
    for number in range(n_shuffles):
        shuffled = shuffle(seed, f"shuffle {number}", n_scenarios)[: n_disjoint * n_periods]
        used.append(shuffled if levels is None else _neighbours(shuffled, levels, _HORIZONS_A_LEVEL * n_periods))
    return Horizons(scenarios=np.concatenate(used).reshape(-1, n_periods), n_disjoint=n_disjoint)


def _neighbours(shuffled: IntArray, levels: FloatArray, n_alike: int) -> IntArray:
    """Bring scenarios of almost the same level together, and leave each group of `n_alike` in random order."""
    by_level = np.argsort(levels[shuffled], kind="stable")
    group = np.empty(len(shuffled), dtype=np.intp)
    group[by_level] = np.arange(len(shuffled)) // n_alike
    return shuffled[np.argsort(group, kind="stable")]
