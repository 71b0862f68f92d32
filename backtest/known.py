"""Input and output of a forecaster: everything known at a start, and a probability for every cell."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.cells import Cell
from pricing.errors import PricingError
from pricing.tools.arrays import BoolArray, FloatArray

_HASHES = 2**64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """Everything that was known at a start, and nothing later.

    Parameters
    ----------
    start : Timestamp
        Start of the covers, UTC.
    step : timedelta
        Length of a bar.
    cells : tuple of Cell
        Events to quote.
    tokens : tuple of str
        Tokens to quote.
    volatility : ndarray of float, shape (n_tokens,)
        Annual volatility of each token over the 90 days up to the start.
    history : DataFrame of float
        Closes of all tokens of the panel, labelled by the bar's close; the last one is at the start or before.
    past : DataFrame
        Earlier starts, whose terms have ended by now: ``start``, ``token``, ``volatility`` at the time, and the worst
        drop for each span.
    seed : int
        Seed of the backtest.
    """

    start: pd.Timestamp
    step: timedelta
    cells: tuple[Cell, ...]
    tokens: tuple[str, ...]
    volatility: FloatArray
    history: pd.DataFrame = field(repr=False)
    past: pd.DataFrame = field(repr=False)
    seed: int

    def events(self, cell: Cell) -> BoolArray:
        """Return for each row of the past whether the event occurred."""
        return np.asarray(self.past[cell.span.name] >= cell.drop)

    def seed_for(self, token: str) -> int:
        """Return the seed of a token at this start, independent of the order in which tokens are quoted."""
        text = f"{self.seed}/{self.start.isoformat()}/{token}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")

    def sample(self, share: float) -> tuple[str, ...]:
        """Choose about a share of the tokens at random, the same ones in every run."""
        return tuple(token for token in self.tokens if self.seed_for(f"{token}/sample") < share * _HASHES)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quotes:
    """Probabilities that a forecaster gives.

    Parameters
    ----------
    probabilities : ndarray of float, shape (n_tokens, n_cells)
        Strictly between 0 and 1; a whole row of NaN for a token that is not quoted.
    refusals : mapping of str to str
        Why a token could not be quoted. A token that is neither quoted nor refused was not in the sample.
    """

    probabilities: FloatArray
    refusals: Mapping[str, str] = field(default_factory=dict)


class Forecaster(Protocol):
    """Any model that turns a ``Known`` into probabilities; a frozen dataclass, so its repr shows its parameters."""

    @property
    def name(self) -> str:
        """Short name in lower case."""
        ...

    def quote(self, known: Known) -> Quotes:
        """Quote every token and cell."""
        ...


def quote_each(known: Known, tokens: Iterable[str], quote: Callable[[str], FloatArray]) -> Quotes:
    """Quote tokens one by one; one that cannot be calibrated does not stop the others.

    Parameters
    ----------
    known : Known
        Everything known at the start.
    tokens : iterable of str
        Tokens to quote.
    quote : callable
        Returns the probabilities of one token, shape (n_cells,).
    """
    probabilities = np.full((len(known.tokens), len(known.cells)), np.nan)
    refusals = {}
    for token in tokens:
        try:
            probabilities[known.tokens.index(token)] = quote(token)
        except PricingError as error:
            refusals[token] = f"{type(error).__name__}: {error}"
    return Quotes(probabilities=probabilities, refusals=refusals)


def smoothed(events: npt.ArrayLike, trials: npt.ArrayLike) -> FloatArray:
    """Turn a count into a frequency that is neither 0 nor 1: half an event and half a non-event are added.

    The posterior mean under the prior of Jeffreys (1946) for a proportion.
    """
    return (np.asarray(events, dtype=np.float64) + 0.5) / (np.asarray(trials, dtype=np.float64) + 1.0)
