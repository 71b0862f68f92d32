"""European barrier options and barrier digitals of Reiner and Rubinstein, in market terms.

Crash covers do not need them; they link `fixed_barrier` to published tables and price hedges. All follow from the
reflection of `fixed_barrier`: an upper barrier is a lower barrier of the mirrored log price, an asset payoff is cash
under a drift that is higher by the variance, and an out option is the European option less the in option.
"""

import math
from typing import Literal

from scipy.special import ndtr

from pricing.closed_form._checks import check_finite, check_model, check_terms
from pricing.closed_form.fixed_barrier import cash_at_hit, touched_below
from pricing.errors import InvalidTermsError, PrecisionError

BarrierKind = Literal["down_in", "down_out", "up_in", "up_out"]
OptionType = Literal["call", "put"]
Payoff = Literal["cash", "asset"]

_KINDS = ("down_in", "down_out", "up_in", "up_out")
# Rounding error, as a share of the European price, after subtraction of the in option if the out option is worthless.
_ROUNDING = 1e-12


def barrier_digital(
    *,
    kind: BarrierKind,
    option: OptionType,
    payoff: Payoff,
    spot: float,
    strike: float,
    barrier: float,
    rate: float,
    dividend_yield: float,
    volatility: float,
    term_years: float,
) -> float:
    """Price of one unit of cash, or of the asset, at expiry if it ends in the money and the barrier allows it.

    Parameters
    ----------
    kind : {"down_in", "down_out", "up_in", "up_out"}
        Effect of a touch of the barrier; a barrier at or beyond the spot counts as touched.
    option : {"call", "put"}
        In the money above or below the strike.
    payoff : {"cash", "asset"}
        One unit of cash or one unit of the asset.
    spot, strike, barrier : float
        Prices, positive.
    rate, dividend_yield : float
        Continuous, per year.
    volatility : float
        Per square root of a year, positive.
    term_years : float
        Term in years.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.

    References
    ----------
    Rubinstein and Reiner, Unscrambling the binary code, Risk 4 (1991).

    Examples
    --------
    >>> market = {"spot": 105.0, "rate": 0.1, "dividend_yield": 0.0, "volatility": 0.2, "term_years": 0.5}
    >>> terms = {"kind": "down_in", "option": "put", "payoff": "cash", "strike": 102.0, "barrier": 100.0}
    >>> round(15 * barrier_digital(**terms, **market), 4)
    4.4314
    """
    _check_market(kind, option, spot, strike, barrier, rate, dividend_yield, volatility, term_years)
    log_drift = rate - dividend_yield - volatility**2 / 2.0
    unit = math.exp(-rate * term_years)
    if payoff == "asset":
        log_drift += volatility**2
        unit = spot * math.exp(-dividend_yield * term_years)
    elif payoff != "cash":
        raise InvalidTermsError(f"payoff must be 'cash' or 'asset', got {payoff!r}")
    touched = _touched_in_the_money(kind, option, spot, strike, barrier, volatility, log_drift, term_years)
    if kind.endswith("in"):
        return unit * touched
    side = 1.0 if option == "call" else -1.0
    moneyness = side * (math.log(spot / strike) + log_drift * term_years) / (volatility * math.sqrt(term_years))
    return unit * _less(float(ndtr(moneyness)), touched)


def barrier_option(
    *,
    kind: BarrierKind,
    option: OptionType,
    spot: float,
    strike: float,
    barrier: float,
    rate: float,
    dividend_yield: float,
    volatility: float,
    term_years: float,
    rebate: float = 0.0,
) -> float:
    """Price of a European barrier option, to an absolute precision of about 1e-14 of the spot.

    Parameters are those of `barrier_digital`; ``rebate`` is paid at the touch by an out option and at expiry by an in
    option that was never touched.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.

    References
    ----------
    Reiner and Rubinstein, Breaking down the barriers, Risk 4 (1991).
    """
    market = {
        "spot": spot,
        "barrier": barrier,
        "rate": rate,
        "dividend_yield": dividend_yield,
        "volatility": volatility,
        "term_years": term_years,
    }
    asset = barrier_digital(kind=kind, option=option, payoff="asset", strike=strike, **market)
    cash = barrier_digital(kind=kind, option=option, payoff="cash", strike=strike, **market)
    value = _less(asset, strike * cash) if option == "call" else _less(strike * cash, asset)
    return value + rebate * _rebate_unit(kind, **market)


def _rebate_unit(
    kind: BarrierKind,
    *,
    spot: float,
    barrier: float,
    rate: float,
    dividend_yield: float,
    volatility: float,
    term_years: float,
) -> float:
    """Present value of one unit of rebate."""
    side = 1.0 if kind.startswith("down") else -1.0
    log_drift = rate - dividend_yield - volatility**2 / 2.0
    distance = side * math.log(spot / barrier)
    untouched_discount = math.exp(-rate * term_years)
    if distance <= 0.0:
        return 1.0 if kind.endswith("out") else 0.0
    if kind.endswith("out"):
        drop = -math.expm1(-distance)
        return cash_at_hit(
            drop=drop, volatility=volatility, log_drift=side * log_drift, term_years=term_years, rate=rate
        )
    return untouched_discount * (1.0 - touched_below(math.inf, distance, volatility, side * log_drift, term_years))


def _touched_in_the_money(
    kind: str,
    option: str,
    spot: float,
    strike: float,
    barrier: float,
    volatility: float,
    log_drift: float,
    term_years: float,
) -> float:
    """Return the probability of a touch and an end in the money, by mirroring for an upper barrier."""
    side = 1.0 if kind.startswith("down") else -1.0
    distance = max(side * math.log(spot / barrier), 0.0)
    end = side * math.log(strike / spot)

    def touched_and_below(level: float) -> float:
        if distance == 0.0:
            return float(ndtr((level - side * log_drift * term_years) / (volatility * math.sqrt(term_years))))
        return touched_below(level, distance, volatility, side * log_drift, term_years)

    below = touched_and_below(end)
    ends_below = (option == "put") == (side > 0.0)
    return below if ends_below else _less(touched_and_below(math.inf), below)


def _less(whole: float, part: float) -> float:
    """Subtract a part from its whole, and clip a difference that is negative only by rounding."""
    rest = whole - part
    if rest < -_ROUNDING * max(abs(whole), 1.0):
        raise PrecisionError(f"a part must not exceed its whole, got {part} of {whole}")
    return max(rest, 0.0)


def _check_market(
    kind: str,
    option: str,
    spot: float,
    strike: float,
    barrier: float,
    rate: float,
    dividend_yield: float,
    volatility: float,
    term_years: float,
) -> None:
    if kind not in _KINDS:
        raise InvalidTermsError(f"kind must be one of {', '.join(_KINDS)}, got {kind!r}")
    if option not in ("call", "put"):
        raise InvalidTermsError(f"option must be 'call' or 'put', got {option!r}")
    check_terms(spot=spot, strike=strike, barrier=barrier, term_years=term_years)
    check_model(volatility=volatility)
    check_finite(rate=rate, dividend_yield=dividend_yield)
