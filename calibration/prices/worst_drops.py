"""Observed worst log drops: the deepest fall below the highest close of a window, within a term."""

from collections.abc import Sequence

import numpy as np

from pricing.tools.arrays import FloatArray


def rolling_log_drops(log_prices: FloatArray, window: int) -> FloatArray:
    """Return the log drop of every close below the highest of itself and the `window` closes before it.

    Parameters
    ----------
    log_prices : ndarray of shape (n_bars, n_tokens)
        Log closes on a regular grid; NaN if missing.
    window : int
        Bars to look back.

    Returns
    -------
    ndarray of shape (n_bars, n_tokens)
        Not negative; NaN if there is no close.
    """
    return _highest(np.where(np.isnan(log_prices), -np.inf, log_prices), window) - log_prices


def worst_log_drops(log_prices: FloatArray, starts: Sequence[int], *, window: int, term: int) -> FloatArray:
    """Return the worst drop of each token within `term` bars of each start; the window never reaches before the start.

    Parameters
    ----------
    log_prices : ndarray of shape (n_bars, n_tokens)
        Log closes on a regular grid; NaN if missing.
    starts : sequence of int
        Rows of the closes at which the terms start.
    window, term : int
        Numbers of bars.

    Returns
    -------
    ndarray of shape (n_starts, n_tokens)
        NaN if there is no close in the term.
    """
    rolling = rolling_log_drops(log_prices, window)
    return np.array([_worst(log_prices, rolling, start, window, term) for start in starts]).reshape(
        len(starts), log_prices.shape[1]
    )


def _worst(log_prices: FloatArray, rolling: FloatArray, start: int, window: int, term: int) -> FloatArray:
    first = log_prices[start : start + min(window, term) + 1]
    early = np.fmax.accumulate(first, axis=0) - first
    late = rolling[start + window + 1 : start + term + 1]
    return np.asarray(np.fmax.reduce(np.concatenate([early, late]), axis=0))


def _highest(values: FloatArray, window: int) -> FloatArray:
    """Return trailing maxima over `window + 1` rows, doubling the reach of a maximum at each pass."""
    reach = 1
    while reach < window + 1:
        shift = min(reach, window + 1 - reach)
        values = np.concatenate([values[:shift], np.maximum(values[shift:], values[:-shift])])
        reach += shift
    return values
