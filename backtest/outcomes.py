"""Outcomes: the worst drop of every token over every span."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from backtest.cells import Span
from backtest.panel import Panel
from backtest.periods import annual_volatility, can_be_quoted
from calibration.prices.breaks import find_breaks
from calibration.prices.worst_drops import rolling_log_drops
from pricing.contract.thresholds import drop_reached
from pricing.tools.arrays import FloatArray
from pricing.tools.units import in_steps

#: An outcome needs a day of closes after the start.
SHORTEST_RECORD = timedelta(hours=24)


def outcome_table(panel: Panel, starts: pd.DatetimeIndex, spans: Sequence[Span]) -> pd.DataFrame:
    """Tabulate the outcome of every token at every start.

    Parameters
    ----------
    panel : Panel
        Prices.
    starts : DatetimeIndex
        Starts of the covers.
    spans : sequence of Span
        Windows and terms, whole numbers of bars.

    Returns
    -------
    DataFrame
        One row for each start and token that can be quoted: ``start``, ``token``, ``volatility`` (per year, of the 90
        days before), and for each span the worst drop as a fraction, NaN with less than a day of closes in the term.
        Closes of another asset or in another unit are no outcome.
    """
    changes = asset_changes(panel)
    return pd.concat([_outcomes(panel, start, spans, changes) for start in starts], ignore_index=True)


def asset_changes(panel: Panel) -> dict[int, pd.DatetimeIndex]:
    """Return the times from which a column is another asset or has another unit, by the number of the column.

    What happens from then on is no outcome of the token that was quoted before.
    """
    found = {}
    for number, name in enumerate(panel.closes):
        closes = panel.closes[name].dropna()
        times = pd.DatetimeIndex(closes.index).tz_convert(None).to_numpy()
        breaks = find_breaks(closes, np.arange(len(closes)), np.diff(times), panel.step) if len(closes) > 1 else ()
        if breaks:
            found[number] = pd.DatetimeIndex([each.time for each in breaks])
    return found


def _outcomes(
    panel: Panel, start: pd.Timestamp, spans: Sequence[Span], changes: Mapping[int, pd.DatetimeIndex]
) -> pd.DataFrame:
    history = panel.until(start).closes
    volatility = annual_volatility(history, start, panel.step)
    quoted = can_be_quoted(history, start, panel.step) & (volatility > 0.0)
    drops = {span.name: _observed(panel, start, span, changes)[quoted] for span in spans}
    tokens = panel.closes.columns[quoted]
    return pd.DataFrame({"start": start, "token": tokens, "volatility": volatility[quoted], **drops})


def _observed(panel: Panel, start: pd.Timestamp, span: Span, changes: Mapping[int, pd.DatetimeIndex]) -> FloatArray:
    """Return the worst drop of every token, NaN if too little of the term is known of the asset that was quoted."""
    part = panel.closes.loc[start : start + span.term]
    closes = part.to_numpy(copy=True)
    for number, times in changes.items():
        if (later := times[times > start]).size:
            closes[part.index >= later[0], number] = np.nan
    first = int(panel.closes.index.isin([start]).any())  # the close at the start itself belongs to the history
    n_after = np.isfinite(closes[first:]).sum(axis=0)
    drops = worst_drops(closes, in_steps(span.window, panel.step, "window"))
    return np.where(n_after * panel.step >= SHORTEST_RECORD, drops, np.nan)


def worst_drops(closes: FloatArray, window: int) -> FloatArray:
    """Measure the deepest fall below the highest close of the last bars.

    Parameters
    ----------
    closes : ndarray of float, shape (n_bars, n_tokens)
        Closes from the start of the term to its end, NaN if missing.
    window : int
        Number of bars that the reference looks back; never beyond the first bar.

    Returns
    -------
    ndarray of float, shape (n_tokens,)
        ``max over t of 1 - close(t) / max(close(t - window) ... close(t))``, NaN without a close; counted with
        the tolerance of ``pricing.contract.thresholds``.

    Examples
    --------
    >>> worst_drops(np.array([[1.0], [2.0], [1.5], [1.0]]), window=1).round(4)
    array([0.3333])
    >>> worst_drops(np.array([[1.0], [2.0], [1.5], [1.0]]), window=2)
    array([0.5])
    """
    deepest = np.fmax.reduce(rolling_log_drops(np.log(closes), window))
    return drop_reached(deepest)
