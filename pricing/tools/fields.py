"""Fields of frozen dataclasses, converted and checked at the border: whatever is given, an error names the field."""

from collections.abc import Iterable, Mapping, Set
from types import NoneType, UnionType
from typing import Any

from pricing.errors import PricingError
from pricing.tools.units import as_number, shown


def set_numbers(owner: object, *names: str, error: type[PricingError]) -> None:
    """Convert fields to floats; see ``as_number``."""
    for name in names:
        object.__setattr__(owner, name, as_number(getattr(owner, name), name, error))


def set_series(owner: object, *names: str, error: type[PricingError]) -> None:
    """Convert fields to tuples of floats."""
    for name in names:
        values = _items(getattr(owner, name), f"{name} must be a sequence of numbers", error)
        object.__setattr__(owner, name, tuple(as_number(value, name, error) for value in values))


def set_members(owner: object, name: str, kind: type, *, error: type[PricingError]) -> None:
    """Convert a field to a tuple of objects of a class."""
    wanted = f"{name} must be a sequence of {kind.__name__} objects"
    members = _items(getattr(owner, name), wanted, error)
    for member in members:
        if not isinstance(member, kind):
            raise error(f"{wanted}, got {shown(member)} among them")
    object.__setattr__(owner, name, members)


def require_flag(value: object, name: str, error: type[PricingError]) -> None:
    """Check that a field is True or False: ``"false"``, as files and variables write it, would count as true."""
    if not isinstance(value, bool):
        raise error(f"{name} must be True or False, got {shown(value)}")


def require_kind(value: object, name: str, kind: type | UnionType, error: type[PricingError]) -> None:
    """Check that a field is an object of a class, or of one of several."""
    if not isinstance(value, kind):
        kinds = kind.__args__ if isinstance(kind, UnionType) else (kind,)
        wanted = " or ".join("None" if each is NoneType else each.__name__ for each in kinds)
        raise error(f"{name} must be a {wanted}, got {shown(value)}")


def require_text(value: object, name: str, error: type[PricingError]) -> None:
    """Check that a field is a text that is not empty."""
    if not (isinstance(value, str) and value.strip()):
        raise error(f"{name} must be a text that is not empty, got {shown(value)}")


def _items(values: Any, wanted: str, error: type[PricingError]) -> tuple[Any, ...]:
    # Mappings and sets are iterable, but what would be taken from them is not what was meant.
    if isinstance(values, str | bytes | Mapping | Set) or not isinstance(values, Iterable):
        raise error(f"{wanted}, got {shown(values)}")
    try:
        return tuple(values)
    except TypeError as cause:  # an array without a dimension, or a class
        raise error(f"{wanted}, got {shown(values)}") from cause
