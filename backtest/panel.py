"""The prices that a backtest walks through: one column of closes per token, labelled by the close of the bar."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd

from calibration.market.market import PEGGED
from calibration.prices.grid import panel_times, usual_spacing
from calibration.prices.labels import Label, closed_at
from calibration.prices.splits import PanelSplits, split_columns
from pricing.errors import DataError, InsufficientDataError
from pricing.tools.near_names import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Closes of many tokens; made by ``make_panel``.

    Parameters
    ----------
    closes : DataFrame of float, shape (n_bars, n_tokens)
        Positive closes or NaN, on an increasing UTC DatetimeIndex of bar closes.
    step : timedelta
        Length of a bar: the most common spacing of the index.
    left_out : tuple of str
        Tokens that were left out.
    """

    closes: pd.DataFrame = field(repr=False)
    step: timedelta
    left_out: tuple[str, ...] = ()

    def until(self, time: pd.Timestamp) -> "Panel":
        """Return the panel without the bars that close after a time."""
        return Panel(closes=self.closes.loc[:time], step=self.step)

    def fingerprint(self) -> str:
        """Hash names, times and prices: equal panels have equal fingerprints."""
        digest = hashlib.sha256("\n".join(self.closes.columns).encode())
        digest.update(self.closes.index.as_unit("ns").asi8.tobytes())  # type: ignore[attr-defined]
        digest.update(np.ascontiguousarray(self.closes.to_numpy()).tobytes())
        return digest.hexdigest()


def make_panel(
    closes: pd.DataFrame,
    *,
    leave_out: Iterable[str] | None = None,
    splits: PanelSplits | None = None,
    label: Label | None = None,
) -> Panel:
    """Check closes and leave out tokens that are not traded for their own sake.

    Parameters
    ----------
    closes : DataFrame of float
        One column per token, NaN if there is no price, on a DatetimeIndex with a time zone, labelled by the CLOSE of
        the bar.
    leave_out : iterable of str, optional
        Tokens to leave out; by default those of ``calibration.PEGGED`` that are present.
    splits : mapping, optional
        Redenominations by token, each as for ``calibrate``.
    label : {"open", "close"}, optional
        End of the bar that the times label; by default that of a name such as ``open_time``, else the close.

    Raises
    ------
    DataError
        If the index is not increasing times with a zone, a name occurs twice, a token to leave out is not there, a
        price is not positive and finite, or no token is left.
    InsufficientDataError
        If there are fewer than two bars.
    """
    index = closes.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise DataError("closes must have a DatetimeIndex with a time zone (tz_localize('UTC') if the times are UTC)")
    if not (index.is_unique and index.is_monotonic_increasing):
        raise DataError("closes must have increasing times without repetition (call sort_index, then drop duplicates)")
    if not closes.columns.is_unique:
        raise DataError(
            f"closes must have one column per token, got {closes.columns[closes.columns.duplicated()][0]!r} twice"
        )
    left_out = _left_out(closes, leave_out)
    kept = closes.drop(columns=left_out)
    if kept.empty:
        raise DataError(f"closes must hold at least one token and bar besides those left out, got {closes.shape}")
    if len(index) < 2:
        raise InsufficientDataError(f"closes must hold at least two bars, got {len(index)}")
    step = usual_spacing(index)
    times = panel_times(closed_at(index.tz_convert("UTC"), label, step), step)
    prices = kept.astype(np.float64).rename(columns=str).set_axis(times)
    _require_prices(prices)
    stated = {name: ratios for name, ratios in (splits or {}).items() if name not in left_out}
    return Panel(closes=split_columns(prices, stated), step=step, left_out=tuple(left_out))


def _left_out(closes: pd.DataFrame, leave_out: Iterable[str] | None) -> list[str]:
    if leave_out is None:
        return sorted(PEGGED & {*closes.columns})
    names = sorted(leave_out)
    absent = next((name for name in names if name not in closes.columns), None)
    if absent is not None:
        hint = did_you_mean(absent, map(str, closes.columns))
        raise DataError(f"leave_out must name tokens of the panel, got {absent!r}{hint}")
    return names


def _require_prices(closes: pd.DataFrame) -> None:
    prices = closes.to_numpy()
    wrong = (prices <= 0.0) | np.isinf(prices)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"closes must be positive and finite, got {prices[row, column]:g} for {closes.columns[column]} at "
            f"{closes.index[row].isoformat()} (a missing price is NaN)"
        )
