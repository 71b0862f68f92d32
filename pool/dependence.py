"""Dependence of tokens: a shock shared by all in a month, a token's own deviation, and its own crashes.

Price models are anchored to the law of a month's worst drop (``drop_law``). Dependence is therefore placed on that law
and not on single steps: a copula on the worst drop leaves every surface unchanged. A token's month follows

    log W = max(centre + shock + deviation, log depth of a crash of its own)

The shock is the same for all tokens. Tokens of a group share a part of their deviation, and some of their crashes stand
for months in which all fall: the majors fall together (``pool.majors``). Everything else belongs to the token. Only
ranks of W are used here, so no surface changes.
"""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from scipy.special import ndtri

from calibration import Calibration
from calibration.law.drop_law import DropLaw
from pool.majors import LARGE_OWN_SHARE, MAJORS, is_major
from pool.streams import stratified_uniforms, uniforms
from pricing.errors import InvalidModelError, NotSimulatedError
from pricing.tools.arrays import FloatArray
from pricing.tools.units import format_duration

#: Share of the variance of log worst drops within 1 hour, given those within 24 hours, that lies between months: 8,698
#: token-months of the panel, April 2021 to June 2025. For drops in the first 7 or 14 days given those in 30 it is 0.54.
SHAPE_CORRELATION = 0.43
#: Standard deviations of the part of a deviation that BTC and ETH share, and of what is left to each. Their deviations
#: from the month of the panel, April 2021 to May 2025, correlate by 0.67 (0.51 to 0.81).
GROUP_SPREAD, MEMBER_SPREAD = 0.227, 0.16


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence:
    """Parts of a month that all tokens share, and parts that are each token's own.

    Parameters
    ----------
    shocks : tuple of float
        Shocks of the log worst log drop, equally likely.
    spread : float
        Standard deviation between tokens in a month without a shock; 0 makes tokens fall in one order.
    spread_slope : float
        Slope of the log of the spread on the shock.
    level_error : float
        Standard error of the level. It concerns all tokens at once, so it is shared like a shock.
    crash_threshold : float
        Smallest log drop of a token's own crash.
    crash_index : float
        Pareto index of the crash depth.
    shape_correlation : float
        Correlation between tokens of how abrupt or early a month's worst drop is, given its depth; in [0, 1).
    group_spread, member_spread : float
        Standard deviation of the part of the deviation that the tokens of a group share, and of the rest of each; they
        take the place of `spread`.

    Raises
    ------
    InvalidModelError
        If a number is out of range.
    """

    shocks: tuple[float, ...]
    spread: float
    spread_slope: float = 0.0
    level_error: float = 0.0
    crash_threshold: float = 0.16
    crash_index: float = 2.3
    shape_correlation: float = SHAPE_CORRELATION
    group_spread: float = GROUP_SPREAD
    member_spread: float = MEMBER_SPREAD

    def __post_init__(self) -> None:
        object.__setattr__(self, "shocks", tuple(float(shock) for shock in self.shocks))
        if not self.shocks or not all(math.isfinite(shock) for shock in self.shocks):
            raise InvalidModelError(f"shocks must be finite and at least one, got {self.shocks}")
        for name in ("spread", "level_error", "group_spread", "member_spread"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise InvalidModelError(f"{name} must be finite and not negative, got {getattr(self, name)}")
        if not math.isfinite(self.spread_slope):
            raise InvalidModelError(f"spread_slope must be finite, got {self.spread_slope}")
        for name in ("crash_threshold", "crash_index"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise InvalidModelError(f"{name} must be positive and finite, got {getattr(self, name)}")
        if not 0.0 <= self.shape_correlation < 1.0:
            raise InvalidModelError(f"shape_correlation must be from 0 to below 1, got {self.shape_correlation}")

    @classmethod
    def of_law(cls, law: DropLaw) -> "Dependence":
        """Take the dependence from the market's law of the worst drop.

        Ranks of all own crashes take the index of deep ones: those that decide a tail go to months in which others
        fall as well, as the few that came did.
        """
        return cls(
            shocks=law.shocks,
            spread=math.exp(law.spread),
            spread_slope=law.spread_slope,
            level_error=law.level.error,
            crash_threshold=law.own.threshold,
            crash_index=law.own.deep_index,
        )

    @property
    def correlation(self) -> float:
        """Correlation of the log worst drops of two tokens that have no crashes of their own."""
        shared = float(np.var(self.shocks)) + self.level_error**2
        own = self.spread**2
        return shared / (shared + own) if shared + own else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRisk:
    """Parameters of one token that the dependence needs: its common part and the rate of its own crashes.

    Parameters
    ----------
    centre : float
        Log of the worst log drop of a month without a shock.
    crash_rate : float
        Expected number of its own crashes in 30 days, not negative.
    group : str, optional
        Name of the group whose tokens share a part of their deviation.
    own_share : float, optional
        Share of `crash_rate` whose crashes come to this token alone, 0 to 1. The rest of the rate stands for months in
        which all fall; 1 if absent. If neither `group` nor `own_share` is given, ``named`` knows those of a major.

    Raises
    ------
    InvalidModelError
        If a number is out of range, or the group has no name.
    """

    centre: float
    crash_rate: float
    group: str | None = None
    own_share: float | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.centre):
            raise InvalidModelError(f"centre must be finite, got {self.centre}")
        if not 0.0 <= self.crash_rate < math.inf:
            raise InvalidModelError(f"crash_rate must be finite and not negative, got {self.crash_rate}")
        if self.group == "":
            raise InvalidModelError("group must have a name, got an empty one (None for no group)")
        if self.own_share is not None and not 0.0 <= self.own_share <= 1.0:
            raise InvalidModelError(f"own_share must be from 0 to 1, got {self.own_share} (a fraction: 15 % is 0.15)")

    @classmethod
    def of_calibration(cls, calibration: Calibration, window: timedelta = timedelta(hours=24)) -> "TokenRisk":
        """Take a token's risk from its calibration.

        Raises
        ------
        NotSimulatedError
            If the market has no law for the window.
        """
        for month, crashes in zip(calibration.worst_months, calibration.crashes, strict=True):
            if month.window == window:
                return cls(centre=month.centre, crash_rate=crashes.rate)
        raise NotSimulatedError(f"window must be one for which the market has a law, got {format_duration(window)}")

    @property
    def share_alone(self) -> float:
        """Share of the crash rate whose crashes come to this token alone: `own_share`, or 1 if that is absent."""
        return 1.0 if self.own_share is None else self.own_share

    def named(self, asset: str) -> "TokenRisk":
        """Return the risk with the group and own share of a major, if the asset is one by its name and none is given.

        Examples
        --------
        >>> risk = TokenRisk(centre=-2.6, crash_rate=0.07)
        >>> risk.named("BTC").group, risk.named("OM").group
        ('majors', None)
        """
        if self.group is not None or self.own_share is not None or not is_major(asset):
            return self
        return replace(self, group=MAJORS, own_share=LARGE_OWN_SHARE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SharedDraws:
    """Draws that all tokens share in each scenario.

    Parameters
    ----------
    shocks : ndarray of shape (n_months, n_scenarios)
        Shock of each month.
    level : ndarray of shape (n_scenarios,)
        Error of the level, the same in all months of a scenario.
    shape : ndarray of shape (n_scenarios,)
        How abrupt or early falls are, as a standard normal.
    """

    shocks: FloatArray
    level: FloatArray
    shape: FloatArray


def draw_shared(dependence: Dependence, *, n_months: int, n_scenarios: int, seed: int) -> SharedDraws:
    """Draw the shared parts, each stratified over the scenarios; months are independent of each other."""
    points = np.array(dependence.shocks)
    months = [stratified_uniforms(seed, f"shock of month {month}", n_scenarios) for month in range(n_months)]
    return SharedDraws(
        shocks=points[(np.array(months) * len(points)).astype(np.intp)],
        level=dependence.level_error * ndtri(stratified_uniforms(seed, "level", n_scenarios)),
        shape=ndtri(stratified_uniforms(seed, "shape", n_scenarios)),
    )


def draw_log_worst(
    dependence: Dependence, token: TokenRisk, shared: SharedDraws, *, asset: str, seed: int
) -> FloatArray:
    """Draw the log of a token's worst log drop over all months under the law, shape (n_scenarios,)."""
    n_months, n_scenarios = shared.shocks.shape
    worst = np.full(n_scenarios, -np.inf)
    for month in range(n_months):
        np.maximum(worst, _draw_month(dependence, token, shared, month, asset=asset, seed=seed), out=worst)
    rate = token.share_alone * token.crash_rate
    if not rate:
        return np.asarray(token.centre + shared.level + worst)
    u = uniforms(seed, f"crash of {asset}", n_scenarios)
    crashes = _log_deepest_crash(dependence, n_months * rate, u)
    return np.asarray(np.maximum(token.centre + shared.level + worst, crashes))


def _draw_month(
    dependence: Dependence, token: TokenRisk, shared: SharedDraws, month: int, *, asset: str, seed: int
) -> FloatArray:
    """Draw the shock of a month and a token's deviation in it; tokens of a group share a part of the deviation."""
    shocks = shared.shocks[month]
    own = ndtri(uniforms(seed, f"deviation of {asset} in month {month}", len(shocks)))
    widening = np.exp(dependence.spread_slope * shocks)
    if token.group is None:
        return np.asarray(shocks + dependence.spread * widening * own)
    group = ndtri(uniforms(seed, f"deviation of group {token.group} in month {month}", len(shocks)))
    return np.asarray(shocks + dependence.group_spread * group + dependence.member_spread * widening * own)


def draw_shape(dependence: Dependence, shared: SharedDraws, *, asset: str, seed: int) -> FloatArray:
    """Draw how abrupt or early a token's worst drop is, given its depth: standard normals, shape (n_scenarios,)."""
    own = ndtri(uniforms(seed, f"shape of {asset}", len(shared.shape)))
    correlation = dependence.shape_correlation
    return np.asarray(math.sqrt(correlation) * shared.shape + math.sqrt(1.0 - correlation) * own)


def _log_deepest_crash(dependence: Dependence, expected: float, u: FloatArray) -> FloatArray:
    """Return the log depth of the deepest of a Poisson number of Pareto crashes; minus infinity if there is none."""
    beyond = -np.log(u)
    depth = math.log(dependence.crash_threshold) + np.log(expected / beyond) / dependence.crash_index
    return np.where(beyond <= expected, depth, -np.inf)
