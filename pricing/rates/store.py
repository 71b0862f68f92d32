"""A folder of published rates: complete versions, one of them current, memory-mapped and checksummed.

``folder/NAME/`` holds one version: a file with the surfaces of all assets, and ``manifest.json`` with the checksum of
each. ``folder/CURRENT`` names the version in force. It is replaced atomically once the whole version is on disk, so a
reader finds the complete old version or the complete new one, even if the publisher is stopped at any time.

Nothing here trusts a clock: versions are in the order of their nights, and within a night in the order of publication.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pricing.errors import NewerFormatError, PricingError, RateStoreError, UnknownAssetError
from pricing.rates.compact_surface import CompactSurface
from pricing.rates.stored_surfaces import (
    SURFACES,
    OneFile,
    PackedSurfaces,
    Stretch,
    SurfaceFiles,
    Surfaces,
    require_inside,
    require_names,
)
from pricing.show.frames import frame_of
from pricing.tools.regular_files import read_regular
from pricing.tools.stored import parse_json, read_format, sum_of
from pricing.tools.units import is_unicode
from pricing.tools.whole_files import PART

if TYPE_CHECKING:
    import pandas as pd

Result = TypeVar("Result")

KIND, VERSION = "rates", 2
CURRENT = "CURRENT"
MANIFEST = "manifest.json"
_STATUSES = ("fresh", "stale", "suspended")
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
_MOST_CHARACTERS = 1_000
_MOST_NAME_BYTES = 200
_MOST_MANIFEST_BYTES = 2**28


@dataclass(frozen=True, slots=True, kw_only=True)
class RateEntry:
    """Metadata of one asset's rates.

    Parameters
    ----------
    asset : str
        Name of the token.
    surface_id, calibration_id, engine_version : str
        Identities of the inputs of the rates.
    as_of : str
        Time of the last data, ISO 8601 with an offset from UTC.
    valid_until : str
        Time from which the rates must no longer be used for sales.
    status : str
        "fresh"; "stale" if the latest calibration failed and an older surface was kept; "suspended" from sale.
    verdict : tuple of str
        Warnings of the calibration about its own result.

    Raises
    ------
    RateStoreError
        If a field is invalid.
    """

    asset: str
    surface_id: str
    calibration_id: str
    engine_version: str
    as_of: str
    valid_until: str
    status: str = "fresh"
    verdict: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("asset", "surface_id", "calibration_id", "engine_version"):
            value = getattr(self, name)
            if not (isinstance(value, str) and value.strip()):
                raise RateStoreError(f"{name} must be a text that is not empty, got {value!r}")
            if len(value) > _MOST_CHARACTERS or not is_unicode(value):
                raise RateStoreError(
                    f"{name} must be a text of at most {_MOST_CHARACTERS} characters, got {value!r:.80}"
                )
        for name in ("as_of", "valid_until"):
            _parse_time(getattr(self, name), name)
        if self.status not in _STATUSES:
            raise RateStoreError(f"status must be one of {', '.join(_STATUSES)}, got {self.status!r}")
        if isinstance(self.verdict, str) or not all(isinstance(reason, str) for reason in self.verdict):
            raise RateStoreError(f"verdict must be a sequence of texts, got {self.verdict!r}")
        object.__setattr__(self, "verdict", tuple(self.verdict))

    @property
    def as_of_time(self) -> datetime:
        """Time of the last data."""
        return _parse_time(self.as_of, "as_of")

    @property
    def valid_until_time(self) -> datetime:
        """Time from which the rates must no longer be used for sales."""
        return _parse_time(self.valid_until, "valid_until")


def _parse_time(text: str, field: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise RateStoreError(
            f"{field} must be an ISO 8601 time such as 2026-11-22T00:00:00+00:00, got {text!r}"
        ) from error
    if time.utcoffset() is None:
        raise RateStoreError(f"{field} must have an offset from UTC, such as {text}+00:00, got {text!r}")
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        raise RateStoreError(f"{field} must be in the years {_FIRST_YEAR} to {_LAST_YEAR}, got {text!r}")
    return time


@dataclass(frozen=True, slots=True)
class RateStore:
    """One published version of rates, as plain values; its surfaces are read when they are asked for.

    Opened with ``open``; the files of a version never change.

    Parameters
    ----------
    path : Path
        Folder of the version.
    version : str
        Name of the version.
    entries : mapping of str to RateEntry
        Entry of each asset.
    places : mapping of str to Stretch or OneFile
        Place of each asset's surface.
    length : int
        Bytes of the file of all surfaces.
    number : int
        Number of the publication; 0 in format 1.
    """

    path: Path
    version: str
    entries: Mapping[str, RateEntry]
    places: Mapping[str, Stretch | OneFile]
    length: int
    number: int

    @property
    def night(self) -> datetime:
        """Time of the newest data."""
        return max(entry.as_of_time for entry in self.entries.values())

    def to_frame(self) -> "pd.DataFrame":
        """Return the entries as a data frame: a row per asset, which is the index."""
        return frame_of(RateEntry, self.entries.values(), index="asset")

    @staticmethod
    def open(folder: str | Path) -> "RateStore":
        """Read the manifest of the current version.

        Raises
        ------
        RateStoreError
            If nothing was published, or the manifest is damaged.
        NewerFormatError
            If a newer release published it.
        """
        return read_current(folder, lambda store: store)

    def surfaces(self) -> Surfaces:
        """Open the surfaces of all assets, with one mapping and one descriptor (format 1: one per asset).

        Raises
        ------
        RateStoreError
            If their file is missing, is a link, or has another length.
        """
        packed = {asset: place for asset, place in self.places.items() if isinstance(place, Stretch)}
        if packed:
            return PackedSurfaces.open(self.path / SURFACES, packed, self.length)
        files = {asset: place for asset, place in self.places.items() if isinstance(place, OneFile)}
        return SurfaceFiles(self.path, files)

    def surface(self, asset: str) -> CompactSurface:
        """Verify the checksum of an asset's surface and map it into memory; for many assets, see ``surfaces``.

        Raises
        ------
        UnknownAssetError
            If the version has no such asset.
        RateStoreError, CorruptSurfaceError
            If its file is missing, belongs to another version, or is damaged.
        """
        self.entry(asset)
        return self.surfaces().surface(asset)

    def only(self, asset: str) -> "RateStore":
        """Return the store reduced to one asset, which takes less room in a message to a worker."""
        return RateStore(
            self.path, self.version, {asset: self.entries[asset]}, {asset: self.places[asset]}, self.length, self.number
        )

    def entry(self, asset: str) -> RateEntry:
        """Return the entry of an asset.

        Raises
        ------
        UnknownAssetError
            If the version has no such asset.
        """
        entry = self.entries.get(asset)
        if entry is None:
            raise UnknownAssetError(f"asset must be one of the {len(self.entries)} with a rate, got {asset!r}")
        return entry

    def calibration_id(self, asset: str) -> str:
        """Return the identity of the calibration behind an asset's rates."""
        return self.entry(asset).calibration_id


def current_version(folder: str | Path) -> str:
    """Return the name of the version in force.

    Raises
    ------
    RateStoreError
        If nothing was published, or the file is damaged.
    """
    path = Path(folder) / CURRENT
    try:
        name = read_regular(path, most=2 * _MOST_NAME_BYTES).decode().removesuffix("\n")
    except FileNotFoundError as error:
        raise RateStoreError(f"{folder} holds no rates: nothing has been published there") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RateStoreError(f"{path} is damaged: {error}") from error
    return require_version(name, path)


def is_empty(folder: str | Path) -> bool:
    """Return whether nothing has ever been published in a folder."""
    return not (Path(folder) / CURRENT).exists()


def read_current(folder: str | Path, read: Callable[[RateStore], Result]) -> Result:
    """Read the version in force; if it is replaced and pruned meanwhile, read its successor.

    Parameters
    ----------
    folder : path
        The rate store.
    read : callable
        Returns what is wanted of a version.
    """
    name = current_version(folder)
    try:
        return read(open_version(folder, name))
    except RateStoreError:
        if current_version(folder) == name:
            raise
        return read(open_version(folder, current_version(folder)))


def open_version(folder: str | Path, version: str) -> RateStore:
    """Read the manifest of any version that has not been pruned.

    Raises
    ------
    RateStoreError
        If it is missing or damaged.
    NewerFormatError
        If a newer release published it.
    """
    path = Path(folder) / version
    try:
        if path.is_symlink():
            raise ValueError(f"{path} must be a folder and not a link")
        text = read_regular(path / MANIFEST, most=_MOST_MANIFEST_BYTES).decode()
        sealed = parse_json(text, "a manifest", most=_MOST_MANIFEST_BYTES)
        manifest = sealed["manifest"]
        return read_format(
            manifest["format"],
            KIND,
            {
                1: lambda: _read_1(path, _require_seal(sealed, version)),
                VERSION: lambda: _read_2(path, _require_seal(sealed, version)),
            },
        )
    except NewerFormatError:
        raise
    except (OSError, ValueError, TypeError, LookupError, AttributeError, PricingError) as error:
        raise RateStoreError(f"{path / MANIFEST} is missing or damaged: {error}") from error


def _require_seal(sealed: dict[str, Any], version: str) -> dict[str, Any]:
    manifest: dict[str, Any] = sealed["manifest"]
    if sealed["sha256"] != sum_of(manifest) or manifest["version"] != version:
        raise ValueError("its checksum does not match")
    return manifest


def _read_1(path: Path, manifest: dict[str, Any]) -> RateStore:
    entries = _entries(manifest["entries"])
    files = {asset: OneFile(*file) for asset, file in zip(entries, manifest["files"], strict=True)}
    require_names(files.values())
    return RateStore(path, path.name, entries, files, 0, 0)


def _read_2(path: Path, manifest: dict[str, Any]) -> RateStore:
    entries, length, number = _entries(manifest["entries"]), manifest["length"], manifest["number"]
    if type(length) is not int or type(number) is not int:
        raise ValueError(f"length and number must be whole numbers, got {length!r} and {number!r}")
    places = {asset: Stretch(*place) for asset, place in zip(entries, manifest["surfaces"], strict=True)}
    require_inside(places.values(), length)
    return RateStore(path, path.name, entries, places, length, number)


def _entries(found: list[dict[str, Any]]) -> dict[str, RateEntry]:
    names = {each.name for each in fields(RateEntry)}
    for each in found:
        if each.keys() != names:
            raise ValueError(f"an entry must have the fields {sorted(names)}, got {sorted(each)}")
    entries = {each["asset"]: RateEntry(**each) for each in found}
    if not entries or len(entries) != len(found):
        raise ValueError(f"it must hold each asset once, and at least one, got {len(found)} of {len(entries)} names")
    return entries


def require_version(name: str, field: object) -> str:
    """Check that a name is a folder name distinct from everything else in a store, also if it is read from a file."""
    is_folder = isinstance(name, str) and name not in (CURRENT, ".", "..") and not set(name) & set("/\\\0")
    if not is_folder or name != name.strip() or len(name.splitlines()) != 1 or name.endswith(PART):
        raise RateStoreError(f"{field} must be the name of a folder, without leading or trailing blanks, got {name!r}")
    if not is_unicode(name) or len(name.encode()) > _MOST_NAME_BYTES:
        raise RateStoreError(f"{field} must be a text of at most {_MOST_NAME_BYTES} bytes, got {name!r:.80}")
    return name


def versions(folder: str | Path) -> list[str]:
    """List the published versions, the earliest night first; other contents of the folder are ignored.

    Damaged versions come before all others, because their nights are not known. Those of newer releases are ignored.
    """
    whole = {store.version: (store.night, store.number, store.version) for store in whole_versions(folder)}
    damaged = [name for name in _names(folder) if name not in whole and not _is_newer(folder, name)]
    return [*sorted(damaged), *sorted(whole, key=whole.__getitem__)]


def _names(folder: str | Path) -> Iterator[str]:
    for manifest in Path(folder).glob(f"*/{MANIFEST}"):
        if _is_version(manifest):
            yield manifest.parent.name


def whole_versions(folder: str | Path) -> Iterator[RateStore]:
    """Open every version of this release or an earlier one that is not damaged."""
    for name in _names(folder):
        try:
            yield open_version(folder, name)
        except (RateStoreError, NewerFormatError):
            continue


def _is_newer(folder: str | Path, name: str) -> bool:
    try:
        open_version(folder, name)
    except NewerFormatError:
        return True
    except RateStoreError:
        return False
    return False


def _is_version(manifest: Path) -> bool:
    """Return whether a manifest, damaged or not, belongs to a version and not to a copy or another kind of folder."""
    try:
        text = read_regular(manifest, most=_MOST_MANIFEST_BYTES)
    except OSError:
        return False
    is_named = f'"version": {json.dumps(manifest.parent.name)}'.encode() in text
    return is_named and re.search(rb'"format": "crashcover rates \d+"', text) is not None
