"""Points in time."""

from datetime import UTC, datetime

from pricing.errors import InvalidTermsError


def to_utc(time: datetime, field: str) -> datetime:
    """Return a time in UTC: in zones with summer time, Python compares and adds times of one zone by their clock time.

    Raises
    ------
    InvalidTermsError
        If it has no offset from UTC.
    """
    if not isinstance(time, datetime) or time.utcoffset() is None:
        raise InvalidTermsError(f"{field} must be a time with an offset from UTC, got {time!r} (datetime.now(UTC))")
    return time.astimezone(UTC)
