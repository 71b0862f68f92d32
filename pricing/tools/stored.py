"""Stored texts: JSON within limits, and the version of its format, each read by its own reader.

Whatever is read may come from anybody, so a text is measured before it is parsed, and nothing in it is ambiguous: no
name occurs twice, every number is finite, and every text can be encoded.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from pricing.errors import NewerFormatError, PricingError
from pricing.tools.units import is_unicode

Result = TypeVar("Result")

_MOST_DIGITS = 40


def parse_json(text: str, name: str, *, most: int) -> Any:
    """Parse JSON from a source that is not trusted.

    Parameters
    ----------
    text : str
        The JSON.
    name : str
        Name of the value with its article, such as ``"a quote"``, for messages.
    most : int
        Largest length in characters.

    Raises
    ------
    PricingError
        If the text is longer, is not JSON, or is ambiguous.
    """
    if not isinstance(text, str):
        raise PricingError(f"not {name}: it must be a str, got {type(text).__name__}")
    if len(text) > most:
        raise PricingError(f"not {name}: it must have at most {most:,} characters, got {len(text):,}")
    try:
        value = json.loads(
            text, parse_int=_integer, parse_float=_finite, parse_constant=_finite, object_pairs_hook=_without_repetition
        )
        is_whole = is_unicode(text if "\\u" not in text else json.dumps(value, ensure_ascii=False))
    except (ValueError, RecursionError) as error:
        raise PricingError(f"not {name}: {error}") from error
    if not is_whole:
        raise PricingError(f"not {name}: a text in it cannot be encoded (half a character)")
    return value


def _integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > _MOST_DIGITS:
        raise ValueError(f"a whole number must have at most {_MOST_DIGITS} digits, got {len(digits)}")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if number - number != 0.0:
        raise ValueError(f"a number must be finite, got {digits[:_MOST_DIGITS]}")
    return number


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError(f"each name must occur once in an object, got {[name for name, _ in pairs]}"[:200])
    return value


def seal_text(kind: str, version: int, value: Any) -> str:
    """Write plain values as JSON with the name of their format and a sum over them, which ``read_sealed`` verifies."""
    sealed = {"format": format_name(kind, version), kind: value, "sha256": sum_of(value)}
    return json.dumps(sealed, sort_keys=True, allow_nan=False)


def read_sealed(text: str, kind: str, readers: Mapping[int, Callable[[Any], Result]], *, most: int) -> Result:
    """Read what ``seal_text`` wrote.

    Parameters
    ----------
    text : str
        The JSON.
    kind : str
        Kind of the stored thing, such as ``"market"``.
    readers : mapping of int to callable
        Reader of the plain values of each version.
    most : int
        Largest length in characters.

    Raises
    ------
    NewerFormatError
        If a newer release wrote it.
    PricingError
        If it is something else, or was changed.
    """
    sealed = parse_json(text, f"a {kind}", most=most)
    if not isinstance(sealed, dict):
        raise PricingError(f"it must be an object, got {type(sealed).__name__}")
    unsealed = {version: partial(_unseal, sealed, kind, read) for version, read in readers.items()}
    return read_format(sealed.get("format"), kind, unsealed)


def _unseal(sealed: dict[str, Any], kind: str, read: Callable[[Any], Result]) -> Result:
    if sealed.keys() != {"format", kind, "sha256"}:
        raise PricingError(f"its fields must be format, {kind} and sha256, got {', '.join(sealed)}"[:200])
    if sealed["sha256"] != sum_of(sealed[kind]):
        raise PricingError("its checksum does not match: a figure was changed, or the file is damaged")
    return read(sealed[kind])


def sum_of(value: Any) -> str:
    """Return the SHA-256 of plain values, written as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def read_format(found: object, kind: str, readers: Mapping[int, Callable[[], Result]]) -> Result:
    """Call the reader of the version in which something was stored.

    Parameters
    ----------
    found : object
        Stored name of the format, such as ``"crashcover rates 2"``.
    kind : str
        Kind of the stored thing, such as ``"rates"``.
    readers : mapping of int to callable
        Reader of each version.

    Raises
    ------
    NewerFormatError
        If a newer release stored it.
    PricingError
        If it is something else.
    """
    named = re.fullmatch(rf"crashcover {kind} ([1-9]\d{{0,3}})", found) if isinstance(found, str) else None
    if named is None:
        raise PricingError(f"format must be {format_name(kind, max(readers))!r}, got {found!r:.80}")
    version = int(named[1])
    if version > max(readers):
        raise NewerFormatError(
            f"format is {found!r}, this release reads {kind} up to {max(readers)} (use the release that wrote it)"
        )
    if version not in readers:
        raise PricingError(f"format is {found!r}, this release reads {kind} from {min(readers)} on")
    return readers[version]()


def format_name(kind: str, version: int) -> str:
    """Return the name under which a version of a format is stored."""
    return f"crashcover {kind} {version}"
