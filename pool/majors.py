"""Tokens that fall together more than others do: the majors, known by their names, and tokens of large market value."""

from calibration.prices.pairs import is_pair_of

#: Name of the group of BTC and ETH.
MAJORS = "majors"
#: Names of its members: symbols, and the identities of CoinGecko.
_NAMES = ("BTC", "XBT", "BITCOIN", "ETH", "ETHEREUM")
#: Share of the rate of own crashes whose crashes come to a token of large market value alone: the credibility of the
#: class, (1 + seen) / (1 + expected). In the months of April 2021 to May 2025 in which the median token fell by less
#: than 15 %, 6.8 falls of 20 % of tokens ranked 1 to 12 were expected, and none came.
LARGE_OWN_SHARE = 0.13


def is_major(asset: str) -> bool:
    """Return whether an asset is BTC or ETH by its name, alone or in a pair with a currency.

    Examples
    --------
    >>> [is_major(name) for name in ("BTC", "eth-usd", "bitcoin", "WBTC", "ETHFI")]
    [True, True, True, False, False]
    """
    name = asset.upper()
    return any(name == known or is_pair_of(known, name) for known in _NAMES)
