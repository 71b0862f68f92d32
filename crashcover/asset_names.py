"""Names of tokens as names of files."""

import hashlib
from urllib.parse import quote

#: The longest name that is written in full, so that endings fit into the 255 bytes of a file name.
_LONGEST = 100


def file_name(asset: str) -> str:
    """Turn the name of a token into one of a file, distinct from all others and not too long for a file system.

    A long one is cut and ends in its hash; it is longer than any that is written in full, and so equal to none.

    Examples
    --------
    >>> file_name("A/B test")
    'A%2FB%20test'
    """
    name = quote(asset, safe="")
    if len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{name[: _LONGEST - len(digest)]}-{digest}"
