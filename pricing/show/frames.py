"""Tables as data frames; pandas is imported when the first one is made."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pricing.errors import InvalidTermsError
from pricing.tools.libraries import load_library

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


def require_table(table: str, known: tuple[str, ...]) -> None:
    """Check the name of a table of a result that has several.

    Raises
    ------
    InvalidTermsError
        If there is no such table.
    """
    if table not in known:
        raise InvalidTermsError(f"table must be {', '.join(known[:-1])} or {known[-1]}, got {table!r}")
