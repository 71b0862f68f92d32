"""Merkle tree that grows, and the proofs that it can give."""

from itertools import count

from pricing.errors import ProofError
from settlement.log.proofs import EMPTY_ROOT, hash_node


class MerkleTree:
    """Hashes of all complete subtrees: an entry costs two hashes on average, a root or a proof a few look-ups."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = [[]]

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, leaf_hash: bytes) -> None:
        """Add the hash of an entry."""
        found = leaf_hash
        for level in count():
            if level == len(self._levels):
                self._levels.append([])
            hashes = self._levels[level]
            hashes.append(found)
            if len(hashes) % 2:
                return
            found = hash_node(hashes[-2], hashes[-1])

    def leaf_hash(self, index: int) -> bytes:
        """Return the hash of an entry."""
        return self._levels[0][index]

    def root(self, size: int) -> bytes:
        """Return the root over the first entries.

        Raises
        ------
        ProofError
            If there are fewer entries.
        """
        self._require(size, len(self), "size")
        return self._hash(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Return the hashes beside an entry, lowest first.

        Raises
        ------
        ProofError
            If there is no such entry or size.
        """
        self._require(size, len(self), "size")
        self._require(index, size - 1, "index")
        hashes, begin, end = [], 0, size
        while end - begin > 1:
            middle = begin + _split(end - begin)
            if index < middle:
                hashes.append(self._hash(middle, end))
                end = middle
            else:
                hashes.append(self._hash(begin, middle))
                begin = middle
        return hashes[::-1]

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the hashes from which both roots follow, lowest first.

        Raises
        ------
        ProofError
            If there is no such size, or `old` is 0 or above `new`.
        """
        self._require(new, len(self), "new")
        self._require(old, new, "old", least=1)
        hashes, begin, end = [], 0, new
        while old != end:
            middle = begin + _split(end - begin)
            if old <= middle:
                hashes.append(self._hash(middle, end))
                end = middle
            else:
                hashes.append(self._hash(begin, middle))
                begin = middle
        if begin:
            hashes.append(self._hash(begin, end))
        return hashes[::-1]

    def _hash(self, begin: int, end: int) -> bytes:
        """Return the hash over a range that is a subtree of the tree of some size."""
        length = end - begin
        level = length.bit_length() - 1
        if length == 1 << level:
            return self._levels[level][begin >> level]
        middle = begin + _split(length)
        return hash_node(self._hash(begin, middle), self._hash(middle, end))

    @staticmethod
    def _require(value: int, most: int, name: str, *, least: int = 0) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ProofError(f"{name} must be an int from {least} to {most}, got {value!r}")


def _split(length: int) -> int:
    """Return the largest power of two below a length of at least 2."""
    return 1 << ((length - 1).bit_length() - 1)
