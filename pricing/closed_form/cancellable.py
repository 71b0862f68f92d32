"""T5 insurance that its holder may cancel: the premium that pays for the right to cancel when the price has recovered.

A holder who pays a running rate gains by cancelling once the drop has become unlikely, so a fair rate is higher with
this right. They cancel for a fee when the drawdown has shrunk to a level of their choice, unless the drop comes first.
"""

import math

from scipy.optimize import brentq, minimize_scalar

from pricing.closed_form._checks import check_diffusion, check_terms, log_distance, log_drawdown
from pricing.closed_form.drawdown import drawdown_transform, perpetual_insurance_rate
from pricing.errors import PrecisionError

_MOST_DOUBLINGS = 200


def cancellable_insurance_rate(
    *,
    drop: float,
    volatility: float,
    log_drift: float,
    rate: float,
    fee: float,
    current_drawdown: float = 0.0,
) -> float:
    """Fair premium per year and unit of benefit, paid until the drawdown unless the holder cancels earlier.

    At the high of the price there is nothing to recover, and the rate is that of `perpetual_insurance_rate`.

    Parameters
    ----------
    drop : float
        Fraction by which the price must fall below its high.
    volatility : float
        Per square root of a year, positive.
    log_drift : float
        Drift of the log price per year.
    rate : float
        Riskless, continuous, per year, positive.
    fee : float
        Paid on cancelling, per unit of benefit, positive.
    current_drawdown : float
        Fraction by which the price is already below its high at inception.

    Raises
    ------
    InvalidTermsError, InvalidModelError
        If a term or a parameter is outside its domain.
    PrecisionError
        If the rate is too large for floating point numbers.

    References
    ----------
    Zhang, Leung and Hadjiliadis, Stochastic modeling and fair valuation of drawdown insurance, Insur. Math. Econ. 53
    (2013), section 3.

    Examples
    --------
    >>> terms = {"drop": 0.5, "volatility": 0.8, "log_drift": -0.3, "rate": 0.05, "current_drawdown": 0.3}
    >>> for fee in (1.0, 0.1, 0.01):
    ...     print(round(cancellable_insurance_rate(**terms, fee=fee), 3))
    2.312
    3.638
    5.23
    """
    law = {"drop": drop, "volatility": volatility, "log_drift": log_drift, "rate": rate}
    committed = perpetual_insurance_rate(**law, current_drawdown=current_drawdown)
    check_terms(fee=fee)

    def value(premium: float) -> float:
        return cancellable_insurance_value(**law, fee=fee, current_drawdown=current_drawdown, premium=premium)

    if current_drawdown == 0.0 or value(committed) <= 0.0:
        return committed  # cancelling is never worth the fee
    too_dear = 2.0 * committed
    for _ in range(_MOST_DOUBLINGS):
        if value(too_dear) < 0.0:
            return float(brentq(value, committed, too_dear, xtol=1e-14, rtol=1e-12))
        too_dear *= 2.0
    raise PrecisionError(f"fee={fee} is too small: no premium makes the holder cancel at a loss")


def cancellable_insurance_value(
    *,
    drop: float,
    volatility: float,
    log_drift: float,
    rate: float,
    fee: float,
    premium: float,
    current_drawdown: float = 0.0,
) -> float:
    """Value of the insurance to a holder who pays ``premium`` per year and cancels at the optimal time.

    Parameters and errors are those of `cancellable_insurance_rate`; per unit of benefit.
    """
    distance, start = log_distance(drop), log_drawdown(current_drawdown, drop)
    check_diffusion(volatility, log_drift)
    check_terms(rate=rate, fee=fee, premium=premium)
    annuity = premium / rate
    pull = log_drift / volatility**2
    root = math.sqrt(pull**2 + 2.0 * rate / volatility**2)

    def committed(depth: float) -> float:
        paid = drawdown_transform(
            drop=drop,
            volatility=volatility,
            log_drift=log_drift,
            rate=rate,
            current_drawdown=-math.expm1(-depth),
        )
        return (1.0 + annuity) * paid - annuity

    def leaving_at(depth: float) -> float:
        """Return the present value of cancelling when the drawdown has shrunk to a depth, if the drop is not first."""
        ahead, whole = root * (distance - start), root * (distance - depth)
        arrives = math.exp((pull - root) * (start - depth)) * math.expm1(-2.0 * ahead) / math.expm1(-2.0 * whole)
        return arrives * (-committed(depth) - fee)

    best = minimize_scalar(
        lambda depth: -leaving_at(depth), bounds=(0.0, start), method="bounded", options={"xatol": 1e-12}
    )
    return committed(start) + max(0.0, leaving_at(0.0), leaving_at(start), -float(best.fun))
