"""Quickstart and tutorial do what they say."""

import sys

import pytest

from tests.docs.walk_through import CHECKOUT, TARGETS, walk_through


@pytest.mark.skipif(sys.platform == "win32", reason="the pages speak to a shell of Unix")
@pytest.mark.parametrize("page", ["quickstart", "tutorial"])
def test_a_reader_gets_through(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    walk_through(CHECKOUT / "docs" / f"{page}.md", tmp_path, capsys)


def test_targets_of_the_makefile_run_what_the_walk_runs_for_them():
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    for command in TARGETS.values():
        assert f"$(BIN)/{command}" in makefile
