"""Names of tokens as names of files."""

from urllib.parse import quote


def file_name(asset: str) -> str:
    """Turn the name of a token into one of a file, distinct from all others.

    Examples
    --------
    >>> file_name("A/B test")
    'A%2FB%20test'
    """
    return quote(asset, safe="")
