"""A static hedge of a cover with options, and what is left of the cover's loss beside it."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pricing.contract.cover import Cover
from pricing.contract.observation import Observation
from pricing.contract.triggers import Reference
from pricing.surface.by_path import shares_by_path, worst_drops_by_path
from pricing.surface.estimates import WeightedSample
from pricing.surface.surface import DropSurface
from pricing.tools.arrays import FloatArray

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
        Per unit of limit; negative is sold.
    price : float
        Of one: a share of the spot for a put, a share of the cash for a one-touch.
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
        From the highest strike down.
    limit : float
        Of the cover, in its currency.
    """

    legs: tuple[Leg, ...]
    limit: float

    @property
    def cost_share(self) -> float:
        """Cost as a share of the limit, to set beside a rate on line."""
        return math.fsum(leg.quantity * leg.price for leg in self.legs)

    @property
    def cost(self) -> float:
        """Cost in the currency of the cover."""
        return self.limit * self.cost_share

    def payoff(self, final_falls: FloatArray, deepest_falls: FloatArray) -> FloatArray:
        """Return what the legs pay at expiry, per unit of limit.

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
                payoff += leg.quantity * (1.0 - deepest_falls <= leg.strike)
        return payoff


def net_losses(cover: Cover, surface: DropSurface, hedge: Hedge) -> WeightedSample:
    """Return what the cover pays less what the hedge brings, on every simulated path.

    Any premium principle prices the result: ``principle.estimate(net, net.drops)``. What that is below the price of the
    cover alone is what the hedge takes off, to be set against ``hedge.cost_share``. Both are worth taking at one
    moment, so nothing is discounted.

    Parameters
    ----------
    cover : Cover
        The contract.
    surface : DropSurface
        Simulated with the signal of the cover; ``Reference.INCEPTION`` over its term for one-touches; and
        ``Reference.LAGGED`` with a window as long as the term, which is the final price, for puts.
    hedge : Hedge
        Made by ``pricing.hedging.replication``.

    Returns
    -------
    WeightedSample
        Net losses as shares of the limit, largest first; negative where the hedge pays more than the cover.

    Raises
    ------
    NotSimulatedError
        If the surface does not hold one of the signals.
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
    return WeightedSample.of_paths(shares - hedge.payoff(final_falls, deepest_falls), surface.weights)
