"""Location of the files of the project."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
