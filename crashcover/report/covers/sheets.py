"""Sheets of a workbook: named inputs, formulas with their values, and how they look on screen and paper.

Texts are always written as texts, so that a name that begins with an equals sign is no formula.
"""

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from crashcover.report.covers.premium_formulas import Input

if TYPE_CHECKING:
    from xlsxwriter import Workbook

#: Formats of numbers; a share may be far below one per cent.
NUMBERS = {"money": "#,##0.00", "share": "0.00##%", "percent": "0.0%", "number": "0.0000", "text": "General"}
_INPUT = {"font_color": "#0000C0", "bg_color": "#FFF8DC", "border": 1, "border_color": "#D8CFA8", "valign": "top"}
_RULE = "#808080"
#: Distance of a text from the number on its left.
_INDENT = {"align": "left", "indent": 1}
#: Height of a line of text in points.
_LINE = 15.0
#: A number and its kind; a formula, its present value and its kind.
Number = tuple[float, str]
Formula = tuple[str, float | str, str]


class Styles:
    """The formats of one workbook."""

    def __init__(self, book: "Workbook") -> None:
        self.title = book.add_format({"bold": True, "font_size": 14})
        heading = {"bold": True, "bottom": 1, "bottom_color": _RULE}
        self.heading = book.add_format({**heading, **_INDENT})
        self.number_heading = book.add_format({**heading, "align": "right"})
        self.note = book.add_format({"italic": True, "font_color": "#505050", "text_wrap": True, "valign": "top"})
        self.name = book.add_format({"font_color": "#505050", "valign": "top", **_INDENT})
        self.text = book.add_format({"text_wrap": True, "valign": "top", **_INDENT})
        self.sum_text = book.add_format({"bold": True, "top": 1, "top_color": _RULE, **_INDENT})
        self.inputs = {kind: book.add_format({**_INPUT, "num_format": form}) for kind, form in NUMBERS.items()}
        self.numbers = {kind: book.add_format({"num_format": form, "valign": "top"}) for kind, form in NUMBERS.items()}
        self.sums = {
            kind: book.add_format({"bold": True, "top": 1, "top_color": _RULE, "num_format": form})
            for kind, form in NUMBERS.items()
        }


class Sheet:
    """One sheet that is written from its top to its end.

    Parameters
    ----------
    book : Workbook
        Workbook of xlsxwriter.
    styles : Styles
        Its formats.
    name : str
        Name of the sheet: letters, digits and blanks.
    widths : sequence of float
        Widths of the columns in characters.
    """

    def __init__(self, book: "Workbook", styles: Styles, name: str, widths: Sequence[float]) -> None:
        self.book, self.styles, self.name = book, styles, name
        self.sheet = book.add_worksheet(name)
        self.widths = tuple(widths)
        self.next_row = 0
        for column, width in enumerate(widths):
            self.sheet.set_column(column, column, width)

    @property
    def reference(self) -> str:
        """The sheet in a formula."""
        return f"'{self.name}'"

    def title(self, text: str) -> None:
        """Write the heading of the sheet."""
        self.sheet.write_string(self.next_row, 0, text, self.styles.title)
        self.next_row += 2

    def note(self, text: str) -> None:
        """Write a sentence over the whole width."""
        row, last = self.next_row, len(self.widths) - 1
        self.sheet.merge_range(row, 0, row, last, "", self.styles.note)
        self.sheet.write_string(row, 0, text, self.styles.note)
        self.sheet.set_row(row, _LINE * math.ceil(len(text) / (0.9 * sum(self.widths))))
        self.next_row += 1

    def headings(self, texts: Sequence[str], numbers: Collection[int] = (1,)) -> None:
        """Write the headings of a table; those of numbers are aligned to the right."""
        for column, text in enumerate(texts):
            style = self.styles.number_heading if column in numbers else self.styles.heading
            self.sheet.write_string(self.next_row, column, text, style)
        self.next_row += 1

    def input(self, name: str, value: Input, *, may_be_negative: bool = False) -> None:
        """Write a cell that may be changed, and name it."""
        row = self.next_row
        self.sheet.write_string(row, 0, value.label, self.styles.text)
        self.sheet.write_number(row, 1, value.value, self.styles.inputs[value.kind])
        self.sheet.write_string(row, 2, value.unit, self.styles.text)
        self.sheet.write_string(row, 3, name, self.styles.name)
        least = {"validate": "decimal", "criteria": ">=", "value": 0, "error_message": "Must not be negative."}
        if not may_be_negative:
            self.sheet.data_validation(row, 1, row, 1, least)
        self._name(name)

    def formula(self, name: str, label: str, formula: str, value: float, kind: str = "share") -> None:
        """Write a named cell that follows from others."""
        row = self.next_row
        self.sheet.write_string(row, 0, label, self.styles.text)
        self.sheet.write_formula(row, 1, formula, self.styles.numbers[kind], value)
        self.sheet.write_string(row, 3, name, self.styles.name)
        self._name(name)

    def row(self, cells: Sequence[str | Number | Formula], *, is_sum: bool = False) -> None:
        """Write a row of texts, numbers, and formulas with their present values."""
        numbers = self.styles.sums if is_sum else self.styles.numbers
        text = self.styles.sum_text if is_sum else self.styles.text
        longest = 0.0
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                self.sheet.write_string(self.next_row, column, cell, text)
                longest = max(longest, len(cell) / self.widths[column])
            elif len(cell) == 2:
                self.sheet.write_number(self.next_row, column, cell[0], numbers[cell[1]])
            else:
                formula, value, kind = cell
                self.sheet.write_formula(self.next_row, column, formula, numbers[kind], value)
        if longest > 1.0:
            self.sheet.set_row(self.next_row, _LINE * math.ceil(1.15 * longest))
        self.next_row += 1

    def blank(self) -> None:
        """Leave a row free."""
        self.next_row += 1

    def finish(self) -> None:
        """Set what is printed: everything, on one page across."""
        self.sheet.print_area(0, 0, self.next_row - 1, len(self.widths) - 1)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.set_footer("&L&A&Rpage &P of &N")
        self.sheet.hide_gridlines(2)

    def _name(self, name: str) -> None:
        self.next_row += 1
        self.book.define_name(name, f"={self.reference}!$B${self.next_row}")
