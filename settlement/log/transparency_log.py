"""Log on disk: entries are appended, never changed, and an append that returned survives a crash.

A record is a head of 40 bytes and the entry. The head holds the length of the entry, the CRC-32 of length and hash, and
the hash of the entry as a leaf of the tree. A crash leaves at most one unfinished record at the end. It was never
acknowledged, so opening the log removes it; any other difference is damage.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from filelock import FileLock, Timeout

from pricing.errors import CorruptLogError, FolderInUseError, InvalidTermsError, ProofError
from settlement.log.proofs import hash_leaf
from settlement.log.tree import MerkleTree

_MAGIC = b"crashcover log 1\n"
_HEAD = struct.Struct(">II32s")
_MOST_BYTES = 2**32 - 1


class TransparencyLog:
    """Append-only log of entries under a Merkle tree (RFC 6962).

    Parameters
    ----------
    path : str or Path, optional
        File that keeps the entries; it is created if it does not exist. Without a path the log is in memory.

    Raises
    ------
    CorruptLogError
        If the file is damaged or not a log.
    FolderInUseError
        If another process has the log open.

    Examples
    --------
    >>> log = TransparencyLog()
    >>> log.append(b"C-1 paid 100.00 USD")
    0
    >>> log.root(1) == hash_leaf(b"C-1 paid 100.00 USD")
    True
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self._tree = MerkleTree()
        self._entries: list[tuple[int, int]] = []
        self._memory: list[bytes] = []
        self._file: BinaryIO | None = None
        self._lock: FileLock | None = None
        if path is not None:
            self._open(Path(path))

    def __len__(self) -> int:
        return len(self._tree)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, entry: bytes) -> int:
        """Add an entry and wait until it is on disk.

        Returns
        -------
        int
            Place of the entry, from 0.

        Raises
        ------
        InvalidTermsError
            If the entry is not bytes, or longer than the log can hold.
        OSError
            If the entry cannot be written. The log is then as it was before.
        """
        if not isinstance(entry, bytes) or len(entry) > _MOST_BYTES:
            length = f"{len(entry):,} bytes" if isinstance(entry, bytes) else type(entry).__name__
            raise InvalidTermsError(f"entry must be bytes, at most {_MOST_BYTES:,}, got {length} (a text? encode it)")
        leaf_hash = hash_leaf(entry)
        if self._file is None:
            self._memory.append(entry)
        else:
            self._write(entry, leaf_hash)
        self._tree.append(leaf_hash)
        return len(self._tree) - 1

    def entry(self, index: int) -> bytes:
        """Return the entry at a place.

        Raises
        ------
        ProofError
            If there is no such entry.
        CorruptLogError
            If the file has changed since it was opened.
        """
        if not 0 <= index < len(self):
            raise ProofError(f"index must be an int from 0 to {len(self) - 1}, got {index}")
        if self._file is None:
            return self._memory[index]
        begin, length = self._entries[index]
        entry = os.pread(self._file.fileno(), length, begin)
        if hash_leaf(entry) != self._tree.leaf_hash(index):
            raise CorruptLogError(f"{self._file.name}: entry {index} has changed since the log was opened")
        return entry

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` entries, 32 bytes.

        Raises
        ------
        ProofError
            If the log has fewer entries.
        """
        return self._tree.root(size)

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Return the proof that an entry is in the log of a size, for ``verify_inclusion``.

        Raises
        ------
        ProofError
            If there is no such entry or size.
        """
        return self._tree.inclusion_proof(index, size)

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the log only grew from one size to another, for ``verify_consistency``.

        Raises
        ------
        ProofError
            If there is no such size, or `old` is 0 or above `new`.
        """
        return self._tree.consistency_proof(old, new)

    def close(self) -> None:
        """Close the file, so that another process may open it."""
        if self._file is not None:
            self._file.close()
        if self._lock is not None:
            self._lock.release()

    def _open(self, path: Path) -> None:
        lock = FileLock(path.with_name(f"{path.name}.lock"), timeout=0)
        try:
            self._lock = lock
            lock.acquire()
        except Timeout as error:
            raise FolderInUseError(f"{path} is open in another process") from error
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            self._file = os.fdopen(descriptor, "r+b", buffering=0)
            self._read(path)
        except BaseException:
            self.close()
            raise

    def _read(self, path: Path) -> None:
        """Read all records, and remove one that a crash left unfinished."""
        content = path.read_bytes()
        if _MAGIC.startswith(content):  # new, or stopped when its first line was written
            self._replace_tail(0, _MAGIC)
            return
        for begin, length, leaf_hash in _records(content, path):
            self._entries.append((begin, length))
            self._tree.append(leaf_hash)
        self._replace_tail(self._end(), b"")

    def _write(self, entry: bytes, leaf_hash: bytes) -> None:
        assert self._file is not None
        begin = self._end()
        try:
            self._replace_tail(begin, _HEAD.pack(len(entry), _check(len(entry), leaf_hash), leaf_hash) + entry)
        except OSError:
            self._file.truncate(begin)
            raise
        self._entries.append((begin + _HEAD.size, len(entry)))

    def _end(self) -> int:
        begin, length = self._entries[-1] if self._entries else (len(_MAGIC), 0)
        return begin + length

    def _replace_tail(self, begin: int, content: bytes) -> None:
        """Write content at a place, end the file after it, and wait for the disk."""
        assert self._file is not None
        self._file.seek(begin)
        rest = memoryview(content)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._file.truncate(begin + len(content))
        os.fsync(self._file.fileno())


def read_tree(path: Path) -> MerkleTree:
    """Read the tree of a log file without a lock and without changing anything, as whoever verifies it must.

    A record that a crash left unfinished, or that is being written, is not part of it.

    Raises
    ------
    OSError
        If the file cannot be read.
    CorruptLogError
        If the file is damaged or not a log.
    """
    tree = MerkleTree()
    for _, _, leaf_hash in _records(path.read_bytes(), path):
        tree.append(leaf_hash)
    return tree


def _records(content: bytes, path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Yield begin, length and hash of each finished entry."""
    if not content.startswith(_MAGIC):
        raise CorruptLogError(f"{path} is not a log: it must begin with {_MAGIC!r}")
    end, place, rest = len(_MAGIC), 0, memoryview(content)  # a copy of the rest per record would take its square
    while end + _HEAD.size <= len(content) and any(rest[end:]):
        length, check, leaf_hash = _HEAD.unpack_from(content, end)
        begin = end + _HEAD.size
        if check != _check(length, leaf_hash):
            raise CorruptLogError(f"{path}: the head of entry {place} is damaged")
        if begin + length > len(content):
            return
        if hash_leaf(content[begin : begin + length]) != leaf_hash:
            raise CorruptLogError(f"{path}: entry {place} is damaged or was changed")
        yield begin, length, leaf_hash
        end, place = begin + length, place + 1


def _check(length: int, leaf_hash: bytes) -> int:
    return zlib.crc32(leaf_hash, zlib.crc32(length.to_bytes(4, "big")))
