"""Windows that a law covers."""

from collections.abc import Iterable
from datetime import timedelta

from pricing.errors import InvalidTermsError
from pricing.tools.units import Duration, format_duration, parse_duration

_SHORTEST = timedelta(hours=1)


def require_law(windows: Iterable[Duration | None]) -> None:
    """Check that no window is shorter than those of the laws.

    The few files of minutes on record are of storms, so they say how much deeper falls look if they are watched more
    often, and not how often a token falls within a quarter of an hour.

    Parameters
    ----------
    windows : iterable of timedelta, str or None
        Windows of triggers; None for those without one.

    Raises
    ------
    InvalidTermsError
        If one is shorter than an hour.
    """
    for window in windows:
        length = _SHORTEST if window is None else parse_duration(window, "window")
        if length < _SHORTEST:
            raise InvalidTermsError(
                f"window must be at least 1h, got {format_duration(length)}: no record says how often tokens fall "
                "within a shorter time (a cover with a window of 1h pays whenever this one does)"
            )
