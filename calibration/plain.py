"""Results as plain data, so that they can be stored, compared and read without this project."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum, Flag

from calibration.holders.bounded import Bounded
from pricing.tools.units import format_duration

#: What JSON can hold.
Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


def to_plain(value: object) -> Plain:
    """Turn a result into nested dictionaries, lists, numbers and texts.

    Dataclasses become dictionaries that name their ``type``, so that each choice of law stays visible. Finite floats
    stay floats; infinite ones and NaN, which JSON does not know, become ``"inf"``, ``"-inf"`` and ``"nan"``. A field
    with the metadata ``plain=False`` is left out: it is a working array from which other fields were computed.

    Raises
    ------
    TypeError
        If the value has no plain form.

    Examples
    --------
    >>> to_plain((timedelta(hours=24), math.inf))
    ['24h', 'inf']
    """
    if isinstance(value, Flag):
        return [str(flag.name) for flag in value]
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Bounded):
        return {"type": "Bounded", "lower": to_plain(value.lower), "upper": to_plain(value.upper)}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return _nested(value)


def _nested(value: object) -> Plain:
    if is_dataclass(value):
        shown = [field.name for field in fields(value) if field.metadata.get("plain", True)]
        return {"type": type(value).__name__} | {name: to_plain(getattr(value, name)) for name in shown}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    raise TypeError(f"value must have a plain form, got {type(value).__name__}")
