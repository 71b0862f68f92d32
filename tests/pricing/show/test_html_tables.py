"""Only text goes into a table of HTML, and it comes out as the same text."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from pricing.show.html_tables import Table, write_html

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
HOSTILE = st.sampled_from(["<b>bold</b>", "<script>alert(1)</script>", '"><img src=x>', "a & b", "&lt;", "'--", "=1+1"])
KNOWN = {"div", "style", "p", "table", "caption", "thead", "tbody", "tr", "th", "td"}


class Reader(HTMLParser):
    """Reads the tags of a document and the texts of its cells."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, _attributes):
        self.tags.append(tag)
        self.open.append(tag)
        if tag in ("th", "td", "p", "caption"):
            self.texts.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("th", "td", "p", "caption"):
            self.texts[-1] += data


@given(cells=st.lists(st.tuples(HOSTILE | TEXTS, HOSTILE | TEXTS), min_size=1, max_size=3), title=HOSTILE | TEXTS)
def test_texts_come_out_as_they_went_in_and_open_no_tag(cells, title):
    table = Table(rows=cells, headings=cells[0], caption=title)
    read = Reader(write_html(title, table, notes=[title]))
    assert set(read.tags) <= KNOWN
    assert read.open == []
    assert read.texts == [title, title, *cells[0], *(cell for row in cells for cell in row), title]


def test_a_table_without_rows_is_left_out():
    assert "<table" not in write_html("title", Table(rows=[], caption="nothing"))


def test_sums_and_texts_are_marked_and_numbers_are_not():
    text = Table(rows=[("a", "b", "1"), ("sum", "", "2")], n_texts=2, sums=("sum",)).write()
    assert '<tr class="row"><th scope="row" class="text">a</th><td class="text">b</td><td>1</td></tr>' in text
    assert '<tr class="row sum"><th scope="row" class="text">sum</th>' in text


def test_colours_are_those_of_the_page_around():
    text = write_html("title", Table(rows=[("a", "1")]))
    assert "color: inherit" in text
    assert "#" not in text, "a colour of its own is unreadable on a dark page or on a light one"
