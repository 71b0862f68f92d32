"""A drill: what it would take the market to absorb the largest holder."""

from dataclasses import dataclass

from calibration.hazard.published import CIRCULATING, DEPTH, TURNOVER
from calibration.hazard.risk_signals import RiskSignals
from calibration.holders.concentration_measures import Concentration


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestSale:
    """The largest hand of a holder list, against bids and volume.

    Parameters
    ----------
    name : str
        Its name, or its address.
    balance : float
        Its tokens.
    share : float
        Their share of the supply.
    bids : float
        Tokens that bids down to -10 % take.
    bids_known : bool
        Whether depth was given; otherwise they are those of a typical token, half a per cent of what circulates.
    daily_volume : float
        Tokens traded per day.
    volume_known : bool
        Whether volume was given; otherwise it is that of a typical token, two per cent of what circulates.
    times_bids, days_of_volume : float
        The balance over both.
    """

    name: str
    balance: float
    share: float
    bids: float
    bids_known: bool
    daily_volume: float
    volume_known: bool
    times_bids: float
    days_of_volume: float


def largest_sale(concentration: Concentration, signals: RiskSignals | None) -> LargestSale | None:
    """Measure the sale of everything that the largest hand has; None if there is no single hand.

    Parameters
    ----------
    concentration : Concentration
        The holders.
    signals : RiskSignals or None
        Depth and daily volume, if they are known.
    """
    largest, control = concentration.largest, concentration.control
    if largest is None:
        return None
    circulating = (control.circulating if control.circulating < 1.0 else CIRCULATING) * concentration.supply
    known = signals or RiskSignals()
    bids, volume = DEPTH * circulating, TURNOVER * circulating
    if known.depth_usd is not None and known.price_usd is not None:
        bids = known.depth_usd / known.price_usd
    if known.daily_volume is not None:
        volume = known.daily_volume
    return LargestSale(
        name=largest.name,
        balance=largest.balance,
        share=float(largest.balance / concentration.supply),
        bids=bids,
        bids_known=known.depth_usd is not None,
        daily_volume=volume,
        volume_known=known.daily_volume is not None,
        times_bids=largest.balance / bids,
        days_of_volume=largest.balance / volume,
    )
