"""Shares of the limit that payouts pay, checked if a payout is a user's own.

The payouts of ``pricing.contract.payouts`` check their own numbers. A payout of a user's own is code that nobody has
checked, and a wrong answer would be a wrong price under a valid seal. So its nodes are checked when it enters a
contract, and otherwise its shares whenever it is asked for them.
"""

import math
from itertools import pairwise

import numpy as np

from pricing.contract.payouts import FullPayout, LinearPayout, Node, Payout, TieredPayout, is_piecewise
from pricing.errors import InvalidPayoutError, InvalidTermsError
from pricing.tools.arrays import FloatArray
from pricing.tools.units import shown

_CHECK_THEMSELVES = frozenset({FullPayout, LinearPayout, TieredPayout})
#: Largest amount by which shares may be out of order or out of range: the rounding of a formula.
_ROUNDING = 1e-12


def require_payout(payout: object) -> None:
    """Check that a value is a payout, and that its nodes, if it has them, are those of a rising share.

    Raises
    ------
    InvalidTermsError
        If it is not a payout, or its nodes are invalid.
    """
    if type(payout) in _CHECK_THEMSELVES:
        return
    if isinstance(payout, type):
        raise InvalidTermsError(f"payout must be an object, got a class (write {payout.__name__}())")
    if not isinstance(payout, Payout):
        raise InvalidTermsError(f"payout must have share(worst_drop), got {shown(payout)}")
    try:
        hash(payout)
    except TypeError as error:
        raise InvalidTermsError(
            f"payout must be hashable, so that books count each once, got {shown(payout)} (make it a frozen dataclass)"
        ) from error
    if is_piecewise(payout):
        _require_nodes(payout, payout.nodes())


def shares_of(payout: Payout, worst_drops: FloatArray) -> FloatArray:
    """Return the share of the limit for each worst drop, in the shape of `worst_drops`.

    Raises
    ------
    InvalidPayoutError
        If a payout of a user's own returns another number of shares, anything but numbers from 0 to 1, or a smaller
        share for a deeper drop.
    """
    if is_piecewise(payout):
        return payout.share(worst_drops)
    shares = _as_floats(payout, payout.share(worst_drops))
    if shares.shape != worst_drops.shape:
        raise InvalidPayoutError(
            f"payout must return one share per worst drop, {worst_drops.shape}, got {shares.shape} from {payout!r}"
        )
    is_share = (shares >= -_ROUNDING) & (shares <= 1.0 + _ROUNDING)
    if not is_share.all():
        place = np.flatnonzero(~is_share)[0]
        raise InvalidPayoutError(
            f"payout must return shares from 0 to 1, got {shares[place]} for a drop of {worst_drops[place]:g} from "
            f"{payout!r} (a share of the limit, not an amount)"
        )
    _require_rising(payout, worst_drops, shares)
    return np.minimum(np.maximum(shares, 0.0), 1.0)


def _as_floats(payout: Payout, shares: object) -> FloatArray:
    try:
        return np.asarray(shares, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidPayoutError(f"payout must return numbers, got {shares!r:.60} from {payout!r}") from error


def _require_rising(payout: Payout, worst_drops: FloatArray, shares: FloatArray) -> None:
    order = np.argsort(worst_drops, kind="stable")
    falls = np.flatnonzero(np.diff(shares[order]) < -_ROUNDING)
    if falls.size:
        before, after = order[falls[0]], order[falls[0] + 1]
        raise InvalidPayoutError(
            f"payout must not pay less for a deeper drop, got {shares[before]:g} for a drop of {worst_drops[before]:g} "
            f"and {shares[after]:g} for {worst_drops[after]:g} from {payout!r}"
        )


def _require_nodes(payout: Payout, nodes: tuple[Node, ...]) -> None:
    """Check what every sum over nodes relies on: they rise, each meets the next, and the last one is level."""
    if not nodes:
        raise InvalidTermsError(f"payout must have at least one node, got none from {payout!r}")
    for drop, below, share, slope in nodes:
        if not (0.0 <= drop <= 1.0 and 0.0 <= below <= share <= 1.0 + _ROUNDING and 0.0 <= slope < math.inf):
            raise InvalidTermsError(
                "payout must have nodes with drop and shares from 0 to 1 that rise, got drop, share below, share and "
                f"slope {(drop, below, share, slope)} from {payout!r}"
            )
    if nodes[0][1] or nodes[-1][3]:
        raise InvalidTermsError(f"payout must pay nothing below its first node and end level, got {nodes}")
    for (drop, _, share, slope), (end, below, *_) in pairwise(nodes):
        if not (drop < end and math.isclose(share + slope * (end - drop), below, rel_tol=0.0, abs_tol=1e-9)):
            raise InvalidTermsError(
                f"payout must have nodes in order of their drops, each of which reaches the share below the next, got "
                f"{drop:g} and {end:g} from {payout!r}"
            )
