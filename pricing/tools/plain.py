"""Contracts, models, settings and results as plain JSON values, and back bit for bit."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import Field, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum, Flag
from pathlib import Path
from typing import Any

import numpy as np

from pricing.errors import PricingError
from pricing.tools.units import format_duration


class Form(Enum):
    """Level of detail of a plain form."""

    EXACT = "exact"
    """Complete: ``from_plain`` rebuilds the value. Dataclasses and members of enumerations name their type."""
    NAMED = "named"
    """A readable result: dataclasses name their type, members of enumerations are their names, and numbers that JSON
    cannot hold are ``"inf"``, ``"-inf"`` and ``"nan"``."""
    BARE = "bare"
    """A table of figures: dataclasses do not name their type, and numbers that JSON cannot hold are None."""


def to_plain(value: Any, form: Form = Form.EXACT) -> Any:
    """Turn nested dataclasses into mappings, lists, strings and numbers.

    A field with the metadata ``plain=False`` is left out: it is a working array from which other fields were computed.

    Raises
    ------
    PricingError
        If a part has no plain form.

    Examples
    --------
    >>> to_plain((timedelta(hours=24), math.inf), Form.NAMED)
    ['24h', 'inf']
    """
    if is_dataclass(value) and not isinstance(value, type):
        shown = [field.name for field in fields(value) if _is_shown(field, value)]
        parts = {name: to_plain(getattr(value, name), form) for name in shown}
        return parts if form is Form.BARE else {"type": type(value).__name__, **parts}
    if isinstance(value, Enum):
        return _member(value, form)
    if isinstance(value, float):
        return _number(float(value), form)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, np.generic):
        return to_plain(value.item(), form)
    if isinstance(value, tuple | list):
        return [to_plain(item, form) for item in value]
    return _unreturnable(value, form)


def _member(value: Enum, form: Form) -> Any:
    if form is Form.EXACT:
        return {"type": type(value).__name__, "name": value.name}
    return [flag.name for flag in value] if isinstance(value, Flag) else value.name


def _number(value: float, form: Form) -> float | str | None:
    if form is Form.EXACT or math.isfinite(value):
        return value
    return str(value) if form is Form.NAMED else None


def _unreturnable(value: Any, form: Form) -> Any:
    """Convert a value that cannot be rebuilt into a readable form."""
    if form is not Form.EXACT:
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, np.ndarray):
            return to_plain(value.tolist(), form)
        if isinstance(value, Mapping):
            return {str(key): to_plain(item, form) for key, item in value.items()}
    raise PricingError(f"{type(value).__name__} has no plain form: make it a dataclass to store it, got {value!r}")


def _is_shown(field: Field[Any], value: Any) -> bool:
    """Tell whether a field is shown, which ``"plain"`` in its metadata may deny, or limit to values "if set"."""
    plain = field.metadata.get("plain", True)
    return bool(getattr(value, field.name)) if plain == "if set" else bool(plain)


def from_plain(value: Any, types: Iterable[type]) -> Any:
    """Rebuild a value from its exact plain form.

    Parameters
    ----------
    value : plain value
        Output of ``to_plain``.
    types : iterable of type
        Classes that may be rebuilt; no others are.

    Raises
    ------
    PricingError
        If a class is not among `types`, or its fields do not fit.
    """
    try:
        return _rebuild(value, {cls.__name__: cls for cls in types})
    except RecursionError as error:
        raise PricingError(f"parts are nested too deeply: {error}") from error


def _rebuild(value: Any, types: Mapping[str, type]) -> Any:
    if isinstance(value, list):
        return tuple(_rebuild(item, types) for item in value)
    if not isinstance(value, dict):
        return value
    parts = {name: _rebuild(item, types) for name, item in value.items() if name != "type"}
    kind = value.get("type")
    cls = types.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise PricingError(f"type must be one of {', '.join(sorted(types))}, got {kind!r}")
    if issubclass(cls, Enum) and parts.keys() != {"name"}:
        raise PricingError(f"{cls.__name__} cannot be rebuilt from the fields {sorted(parts)}: it has a name alone")
    try:
        return cls[parts["name"]] if issubclass(cls, Enum) else cls(**parts)
    except PricingError:
        raise
    except (TypeError, LookupError, ValueError, AttributeError, ArithmeticError) as error:
        raise PricingError(f"{cls.__name__} cannot be rebuilt from the fields {sorted(parts)}: {error}") from error


def read_json(path: Path, types: Iterable[type]) -> Any:
    """Rebuild a value from a file that ``to_json`` wrote."""
    return from_plain(json.loads(path.read_text(encoding="utf-8")), types)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Write a value as JSON with sorted keys, so that equal values are equal texts."""
    separators = (",", ":") if indent is None else None
    return json.dumps(to_plain(value), sort_keys=True, allow_nan=False, indent=indent, separators=separators)
