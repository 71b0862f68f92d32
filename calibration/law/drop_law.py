"""The law of a month's worst drop: a common part that all tokens share, and the token's own crashes.

For a log drop z, the worst drop W of a token over the next 30 days satisfies

    P(W >= z) = 1 - (1 - C(z)) exp(-lambda S(z)).

C is the common part: log W is normal around the token's own level, shifted by the shock of the month, whose law is
given by the months on record. lambda is the expected number of the token's own crashes in 30 days, and S(z) is the law
of their depth: Pareto with one index from the threshold on, and with a larger one from a fall of 30 % on. Everything
that moves a quote from day to day enters through ``TokenState`` and ``MarketState``.
"""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from scipy.special import ndtr

from calibration.law.own_record import OwnRecord
from calibration.prices.horizons import HALF_LIVES, RunningSquares
from pricing.errors import DataError
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import require_kind, set_numbers, set_series
from pricing.tools.units import parse_duration

#: Term of the law.
TERM = timedelta(days=30)
#: A volatility below this means a stale price; the law uses this value instead.
LEAST_VOLATILITY = 0.05
#: Names of the slopes of the common part, in order.
COVARIATES = ("volatility", "longer volatility", "shorter volatility", "latest volatility", "own record")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenState:
    """State of tokens at one time, as the law uses it; arrays of shape (n_tokens,) unless stated.

    Parameters
    ----------
    log_volatilities : ndarray of shape (n_half_lives, n_tokens)
        Logs of annual volatilities.
    tail_weight : ndarray
        Log of the ratio of uncut to cut volatility.
    records : tuple of OwnRecord
        Own records, one per window of the market's laws.
    """

    log_volatilities: FloatArray
    tail_weight: FloatArray
    records: tuple[OwnRecord, ...]

    @property
    def log_volatility(self) -> FloatArray:
        """Log of the 30-day volatility, the scale of the law."""
        return np.asarray(self.log_volatilities[HALF_LIVES.index(30.0)])

    def covariates(self, place: int) -> FloatArray:
        """Return the covariates of the common part of one of the market's laws, shape (n_tokens, 5)."""
        latest, shorter, middle, longer = self.log_volatilities
        excess = self.records[place].excess
        return np.stack([middle, longer - middle, shorter - middle, latest - shorter, excess], axis=1)


def token_state(squares: RunningSquares, records: tuple[OwnRecord, ...]) -> TokenState:
    """Compute the state of tokens from their running sums."""
    return TokenState(
        log_volatilities=np.log(np.fmax(squares.volatilities(), LEAST_VOLATILITY)),
        tail_weight=np.nan_to_num(squares.tail_weight()),  # not a number until there are returns
        records=records,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketState:
    """State of the market, which moves every quote at once.

    Parameters
    ----------
    log_volatility : float
        Mean over tokens of the log of the 30-day volatility.
    run_up : float
        Log return of the equally weighted market over the last 90 days.
    """

    log_volatility: float
    run_up: float

    def __post_init__(self) -> None:
        set_numbers(self, *self.__slots__, error=DataError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Expected level of a month's log worst drop, given the state of the market.

    Parameters
    ----------
    intercept, volatility_slope, run_up_slope : float
        Coefficients.
    error : float
        Standard error of the level.
    """

    intercept: float
    volatility_slope: float
    run_up_slope: float
    error: float

    def __post_init__(self) -> None:
        set_numbers(self, *self.__slots__, error=DataError)

    def at(self, state: MarketState) -> float:
        """Evaluate the level."""
        return self.intercept + self.volatility_slope * state.log_volatility + self.run_up_slope * state.run_up


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCrashLaw:
    """Rate and depth of a token's own crashes.

    Parameters
    ----------
    threshold : float
        Smallest log drop that counts as such a crash.
    log_rate, tail_slope, volatility_slope : float
        Log of the expected number in a term at zero tail weight and a volatility of 100 %, and its slopes.
    index : float
        Pareto index of the depth in log price, from the threshold to `deep`.
    deep : float
        Log drop from which the depth thins out faster, not below the threshold.
    deep_index : float
        Pareto index from `deep` on.
    crash_share : float
        Share of the market's blocks that were a token's own crashes; records are compared with it.
    """

    threshold: float
    log_rate: float
    tail_slope: float
    volatility_slope: float
    index: float
    deep: float
    deep_index: float
    crash_share: float

    def __post_init__(self) -> None:
        set_numbers(self, *self.__slots__, error=DataError)

    def market_rates(self, state: TokenState) -> FloatArray:
        """Return the expected number per term for tokens in this state, without their own record."""
        return np.exp(
            self.log_rate + self.tail_slope * state.tail_weight + self.volatility_slope * state.log_volatility
        )

    def beyond(self, log_drop: float) -> float:
        """Return the share of crashes as deep as a log drop or deeper."""
        within = math.log(min(max(log_drop, self.threshold), self.deep) / self.threshold)
        beyond = math.log(max(log_drop, self.deep) / self.deep)
        return math.exp(-self.index * within - self.deep_index * beyond)

    def seen(self, log_factor: float) -> "OwnCrashLaw":
        """Return the law of the same crashes if their log drops look shallower by a factor, given by its log."""
        shallower = math.exp(-log_factor)
        return replace(self, threshold=self.threshold * shallower, deep=self.deep * shallower)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropLaw:
    """Law of the worst drop of one window over the next 30 days.

    Parameters
    ----------
    window : timedelta
        Window of the drop.
    slopes : tuple of float
        Slopes of the common part, see ``COVARIATES``.
    level : Level
        Level of the common part.
    shocks : tuple of float
        Shocks of the market's months on record, equally likely.
    spread, spread_slope : float
        Log of the standard deviation between tokens in a month, and its slope on the shock.
    own : OwnCrashLaw
        Crashes of the token's own.
    first_block : int
        Number of the first block of `block_means`.
    block_means : tuple of float or None
        Mean log worst drop of each block of the market, the reference for own records; None if unknown.
    """

    window: timedelta
    slopes: tuple[float, ...]
    level: Level
    shocks: tuple[float, ...]
    spread: float
    spread_slope: float
    own: OwnCrashLaw
    first_block: int
    block_means: tuple[float | None, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", parse_duration(self.window, "window"))  # JSON holds it as text
        set_numbers(self, "spread", "spread_slope", error=DataError)
        set_series(self, "slopes", "shocks", error=DataError)
        require_kind(self.level, "level", Level, DataError)
        require_kind(self.own, "own", OwnCrashLaw, DataError)
        require_kind(self.first_block, "first_block", int, DataError)
        means = tuple(self.block_means)
        for mean in means:
            require_kind(mean, "block_means", float | None, DataError)
        object.__setattr__(self, "block_means", means)

    def centre(self, covariates: FloatArray, market: MarketState) -> FloatArray:
        """Return the log worst drop at which the common part is centred, before the shock of the month.

        Parameters
        ----------
        covariates : ndarray of shape (n_tokens, 5)
            See ``TokenState.covariates``.
        market : MarketState
            State of the market.
        """
        typical = np.array([market.log_volatility, 0.0, 0.0, 0.0, 0.0])
        return np.asarray((covariates - typical) @ np.array(self.slopes) + self.level.at(market))

    def common_exceedance(self, log_drop: float, centre: FloatArray) -> FloatArray:
        """Return the probability that the common part alone is as deep as a log drop or deeper."""
        shocks = np.array(self.shocks)
        deviation = np.hypot(np.exp(self.spread + self.spread_slope * shocks), self.level.error)
        return np.asarray(ndtr((centre[:, None] + shocks - math.log(log_drop)) / deviation).mean(axis=1))

    def exceedance(self, log_drop: float, centre: FloatArray, own_rates: FloatArray) -> FloatArray:
        """Return the probability of a worst drop as deep as a log drop or deeper.

        Parameters
        ----------
        log_drop : float
            Positive.
        centre : ndarray of shape (n_tokens,)
            See ``centre``.
        own_rates : ndarray of shape (n_tokens,)
            Expected number of the token's own crashes in the term.
        """
        untouched = (1.0 - self.common_exceedance(log_drop, centre)) * np.exp(-own_rates * self.own.beyond(log_drop))
        return np.asarray(1.0 - untouched)

    def seen(self, log_factor: float) -> "DropLaw":
        """Return the law of the same falls if their log drops look shallower by a factor, of which this is the log."""
        if not log_factor:
            return self
        return replace(
            self,
            level=replace(self.level, intercept=self.level.intercept - log_factor),
            own=self.own.seen(log_factor),
            block_means=tuple(None if mean is None else mean - log_factor for mean in self.block_means),
        )

    def known_exactly(self) -> "DropLaw":
        """Return the same law without the uncertainty of its level."""
        return replace(self, level=replace(self.level, error=0.0))
