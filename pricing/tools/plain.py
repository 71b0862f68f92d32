"""Contracts, models and settings as plain JSON values and back, exact to the last bit.

Every dataclass becomes a mapping with its class name under ``"type"``; floats keep their shortest exact form.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from pricing.errors import PricingError
from pricing.tools.units import format_duration


def to_plain(value: Any) -> Any:
    """Turn nested dataclasses into mappings, lists, texts and numbers.

    Raises
    ------
    PricingError
        If a part has no plain form.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, Enum):
        return {"type": type(value).__name__, "name": value.name}
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise PricingError(f"{type(value).__name__} has no plain form: make it a dataclass to store it, got {value!r}")


def from_plain(value: Any, types: Iterable[type]) -> Any:
    """Rebuild what ``to_plain`` wrote.

    Parameters
    ----------
    value : plain value
        What ``to_plain`` returned.
    types : iterable of type
        Classes that may be rebuilt; no other is.

    Raises
    ------
    PricingError
        If a class is not among `types`, or its fields do not fit.
    """
    return _rebuild(value, {cls.__name__: cls for cls in types})


def _rebuild(value: Any, types: Mapping[str, type]) -> Any:
    if isinstance(value, list):
        return tuple(_rebuild(item, types) for item in value)
    if not isinstance(value, dict):
        return value
    fields = {name: _rebuild(item, types) for name, item in value.items() if name != "type"}
    kind = value.get("type")
    cls = types.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise PricingError(f"type must be one of {', '.join(sorted(types))}, got {kind!r}")
    try:
        return cls[fields["name"]] if issubclass(cls, Enum) else cls(**fields)
    except (TypeError, KeyError) as error:
        raise PricingError(f"{cls.__name__} cannot be rebuilt from the fields {sorted(fields)}: {error}") from error


def read_json(path: Path, types: Iterable[type]) -> Any:
    """Rebuild from a file what ``to_json`` wrote."""
    return from_plain(json.loads(path.read_text(encoding="utf-8")), types)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Write a value as JSON with sorted keys, so that equal values are equal texts."""
    separators = (",", ":") if indent is None else None
    return json.dumps(to_plain(value), sort_keys=True, allow_nan=False, indent=indent, separators=separators)
