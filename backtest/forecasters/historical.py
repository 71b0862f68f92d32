"""Historical simulation: the share of the token's recent past in which a cover would have paid."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from backtest.cells import Span, spans_of
from backtest.known import Known, Quotes, smoothed
from calibration.prices.worst_drops import worst_log_drops
from pricing.contract.thresholds import drop_reached
from pricing.tools.arrays import FloatArray
from pricing.tools.units import in_steps

_TOO_SHORT = "InsufficientDataError: no part of the past is as long as the term"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoricalSimulation:
    """Share of overlapping stretches of the token's own past, each as long as the term, that contain the event.

    Parameters
    ----------
    history : timedelta
        Length of the past that is used.
    every : timedelta
        Time from the first bar of one stretch to that of the next.
    """

    history: timedelta = timedelta(days=365)
    every: timedelta = timedelta(days=1)
    name: str = "historical"

    def quote(self, known: Known) -> Quotes:
        """Quote the frequency among stretches that have a close at their beginning and at least one after it."""
        closes = known.history.loc[known.start - self.history :, list(known.tokens)].to_numpy()
        bars = in_steps(self.every, known.step, "every")
        worst = {span: stretch_drops(closes, span, known.step, bars) for span in spans_of(known.cells)}
        quotes = np.column_stack([_frequency(worst[cell.span], cell.drop) for cell in known.cells])
        short = np.isnan(quotes).any(axis=1)
        quotes[short] = np.nan
        return Quotes(probabilities=quotes, refusals={known.tokens[row]: _TOO_SHORT for row in np.flatnonzero(short)})


def _frequency(worst: FloatArray, drop: float) -> FloatArray:
    n_stretches = np.isfinite(worst).sum(axis=0)
    frequency = smoothed((worst >= drop).sum(axis=0), n_stretches)
    return np.where(n_stretches > 0, frequency, np.nan)


def stretch_drops(closes: FloatArray, span: Span, step: timedelta, every: int) -> FloatArray:
    """Measure the worst drop of every stretch of a term, as if a cover had started with its first close.

    Parameters
    ----------
    closes : ndarray of float, shape (n_bars, n_tokens)
        Closes, NaN if missing.
    span : Span
        Window and term.
    step : timedelta
        Length of a bar.
    every : int
        Number of bars from one stretch to the next.

    Returns
    -------
    ndarray of float, shape (n_stretches, n_tokens)
        Worst drops, NaN if the token has no close at the beginning of the stretch.
    """
    term = in_steps(span.term, step, "term")
    window = min(in_steps(span.window, step, "window"), term)
    logs = np.log(closes)
    first = np.arange(0, len(closes) - term, every)
    deepest = worst_log_drops(logs, first.tolist(), window=window, term=term)
    return np.where(np.isfinite(logs[first]), drop_reached(deepest), np.nan)
