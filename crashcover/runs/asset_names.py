"""File names from token names."""

import hashlib
from urllib.parse import quote

_MOST_CHARACTERS = 120  # file systems allow 255, but there are prefixes and suffixes


def file_name(asset: str) -> str:
    """Return a file name for a token, distinct from all others and never too long.

    Examples
    --------
    >>> file_name("A/B test")
    'A%2FB%20test'
    """
    name = quote(asset, safe="")
    if len(name) <= _MOST_CHARACTERS:
        return name
    return (
        f"{name[:_MOST_CHARACTERS]}+{hashlib.sha256(asset.encode()).hexdigest()}"  # unshortened names contain no plus
    )


def partition_name(asset: str) -> str:
    """Return the folder of a token in a partitioned data set; readers take a short enough name from it.

    Examples
    --------
    >>> partition_name("BTC")
    'asset=BTC'
    """
    # Readers of a data set take the columns from the first file: files that contain their own token column sort after
    # it.
    return f"{'asset=' if is_whole(asset) else 'token-'}{file_name(asset)}"


def is_whole(asset: str) -> bool:
    """Return whether the name of a token is short enough for a file name."""
    return "+" not in file_name(asset)
