"""The options view: cost, at an implied volatility, of listed puts or one-touches that pay like a cover.

Two static hedges, both on falls from the price at inception. A cover refers to the high of its window, so neither is a
bound for it: after a rise the cover can fire without them, and in a slow fall they pay without the cover.
``pricing.hedging.hedges.net_losses`` compares them with the cover, path by path.

`put_spread_hedge` pays what the cover would pay on the price at expiry: a strip of put spreads between listed strikes,
with the smile. `one_touch_hedge` pays what the cover would pay on the lowest price of the term: a strip of one-touches.
The first can be traded on an exchange and the second with a dealer; `touch_put_hedge` replicates the second with listed
puts (Carr and Chou 1997). Prices and strikes are shares of the spot, and quantities are per unit of limit.

The module needs scipy and is therefore not imported by the package.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr

from pricing.closed_form import cash_at_expiry, cash_at_hit
from pricing.closed_form._checks import check_model, check_terms
from pricing.contract.cover import Cover
from pricing.contract.shares import shares_of
from pricing.contract.thresholds import least_drop
from pricing.errors import InvalidModelError, InvalidTermsError
from pricing.hedging.hedges import Hedge, Leg
from pricing.tools.arrays import FloatArray
from pricing.tools.units import YEAR, require_fraction

PaymentTime = Literal["hit", "expiry"]

_SMALLEST_TRADE = 1e-9  # a smaller remainder of a payoff or a kink is rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionMarket:
    """Carry of the underlying.

    Parameters
    ----------
    rate, dividend_yield : float
        Continuous, per year; for a token, the yield is the income from lending or staking it.
    """

    rate: float = 0.0
    dividend_yield: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rate", "dividend_yield"):
            if not math.isfinite(getattr(self, name)):
                raise InvalidModelError(f"{name} must be finite, got {getattr(self, name)}")


def put_price(
    strike: float, *, implied_volatility: float, term_years: float, market: OptionMarket | None = None
) -> float:
    """Return the Black-Scholes price of a European put as a share of the spot.

    Parameters
    ----------
    strike : float
        Share of the spot.
    implied_volatility : float
        Per square root of a year, positive.
    term_years : float
        In years of 365 days.
    market : OptionMarket, optional
        Carry; by default none.

    Examples
    --------
    >>> market = OptionMarket(rate=0.1, dividend_yield=0.05)
    >>> round(100 * put_price(0.95, implied_volatility=0.2, term_years=0.5, market=market), 4)
    2.4648
    """
    check_terms(strike=strike, term_years=term_years)
    check_model(volatility=implied_volatility)
    carry = market or OptionMarket()
    spread = implied_volatility * math.sqrt(term_years)
    below = (math.log(strike) - (carry.rate - carry.dividend_yield) * term_years) / spread + 0.5 * spread
    paid = strike * math.exp(-carry.rate * term_years) * ndtr(below)
    delivered = math.exp(-carry.dividend_yield * term_years) * ndtr(below - spread)
    return max(float(paid - delivered), 0.0)


def put_spread_hedge(
    cover: Cover, implied_volatilities: Mapping[float, float], market: OptionMarket | None = None
) -> Hedge:
    """Hedge the payment of the cover on the price at expiry with listed puts.

    Between two neighbouring strikes the payoff of the hedge is linear, so a jump of the payout is replicated by a put
    spread across the jump: the hedge pays no less than the cover if there is a strike exactly at the jump. Below the
    lowest strike, its payoff is constant.

    Parameters
    ----------
    cover : Cover
        Its trigger drop and its payout, applied to the fall of the final price.
    implied_volatilities : mapping of float to float
        Implied volatility by listed strike, a share of the spot; at least one strike above the first payment.
    market : OptionMarket, optional
        Carry; by default none.

    Raises
    ------
    InvalidTermsError
        If a strike is out of range, or none is above the first payment.

    Examples
    --------
    >>> from pricing import Cover, DropTrigger, FullPayout
    >>> cover = Cover(
    ...     cover_id="C-1", asset="OM", trigger=DropTrigger(drop=0.5), payout=FullPayout(), limit=1e5, currency="USD"
    ... )
    >>> hedge = put_spread_hedge(cover, {0.55: 1.2, 0.5: 1.25})
    >>> [(leg.strike, round(leg.quantity)) for leg in hedge.legs], round(hedge.cost, 2)
    ([(0.55, 20), (0.5, -20)], 3352.28)
    """
    strikes = _listed_strikes(implied_volatilities)
    payoffs = _payouts_of(cover, 1.0 - strikes)
    return _puts(cover, strikes, np.append(payoffs, payoffs[-1]), implied_volatilities, market or OptionMarket())


def touch_put_hedge(
    cover: Cover, implied_volatilities: Mapping[float, float], market: OptionMarket | None = None
) -> Hedge:
    """Hedge the payment of the cover on the lowest price of the term with listed puts.

    A payment at a touch of H is worth the European payment ``1 + (S/H)^p`` below H, with
    ``p = 1 - 2 (rate - dividend_yield) / volatility^2``: whenever the price is at H, both are worth the same, and
    then the puts are sold. Exact for one volatility at all strikes and a fine grid of strikes; without carry it is two
    digitals less 1/H puts. The exponent uses the volatility at the strike of the first payment. Parameters and errors
    are those of ``put_spread_hedge``.

    Raises
    ------
    InvalidModelError
        If the carry is so high that the European payment grows without bound towards a price of zero.

    References
    ----------
    Carr and Chou, Breaking barriers, Risk 10 (1997); Carr, Ellis and Gupta, Static hedging of exotic options, J.
    Finance 53 (1998).
    """
    carry = market or OptionMarket()
    strikes = _listed_strikes(implied_volatilities)
    shares = _payouts_of(cover, 1.0 - strikes)
    first = float(strikes[np.argmax(shares > 0.0)])
    power = 1.0 - 2.0 * (carry.rate - carry.dividend_yield) / implied_volatilities[first] ** 2
    if not power > 0.0:
        raise InvalidModelError(f"rate - dividend_yield must be below half the variance, got {carry}")
    at = np.append(strikes, 0.0)[:, None]
    payments = np.where(at <= strikes, 1.0 + (at / strikes) ** power, 0.0)
    return _puts(cover, strikes, payments @ np.diff(shares, prepend=0.0), implied_volatilities, carry)


def one_touch_hedge(
    cover: Cover,
    drops: Sequence[float],
    *,
    implied_volatility: float,
    payment: PaymentTime = "expiry",
    market: OptionMarket | None = None,
) -> Hedge:
    """Hedge the payment of the cover on the lowest price of the term with one-touches below the spot.

    Parameters
    ----------
    cover : Cover
        Its trigger drop and its payout, applied to the deepest fall from the price at inception.
    drops : sequence of float
        Falls at which a one-touch is bought, for the increase of the payout since the previous one. Exact for a payout
        that jumps there and is flat in between; a lower bound for a payout that increases in between.
    implied_volatility : float
        Per square root of a year, positive.
    payment : {"hit", "expiry"}
        Time at which a one-touch pays.
    market : OptionMarket, optional
        Carry; by default none.

    Raises
    ------
    InvalidTermsError
        If a drop is not a fraction, or none reaches the first payment.
    """
    if payment not in ("hit", "expiry"):
        raise InvalidTermsError(f"payment must be 'hit' or 'expiry', got {payment!r}")
    for drop in drops:
        require_fraction(drop, "drops")
    carry = market or OptionMarket()
    touch = cash_at_hit if payment == "hit" else cash_at_expiry
    falls = np.sort(np.array(drops, dtype=np.float64))
    steps = np.diff(_payouts_of(cover, falls), prepend=0.0)
    legs = tuple(
        Leg(
            instrument="one_touch",
            strike=1.0 - float(fall),
            quantity=float(step),
            price=touch(
                drop=float(fall),
                volatility=implied_volatility,
                log_drift=carry.rate - carry.dividend_yield - implied_volatility**2 / 2.0,
                term_years=_term_years(cover),
                rate=carry.rate,
            ),
        )
        for fall, step in zip(falls, steps, strict=True)
        if step > 0.0
    )
    return Hedge(legs=legs, limit=cover.limit)


def _puts(
    cover: Cover,
    strikes: FloatArray,
    payoffs: FloatArray,
    implied_volatilities: Mapping[float, float],
    carry: OptionMarket,
) -> Hedge:
    """Return the puts that interpolate linearly between payoffs at the strikes and, last, at a price of zero."""
    if payoffs[0] > _SMALLEST_TRADE:
        raise InvalidTermsError(f"one strike must be above {1.0 - cover.trigger.drop:g}, got {strikes.tolist()}")
    slopes = np.diff(payoffs) / -np.diff(strikes, append=0.0)
    legs = tuple(
        Leg(
            instrument="put",
            strike=float(strike),
            quantity=float(quantity),
            price=put_price(
                float(strike),
                implied_volatility=implied_volatilities[float(strike)],
                term_years=_term_years(cover),
                market=carry,
            ),
        )
        for strike, quantity in zip(strikes, np.diff(slopes, prepend=0.0), strict=True)
        if abs(quantity) > _SMALLEST_TRADE
    )
    return Hedge(legs=legs, limit=cover.limit)


def _payouts_of(cover: Cover, falls: FloatArray) -> FloatArray:
    """Return the share of the limit that the cover would pay for falls since inception, in increasing order.

    Raises
    ------
    InvalidTermsError
        If none of them is deep enough.
    """
    shares = np.where(falls >= least_drop(cover.trigger.drop), shares_of(cover.payout, falls), 0.0)
    if not shares.any():
        raise InvalidTermsError(
            f"one strike must be at most {1.0 - cover.trigger.drop:g}, got {(1.0 - falls).tolist()}"
        )
    return np.asarray(shares, dtype=np.float64)


def _listed_strikes(implied_volatilities: Mapping[float, float]) -> FloatArray:
    """Return the strikes, highest first.

    Raises
    ------
    InvalidTermsError
        If one is not a share of the spot, above 0 and at most 1.
    """
    strikes = np.sort(np.array([float(strike) for strike in implied_volatilities]))[::-1]
    if not (strikes.size and strikes[0] <= 1.0 and strikes[-1] > 0.0):
        raise InvalidTermsError(f"strikes must be shares of the spot, above 0 and at most 1, got {strikes.tolist()}")
    return strikes


def _term_years(cover: Cover) -> float:
    return cover.term / YEAR
