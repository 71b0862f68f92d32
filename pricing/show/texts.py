"""Texts of users as they can be shown: names of tokens and covers may hold characters that command a terminal."""

import re

#: Control characters except tabs and line ends, halves of characters, and what turns the direction of writing.
_COMMANDS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def readable(text: str) -> str:
    r"""Return a text in which characters that cannot be seen, and may command a terminal, are written as escapes.

    Examples
    --------
    >>> readable("\x1b[31mOM\u202e")
    '\\x1b[31mOM\\u202e'
    """
    return _COMMANDS.sub(lambda found: ascii(found[0])[1:-1], text)
