"""Merkle hashing of RFC 6962 and the verification of its proofs.

Source: RFC 6962 section 2.1 (hashes, proofs) and RFC 9162 sections 2.1.3.2 and 2.1.4.2 (verification).
"""

import hashlib
from collections.abc import Sequence

from pricing.errors import ProofError

HASH_BYTES = hashlib.sha256().digest_size
#: Root of a tree without entries.
EMPTY_ROOT = hashlib.sha256().digest()


def hash_leaf(entry: bytes) -> bytes:
    """Return the hash of an entry; its prefix differs from that of a node, so that neither passes for the other.

    Examples
    --------
    >>> hash_leaf(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node from those of its children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def verify_inclusion(*, leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Verify that an entry is in a log.

    Parameters
    ----------
    leaf_hash : bytes
        Hash of the entry, from ``hash_leaf``; 32 bytes.
    index : int
        Place of the entry, from 0.
    size : int
        Number of entries of the log.
    proof : list of bytes
        Hashes of the subtrees beside the entry, lowest first; 32 bytes each.
    root : bytes
        Root of the log at this size; 32 bytes.

    Raises
    ------
    ProofError
        If the proof is malformed, or leads to another root.
    """
    _require_sizes(index, size, names=("index", "size"))
    if index >= size:
        raise ProofError(f"index must be below size, got index {index} and size {size} (places start at 0)")
    hashes = _require_hashes(proof, leaf_hash=leaf_hash, root=root)
    found, place, last = leaf_hash, index, size - 1
    for beside in hashes:
        if last == 0:
            raise ProofError(f"proof has too many hashes for index {index} and size {size}: {len(hashes)}")
        if place & 1 or place == last:
            found = hash_node(beside, found)
            place, last = _skip_right_edge(place, last)
        else:
            found = hash_node(found, beside)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError(f"proof has too few hashes for index {index} and size {size}: {len(hashes)}")
    _require_root(found, root, "root")


def verify_consistency(
    *, old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Verify that a log only grew: that its first entries are those of an earlier size.

    Parameters
    ----------
    old_size, new_size : int
        Numbers of entries; `old_size` is at least 1, because an empty log says nothing about what follows.
    proof : list of bytes
        Hashes of subtrees, lowest first; 32 bytes each. Empty if the sizes are equal.
    old_root, new_root : bytes
        Roots at both sizes; 32 bytes each.

    Raises
    ------
    ProofError
        If the proof is malformed, or leads to other roots.
    """
    _require_sizes(old_size, new_size, names=("old_size", "new_size"))
    if not 1 <= old_size <= new_size:
        raise ProofError(f"old_size must be from 1 to new_size, got {old_size} and {new_size} (sizes exchanged?)")
    hashes = _require_hashes(proof, old_root=old_root, new_root=new_root)
    if old_size == new_size:
        if hashes:
            raise ProofError(f"proof must be empty if both sizes are {old_size}, got {len(hashes)} hashes")
        return _require_root(old_root, new_root, "new_root")
    place, last = _skip_right_edge(old_size - 1, new_size - 1, odd=True)
    if not hashes:
        raise ProofError(f"proof must not be empty for sizes {old_size} and {new_size}")
    first, *rest = hashes if place else [old_root, *hashes]
    old_found = new_found = first
    for beside in rest:
        if last == 0:
            raise ProofError(f"proof has too many hashes for sizes {old_size} and {new_size}: {len(hashes)}")
        if place & 1 or place == last:
            old_found, new_found = hash_node(beside, old_found), hash_node(beside, new_found)
            place, last = _skip_right_edge(place, last)
        else:
            new_found = hash_node(new_found, beside)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError(f"proof has too few hashes for sizes {old_size} and {new_size}: {len(hashes)}")
    _require_root(old_found, old_root, "old_root")
    return _require_root(new_found, new_root, "new_root")


def _skip_right_edge(place: int, last: int, *, odd: bool = False) -> tuple[int, int]:
    """Rise while a node has no sibling on its right: to the next odd place, or while `odd` from odd places."""
    while (place & 1) if odd else (place and not place & 1):
        place, last = place >> 1, last >> 1
    return place, last


def _require_sizes(*sizes: object, names: tuple[str, ...]) -> None:
    for name, size in zip(names, sizes, strict=True):
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise ProofError(f"{name} must be an int of at least 0, got {size!r}")


def _require_hashes(proof: Sequence[bytes], **others: bytes) -> list[bytes]:
    """Return the hashes of a proof as a list, after a check of their types and lengths."""
    if not isinstance(proof, (list, tuple)):
        raise ProofError(f"proof must be a list of hashes, got {type(proof).__name__}")
    named = {**{f"proof[{at}]": value for at, value in enumerate(proof)}, **others}
    for name, value in named.items():
        if not isinstance(value, bytes) or len(value) != HASH_BYTES:
            length = f"{len(value)} bytes" if isinstance(value, bytes) else type(value).__name__
            raise ProofError(f"{name} must have {HASH_BYTES} bytes, got {length} (raw bytes, not hex or base64)")
    return list(proof)


def _require_root(found: bytes, root: bytes, name: str) -> None:
    if found != root:
        raise ProofError(
            f"the proof leads to {found.hex()}, but {name} is {root.hex()}: entries differ or were changed"
        )
