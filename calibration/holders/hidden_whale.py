"""Concentration if a single owner is behind many seemingly separate balances."""

from dataclasses import dataclass

import numpy as np

from calibration.holders import shares as measures
from calibration.holders.bounded import Bounded
from calibration.holders.concentration_measures import Concentration
from calibration.holders.control import HIDDEN_WHALE_STRESS
from calibration.holders.shares import ROUNDING
from pricing.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class WhaleStress:
    """Concentration with one hidden whale. Shares are of the float.

    Parameters
    ----------
    whale : float
        Share of the hidden whale.
    hhi : Bounded
        Herfindahl-Hirschman index.
    top1, top10 : Bounded
        Share of the largest holder and of the ten largest.
    """

    whale: float
    hhi: Bounded
    top1: Bounded
    top10: Bounded


def stress_hidden_whale(
    measured: Concentration, *, pooled: float = HIDDEN_WHALE_STRESS, unlabelled: float = 0.0
) -> WhaleStress:
    """Measure concentration if one holder owns part of the pooled balances and the largest unlabelled ones.

    Addresses with neither label nor entity are taken from the largest down until they reach the stated share of all of
    them, counting the last one in full. Joining holders never lowers the index, so every measure rises with both
    shares.

    Parameters
    ----------
    measured : Concentration
        Concentration of the holders as listed.
    pooled : float
        Share, between 0 and 1, of the balances of exchanges, bridges, staking contracts and liquidity pools.
    unlabelled : float
        Share, between 0 and 1, of the listed balances whose owners are unknown.

    Raises
    ------
    DataError
        If a share is not between 0 and 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from calibration import concentration
    >>> rows = pd.DataFrame({"address": ["a", "b", "venue"], "balance": [30.0, 20.0, 50.0]})
    >>> measured = concentration(rows, labels={"venue": "exchange"})
    >>> round(stress_hidden_whale(measured, pooled=0.5, unlabelled=1.0).whale, 12)
    0.75
    """
    for name, share in (("pooled", pooled), ("unlabelled", unlabelled)):
        if not 0.0 <= share <= 1.0:
            raise DataError(f"{name} must be between 0 and 1, got {share} (a share: 35 % is 0.35)")
    listed, candidates = measured.dispersed.listed, np.flatnonzero(measured.unlabelled)
    reached = np.cumsum(listed[candidates])
    taken = candidates[: _count(reached, unlabelled)]
    whale = pooled * measured.pooled + float(np.sum(listed[taken]))
    others = np.delete(listed, taken)
    shares = measures.RankedShares(
        listed=others,
        rest=measured.dispersed.rest,
        largest_unlisted=measured.dispersed.largest_unlisted,
        n_unlisted=measured.dispersed.n_unlisted,
    ).with_holders(whale)
    return WhaleStress(
        whale=whale,
        hhi=measures.herfindahl(shares),
        top1=measures.top_share(shares, 1),
        top10=measures.top_share(shares, 10),
    )


def _count(reached: np.ndarray, share: float) -> int:
    """Return the smallest number of addresses that reach a share of the total."""
    if share == 0.0 or len(reached) == 0:
        return 0
    return int(np.searchsorted(reached, share * reached[-1] - ROUNDING)) + 1
