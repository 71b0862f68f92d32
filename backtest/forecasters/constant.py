"""Frequencies: over all tokens, and of the token itself."""

from dataclasses import dataclass

import numpy as np

from backtest.known import Known, Quotes, smoothed
from pricing.tools.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """The frequency of the event among all earlier token-periods: the reference for every other forecaster."""

    name: str = "constant"

    def quote(self, known: Known) -> Quotes:
        """Quote the same probability for every token."""
        return Quotes(probabilities=np.tile(_pooled(known), (len(known.tokens), 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnHistory:
    """The token's own frequency, shrunk toward that of all tokens.

    Parameters
    ----------
    credibility : float
        Number of the token's own periods that weigh as much as the record of all tokens.
    """

    credibility: float = 12.0
    name: str = "own-history"

    def quote(self, known: Known) -> Quotes:
        """Quote ``(own events + credibility * pooled frequency) / (own periods + credibility)``."""
        pooled = _pooled(known)
        own = known.past["token"].to_numpy()
        events = np.column_stack([known.events(cell) for cell in known.cells])
        counts = np.array([[(own == token).sum(), *events[own == token].sum(axis=0)] for token in known.tokens])
        periods, came = counts[:, :1], counts[:, 1:]
        return Quotes(probabilities=(came + self.credibility * pooled) / (periods + self.credibility))


def _pooled(known: Known) -> FloatArray:
    """Return the frequency of each cell among all earlier token-periods."""
    return np.array([smoothed(known.events(cell).sum(), len(known.past)) for cell in known.cells])
