"""A reader that calculates the formulas of a workbook, as a spreadsheet would."""

import io
import math
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import numpy as np
import openpyxl
from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token
from openpyxl.utils import range_boundaries

CENT = Decimal("0.01")


def in_decimals(number, digits, rounding):
    """Round as spreadsheets do: the number is what its first fifteen digits show."""
    return float(Decimal(f"{number:.15g}").quantize(Decimal(1).scaleb(-digits), rounding=rounding))


FUNCTIONS = {
    "IF": lambda condition, yes, no: yes if condition else no,
    "MAX": lambda *numbers: max(numbers),
    "ROUND": lambda number, digits: in_decimals(number, digits, ROUND_HALF_UP),
    "ROUNDDOWN": lambda number, digits: in_decimals(number, digits, ROUND_DOWN),
    "SUM": lambda cells: float(np.sum(cells)),
    "SUMPRODUCT": lambda *ranges: float(np.sum(np.prod(ranges, axis=0))),
    "EXP": math.exp,
}


class Spreadsheet:
    """A workbook whose cells are calculated when they are asked for; no value that is stored with a formula is used."""

    def __init__(self, content):
        self.book = openpyxl.load_workbook(io.BytesIO(content))
        self.names = {name: next(iter(each.destinations)) for name, each in self.book.defined_names.items()}
        self.known = {}

    def change(self, name, value):
        """Type a number into a named cell."""
        sheet, cell = self.names[name]
        self.book[sheet][cell.replace("$", "")] = value
        self.known = {}

    def named(self, name):
        """Return the value of a named cell."""
        return self.cells(*self.names[name])

    def column(self, sheet, first, column):
        """Return the values of a column by the texts of column A, from the row below a text on."""
        rows = self.book[sheet].iter_rows(min_col=1, max_col=1)
        begun = next(row[0].row for row in rows if row[0].value == first)
        labels = ((row, self.book[sheet].cell(row, 1).value) for row in range(begun + 1, self.book[sheet].max_row + 1))
        return {label: self.cells(sheet, f"{column}{row}") for row, label in labels if label}

    def cells(self, sheet, address):
        """Return the value of a cell, or of a range."""
        left, top, right, bottom = range_boundaries(address.replace("$", ""))
        found = [self._value(sheet, column, row) for row in range(top, bottom + 1) for column in range(left, right + 1)]
        return np.array(found) if ":" in address else found[0]

    def _value(self, sheet, column, row):
        place = sheet, column, row
        if place not in self.known:
            cell = self.book[sheet].cell(row, column)
            self.known[place] = self._calculate(cell.value, sheet) if cell.data_type == "f" else cell.value
        return self.known[place]

    def _calculate(self, formula, sheet):
        translated = "".join(self._translate(token, sheet) for token in Tokenizer(formula).items)
        return eval(translated, {"__builtins__": {}, "at": self.cells, **FUNCTIONS})

    def _translate(self, token, sheet):
        if token.type == Token.OPERAND and token.subtype == Token.RANGE:
            if token.value in self.names:
                return f"at{self.names[token.value]!r}"
            other, _, address = token.value.rpartition("!")
            return f"at({other.strip(chr(39)) or sheet!r}, {address!r})" if not other else f"at({other}, {address!r})"
        if token.type == Token.OP_PRE:
            return "(-1)*"
        return {"=": "==", "^": "**"}.get(token.value, token.value)
