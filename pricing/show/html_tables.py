"""Tables as HTML for notebooks: only text goes in, and all of it is escaped.

Colours and fonts are those of the page around it, so that a table is readable on light and on dark pages.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_STYLE = """<style>
.crashcover { margin: 0.5em 0; line-height: 1.4; }
.crashcover .title { font-weight: 600; margin: 0 0 0.3em; }
.crashcover .wide { overflow-x: auto; }
.crashcover table { border-collapse: collapse; border: none; margin: 0 0 0.8em; width: auto; display: table;
  font-size: inherit; }
.crashcover caption { caption-side: top; text-align: left; padding: 0 0 0.2em; color: inherit; font-style: italic; }
.crashcover tr.row, .crashcover tr.row:hover { background: none; border: none; }
.crashcover tr.row > * { background: none; border: none; color: inherit; padding: 0.15em 1.5em 0.15em 0;
  font-weight: normal; font-variant-numeric: tabular-nums; text-align: right; vertical-align: top;
  white-space: nowrap; }
.crashcover tr.row > .text { text-align: left; max-width: 48em; white-space: normal; }
.crashcover thead tr.row > * { border-bottom: 1px solid rgba(128, 128, 128, 0.7); font-weight: 600;
  vertical-align: bottom; }
.crashcover tr.sum > * { border-top: 1px solid rgba(128, 128, 128, 0.7); font-weight: 600; }
.crashcover .note { margin: 0.2em 0; max-width: 60em; opacity: 0.8; font-size: 0.92em; }
</style>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of texts.

    Parameters
    ----------
    rows : sequence of sequence of str
        Cells, row by row; the first of each names the row.
    headings : sequence of str, optional
        Headings of the columns.
    caption : str
        Line above the table.
    n_texts : int
        Number of columns that hold text, which come first; the others hold numbers.
    sums : collection of str
        Names of the rows that add up those above.
    """

    rows: Sequence[Sequence[str]]
    headings: Sequence[str] = ()
    caption: str = ""
    n_texts: int = 1
    sums: Collection[str] = ()

    def write(self) -> str:
        """Write the table as HTML."""
        caption = f"<caption>{_escaped(self.caption)}</caption>" if self.caption else ""
        head = f"<thead>{self._row(self.headings, 'col')}</thead>" if self.headings else ""
        body = "".join(self._row(row, "row") for row in self.rows)
        return f'<div class="wide"><table>{caption}{head}<tbody>{body}</tbody></table></div>'

    def _row(self, cells: Sequence[str], scope: str) -> str:
        kind = "row sum" if scope == "row" and cells[0] in self.sums else "row"
        return f'<tr class="{kind}">{"".join(self._cell(cell, at, scope) for at, cell in enumerate(cells))}</tr>'

    def _cell(self, cell: str, at: int, scope: str) -> str:
        kind = ' class="text"' if at < self.n_texts else ""
        if scope == "col" or at == 0:
            return f'<th scope="{scope}"{kind}>{_escaped(cell)}</th>'
        return f"<td{kind}>{_escaped(cell)}</td>"


def write_html(title: str, *tables: Table, notes: Sequence[str] = ()) -> str:
    """Write what a notebook shows of a result.

    Parameters
    ----------
    title : str
        Line above everything.
    *tables : Table
        Tables; one without rows is left out.
    notes : sequence of str
        Sentences below the tables.

    Examples
    --------
    >>> "<b>" in write_html("<b>", Table(rows=[["<b>", "1"]]))
    False
    """
    parts = [f'<p class="title">{_escaped(title)}</p>', *(table.write() for table in tables if table.rows)]
    parts += [f'<p class="note">{_escaped(note)}</p>' for note in notes]
    return f'<div class="crashcover">{_STYLE}{"".join(parts)}</div>'


def _escaped(text: str) -> str:
    from html import escape  # holds every entity of HTML, which only a notebook waits for

    return escape(text)
