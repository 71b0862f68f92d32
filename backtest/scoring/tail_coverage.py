"""Losses of an equal pool beyond its value at risk, against what the law expects of them.

The pool sells one cover per token at every start; its loss is the share of tokens that fell. Its value and tail value
at risk are those of losses drawn from the law.
"""

from dataclasses import dataclass

import numpy as np

from pricing.tools.arrays import FloatArray

#: Level of the value at risk and of the tail value at risk.
TAIL_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTail:
    """Coverage of the tail.

    Parameters
    ----------
    beyond : float
        Share of the starts at which the loss exceeded its value at risk.
    severity : float
        Losses beyond the value at risk over the tail value at risk, each divided by the share of starts that the level
        leaves: 1 if the tail value at risk is right and losses are continuous (Acerbi and Szekely 2014, second test).
        Starts at which the law expects no loss at all do not count.
    predicted_beyond, predicted_severity : ndarray of shape (n_draws,)
        Both if the law is right, one per draw.
    """

    beyond: float
    severity: float
    predicted_beyond: FloatArray
    predicted_severity: FloatArray


def pool_tail(losses: FloatArray, drawn: FloatArray) -> PoolTail:
    """Compare losses with those drawn from the law.

    Parameters
    ----------
    losses : ndarray of shape (n_starts,)
        Share of the tokens that fell.
    drawn : ndarray of shape (n_draws, n_starts)
        The same, drawn from the law.
    """
    n_tail = max(1, round((1.0 - TAIL_LEVEL) * len(drawn)))
    ordered = np.sort(drawn, axis=0)
    at_risk, tail = ordered[-n_tail - 1], ordered[-n_tail:].mean(axis=0)
    weights = np.divide(1.0, (1.0 - TAIL_LEVEL) * tail, out=np.zeros_like(tail), where=tail > 0.0)

    def measures(each: FloatArray) -> tuple[FloatArray, FloatArray]:
        beyond = each > at_risk
        return beyond.mean(axis=-1), (np.where(beyond, each, 0.0) * weights).mean(axis=-1)

    (beyond, severity), predicted = measures(losses), measures(drawn)
    return PoolTail(
        beyond=float(beyond),
        severity=float(severity),
        predicted_beyond=predicted[0],
        predicted_severity=predicted[1],
    )
