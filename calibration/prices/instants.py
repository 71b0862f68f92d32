"""Times that users state."""

import re
import warnings
from datetime import date, datetime

import pandas as pd

from pricing.errors import DataError, DataWarning

_DATE = re.compile(r"\s*\d{4}-?\d\d-?\d\d\s*")


def read_instant(time: datetime | date | str, name: str = "as_of") -> pd.Timestamp:
    """Parse a time with a zone, or a date, which means midnight UTC at its beginning, and return it in UTC.

    Parameters
    ----------
    time : datetime, date or str
        The time.
    name : str
        Name of the field, for messages.

    Raises
    ------
    DataError
        If it is not a time, or one without a time zone.
    """
    try:
        instant = pd.Timestamp(time)
    except (ValueError, TypeError) as error:
        raise DataError(f"{name} must be a time such as '2024-01-31T00:00Z', got {time!r}") from error
    if is_date(time) and not pd.isna(instant):
        instant = instant.tz_localize("UTC")
        warnings.warn(f"{name} {time} means {instant:%Y-%m-%dT%H:%MZ}: the beginning of the day", DataWarning, 2)
    if pd.isna(instant) or instant.tz is None:
        raise DataError(f"{name} must have a time zone, got {time!r} (in UTC: '2024-01-31T00:00Z')")
    return instant.tz_convert("UTC")


def is_date(time: object) -> bool:
    """Return whether a value is a date without a time of day."""
    if isinstance(time, str):
        return _DATE.fullmatch(time) is not None
    return isinstance(time, date) and not isinstance(time, datetime)
