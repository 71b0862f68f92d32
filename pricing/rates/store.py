"""A folder of published rates: complete versions, one of them current, memory-mapped and checksummed.

``folder/NAME/`` holds one version: a file per asset and ``manifest.json`` with the checksum of each. ``folder/CURRENT``
names the version in force. It is replaced atomically once the whole version is on disk, so a reader finds the complete
old version or the complete new one, even if the publisher is stopped at any time.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pricing.errors import RateStoreError, UnknownAssetError
from pricing.rates.compact_surface import CompactSurface
from pricing.show.frames import frame_of
from pricing.tools.whole_files import PART, flush, write_text

if TYPE_CHECKING:
    import pandas as pd

_FORMAT = "crashcover rates 1"
_CURRENT = "CURRENT"
_MANIFEST = "manifest.json"
_STATUSES = ("fresh", "stale", "suspended")


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
    return time


@dataclass(frozen=True, slots=True)
class RateStore:
    """One published version of rates.

    Opened with ``open``; the files of a version never change.

    Parameters
    ----------
    path : Path
        Folder of the version.
    version : str
        Name of the version.
    entries : mapping of str to RateEntry
        Entry of each asset.
    files : mapping of str to (str, str)
        Name and SHA-256 sum of each asset's file.
    """

    path: Path
    version: str
    entries: Mapping[str, RateEntry]
    files: Mapping[str, tuple[str, str]]

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
        """
        return open_version(folder, current_version(folder))

    def surface(self, asset: str) -> CompactSurface:
        """Verify the checksum of an asset's surface and map it into memory.

        Raises
        ------
        UnknownAssetError
            If the version has no such asset.
        RateStoreError, CorruptSurfaceError
            If its file is missing, belongs to another version, or is damaged.
        """
        self.entry(asset)
        name, checksum = self.files[asset]
        path = self.path / name
        try:
            found = _checksum(path)
            if found != checksum:
                raise RateStoreError(f"{path} must have the checksum {checksum}, got {found}: it is damaged")
            return CompactSurface.load(path)
        except FileNotFoundError as error:
            raise RateStoreError(f"{path} is missing") from error

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
    path = Path(folder) / _CURRENT
    try:
        name = path.read_text(encoding="utf-8").removesuffix("\n")
    except FileNotFoundError as error:
        raise RateStoreError(f"{folder} holds no rates: nothing has been published there") from error
    except UnicodeDecodeError as error:
        raise RateStoreError(f"{path} is damaged: {error}") from error
    return _require_version(name, path)


def is_empty(folder: str | Path) -> bool:
    """Return whether nothing has ever been published in a folder."""
    return not (Path(folder) / _CURRENT).exists()


def open_version(folder: str | Path, version: str) -> RateStore:
    """Read the manifest of any version that has not been pruned.

    Raises
    ------
    RateStoreError
        If it is missing or damaged.
    """
    path = Path(folder) / version
    try:
        sealed = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
        manifest = sealed["manifest"]
        if sealed["sha256"] != _seal(manifest) or manifest["format"] != _FORMAT or manifest["version"] != version:
            raise ValueError("its checksum does not match")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RateStoreError(f"{path / _MANIFEST} is missing or damaged: {error}") from error
    entries = [RateEntry(**{**entry, "verdict": tuple(entry["verdict"])}) for entry in manifest["entries"]]
    return RateStore(
        path=path,
        version=version,
        entries={entry.asset: entry for entry in entries},
        files={entry.asset: tuple(file) for entry, file in zip(entries, manifest["files"], strict=True)},
    )


def publish(folder: str | Path, rates: Iterable[tuple[RateEntry, CompactSurface]], *, name: str) -> RateStore:
    """Write a new version and make it the one in force.

    A publisher that is stopped leaves the previous version in force; publishing the same rates again completes the
    new one. If two publishers use one name at the same time, the second is refused unless its rates are the same.

    Parameters
    ----------
    folder : path
        Folder of the store; created if absent.
    rates : iterable of (RateEntry, CompactSurface)
        One pair per asset, read one by one, so that they need not be in memory together.
    name : str
        Name of the version, new in this store, such as "2026-11-22".

    Raises
    ------
    RateStoreError
        If the name is taken or not a folder name, an asset occurs twice, a surface is not compact, or there are no
        rates.
    """
    folder = Path(folder)
    path = folder / _require_version(name, "name")
    if not is_empty(folder) and current_version(folder) == name:
        raise RateStoreError(f"name must be new, got {name!r}: {path} has already been published")
    folder.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(suffix=PART, prefix=f"{name}.", dir=folder))
    try:
        part.chmod(folder.stat().st_mode)  # temporary folders are private
        sealed = _write_version(part, rates, name)
        _give_name(part, path, sealed)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    write_text(folder / _CURRENT, f"{name}\n", to_disk=True)
    return open_version(folder, name)


def _require_version(name: str, field: object) -> str:
    """Check that a name is a folder name distinct from everything else in a store, also if it is read from a file."""
    is_folder = name not in (_CURRENT, ".", "..") and not set(name) & set("/\\\0")
    if not is_folder or name != name.strip() or len(name.splitlines()) != 1 or name.endswith(PART):
        raise RateStoreError(f"{field} must be the name of a folder, without leading or trailing blanks, got {name!r}")
    return name


def _write_version(path: Path, rates: Iterable[tuple[RateEntry, CompactSurface]], name: str) -> str:
    """Write all files of a version, the manifest last; return its text."""
    entries: dict[str, dict[str, Any]] = {}
    files = []
    for number, (entry, surface) in enumerate(rates):
        if entry.asset in entries:
            raise RateStoreError(f"asset must occur once in a version, got {entry.asset!r} twice")
        if not isinstance(surface, CompactSurface):
            raise RateStoreError(
                f"surface of {entry.asset!r} must be a CompactSurface, got {type(surface).__name__} (compact it first)"
            )
        file = f"{number:05d}.surface"
        surface.save(path / file)
        flush(path / file)
        entries[entry.asset] = asdict(entry)
        files.append((file, _checksum(path / file)))
    if not entries:
        raise RateStoreError("rates must hold at least one asset, got none: nothing is published")
    manifest = {"format": _FORMAT, "version": name, "entries": list(entries.values()), "files": files}
    sealed = json.dumps({"sha256": _seal(manifest), "manifest": manifest}, indent=1, sort_keys=True)
    write_text(path / _MANIFEST, sealed, to_disk=True)
    return sealed


def _give_name(part: Path, path: Path, sealed: str) -> None:
    """Rename a complete version into place, unless a publisher that was stopped late has already done so."""
    try:
        part.rename(path)
    except OSError as error:
        found = path / _MANIFEST
        if not found.exists() or found.read_text(encoding="utf-8") != sealed:
            raise RateStoreError(f"name must be new, got {path.name!r}: {path} has already been published") from error
        shutil.rmtree(part)


def versions(folder: str | Path) -> list[str]:
    """List the published versions, oldest first; other contents of the folder are ignored."""
    manifests = [path for path in Path(folder).glob(f"*/{_MANIFEST}") if _is_version(path)]
    return [path.parent.name for path in sorted(manifests, key=lambda path: (path.stat().st_mtime_ns, path.parent))]


def _is_version(manifest: Path) -> bool:
    """Return whether a manifest, damaged or not, belongs to a version and not to a copy or another kind of folder."""
    text, name = manifest.read_bytes(), manifest.parent.name
    return f'"format": "{_FORMAT}"'.encode() in text and f'"version": {json.dumps(name)}'.encode() in text


def prune(folder: str | Path, *, keep: int = 3) -> list[str]:
    """Delete all but the newest versions and the one in force; return the names of the deleted ones.

    A process that has mapped a deleted version can use it until it closes it.

    Raises
    ------
    RateStoreError
        If fewer than one version would be kept.
    """
    if keep < 1:
        raise RateStoreError(f"keep must be at least 1, got {keep}")
    gone = [name for name in versions(folder)[:-keep] if name != current_version(folder)]
    for name in gone:
        part = Path(folder) / f"{name}{PART}"  # a half-deleted folder is not a version, and is swept later
        (Path(folder) / name).rename(part)
        shutil.rmtree(part)
    return gone


def _seal(manifest: Any) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
