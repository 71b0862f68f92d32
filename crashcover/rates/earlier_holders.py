"""Holders some days before, as the store remembers them: a deposit to an exchange must not look like dispersion."""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from calibration.holders.control import Control
from crashcover.rates.documents import read_control
from pricing.errors import DataError, NewerFormatError
from pricing.rates.store import whole_versions

_LOOK_BACK = timedelta(days=7)


def control_before(store: Path, assets: Collection[str], as_of: datetime) -> dict[str, Control]:
    """Read who controlled tokens at the earliest known night of the week before a time.

    Parameters
    ----------
    store : Path
        The rate store.
    assets : collection of str
        Tokens.
    as_of : datetime
        Time of tonight's calibrations.
    """
    found: dict[str, Control] = {}
    if not assets:
        return found
    for night in sorted(whole_versions(store), key=lambda each: (each.night, each.number)):
        for asset in assets:
            entry = night.entries.get(asset)
            if asset not in found and entry and timedelta(0) < as_of - entry.as_of_time <= _LOOK_BACK:
                control = _control(store, entry.calibration_id)
                if control:
                    found[asset] = control
    return found


def _control(store: Path, calibration_id: str) -> Control | None:
    try:
        return read_control(store, calibration_id)
    except (DataError, NewerFormatError):  # an earlier night must not end this one
        return None
