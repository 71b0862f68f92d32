"""Joint scenarios of many tokens: every scenario picks one path from each token's surface.

A token's paths are ranked by the worst drop of one observation. In each scenario the dependence draws that worst drop
for all tokens, and the token's path of the same rank is taken, with all its windows and terms. Every rank is used once
(Latin hypercube sampling with dependence: Packham and Schmidt 2010), so the scenarios contain every path of a token
in proportion to its weight: the marginals are exactly those of the surface, not those of a sample of it.

Among paths of almost the same rank a second observation decides, with its own dependence: tokens with equally deep
falls in a month also tend to have similar shares of that fall within an hour, or in the first week.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from calibration.law.drop_law import TERM
from pool.dependence import Dependence, TokenRisk, draw_log_worst, draw_shape, draw_shared
from pricing.contract.observation import Observation
from pricing.errors import NotSimulatedError, SimulationError
from pricing.surface.by_path import worst_drops_by_path
from pricing.surface.surface import DropSurface
from pricing.tools.arrays import FloatArray, IntArray

PathArray = npt.NDArray[np.int32]

#: This many neighbours in rank count as equally deep: 0.1 % of 50,000 scenarios. Ordering within so small a group
#: preserves nine tenths of the correlation of shapes.
NEIGHBOURS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class JointSettings:
    """Number of scenarios, seed and threads.

    Parameters
    ----------
    n_scenarios : int
        Number of scenarios.
    seed : int
        Seed of the random streams, not negative.
    n_threads : int
        Number of threads; results do not depend on it.

    Raises
    ------
    SimulationError
        If a number is out of range.
    """

    n_scenarios: int = 50_000
    seed: int = 1
    n_threads: int = 1

    def __post_init__(self) -> None:
        for name, smallest in (("n_scenarios", 1), ("seed", 0), ("n_threads", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not smallest <= value < 2**31:
                raise SimulationError(f"{name} must be a whole number from {smallest} to below 2^31, got {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointScenarios:
    """Equally likely scenarios of one period for all tokens.

    Parameters
    ----------
    surfaces : mapping of str to DropSurface
        Surface of each asset.
    assets : tuple of str
        Assets, in the order of `paths`.
    period : timedelta
        Length of a scenario: the term by which paths were ranked.
    paths : ndarray of int, shape (n_assets, n_scenarios)
        Path of each asset in each scenario.
    level : ndarray of shape (n_scenarios,)
        Error of the level in each scenario; the next period has the same error.
    tokens : mapping of str to TokenRisk
        Risk of each asset as it was drawn, with the group and own share of the majors.
    """

    surfaces: Mapping[str, DropSurface] = field(repr=False)
    assets: tuple[str, ...]
    period: timedelta
    paths: PathArray = field(repr=False)
    level: FloatArray = field(repr=False)
    tokens: Mapping[str, TokenRisk] = field(repr=False)

    @property
    def n_scenarios(self) -> int:
        """Number of scenarios."""
        return int(self.paths.shape[1])

    def row(self, asset: str) -> int:
        """Return the row of an asset.

        Raises
        ------
        NotSimulatedError
            If the asset was not simulated.
        """
        if asset not in self.assets:
            raise NotSimulatedError(f"asset must be one of the {len(self.assets)} that were simulated, got {asset!r}")
        return self.assets.index(asset)

    def worst_drops(self, asset: str, observation: Observation, chosen: IntArray | slice = slice(None)) -> FloatArray:
        """Return the worst drop of an asset in each scenario, or in chosen ones.

        Raises
        ------
        NotSimulatedError
            If the asset was not simulated, its surface does not contain the observation, or the term is longer than the
            period.
        """
        if observation.term > self.period:
            raise NotSimulatedError(f"term of {asset} must not exceed the period {self.period}, got {observation.term}")
        paths = self.paths[self.row(asset), chosen]
        return np.asarray(path_drops(self.surfaces[asset], observation, asset)[paths])


def joint_scenarios(
    surfaces: Mapping[str, DropSurface],
    dependence: Dependence,
    tokens: Mapping[str, TokenRisk],
    *,
    ranking: Observation | None = None,
    shape: Observation | None = None,
    settings: JointSettings | None = None,
) -> JointScenarios:
    """Draw joint scenarios whose marginals are the surfaces.

    A term of several months is ranked by the worst of as many independent months. The last month is counted in full.
    Shocks of different months are independent.

    Parameters
    ----------
    surfaces : mapping of str to DropSurface
        Surface of each asset.
    dependence : Dependence
        How they fall together.
    tokens : mapping of str to TokenRisk
        Parameters of each asset that the dependence needs. BTC and ETH are known by their names (``TokenRisk.named``);
        an `own_share` of 1 makes them like any other token.
    ranking : Observation, optional
        Observation by which paths are ranked; its term is the period. By default, a drop within 24 hours over 30 days.
    shape : Observation, optional
        Observation that orders paths of almost the same rank: a shorter window, or a shorter term, if many covers
        depend on it. If absent, only ranks are shared, and such covers fall together less than they should.
    settings : JointSettings, optional
        Number of scenarios, seed and threads.

    Raises
    ------
    NotSimulatedError
        If a surface does not contain the ranking observation, or the risk of a token is missing.
    """
    ranking, settings = ranking or Observation(), settings or JointSettings()
    n_months = -(-ranking.term // TERM)
    shared = draw_shared(dependence, n_months=n_months, n_scenarios=settings.n_scenarios, seed=settings.seed)
    risks = {asset: _risk(tokens, asset) for asset in surfaces}

    def pick(asset: str) -> PathArray:
        depth = draw_log_worst(dependence, risks[asset], shared, asset=asset, seed=settings.seed)
        scenarios = np.argsort(depth, kind="stable")
        chosen = _by_depth(surfaces[asset], ranking, asset, len(scenarios))
        if shape:
            shapes = draw_shape(dependence, shared, asset=asset, seed=settings.seed)
            scenarios = _reorder_neighbours(scenarios, shapes)
            chosen = _reorder_neighbours(chosen, path_drops(surfaces[asset], shape, asset))
        picked = np.empty(len(scenarios), dtype=np.int32)
        picked[scenarios] = chosen
        return picked

    paths = np.empty((len(surfaces), settings.n_scenarios), dtype=np.int32)
    if settings.n_threads == 1:
        for row, asset in enumerate(surfaces):
            paths[row] = pick(asset)
    else:
        with ThreadPoolExecutor(settings.n_threads, thread_name_prefix="joint") as pool:
            for row, picked in enumerate(pool.map(pick, surfaces)):
                paths[row] = picked
    return JointScenarios(
        surfaces=surfaces,
        assets=tuple(surfaces),
        period=ranking.term,
        paths=paths,
        level=shared.level,
        tokens=risks,
    )


def _risk(tokens: Mapping[str, TokenRisk], asset: str) -> TokenRisk:
    if asset not in tokens:
        raise NotSimulatedError(f"tokens must hold the risk of every asset, but {asset!r} is missing")
    return tokens[asset].named(asset)


def path_drops(surface: DropSurface, observation: Observation, asset: str) -> FloatArray:
    """Return the worst drop of each path, in the order of the paths.

    Raises
    ------
    NotSimulatedError
        If the surface does not contain the observation.
    """
    return worst_drops_by_path(surface, observation, holder=f"the surface of {asset}")


def _by_depth(surface: DropSurface, ranking: Observation, asset: str, n: int) -> IntArray:
    """Return the paths at `n` equally spaced weighted quantiles of the worst drop, shallowest first."""
    drops = path_drops(surface, ranking, asset)
    order = np.argsort(drops, kind="stable")
    weights = surface.weights_of(ranking)
    weights = np.ones(len(drops)) if weights is None else weights[order]
    cumulated = np.cumsum(weights)
    middles = (np.arange(n) + 0.5) / n * cumulated[-1]
    return np.asarray(order[np.searchsorted(cumulated, middles)])


def _reorder_neighbours(ranked: IntArray, values: FloatArray) -> IntArray:
    """Order every group of neighbours in rank by a second value."""
    group = np.arange(len(ranked)) // NEIGHBOURS
    return ranked[np.lexsort((values[ranked], group))]
