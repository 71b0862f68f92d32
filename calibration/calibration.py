"""One call from a price history, and optionally a holder list, to a price model that states its assumptions."""

import json
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from calibration.assumptions import state_assumptions
from calibration.figures import Figure, holder_figures, law_figures, price_figures, state_figures
from calibration.hazard.factor import HazardFactor, hazard_factor
from calibration.hazard.risk_signals import RiskSignals
from calibration.holders.concentration_measures import Concentration, concentration
from calibration.holders.control import Control
from calibration.holders.lists import BURN_ADDRESSES, HolderFindingKind, Labels
from calibration.judgement import judge
from calibration.law.bar_lengths import Sight, bar_effect, fits, measured_step, read_grid
from calibration.law.crashes import CrashRate, crash_rate, crashes_frame, crashes_within
from calibration.law.drop_law import DropLaw, MarketState, TokenState
from calibration.law.law_anchors import can_be_anchored, coherent_anchors
from calibration.law.token_history import TokenHistory, observe
from calibration.law.worst_month import WorstMonth, draw_worst_months, worst_month_law
from calibration.market.market import Market
from calibration.market.shipped import shipped_market
from calibration.paths.dynamics import collapse_of_month, paths_of_month, stretched_volatility
from calibration.paths.volatility import (
    SHORTEST_SAMPLE,
    Innovations,
    Law,
    VolatilityFit,
    filter_variance,
    fit_volatility,
)
from calibration.pegs.peg_calibration import require_unpegged
from calibration.prices.bars import CheckedCloses, check_closes
from calibration.prices.diagnostics import Diagnostics, diagnose, extend
from calibration.prices.findings import BREAKS, Finding, findings_frame
from calibration.prices.frames import read_closes
from calibration.prices.labels import Label
from calibration.prices.splits import Splits
from calibration.prices.standstills import without_standstills
from calibration.prices.volume import daily_volume
from calibration.verdict import Verdict, explain
from pricing.errors import DataError, InsufficientDataError, NotConvergedError
from pricing.models.price_model import PriceModel
from pricing.models.volatility import Garch
from pricing.show import drawing
from pricing.show.frames import require_table
from pricing.show.html_tables import Table, write_html
from pricing.tools.plain import Form, to_plain
from pricing.tools.stored import format_name
from pricing.tools.units import Duration, format_duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A shorter history says next to nothing about months.
SHORTEST_HISTORY = timedelta(days=60)
#: The shape of paths is fitted to this many latest returns outside standstills: half a year of hours.
SHAPE_RETURNS = 4320
#: Height of a picture in inches.
_HEIGHT = 3.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A price model and everything that it is based on.

    Parameters
    ----------
    model : PriceModel
        The model to simulate: shape of the token's returns and its own crashes, anchored to the law of its worst month.
    worst_months : tuple of WorstMonth
        Law of the worst month, one per window.
    crashes : tuple of CrashRate
        The token's own crashes, one per window.
    volatility : VolatilityFit
        The shape of the paths.
    hazard : HazardFactor
        Effect of holders and signals on the crash rate.
    concentration : Concentration or None
        Concentration of holders, if a list was given.
    market_state : MarketState
        The state of the market that was used; it moves every quote at once.
    market : Market
        The laws of the market, and the data behind them.
    sight : Sight
        Effects of the bars of the prices, and of the grid of the covers.
    diagnostics : Diagnostics
        Summary figures of the price history.
    findings : tuple of Finding
        Irregularities of the prices, and repairs.
    as_of : datetime
        UTC time up to which prices were used: as requested, or the last close.
    verdict : Verdict
        Warnings.
    assumptions : tuple of str
        Assumptions, in sentences.
    state : TokenState
        State of the token that the laws use.
    history : TokenHistory
        History from which ``update`` continues.
    """

    model: PriceModel
    worst_months: tuple[WorstMonth, ...]
    crashes: tuple[CrashRate, ...]
    volatility: VolatilityFit
    hazard: HazardFactor
    concentration: Concentration | None
    market_state: MarketState
    market: Market = field(repr=False, metadata={"plain": False})
    sight: Sight = field(repr=False, metadata={"plain": False})
    diagnostics: Diagnostics
    findings: tuple[Finding, ...]
    as_of: datetime
    verdict: Verdict
    assumptions: tuple[str, ...]
    state: TokenState = field(repr=False, metadata={"plain": False})
    history: TokenHistory = field(repr=False, metadata={"plain": False})

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Name and text of the figures that a summary shows."""
        return (
            *price_figures(self.diagnostics, self.history.step, self.as_of),
            *state_figures(self.state, self.market_state),
            *law_figures(self.worst_months, self.crashes, self.hazard),
            *holder_figures(self.concentration),
        )

    def market_on_grid(self, market: Market) -> Market:
        """Return a market with its laws on the grid of the covers, for a token known from these bars."""
        return replace(market, laws=self.sight.on_grid(market.laws))

    def to_frame(self, table: Literal["findings", "worst_months", "crashes"] = "findings") -> pd.DataFrame:
        """Return one table of the calibration as a data frame.

        Parameters
        ----------
        table : {"findings", "worst_months", "crashes"}
            Irregularities of the prices; exceedance probabilities of the worst month by window and drop; the token's
            own crashes by window.

        Raises
        ------
        InvalidTermsError
            If there is no such table.
        """
        require_table(table, ("findings", "worst_months", "crashes"))
        if table == "worst_months":
            months = [each.to_frame().assign(window=format_duration(each.window)) for each in self.worst_months]
            return pd.concat(months, ignore_index=True)[["window", *months[0].columns[:-1]]]
        return findings_frame(self.findings) if table == "findings" else crashes_frame(self.crashes)

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the law of the worst month by window, with the part that is due to the uncertainty of its level.

        Parameters
        ----------
        axes : Axes, optional
            Axes of matplotlib to draw on; by default those of a new picture.
        """
        axes = drawing.new_axes(axes, _HEIGHT)
        draw_worst_months(axes, self.worst_months)
        return axes

    def _repr_html_(self) -> str:
        doubts = [(each,) for each in explain(self.verdict)] or [("No warnings.",)]
        findings = [(f"{each.time:%Y-%m-%d %H:%M}", each.message) for each in self.findings]
        return write_html(
            "Calibration",
            Table(rows=self.figures, n_texts=2),
            Table(rows=doubts, caption="Warnings"),
            Table(rows=findings, caption="Findings in the prices", n_texts=2),
            notes=[f"{len(self.assumptions)} assumptions are in .assumptions."],
        )

    def to_json(self) -> str:
        """Write everything except working arrays as JSON with sorted keys; floats survive a round trip bit for bit."""
        named = {"format": format_name("calibration", 1)} | to_plain(self, Form.NAMED)
        return json.dumps(named, sort_keys=True, allow_nan=False)


def calibrate(
    prices: pd.Series | pd.DataFrame,
    *,
    holders: pd.DataFrame | None = None,
    supply: float | None = None,
    labels: Labels | None = None,
    circulating: float | None = None,
    holders_before: Control | None = None,
    signals: RiskSignals | None = None,
    market: Market | None = None,
    as_of: datetime | date | str | None = None,
    step: Duration | None = None,
    grid: Duration | None = None,
    label: Label | None = None,
    splits: Splits | None = None,
    stale_ok: bool = False,
    law: Law = "garch",
    innovations: Innovations = "student_t",
) -> Calibration:
    """Fit a price model to closes and, if known, to the market, the holders and risk signals.

    Parameters
    ----------
    prices : Series or DataFrame of float
        Closes on a DatetimeIndex with a time zone, labelled by the CLOSE of the bar, or a frame of bars with a column
        ``close``; at least sixty days and 500 one-step returns. A column ``volume``, in tokens, says with a holder list
        what the market can bear.
    holders, supply, labels, circulating
        As for ``concentration``, with well-known burn addresses as burnt; by default the holders are not known, and the
        token counts as the mean of tokens whose holders are published. ``crashcover.read_holders`` reads them from a
        file.
    holders_before : Control, optional
        Who controlled the supply some days before, such as ``.concentration.control`` of an earlier calibration: what
        exchanges have received since counts as if it had not moved.
    signals : RiskSignals, optional
        Signals from markets and chains: unlocks, inflow to exchanges, funding, open interest.
    market : Market, optional
        Laws and state of the market, see ``fit_market``; by default the latest that ships and is not later than the
        prices.
    as_of : datetime, date or str, optional
        Use only closes labelled at or before this time, which needs a time zone; a date is midnight UTC at its
        beginning.
    step : timedelta or str, optional
        Length of a bar; by default the most common spacing. At most a day.
    grid : timedelta or str, optional
        Time between two observations of the covers, which the contract names; by default the length of a bar. A day,
        or a part of it such as an hour.
    label, splits, stale_ok
        As for ``check_closes``: what times label, redenominations, and whether old prices will do.
    law : {"garch", "gjr", "constant"}
        Volatility law of the paths. If the likelihood has no maximum, it is constant with normal shocks, and the
        verdict contains ``SHAPE_NOT_FITTED``.
    innovations : {"student_t", "empirical", "normal"}
        Law of the standardised shocks.

    Raises
    ------
    DataError
        If a price, a holder or a signal is invalid, or the market is later than the prices.
    InvalidTermsError
        If the grid does not divide a day.
    InsufficientDataError
        If there are too few returns, they do not vary, or no market is available for so early a time.
    PeggedTokenError
        If the token is pegged, see ``calibrate_peg``.
    """
    about_holders = {"supply": supply, "labels": labels, "circulating": circulating, "holders_before": holders_before}
    given = [name for name, value in about_holders.items() if value is not None]
    if holders is None and given:
        names = " and ".join(given)
        raise DataError(f"{names} must describe holders, got it without holders (pass the holder list as well)")
    checked = check_closes(prices, step=step, as_of=as_of, label=label, splits=splits, stale_ok=stale_ok)
    _require_history(checked)
    require_unpegged(checked)
    sight = _sight(checked, checked.step if grid is None else read_grid(grid))
    laws_from = shipped_market(checked.as_of) if market is None else market
    _require_earlier(laws_from, checked)
    owners = None
    if holders is not None:
        owners = concentration(
            holders,
            supply=supply,
            labels=labels,
            burn_addresses=BURN_ADDRESSES,
            circulating=circulating,
            as_of=checked.as_of,
            before=holders_before,
        )
    shape, shape_is_fitted = _shape(checked, law, innovations)
    return _assemble(
        checked=checked,
        history=observe(checked.closes, checked.step, _readable_windows(laws_from.laws, checked.step)),
        market=laws_from,
        sight=sight,
        shape=shape,
        shape_is_fitted=shape_is_fitted,
        owners=owners,
        hazard=hazard_factor(
            concentration=owners,
            signals=_with_volume(
                signals, owners, daily_volume(prices, label=label, step=checked.step, as_of=pd.Timestamp(checked.as_of))
            ),
        ),
        diagnostics=diagnose(checked),
    )


def _with_volume(signals: RiskSignals | None, owners: Concentration | None, volume: float | None) -> RiskSignals | None:
    """Add the volume of the bars, unless a volume is stated, or the list does not say how many tokens there are."""
    stated = signals is not None and signals.daily_volume is not None
    if volume is None or stated or owners is None or owners.has(HolderFindingKind.SHARES_ONLY):
        return signals
    return replace(signals or RiskSignals(), daily_volume=volume)


def _sight(checked: CheckedCloses, grid: timedelta) -> Sight:
    return Sight(
        grid=grid,
        bars=bar_effect(measured_step(checked.step), checked.as_of),
        covers=bar_effect(grid, checked.as_of),
    )


def _readable_windows(laws: tuple[DropLaw, ...], step: timedelta) -> tuple[timedelta, ...]:
    """Return the windows for which bars show a record."""
    windows = tuple(law.window for law in laws)
    return tuple(window for window in windows if fits(window, measured_step(step))) or windows[-1:]


def _require_history(checked: CheckedCloses) -> None:
    """Require sixty days: minutes of a few hours are many returns, but no history."""
    length = checked.closes.index[-1] - checked.closes.index[0] + checked.step
    if length < SHORTEST_HISTORY:
        raise InsufficientDataError(
            f"prices must reach back at least {SHORTEST_HISTORY.days} days, whatever the bar, got "
            f"{length / timedelta(days=1):.2f} days from {checked.closes.index[0].isoformat()} on"
        )


def _shape(checked: CheckedCloses, law: Law, innovations: Innovations) -> tuple[VolatilityFit, bool]:
    """Fit the shape of paths, and return whether the fit succeeded; if not, the law still sets the level."""
    moving = without_standstills(checked.log_returns, checked.closes)
    returns = (moving if len(moving) >= SHORTEST_SAMPLE else checked.log_returns)[-SHAPE_RETURNS:]
    try:
        return fit_volatility(returns, step=checked.step, law=law, innovations=innovations), True
    except NotConvergedError:
        return fit_volatility(returns, step=checked.step, law="constant", innovations="normal"), False


def update(
    calibration: Calibration,
    new_prices: pd.Series | pd.DataFrame,
    *,
    market: Market | None = None,
    label: Label | None = None,
) -> Calibration:
    """Add later closes without reading the earlier ones again; the work grows with the number of new closes only.

    The law, the token's own record and the variance of the paths are continued; the shape of the paths and the findings
    stay as they were calibrated.

    Parameters
    ----------
    calibration : Calibration
        The calibration so far.
    new_prices : Series or DataFrame of float
        Closes after the last known one, in the same form.
    market : Market, optional
        A later market; by default the one of `calibration`.
    label : {"open", "close"}, optional
        End of the bar that times label, as for ``check_closes``.

    Raises
    ------
    DataError
        If the closes are invalid, or do not follow the known ones.
    """
    history = calibration.history
    laws_from = calibration.market if market is None else market
    checked = check_closes(_after(new_prices, history, label), step=history.step, through=history.last_close)
    _require_one_asset(checked.findings)
    _require_earlier(laws_from, checked)
    later = checked.closes[checked.closes.index > history.last_close]
    return _assemble(
        checked=replace(checked, findings=tuple(dict.fromkeys((*calibration.findings, *checked.findings)))),
        history=history.advance(later),
        market=laws_from,
        sight=_sight(checked, calibration.sight.grid),
        shape=_with_later_variance(
            calibration.volatility, without_standstills(checked.log_returns[later.index[0] :], checked.closes)
        ),
        shape_is_fitted=Verdict.SHAPE_NOT_FITTED not in calibration.verdict,
        owners=calibration.concentration,
        hazard=calibration.hazard,
        diagnostics=extend(calibration.diagnostics, np.exp(history.recent.dropna()), checked, later),
    )


def _after(new_prices: pd.Series | pd.DataFrame, history: TokenHistory, label: Label | None) -> pd.Series:
    """Prepend the last known closes to later ones, beginning with the last two that are one step apart."""
    later = read_closes(new_prices, label=label, step=history.step)[0]["close"]
    if later.empty or later.index.min() <= history.last_close:
        raise DataError(
            f"new_prices must follow the last close at {history.last_close.isoformat()}, got "
            f"{'none' if later.empty else later.index.min().isoformat()} (pass the new bars only)"
        )
    known = history.recent.notna().to_numpy()
    pairs = np.flatnonzero(known[1:] & known[:-1])
    begin = pairs[-1] if len(pairs) else len(known) - 1
    joined: pd.Series = pd.concat([np.exp(history.recent.iloc[begin:].dropna()), later])
    return joined


def _require_one_asset(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        if finding.kind in BREAKS:
            raise DataError(
                f"new_prices must continue the same asset, got a {finding.kind.value} at "
                f"{finding.time:%Y-%m-%d %H:%M}: {finding.message} (calibrate again from all closes)"
            )


def _require_earlier(market: Market, checked: CheckedCloses) -> None:
    if market.as_of > checked.as_of:
        raise DataError(
            f"market must not know more than the prices: it is as of {market.as_of:%Y-%m-%d %H:%M}, they are as of "
            f"{checked.as_of:%Y-%m-%d %H:%M} (fit_market(panel, as_of=...) for a past day)"
        )


def _assemble(
    *,
    checked: CheckedCloses,
    history: TokenHistory,
    market: Market,
    sight: Sight,
    shape: VolatilityFit,
    shape_is_fitted: bool,
    owners: Concentration | None,
    hazard: HazardFactor,
    diagnostics: Diagnostics,
) -> Calibration:
    """Put the parts together: rates, worst months, anchors, model, and the verdict."""
    state = history.state(market.laws, sight.bars)
    market_state = market.state_at(checked.as_of)
    laws = sight.on_grid(market.laws)
    crashes = tuple(crash_rate(law, state, place, hazard.on_rate) for place, law in enumerate(laws))
    months = tuple(worst_month_law(law, state, place, market_state, crashes[place]) for place, law in enumerate(laws))
    return Calibration(
        model=_model(laws, months, crashes, shape, checked.step, sight.grid),
        worst_months=months,
        crashes=crashes,
        volatility=shape,
        hazard=hazard,
        concentration=owners,
        market_state=market_state,
        market=market,
        sight=sight,
        diagnostics=diagnostics,
        findings=checked.findings,
        as_of=checked.as_of,
        verdict=judge(
            checked, diagnostics, shape, crashes, market, sight, hazard, owners, shape_is_fitted=shape_is_fitted
        ),
        assumptions=state_assumptions(checked, shape, months, crashes, market, sight, hazard, owners),
        state=state,
        history=history,
    )


def _model(
    laws: tuple[DropLaw, ...],
    months: tuple[WorstMonth, ...],
    crashes: tuple[CrashRate, ...],
    shape: VolatilityFit,
    step: timedelta,
    grid: timedelta,
) -> PriceModel:
    """Anchor paths on a grid, if it carries the window of a law; otherwise keep the returns' level."""
    law = stretched_volatility(shape.law, grid / step)
    if not can_be_anchored(grid, laws):
        return PriceModel(volatility=law, innovations=shape.innovations, jumps=(crashes[-1].jumps(),), step=grid)
    volatility, spread = paths_of_month(law, shape.innovations, step=grid, month=months[-1])
    return PriceModel(
        volatility=volatility,
        innovations=shape.innovations,
        jumps=(crashes_within(crashes, grid).jumps(),),
        step=grid,
        volatility_spread=spread,
        collapse=collapse_of_month(months[-1], crashes[-1]),
        anchors=coherent_anchors(laws, [month.probabilities for month in months], grid),
    )


def _with_later_variance(shape: VolatilityFit, log_returns: pd.Series) -> VolatilityFit:
    law = shape.law
    if not isinstance(law, Garch):
        return shape
    filtered = filter_variance(
        log_returns.to_numpy(),
        omega=law.omega,
        alpha=law.alpha,
        gamma=law.gamma,
        beta=law.beta,
        initial_variance=law.initial_variance,
    )
    latest = float(filtered[-1])
    return replace(shape, law=replace(law, initial_variance=latest), next_variance=latest)
