"""Reading a page back: its tables, its words, and errors in its HTML."""

from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "input", "hr"}
REFERENCES = {"href", "src", "xlink:href", "srcset", "data", "action", "poster"}


class Page(HTMLParser):
    """A page: tables by class as rows of cells, text outside of pictures and styles, and slips."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.slips, self.ids, self.references, self.tags = [], [], [], set()
        self.tables, self.words = {}, []
        self._open, self._rows = [], None
        self.feed(text)
        self.close()
        if self._open:
            self.slips.append(f"never closed: {self._open}")

    @property
    def text(self):
        return " ".join(" ".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.slips.append(f"attribute twice in {tag}")
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in REFERENCES:
                self.references.append(value)
        if tag == "table":
            self._rows = self.tables.setdefault((dict(attrs).get("class") or "").split(" ")[-1], [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.slips.append(f"closed out of order: {tag} at {self.getpos()}")

    def handle_data(self, data):
        if {"svg", "style", "title"} & set(self._open):
            return
        self.words.append(data)
        if self._rows and {"td", "th"} & set(self._open):
            cell = (self._rows[-1][-1] + " " + data).replace("\N{NO-BREAK SPACE}", " ")
            self._rows[-1][-1] = " ".join(cell.split())
