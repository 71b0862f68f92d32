"""Secrets of a backend that seal its quotes, and their identities, by which keys can be exchanged."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from pricing.errors import InvalidTermsError

#: Fewest bytes of a key.
LEAST_BYTES = 16


class Unsealed(Enum):
    """Absence of a key: different from a key that is empty because a variable is not set."""

    UNSEALED = "unsealed"


UNSEALED = Unsealed.UNSEALED


@dataclass(frozen=True, slots=True)
class SealKey:
    """A key, ready to seal.

    Parameters
    ----------
    key_id : str
        Public identity of the key, derived from it; empty if there is no key.
    secret : bytes
        Hash of the key. HMAC fills a short key with zeros, so that two keys would be one; their hashes are distinct.
    raw : bytes
        The key as it is, for quotes of format 1.
    """

    key_id: str
    secret: bytes = field(repr=False)
    raw: bytes = field(repr=False)


def seal_key(key: object) -> SealKey:
    """Prepare a key.

    Raises
    ------
    InvalidTermsError
        If it is not bytes, or too short to be a secret.
    """
    if key is UNSEALED:
        return SealKey("", b"", b"")
    if not isinstance(key, bytes):
        raise InvalidTermsError(f"key must be bytes, got {type(key).__name__} (leave it out to seal without one)")
    if len(key) < LEAST_BYTES:
        raise InvalidTermsError(
            f"key must have at least {LEAST_BYTES} bytes, got {len(key)} (an unset variable? secrets.token_bytes(32) "
            "makes one)"
        )
    secret = hashlib.sha256(key).digest()
    return SealKey(hmac.digest(secret, b"crashcover key id", "sha256").hex()[:16], secret, key)


def seal_keys(keys: bytes | Sequence[bytes] | Unsealed) -> tuple[SealKey, ...]:
    """Prepare one key or several.

    Raises
    ------
    InvalidTermsError
        If there is none, or one is not a key.
    """
    several = keys if isinstance(keys, list | tuple) else (keys,)
    if not several:
        raise InvalidTermsError("key must hold at least one key, got none")
    return tuple(seal_key(key) for key in several)
