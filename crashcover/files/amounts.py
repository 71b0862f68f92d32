"""Amounts as people write them: the decimal sign and the sign between thousands follow from the whole column."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from crashcover.files.tables import first_row, row_error

#: Signs between thousands that are never decimal signs, between two digits.
_NEUTRAL = re.compile(r"(?<=\d)[ '’_\u00a0\u2009\u202f](?=\d{3}(?!\d))")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A way to read amounts: its decimal sign, and its sign between thousands."""

    point: str
    group: str

    def pattern(self, whole: str) -> str:
        return rf"[+-]?(?:{whole})(?:{re.escape(self.point)}\d*)?(?:[eE][+-]?\d+)?"

    def fits(self, texts: pd.Series) -> pd.Series:
        """Return whether each text is an amount."""
        grouped = rf"\d{{1,3}}(?:{re.escape(self.group)}\d{{3}})+"
        return texts.str.fullmatch(self.pattern(rf"\d+|{grouped}|(?={re.escape(self.point)}\d)"))

    def values(self, texts: pd.Series) -> pd.Series:
        """Return the amounts of texts that fit."""
        plain = texts.str.replace(self.group, "", regex=False).str.replace(self.point, ".", regex=False)
        return plain.astype(np.float64)

    def doubtful(self, texts: pd.Series) -> pd.Series:
        """Return the amounts whose sign between thousands may be a decimal sign, as far as the column tells.

        A single sign before three digits is one between thousands if another row proves it (two such signs, or one and
        a decimal sign), and if no row leaves it out.
        """
        group, point = re.escape(self.group), re.escape(self.point)
        single = texts.str.fullmatch(rf"[+-]?\d{{1,3}}{group}\d{{3}}")
        proven = texts.str.contains(rf"\d{group}\d{{3}}(?:{group}|{point})").any()
        left_out = texts.str.match(r"[+-]?\d{4,}(?!\d*[eE])").any()
        return single & bool(left_out or not proven)


_POINT, _COMMA = _Reading(point=".", group=","), _Reading(point=",", group=".")


def read_amounts(table: pd.DataFrame, column: str, path: Path, name: str) -> pd.Series:
    """Read a column of amounts, which may have signs between thousands and a decimal comma.

    Parameters
    ----------
    table : DataFrame
        Table, labelled by the row of the file.
    column : str
        Its column of amounts.
    path : Path
        File, for the error message.
    name : str
        Name of the amounts in the error message.

    Raises
    ------
    DataError
        If an amount is empty, infinite or no number, or the column leaves open what a sign means; the first
        such row is named.
    """
    cells = table[column]
    texts = cells.map(_text).str.strip().str.replace(_NEUTRAL, "", regex=True)
    _refuse(texts == "", texts, path, f"{name} must not be empty")
    reading = max((_POINT, _COMMA), key=lambda each: int(each.fits(texts).sum()))  # in a tie: the point
    _refuse(~reading.fits(texts), texts, path, f"{name} must be a number, got {{!r}}")
    if texts.str.contains(reading.group, regex=False).any() or reading is _COMMA:
        doubt = f"{name} {{!r}} may be thousands or decimals (write digits and a decimal point)"
        _refuse(reading.doubtful(texts), texts, path, doubt)
    values = reading.values(texts)
    _refuse(~np.isfinite(values), texts, path, f"{name} must be finite, got {{!r}}")
    return values


def _text(cell: object) -> str:
    """Write a cell as in a text file; a missing one is empty."""
    if cell is None or cell is pd.NA or cell != cell:
        return ""
    return str(cell)


def _refuse(wrong: pd.Series, texts: pd.Series, path: Path, slip: str) -> None:
    if wrong.any():
        row = first_row(wrong)
        raise row_error(path, row, slip.format(texts.loc[row]))
