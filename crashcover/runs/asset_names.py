"""Names of tokens as names of files."""

import hashlib
from urllib.parse import quote

_MOST_CHARACTERS = 120  # of 255 that file systems take, as there are prefixes and endings


def file_name(asset: str) -> str:
    """Turn the name of a token into one of a file, distinct from all others and never too long.

    Examples
    --------
    >>> file_name("A/B test")
    'A%2FB%20test'
    """
    name = quote(asset, safe="")
    if len(name) <= _MOST_CHARACTERS:
        return name
    return f"{name[:_MOST_CHARACTERS]}+{hashlib.sha256(asset.encode()).hexdigest()}"  # whole names hold no plus


def partition_name(asset: str) -> str:
    """Name the folder of a token in a partitioned data set, from which its name is read where it is short enough.

    Examples
    --------
    >>> partition_name("BTC")
    'asset=BTC'
    """
    # Of a data set, readers ask the first file for its columns: the others, which hold their own token, sort behind it.
    return f"{'asset=' if is_whole(asset) else 'token-'}{file_name(asset)}"


def is_whole(asset: str) -> bool:
    """Tell whether the name of a token is short enough to be that of a file."""
    return "+" not in file_name(asset)
