"""Reads the reference tables under ``tests/tables``: published or derived figures, one csv file each."""

import csv
from pathlib import Path

FOLDER = Path(__file__).parent / "tables"


def rows(name):
    """Return the rows of a table as dictionaries; what reads as a number is one, an empty cell is None."""
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return [{column: _value(text) for column, text in row.items()} for row in csv.DictReader(file)]


def _value(text):
    if text == "":
        return None
    try:
        return float(text)
    except ValueError:
        return text
