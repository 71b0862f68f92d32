"""The parameter of a distortion that meets a target: a price, a loss ratio or a return on capital."""

from dataclasses import replace
from typing import TypeVar

from pricing.errors import InvalidBasisError
from pricing.principles.distortions import Distortion, FreeParameter
from pricing.principles.loss_distribution import LossDistribution

AnyDistortion = TypeVar("AnyDistortion", bound=Distortion)


def price_for_loss_ratio(losses: LossDistribution, loss_ratio: float) -> float:
    """Return the price, before expenses, at which the expected loss is a given share of the price.

    Raises
    ------
    InvalidBasisError
        If the loss ratio is not between 0 and 1.

    Examples
    --------
    >>> price_for_loss_ratio(LossDistribution.binary(0.02), loss_ratio=0.5)
    0.04
    """
    if not 0.0 < loss_ratio < 1.0:
        raise InvalidBasisError(f"loss_ratio must be between 0 and 1, got {loss_ratio} (a fraction: 60 % is 0.60)")
    return losses.mean / loss_ratio


def price_for_return(losses: LossDistribution, return_on_capital: float, *, assets: float) -> float:
    """Return the price, before expenses, that earns a given expected return on the capital behind it.

    Parameters
    ----------
    losses : LossDistribution
        The loss.
    return_on_capital : float
        Ratio of expected profit to capital for the term, not negative.
    assets : float
        Sum of price and capital, in the unit of the loss: the limit, or the tail value at risk.

    Raises
    ------
    InvalidBasisError
        If the return is negative, or the assets do not exceed the expected loss.

    Examples
    --------
    >>> round(price_for_return(LossDistribution.binary(0.02), 0.15, assets=1.0), 6)
    0.147826
    """
    if not return_on_capital >= 0.0:
        raise InvalidBasisError(f"return_on_capital must not be negative, got {return_on_capital}")
    if not assets > losses.mean:
        raise InvalidBasisError(f"assets must exceed the expected loss {losses.mean:g}, got {assets}")
    return (losses.mean + return_on_capital * assets) / (1.0 + return_on_capital)


def calibrate_distortion(distortion: AnyDistortion, losses: LossDistribution, *, price: float) -> AnyDistortion:
    """Return a distortion whose free parameter is chosen to give a price.

    Parameters
    ----------
    distortion : Distortion
        Distortion with its other parameters; the free one is replaced.
    losses : LossDistribution
        Loss to price: a binary loss, a simulated sample or the loss of a whole book.
    price : float
        Target before expenses, in the unit of the loss; see ``price_for_loss_ratio`` and ``price_for_return``.

    Raises
    ------
    InvalidBasisError
        If the distortion has no free parameter, or no value of it gives the price.

    Examples
    --------
    >>> from pricing.principles import WangTransform
    >>> losses = LossDistribution.binary(0.02)
    >>> target = price_for_loss_ratio(losses, loss_ratio=0.5)
    >>> round(calibrate_distortion(WangTransform(), losses, price=target).shift, 4)
    0.3031
    """
    from scipy.optimize import brentq

    parameter = distortion.free_parameter
    if parameter is None:
        raise InvalidBasisError(f"{type(distortion).__name__} names no free_parameter to calibrate")

    def price_at(value: float) -> float:
        return _with(distortion, parameter, value).price(losses)

    mildest, harshest = price_at(parameter.mildest), price_at(parameter.harshest)
    if not mildest <= price <= harshest:
        raise InvalidBasisError(
            f"price must be between {mildest:.6g} and {harshest:.6g}, the range that {type(distortion).__name__} "
            f"can give for an expected loss of {losses.mean:.6g}, got {price:.6g}"
        )
    low, high = sorted((parameter.mildest, parameter.harshest))
    root = brentq(lambda value: price_at(value) - price, low, high, xtol=1e-15, rtol=1e-14, maxiter=500)
    return _with(distortion, parameter, float(root))


def _with(distortion: AnyDistortion, parameter: FreeParameter, value: float) -> AnyDistortion:
    return replace(distortion, **{parameter.name: value})  # type: ignore[type-var]
