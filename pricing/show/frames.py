"""Tables as data frames; pandas is imported when the first one is made."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pricing.errors import InvalidTermsError
from pricing.tools.libraries import load_library
from pricing.tools.units import format_duration

if TYPE_CHECKING:
    import pandas as pd


def make_frame(columns: Mapping[str, Any], *, index: str | None = None) -> "pd.DataFrame":
    """Make a data frame.

    Parameters
    ----------
    columns : mapping of str to sequence
        Columns by name, all of one length.
    index : str, optional
        Column that becomes the index.

    Raises
    ------
    MissingLibraryError
        If pandas is not installed.
    """
    pandas = load_library("pandas", extra="calibration")
    frame: pd.DataFrame = pandas.DataFrame(dict(columns))
    return frame if index is None else frame.set_index(index)


def frame_of(kind: type, objects: Iterable[Any], *, index: str | None = None) -> "pd.DataFrame":
    """Make a data frame with a row per object and a column per field.

    Durations are texts such as 24h. A field that has fields itself is several columns: an estimate ``mean`` is ``mean``
    and ``mean_standard_error``.

    Parameters
    ----------
    kind : type
        Class of the objects, whose fields are the columns if there is no object.
    objects : iterable
        Objects of this dataclass.
    index : str, optional
        Field that becomes the index.

    Raises
    ------
    MissingLibraryError
        If pandas is not installed.
    """
    rows = [dict(_cells(each)) for each in objects]
    names = rows[0] if rows else [each.name for each in fields(kind)]
    return make_frame({name: [row[name] for row in rows] for name in names}, index=index)


def _cells(value: Any) -> Iterator[tuple[str, Any]]:
    for each in fields(value):
        cell = getattr(value, each.name)
        if is_dataclass(cell):
            for name, part in _cells(cell):
                yield each.name if name == "value" else f"{each.name}_{name}", part
        else:
            yield each.name, format_duration(cell) if isinstance(cell, timedelta) else cell


def require_table(table: str, known: tuple[str, ...]) -> None:
    """Check the name of a table of a result that has several.

    Raises
    ------
    InvalidTermsError
        If there is no such table.
    """
    if table not in known:
        raise InvalidTermsError(f"table must be {', '.join(known[:-1])} or {known[-1]}, got {table!r}")
