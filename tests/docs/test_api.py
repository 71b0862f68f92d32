"""The API pages show every public name."""

import re
from importlib import import_module

import pytest

from tests.checkout import CHECKOUT

API = CHECKOUT / "docs" / "api"
TEXTS = [page.read_text(encoding="utf-8") for page in sorted(API.glob("*.md"))]


def shown():
    """Return the names that the pages document one by one."""
    return {
        name for text in TEXTS for name in re.findall(r"^\.\. auto(?:class|function|data):: (\w+)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize(
    "package", ["pricing", "pricing.principles", "calibration", "pool", "settlement", "crashcover"]
)
def test_public_names_are_on_a_page(package):
    module, errors = import_module(package), import_module("pricing.errors")
    elsewhere = {"ENGINE_VERSION", "PRINCIPLE_CLASSES", *vars(errors)}  # errors have a page that lists all of them
    assert set(module.__all__) - elsewhere <= shown()


@pytest.mark.parametrize("package", ["backtest", "pricing.closed_form", "pricing.errors"])
def test_other_packages_are_shown_whole(package):
    assert any(f".. automodule:: {package}\n   :members:" in text for text in TEXTS)
