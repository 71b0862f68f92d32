"""Points in time."""

from datetime import UTC, datetime

from pricing.errors import InvalidTermsError
from pricing.tools.units import shown


def to_utc(time: datetime, field: str) -> datetime:
    """Return a time in UTC: in zones with summer time, Python compares and adds times of one zone by their clock time.

    Raises
    ------
    InvalidTermsError
        If it has no offset from UTC, or is out of range in UTC.
    """
    if not isinstance(time, datetime) or time.utcoffset() is None:
        raise InvalidTermsError(
            f"{field} must be a time with an offset from UTC, got {shown(time)} (datetime.now(UTC))"
        )
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise InvalidTermsError(f"{field} must be a time between the years 1 and 9999 in UTC, got {time!r}") from error
