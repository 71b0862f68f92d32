"""Pages read well where they are read: as plain Markdown on a forge, and built."""

import re
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT

DOCS = CHECKOUT / "docs"
PAGES = sorted([CHECKOUT / "README.md", *DOCS.glob("*.md"), *DOCS.glob("how-to/*.md")])
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
LARGEST_PICTURE = 60_000

of_every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(CHECKOUT).as_posix())


def links(page):
    """Return text and target of every link and picture of a page."""
    text = re.sub(r"^```.*?^```$", "", TEXTS[page], flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", text)


def anchors(page):
    """Return the anchors that a forge makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", TEXTS[page], flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@of_every_page
def test_links_have_a_text_and_lead_somewhere(page):
    for text, target in links(page):
        assert text, target
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@of_every_page
def test_files_that_a_page_names_exist(page):
    for name in re.findall(r"`((?:docs|tests)/[\w./-]+\.\w+)`", TEXTS[page]):
        assert (CHECKOUT / name).is_file(), name


@of_every_page
def test_studies_that_a_page_names_exist(page):
    for module in re.findall(r"python -m (docs\.studies[\w.]*)", TEXTS[page]):
        path = CHECKOUT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


@of_every_page
def test_tables_that_a_command_makes_have_both_ends(page):
    begun = re.findall(r"^<!-- begin (\w+): .+ -->$", TEXTS[page], flags=re.MULTILINE)
    assert begun == re.findall(r"^<!-- end (\w+) -->$", TEXTS[page], flags=re.MULTILINE)


def test_every_page_is_in_the_navigation():
    toctrees = re.findall(r"```\{toctree\}\n(.*?)```", TEXTS[DOCS / "index.md"], flags=re.DOTALL)
    listed = {line for tree in toctrees for line in tree.splitlines() if line and not line.startswith(":")}
    shown = [*PAGES[1:], *DOCS.glob("notebooks/*.ipynb")]
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in shown} - {"index"}
    assert listed == pages


def test_pictures_are_small_shown_and_drawn_by_a_command():
    pictures = {path.name: path.stat().st_size for path in (DOCS / "pictures").iterdir()}
    assert max(pictures.values()) <= LARGEST_PICTURE
    shown = {Path(target).name for page in PAGES for _, target in links(page) if target.endswith(".png")}
    assert shown == set(pictures)
    drawn = {name for text in TEXTS.values() for name in re.findall(r"python -m docs\.studies\.pictures\s+(\w+)", text)}
    assert {f"{name.replace('_', '-')}.png" for name in drawn} == set(pictures)
