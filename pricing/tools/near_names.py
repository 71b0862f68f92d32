"""Names that may be meant by a wrong one."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint with the names that are most alike, whatever their capitals; empty if none is.

    Examples
    --------
    >>> did_you_mean("btc", ["BTC", "ETH"]), did_you_mean("XYZ", ["BTC", "ETH"])
    (' (did you mean BTC?)', '')
    """
    by_capitals = {each.upper(): each for each in known}
    close = [by_capitals[match] for match in get_close_matches(name.upper(), by_capitals, n=3)]
    return f" (did you mean {' or '.join(close)}?)" if close else ""
