"""The comparison of a fall with a drop that is stated in a contract.

Prices, drops and logarithms of prices are rounded in binary, so a fall of exactly the stated drop can come out a little
smaller. It fires nevertheless: a price counts as ``drop`` below its reference if ::

    price <= reference * ((1 - drop) * (1 + PRICE_ROUNDING) + DROP_ROUNDING)

Every comparison of a fall with a stated drop uses one of the functions below, which are this rule in other units.
"""

from typing import TypeVar

import numpy as np

from pricing.tools.arrays import BoolArray, FloatArray

FloatOrArray = TypeVar("FloatOrArray", float, FloatArray)

#: Tolerance as a share of the price, 1.4e-14: the rounding of the logarithms of two prices between 1e-13 and 1e13.
PRICE_ROUNDING = 2.0**-46
#: Tolerance as a share of the reference price, 2.2e-16: the rounding of the drop and of the fall.
DROP_ROUNDING = 2.0**-52


def has_fallen(prices: FloatArray, references: FloatArray, drop: float) -> BoolArray:
    """Return whether prices are a drop, or more, below their reference prices.

    Examples
    --------
    >>> 0.91 <= 1.3 * (1.0 - 0.3)
    False
    >>> has_fallen(np.array([0.91, 0.9100001]), np.array([1.3, 1.3]), drop=0.3)
    array([ True, False])
    """
    return np.asarray(prices <= references * _share_left(drop))


def least_drop(drop: FloatOrArray) -> FloatOrArray:
    """Return the smallest computed fall, a fraction of the reference price, that counts as a drop."""
    return 1.0 - _share_left(drop)


def least_log_fall(drop: float) -> float:
    """Return the smallest computed fall of a log price that counts as a drop."""
    return -float(np.log(_share_left(drop)))


def least_log_recovery(share: float) -> float:
    """Return the smallest computed log price, less that of its reference, that counts as a share of the reference."""
    return float(np.log(share)) - PRICE_ROUNDING


def drop_reached(log_falls: FloatArray) -> FloatArray:
    """Return the deepest drop as which each fall of a log price counts.

    It exceeds the fall by the tolerance, so that a plain ``>=`` with a stated drop is right.
    """
    reached = -np.expm1(-log_falls - PRICE_ROUNDING) + DROP_ROUNDING
    return np.where(log_falls > 0.0, np.minimum(reached, 1.0), log_falls)


def _share_left(drop: FloatOrArray) -> FloatOrArray:
    return (1.0 - drop) * (1.0 + PRICE_ROUNDING) + DROP_ROUNDING
