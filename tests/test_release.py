"""The changelog, the fragments of the next release and the version fit together."""

import re
import tomllib

from pricing.version import VERSION
from tests.checkout import CHECKOUT


def test_the_newest_section_of_the_changelog_is_this_release():
    changelog = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+) \(\d{4}-\d{2}-\d{2}\)$", changelog, re.MULTILINE)[1] == VERSION


def test_every_fragment_has_a_type_that_the_changelog_knows():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    types = "|".join(entry["directory"] for entry in project["tool"]["towncrier"]["type"])
    names = {path.name for path in (CHECKOUT / "changes").iterdir()} - {"README.md"}
    assert [name for name in names if not re.fullmatch(rf"\+[a-z0-9-]+\.({types})\.md", name)] == []
