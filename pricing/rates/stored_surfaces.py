"""Surfaces of a version as they are stored: all in one file, or, in format 1, in a file per asset.

One file is one mapping and one descriptor, however many assets there are. Checksums include the name of the asset, so
that no surface is taken for that of another one.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from pricing.errors import RateStoreError
from pricing.rates.compact_surface import CompactSurface
from pricing.tools.array_file import Bytes, checksum_of, map_file
from pricing.tools.regular_files import FileState, state_of

#: File of all surfaces of a version.
SURFACES = "surfaces"
_ALIGNMENT = 64


class Stretch(NamedTuple):
    """Place of a surface in the file of all surfaces."""

    start: int
    length: int
    sha256: str
    """Sum over the name of the asset and the checksum that ends the surface."""


class OneFile(NamedTuple):
    """File of one surface, in format 1."""

    name: str
    sha256: str


class Surfaces(Protocol):
    """Surfaces of a version, open for reading."""

    def surface(self, asset: str) -> CompactSurface:
        """Verify the checksum of a surface and return it, mapped into memory."""
        ...

    def is_untouched(self) -> bool:
        """Return whether nobody has written to what is mapped."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PackedSurfaces:
    """All surfaces in one mapped file."""

    path: Path
    stretches: Mapping[str, Stretch]
    content: Bytes = field(repr=False)
    state: FileState

    @staticmethod
    def open(path: Path, stretches: Mapping[str, Stretch], length: int) -> "PackedSurfaces":
        """Map the file of all surfaces.

        Raises
        ------
        RateStoreError
            If it is missing, is not a regular file, or has another length.
        """
        state, content = _mapped(path)
        if len(content) != length:
            raise RateStoreError(f"{path} must have {length:,} bytes, got {len(content):,}: it is damaged")
        return PackedSurfaces(path, stretches, content, state)

    def surface(self, asset: str) -> CompactSurface:
        """Verify the checksum of a surface and return it, mapped into memory."""
        start, length, wanted = self.stretches[asset]
        content = self.content[start : start + length]
        found = _bound(asset, checksum_of(content))
        if found != wanted:
            raise RateStoreError(f"{self.path}: {asset!r} must have the checksum {wanted}, got {found}: it is damaged")
        return CompactSurface.of_content(content, f"{self.path}: {asset!r}")

    def is_untouched(self) -> bool:
        """Return whether nobody has written to what is mapped; what was deleted cannot be written to."""
        return _is_untouched(self.path, self.state)


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceFiles:
    """A file per asset, each mapped with a descriptor of its own, as releases before 0.4.0 wrote them."""

    folder: Path
    files: Mapping[str, OneFile]
    states: dict[Path, FileState] = field(default_factory=dict, repr=False)

    def surface(self, asset: str) -> CompactSurface:
        """Verify the checksum of a surface and return it, mapped into memory."""
        name, wanted = self.files[asset]
        path = self.folder / name
        state, content = _mapped(path)
        found = hashlib.sha256(content.data).hexdigest()
        if found != wanted:
            raise RateStoreError(f"{path} must have the checksum {wanted}, got {found}: it is damaged")
        self.states[path] = state
        return CompactSurface.of_content(content, str(path))

    def is_untouched(self) -> bool:
        """Return whether nobody has written to what is mapped."""
        return all(_is_untouched(path, state) for path, state in self.states.items())


def pack(file: BinaryIO, surfaces: Iterable[tuple[str, CompactSurface]]) -> Iterator[Stretch]:
    """Write surfaces one after the other, and yield the place of each."""
    for asset, surface in surfaces:
        start = -(-file.tell() // _ALIGNMENT) * _ALIGNMENT
        file.seek(start)
        checksum = surface.write(file)
        yield Stretch(start, file.tell() - start, _bound(asset, checksum))


def require_inside(stretches: Iterable[Stretch], length: int) -> None:
    """Check that places are inside their file, and aligned.

    Raises
    ------
    ValueError
        If one is not.
    """
    for start, size, _ in stretches:
        if type(start) is not int or type(size) is not int:
            raise ValueError(f"places must be whole numbers of bytes, got {start!r} and {size!r}")
        if not (start % _ALIGNMENT == 0 <= start < start + size <= length):
            raise ValueError(f"a surface must be inside the {length} bytes of its file, got {size} from {start} on")


def require_names(files: Iterable[OneFile]) -> None:
    """Check that files of format 1 have the names that were given to them, and so are in their folder.

    Raises
    ------
    ValueError
        If one has another name.
    """
    for name, _ in files:
        if not re.fullmatch(r"[0-9]{5,9}\.surface", name):
            raise ValueError(f"a file must be named like 00001.surface, got {name!r}")


def _mapped(path: Path) -> tuple[FileState, Bytes]:
    try:
        state = state_of(path)  # before it is read: a change in between counts as one
        return state, map_file(path)
    except FileNotFoundError as error:
        raise RateStoreError(f"{path} is missing") from error
    except (OSError, ValueError) as error:
        raise RateStoreError(f"{path} cannot be mapped: {error}") from error


def _is_untouched(path: Path, state: FileState) -> bool:
    try:
        return state_of(path) == state
    except FileNotFoundError:
        return True


def _bound(asset: str, checksum: bytes) -> str:
    return hashlib.sha256(asset.encode() + b"\0" + checksum).hexdigest()
