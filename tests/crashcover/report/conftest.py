"""A report read back: its figures and its page, of the ``page_file`` that each module of tests makes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.crashcover.report.report_pages import Page


@pytest.fixture(scope="module")
def content(page_file: Path) -> dict[str, Any]:
    """Figures of the report."""
    figures: dict[str, Any] = json.loads(page_file.with_suffix(".json").read_text(encoding="utf-8"))
    return figures


@pytest.fixture(scope="module")
def page(page_file: Path) -> Page:
    """Page of the report."""
    return Page(page_file.read_text(encoding="utf-8"))
