"""Bars of a venue, read and checked."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pricing.errors import DataError

#: Last bars of a file that are fetched again when it is continued, and must agree.
OVERLAP = 24

#: Milliseconds since 1970 from 2009, when trading in tokens began, to 2100.
_TIMES = range(1_230_768_000_000, 4_102_444_800_000)
#: Units of a time per millisecond: most venues answer in milliseconds, some in microseconds or nanoseconds.
_UNITS = (1, 1_000, 1_000_000)
_PRICES = ("open", "high", "low", "close")


class Bar(NamedTuple):
    """Prices of one bar.

    Parameters
    ----------
    opened : int
        Time at which it opens, in milliseconds since 1970 UTC.
    open, high, low, close : float
        Prices in the quote currency.
    volume : float or None
        Amount of the token that was traded, if the venue gives it.
    """

    opened: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None

    @property
    def prices(self) -> tuple[float, float, float, float]:
        """Open, high, low and close."""
        return self[1:5]


def wrong_price(row: Sequence[Any]) -> str:
    """Return which price of a bar is no positive number, in the order of ccxt; empty if all are.

    Examples
    --------
    >>> wrong_price([1_704_067_200_000, 1.0, 1.0, 0.0, 1.0, 5.0])
    'low of the bar of 2024-01-01T00:00:00Z must be a positive number, got 0.0'
    """
    for name, price in zip(_PRICES, row[1:5], strict=True):
        if not (isinstance(price, int | float) and 0.0 < price < math.inf):
            return f"{name} of the bar of {show_time(read_time(row[0]))} must be a positive number, got {price!r}"
    return ""


def read_bar(row: Sequence[Any], length: int) -> Bar:
    """Read a bar in the order of ccxt: time, open, high, low, close, volume.

    Parameters
    ----------
    row : sequence
        Time in milliseconds, microseconds or nanoseconds since 1970, four prices, see ``wrong_price``, and the volume.
    length : int
        Length of the bar in milliseconds.

    Raises
    ------
    DataError
        If the time is not a multiple of the length.
    """
    opened = read_time(row[0], length)
    volume = row[5] if len(row) > 5 else None
    return Bar._make((opened, *map(float, row[1:5]), volume))


def read_time(time: object, length: int = 1) -> int:
    """Read a time in milliseconds, microseconds or nanoseconds since 1970.

    Parameters
    ----------
    time : int
        Time.
    length : int
        Length in milliseconds of which it must be a multiple.

    Returns
    -------
    int
        The same in milliseconds.

    Raises
    ------
    DataError
        If it is not such a time.
    """
    unit = next((unit for unit in _UNITS if isinstance(time, int) and time // unit in _TIMES), None)
    if unit is None or not isinstance(time, int):
        raise DataError(f"a time must be milliseconds since 1970, got {time!r}")
    if length > 1 and time % (length * unit):
        off = (time % (length * unit)) / unit / 1000
        raise DataError(
            f"bars must open at multiples of their length, got one at {show_time(time // unit)}, {off:g} s off"
        )
    return time // unit


def show_time(milliseconds: int) -> str:
    """Return a time as in files: ISO 8601 in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
