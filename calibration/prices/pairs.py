"""Names of pairs, such as BTC/USDT: a token and the currency in which an exchange states its price."""

import re

#: Currencies in which exchanges state the price of a pair.
QUOTE_CURRENCIES = ("USD", "USDT", "USDC", "FDUSD", "BUSD", "TUSD", "DAI", "EUR", "GBP", "JPY", "KRW")

_QUOTED = re.compile(rf"[/_:-]?({'|'.join(QUOTE_CURRENCIES)})")


def is_pair_of(token: str, name: str) -> bool:
    """Return whether a name is that of a pair whose base is the token.

    Examples
    --------
    >>> is_pair_of("BTC", "BTC/USDT"), is_pair_of("BTC", "BTCUSDT"), is_pair_of("BTC", "BTCST")
    (True, True, False)
    """
    return name.startswith(token) and _QUOTED.fullmatch(name[len(token) :]) is not None
