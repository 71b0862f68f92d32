"""Laws of the worst drop from a panel of tokens: the part common to all, and each token's own crashes."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from calibration.law.drop_law import COVARIATES, TERM, DropLaw, Level, MarketState, OwnCrashLaw, TokenState
from calibration.market import long_memory
from calibration.market.common_shock import MonthEffects, equal_points, fit_level, fit_month_effects
from calibration.market.own_crash import fit_own_crashes
from calibration.market.panel import (
    FEWEST_STARTS,
    FEWEST_TOKENS,
    LEAST_LEARNT_VOLATILITY,
    SPACING,
    STEP,
    Blocks,
    PanelGrid,
    eligible,
    learning_starts,
    market_blocks,
    market_index,
    market_state,
    outcomes,
    panel_grid,
    states_at,
)
from calibration.prices.gaps import LAW_WINDOWS
from calibration.prices.labels import Label
from calibration.prices.splits import PanelSplits
from pricing.errors import DataError, InsufficientDataError, NewerFormatError, PricingError
from pricing.show.frames import make_frame
from pricing.tools import plain
from pricing.tools.arrays import FloatArray
from pricing.tools.fields import require_kind, set_members
from pricing.tools.stored import read_sealed, seal_text
from pricing.tools.units import YEAR, format_duration

#: Windows with their own law, and the smallest drop that counts as a token's own crash.
WINDOWS = dict(zip(LAW_WINDOWS, (0.08, 0.15), strict=True))
#: Tokens that follow another price.
PEGGED = frozenset(
    (
        *("USDT", "USDC", "TUSD", "FDUSD", "USDP", "DAI", "BUSD", "XUSD", "USD1"),
        *("EUR", "AEUR", "EURI", "PAXG", "WBTC", "WBETH", "BNSOL"),
    )
)

#: A smaller worst log drop means a price that did not move.
LEAST_LOG_DROP = 1e-4

#: Age after which the run-up of a market is out of date.
STALE_AFTER = timedelta(days=45)

_OVERLAP = TERM / SPACING
_KIND = "market"
_MOST_CHARACTERS = 2**26
_CLASSES = (DropLaw, Level, MarketState, OwnCrashLaw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Laws of the worst drop, and the state of the market, as known at one time.

    Parameters
    ----------
    as_of : datetime
        UTC time up to which prices were used.
    state : MarketState
        State that moves every quote at once.
    laws : tuple of DropLaw
        One law per window, shortest first.
    n_tokens : int
        Number of tokens that the laws were fitted to.
    first_start : datetime
        Start of the first month of the panel.
    """

    as_of: datetime
    state: MarketState
    laws: tuple[DropLaw, ...]
    n_tokens: int
    first_start: datetime

    def __post_init__(self) -> None:
        require_kind(self.state, "state", MarketState, DataError)
        set_members(self, "laws", DropLaw, error=DataError)
        if not self.laws:
            raise DataError("laws must hold at least one law, got none")
        require_kind(self.n_tokens, "n_tokens", int, DataError)

    def is_stale(self, as_of: datetime) -> bool:
        """Return whether the state of the market is too old to be used at a time."""
        return as_of - self.as_of > STALE_AFTER

    def state_at(self, as_of: datetime) -> MarketState:
        """Return the state of the market as far as it is known at a time; a stale one has no run-up."""
        return replace(self.state, run_up=0.0) if self.is_stale(as_of) else self.state

    def to_frame(self) -> pd.DataFrame:
        """Return the laws as a data frame: a row per window, which is the index.

        Returns
        -------
        DataFrame
            A column per covariate with its slope; the slopes and the standard error of the level; a token's own crashes
            per year at a volatility of 100 %, and the Pareto index of their depth.
        """
        columns = {
            "window": [format_duration(law.window) for law in self.laws],
            **{name: [float(law.slopes[place]) for law in self.laws] for place, name in enumerate(COVARIATES)},
            "level volatility": [law.level.volatility_slope for law in self.laws],
            "level run-up": [law.level.run_up_slope for law in self.laws],
            "level error": [law.level.error for law in self.laws],
            "own crashes per year": [math.exp(law.own.log_rate) * (YEAR / TERM) for law in self.laws],
            "own crash index": [law.own.index for law in self.laws],
        }
        return make_frame(columns, index="window")

    def to_plain(self) -> dict[str, Any]:
        """Return the market as plain values, which JSON can hold."""
        fields = {"as_of": self.as_of.isoformat(), "first_start": self.first_start.isoformat()}
        parts = {"state": plain.to_plain(self.state), "laws": plain.to_plain(self.laws), "n_tokens": self.n_tokens}
        return fields | parts

    @staticmethod
    def from_plain(value: Any) -> "Market":
        """Read a market from plain values.

        Raises
        ------
        DataError
            If the values are not a market.
        """
        try:
            market = Market(
                as_of=datetime.fromisoformat(value["as_of"]),
                state=plain.from_plain(value["state"], _CLASSES),
                laws=tuple(plain.from_plain(law, _CLASSES) for law in value["laws"]),
                n_tokens=value["n_tokens"],
                first_start=datetime.fromisoformat(value["first_start"]),
            )
            if market.to_plain() != value:
                raise DataError("it holds more than a market, or in another form")
        except (ValueError, TypeError, LookupError, AttributeError, PricingError) as error:
            raise DataError(f"not a market: {error}") from error
        return market

    def to_json(self) -> str:
        """Write the market as JSON with the name of its format and a checksum."""
        return seal_text(_KIND, 1, self.to_plain())

    @staticmethod
    def from_json(text: str) -> "Market":
        """Read a market.

        Raises
        ------
        DataError
            If the text is not a market, or was changed.
        NewerFormatError
            If a newer release wrote it.
        """
        try:
            return read_sealed(text, _KIND, {1: Market.from_plain}, most=_MOST_CHARACTERS)
        except (NewerFormatError, DataError):
            raise
        except PricingError as error:
            raise DataError(f"not a market: {error}") from error


def fit_market(
    panel: pd.DataFrame,
    *,
    as_of: datetime | date | str | None = None,
    exclude: Collection[str] = PEGGED,
    splits: PanelSplits | None = None,
    label: Label | None = None,
) -> Market:
    """Fit the laws of the worst drop from a panel of tokens.

    Parameters
    ----------
    panel : DataFrame of float
        Hourly closes on a DatetimeIndex with a time zone, labelled by the CLOSE of the bar, one column per token; NaN
        if a token does not trade. At least five tokens over two and a half months; the more years, the better.
    as_of : datetime or str, optional
        Use only closes labelled at or before this time, which needs a time zone.
    exclude : collection of str
        Columns that follow another price. Those that are recognised as pegged or wrapped are left out as well.
    splits : mapping, optional
        Redenominations by column, each as for ``calibrate``.
    label : {"open", "close"}, optional
        End of the bar that the times label; by default that of a name such as ``open_time``, else the close.

    Raises
    ------
    DataError
        If labels or closes are invalid.
    InsufficientDataError
        If there are too few tokens or months.
    """
    grid, blocks, rows, latest = _learn(panel, as_of, exclude, splits, label)
    index = market_index(grid)
    trading = ~np.isnan(grid.log_prices[-1]) & (latest.log_volatility > np.log(LEAST_LEARNT_VOLATILITY))
    return Market(
        as_of=grid.times[-1].to_pydatetime(),
        state=market_state(latest, trading, index, len(index) - 1),
        laws=tuple(_fit_law(grid, rows, index, place, blocks[place]) for place in range(len(WINDOWS))),
        n_tokens=len(np.unique(rows.token)),
        first_start=grid.times[rows.starts[0]].to_pydatetime(),
    )


def unused_tokens(
    panel: pd.DataFrame,
    *,
    as_of: datetime | date | str | None = None,
    exclude: Collection[str] = PEGGED,
    splits: PanelSplits | None = None,
    label: Label | None = None,
) -> dict[str, str]:
    """Return the columns of a panel that contribute nothing to ``fit_market``, each with the reason.

    Parameters and errors are those of ``fit_market``.
    """
    grid, _, rows, _ = _learn(panel, as_of, exclude, splits, label)
    used = set(grid.tokens[np.unique(rows.token)])
    excluded = dict.fromkeys(exclude, "it follows another price")
    reasons = grid.followers | excluded
    short = "at no start has it enough history, movement and outcome"
    return {str(token): reasons.get(token, short) for token in panel.columns if token not in used}


def _learn(
    panel: pd.DataFrame,
    as_of: datetime | date | str | None,
    exclude: Collection[str],
    splits: PanelSplits | None,
    label: Label | None,
) -> "tuple[PanelGrid, tuple[Blocks, ...], _Rows, TokenState]":
    """Return the grid, the blocks of each window, the rows for the fit, and the latest states of the tokens."""
    if isinstance(panel, pd.DataFrame):
        panel = panel.drop(columns=[column for column in panel.columns if column in exclude])
    grid = panel_grid(panel, as_of, splits, label)
    starts = learning_starts(grid)
    blocks = tuple(market_blocks(grid, round(window / STEP)) for window in WINDOWS)
    *states, latest = states_at(grid, [*starts, len(grid.times) - 1], blocks)
    return grid, blocks, _learning_rows(grid, starts, states), latest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Token-months for the fit: start and states of each month, month and token of each row."""

    starts: list[int]
    states: list[TokenState]
    month: npt.NDArray[np.intp]
    token: npt.NDArray[np.intp]

    def tokens_of(self, month: int) -> npt.NDArray[np.intp]:
        """Return the tokens of a month."""
        return np.asarray(self.token[self.month == month])

    def read(self, value: Callable[[TokenState], FloatArray]) -> FloatArray:
        """Read a value for the token of each row from the state of its month."""
        return np.concatenate([value(state)[self.tokens_of(month)] for month, state in enumerate(self.states)])


def _learning_rows(grid: PanelGrid, starts: list[int], states: list[TokenState]) -> _Rows:
    candidates = zip(starts, states, strict=True)
    months = [(start, state, np.flatnonzero(eligible(grid, start, state))) for start, state in candidates]
    months = [month for month in months if len(month[2]) >= FEWEST_TOKENS]
    if len(months) < FEWEST_STARTS:
        raise InsufficientDataError(
            f"panel must hold at least {FEWEST_STARTS} starts of {FEWEST_TOKENS} tokens with history and outcome, got "
            f"{len(months)} (pegged tokens and tokens of less than a month do not count)"
        )
    return _Rows(
        starts=[start for start, _, _ in months],
        states=[state for _, state, _ in months],
        month=np.repeat(np.arange(len(months)), [len(tokens) for _, _, tokens in months]),
        token=np.concatenate([tokens for _, _, tokens in months]),
    )


def _fit_law(grid: PanelGrid, rows: _Rows, index: FloatArray, place: int, blocks: Blocks) -> DropLaw:
    """Fit the law of one window: slopes between tokens, level of months, then the remainder as own crashes."""
    window, least_drop = list(WINDOWS.items())[place]
    worst = outcomes(grid, rows.starts, round(window / STEP))[rows.month, rows.token]
    log_worst = np.log(np.maximum(worst, LEAST_LOG_DROP))
    months = fit_month_effects(rows.read(lambda state: state.covariates(place)), log_worst, rows.month, _OVERLAP)
    level, shocks, weights = _fit_level(grid, rows, index, window, months)
    own = fit_own_crashes(
        residuals=months.residuals,
        log_worst=log_worst,
        shocks=shocks[rows.month],
        tail_weight=rows.read(lambda state: state.tail_weight),
        log_volatility=rows.read(lambda state: state.log_volatility),
        log_credibility=np.log(rows.read(lambda state: state.records[place].credibility_factor)),
        threshold=-math.log1p(-least_drop),
        crash_share=blocks.crash_share,
        overlap=_OVERLAP,
    )
    return DropLaw(
        window=window,
        slopes=tuple(months.slopes.tolist()),
        level=level,
        shocks=tuple(equal_points(shocks, weights).tolist()),
        spread=own.spread,
        spread_slope=own.spread_slope,
        own=own.law,
        first_block=blocks.first,
        block_means=tuple(None if math.isnan(mean) else mean for mean in blocks.means.tolist()),
    )


def _fit_level(
    grid: PanelGrid, rows: _Rows, index: FloatArray, window: timedelta, months: MonthEffects
) -> tuple[Level, FloatArray, FloatArray]:
    """Fit the level to the panel's months and to earlier months of BTC and ETH; the panel's shocks come first."""
    states = [
        market_state(state, rows.tokens_of(month), index, rows.starts[month]) for month, state in enumerate(rows.states)
    ]
    volatilities = np.array([state.log_volatility for state in states])
    effects = months.months + months.slopes[0] * volatilities
    memory = long_memory.months_before(
        format_duration(window),
        starts=grid.times[rows.starts],
        effects=effects,
        log_volatilities=volatilities,
        as_of=grid.times[-1],
    )
    weights = np.concatenate([np.ones(len(effects)), np.full(len(memory.effects), long_memory.WEIGHT)])
    level, shocks = fit_level(
        np.concatenate([effects, memory.effects]),
        [*states, *memory.states],
        weights,
        n_panel=len(effects),
        overlap=_OVERLAP,
    )
    return level, shocks, weights
