"""The page on troubleshooting knows every error and exit code, and quotes messages as the code has them."""

import ast
import re

import pytest

from crashcover.commands.exits import Exit
from pricing.errors import DataWarning, PrecisionWarning, PricingError
from tests.checkout import CHECKOUT

PAGE = (CHECKOUT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
PACKAGES = ("pricing", "calibration", "backtest", "pool", "settlement", "crashcover")
WARNINGS = {DataWarning, PrecisionWarning}
#: Shorter pieces of a message are in any code.
SHORTEST = 4


def tree_of(error):
    return {error}.union(*(tree_of(kind) for kind in error.__subclasses__()))


def literals():
    """Return all pieces of texts of the code, without what differs from case to case."""
    for package in PACKAGES:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def messages():
    rows = re.findall(r"^\| (`+)(.+?)\1 \|", PAGE, flags=re.MULTILINE)
    return [text for _, text in rows if " " in text]


@pytest.mark.parametrize("error", sorted(tree_of(PricingError) | WARNINGS, key=lambda kind: kind.__name__))
def test_every_error_has_a_section(error):
    assert f"\n### `{error.__name__}`\n" in PAGE


def test_no_section_is_about_an_error_that_is_gone():
    known = {kind.__name__ for kind in tree_of(PricingError) | WARNINGS}
    assert set(re.findall(r"^### `(\w+)`$", PAGE, flags=re.MULTILINE)) == known


def test_every_exit_code_stands_there():
    rows = dict(re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, flags=re.MULTILINE))
    assert {int(code): name for code, name in rows.items()} == {code.value: code.name for code in Exit}


def test_messages_are_those_of_the_code():
    code = list(literals())
    for message in messages():
        for piece in message.split("…"):
            letters = piece.strip(" ,.:'")
            assert len(letters) < SHORTEST or any(letters in text for text in code), f"{message!r}: {piece!r}"
    assert len(messages()) > 60
