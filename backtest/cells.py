"""The events that are quoted: a drop within a window, some time during a term."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

from pricing.tools.units import Duration, format_duration, parse_duration, require_fraction


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A window and a term over which a worst drop is measured.

    Parameters
    ----------
    window, term : timedelta
        Time over which the reference price looks back, and length of the cover.
    """

    window: timedelta
    term: timedelta

    @property
    def name(self) -> str:
        """Name of the column that holds its worst drops, such as ``"24h in 30d"``."""
        return f"{format_duration(self.window)} in {format_duration(self.term)}"


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """An event: the worst drop over a span is `drop` or more.

    Parameters
    ----------
    span : Span
        Window and term.
    drop : float
        Fraction of the reference price.
    """

    span: Span
    drop: float

    @property
    def name(self) -> str:
        """Name of the column that holds its probabilities, such as ``"30% in 24h in 30d"``."""
        return f"{100 * self.drop:g}% in {self.span.name}"


def make_cells(
    *, windows: Sequence[Duration] = ("24h",), terms: Sequence[Duration] = ("30d",), drops: Sequence[float]
) -> tuple[Cell, ...]:
    """Combine windows, terms and drops.

    Raises
    ------
    InvalidTermsError
        If a duration or a drop is out of range.

    Examples
    --------
    >>> [cell.name for cell in make_cells(windows=["1h", "24h"], drops=[0.2])]
    ['20% in 1h in 30d', '20% in 24h in 30d']
    """
    for drop in drops:
        require_fraction(drop, "drop")
    spans = {
        Span(parse_duration(window, "window"), parse_duration(term, "term")) for window, term in product(windows, terms)
    }
    return tuple(Cell(span, drop) for span, drop in product(sorted(spans), sorted(set(drops))))


def spans_of(cells: Sequence[Cell]) -> tuple[Span, ...]:
    """Return the spans of cells, each once."""
    return tuple(sorted({cell.span for cell in cells}))
