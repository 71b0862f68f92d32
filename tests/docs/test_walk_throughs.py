"""Quickstart and tutorial do what they say."""

import pytest

from tests.checkout import CHECKOUT
from tests.docs.walk_through import TARGETS, walk_through


@pytest.mark.parametrize("page", ["quickstart", "tutorial"])
def test_a_reader_gets_through(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    walk_through(CHECKOUT / "docs" / f"{page}.md", capsys)


def test_targets_of_the_makefile_run_what_the_walk_runs_for_them():
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    for command in TARGETS.values():
        assert f"$(BIN)/{command}" in makefile
