"""Tables that a study writes into a page of ``docs/``.

A page marks each of them with two comments. Everything between them is made by the command that the first one names::

    <!-- begin luna: python -m docs.studies.evidence -->
    | as of | ... |
    <!-- end luna -->
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

PAGES = Path(__file__).resolve().parents[1]


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(str(cell) for cell in cells)} |" for cells in lines)


def write_block(page: str, name: str, text: str) -> None:
    """Replace the block of that name in a page.

    Raises
    ------
    ValueError
        If the page does not have exactly one block of that name.
    """
    path = PAGES / page
    block = re.compile(rf"(<!-- begin {re.escape(name)}: [^\n]*-->\n).*?(<!-- end {re.escape(name)} -->)", re.DOTALL)
    content, count = block.subn(
        lambda found: f"{found[1]}\n{text.strip()}\n\n{found[2]}", path.read_text(encoding="utf-8")
    )
    if count != 1:
        raise ValueError(f"{path}: must have one block named {name}, got {count}")
    path.write_text(content, encoding="utf-8")
