"""A static hedge of a cover with options, and the net loss of cover and hedge."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pricing.contract.cover import Cover
from pricing.contract.observation import Observation
from pricing.contract.thresholds import least_drop
from pricing.contract.triggers import Reference
from pricing.show.frames import frame_of
from pricing.surface.by_path import shares_by_path, worst_drops_by_path
from pricing.surface.estimates import WeightedSample
from pricing.surface.surface import DropSurface
from pricing.tools.arrays import FloatArray

if TYPE_CHECKING:
    import pandas as pd

Instrument = Literal["put", "one_touch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One instrument of a hedge.

    Parameters
    ----------
    instrument : {"put", "one_touch"}
        A European put on one unit of spot, or one unit of cash if the price touches the strike from above.
    strike : float
        Share of the spot.
    quantity : float
        Number per unit of limit; negative if sold.
    price : float
        Price of one: a share of the spot for a put, a share of the cash for a one-touch.
    """

    instrument: Instrument
    strike: float
    quantity: float
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """Options that together pay like a cover.

    For a limit of 100,000 and a spot of 4, a quantity of 20 puts per unit of limit is 500,000 puts on one token.

    Parameters
    ----------
    legs : tuple of Leg
        Legs, highest strike first.
    limit : float
        Limit of the cover, in its currency.
    """

    legs: tuple[Leg, ...]
    limit: float

    @property
    def cost_share(self) -> float:
        """Cost as a share of the limit, comparable with a rate on line."""
        return math.fsum(leg.quantity * leg.price for leg in self.legs)

    @property
    def cost(self) -> float:
        """Cost in the currency of the cover."""
        return self.limit * self.cost_share

    def to_frame(self) -> "pd.DataFrame":
        """Return the legs as a data frame: ``instrument``, ``strike``, ``quantity`` and ``price``."""
        return frame_of(Leg, self.legs)

    def payoff(self, final_falls: FloatArray, deepest_falls: FloatArray) -> FloatArray:
        """Return the payoff of the legs at expiry, per unit of limit.

        Parameters
        ----------
        final_falls, deepest_falls : ndarray of shape (n,)
            Falls from the price at inception to the final and to the lowest price, fractions.
        """
        payoff = np.zeros(len(final_falls))
        for leg in self.legs:
            if leg.instrument == "put":
                payoff += leg.quantity * np.maximum(leg.strike - (1.0 - final_falls), 0.0)
            else:
                payoff += leg.quantity * (deepest_falls >= least_drop(1.0 - leg.strike))
        return payoff


def net_losses(cover: Cover, surface: DropSurface, hedge: Hedge) -> WeightedSample:
    """Return the payment of the cover less the payoff of the hedge, on every simulated path.

    Any premium principle prices the result: ``principle.estimate(net, net.drops)``. The difference from the price of
    the cover alone is the value of the hedge, to be compared with ``hedge.cost_share``. Both are valued at the same
    moment, so nothing is discounted.

    Parameters
    ----------
    cover : Cover
        The contract.
    surface : DropSurface
        Surface with the signal of the cover; ``Reference.INCEPTION`` over its term for one-touches; and
        ``Reference.LAGGED`` with a window as long as the term, which is the final price, for puts.
    hedge : Hedge
        A hedge from ``pricing.hedging.replication``.

    Returns
    -------
    WeightedSample
        Net losses as shares of the limit, largest first; negative if the hedge pays more than the cover.

    Raises
    ------
    NotSimulatedError
        If the surface lacks one of the signals.
    """
    shares = shares_by_path(cover, surface)
    instruments = {leg.instrument for leg in hedge.legs}
    final_falls = deepest_falls = np.zeros(len(shares))
    if "put" in instruments:
        final_falls = worst_drops_by_path(
            surface, Observation(reference=Reference.LAGGED, window=cover.term, term=cover.term)
        )
    if "one_touch" in instruments:
        deepest_falls = worst_drops_by_path(surface, Observation(reference=Reference.INCEPTION, term=cover.term))
    return WeightedSample.of_paths(
        shares - hedge.payoff(final_falls, deepest_falls), surface.weights_of(cover.observation)
    )
