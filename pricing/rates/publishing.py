"""Publication of rates: a new version of a store is written beside the others, and then named as the one in force.

A publisher may be killed at any moment: readers find the version before, and the next publisher sweeps what is left.
"""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pricing.errors import FolderInUseError, RateStoreError
from pricing.rates.compact_surface import CompactSurface
from pricing.rates.store import (
    CURRENT,
    KIND,
    MANIFEST,
    VERSION,
    RateEntry,
    RateStore,
    current_version,
    is_empty,
    open_version,
    require_version,
    versions,
    whole_versions,
)
from pricing.rates.stored_surfaces import SURFACES, pack
from pricing.tools.stored import format_name, sum_of
from pricing.tools.whole_files import PART, flush, write_text

if TYPE_CHECKING:
    from filelock import FileLock

#: Lock of a store while it is changed, and of an unfinished version while its publisher lives.
_LOCK = ".publishing"
_PATIENCE = 60.0


def publish(folder: str | Path, rates: Iterable[tuple[RateEntry, CompactSurface]], *, name: str) -> RateStore:
    """Write a new version and make it the one in force.

    A publisher that is stopped leaves the previous version in force; publishing the same rates again completes the
    new one. What a stopped publisher left behind is deleted by the next one. If two publishers use one name at the same
    time, the second is refused unless its rates are the same.

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
        If the name is taken or not a folder name, an asset occurs twice, a surface is not compact, there are no rates,
        or the version in force is of a later night.
    FolderInUseError
        If another publisher does not finish.
    """
    folder = Path(folder)
    path = folder / require_version(name, "name")
    if not is_empty(folder) and current_version(folder) == name:
        raise RateStoreError(f"name must be new, got {name!r}: {path} has already been published")
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        _sweep(folder)
        part = Path(tempfile.mkdtemp(suffix=PART, prefix=f"{name}.", dir=folder))
        alive = _lock(part)
        alive.acquire(timeout=0)
    try:
        part.chmod(folder.stat().st_mode)  # temporary folders are private
        written = _write_surfaces(part, rates)
        with _locked(folder):
            sealed = _write_manifest(part, {**written, "version": name, "number": _next_number(folder, name)})
            alive.release()
            (part / _LOCK).unlink(missing_ok=True)
            _give_name(part, path, sealed)
            return _put_in_force(folder, name)
    except BaseException:
        alive.release()
        shutil.rmtree(part, ignore_errors=True)
        raise


def _next_number(folder: Path, name: str) -> int:
    """Return the number of a publication, which is the same if it is begun again."""
    return 1 + max((store.number for store in whole_versions(folder) if store.version != name), default=0)


def _put_in_force(folder: Path, name: str) -> RateStore:
    """Name a version in ``CURRENT`` once it can be opened, unless the rates in force are of a later night."""
    store = open_version(folder, name)
    try:
        before = None if is_empty(folder) else RateStore.open(folder)
    except RateStoreError:  # rates that are damaged are no longer in force
        before = None
    if before is not None and before.night > store.night:
        raise RateStoreError(
            f"the night of {name!r} must not be before {before.night.isoformat()}, that of {before.version!r} in "
            f"force, got {store.night.isoformat()} (to go back to it, write its name into {folder / CURRENT})"
        )
    write_text(folder / CURRENT, f"{name}\n", to_disk=True)
    return store


def prune(folder: str | Path, *, keep: int = 3) -> list[str]:
    """Delete all but the latest versions, the one in force and the one before it; return the names of the deleted ones.

    Readers may be opening the one before. A process that has mapped a deleted version can use it until it closes it.

    Raises
    ------
    RateStoreError
        If fewer than one version would be kept.
    """
    if keep < 1:
        raise RateStoreError(f"keep must be at least 1, got {keep}")
    folder = Path(folder)
    with _locked(folder):
        known, current = versions(folder), current_version(folder)
        place = known.index(current) if current in known else 0
        gone = [name for name in known[:-keep] if name not in known[max(place - 1, 0) : place + 1]]
        for name in gone:
            part = folder / f"{name}{PART}"  # a half-deleted folder is not a version, and is swept later
            (folder / name).rename(part)
            shutil.rmtree(part)
    return gone


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Wait for others that change a store; the operating system holds the lock, so a killed process leaves none."""
    from filelock import Timeout

    try:
        with _lock(folder).acquire(timeout=_PATIENCE):
            yield
    except Timeout as error:
        raise FolderInUseError(
            f"{folder} is being changed by another process for {_PATIENCE:.0f} s: wait for it"
        ) from error


def _lock(folder: Path) -> "FileLock":
    from filelock import FileLock  # here, because whoever only quotes needs no lock

    return FileLock(folder / _LOCK)


def _sweep(folder: Path) -> None:
    """Delete unfinished files, and unfinished versions whose publisher has died."""
    for part in folder.glob(f"*{PART}"):
        if not part.is_dir():
            part.unlink(missing_ok=True)  # only ``CURRENT`` is written here, by whoever has the lock
        elif not _is_alive(part):
            shutil.rmtree(part)


def _is_alive(part: Path) -> bool:
    from filelock import Timeout

    try:
        with _lock(part).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _write_surfaces(path: Path, rates: Iterable[tuple[RateEntry, CompactSurface]]) -> dict[str, Any]:
    """Write the surfaces of all assets; return the parts of the manifest that describe them."""
    entries: dict[str, dict[str, Any]] = {}
    with (path / SURFACES).open("wb") as file:
        places = list(pack(file, _checked(rates, entries)))
        length = file.tell()
    if not entries:
        raise RateStoreError("rates must hold at least one asset, got none: nothing is published")
    flush(path / SURFACES)
    return {"length": length, "entries": list(entries.values()), "surfaces": places}


def _write_manifest(path: Path, parts: dict[str, Any]) -> str:
    """Write the manifest, after everything else is on the disk; return its text."""
    manifest = {"format": format_name(KIND, VERSION), **parts}
    sealed = json.dumps({"sha256": sum_of(manifest), "manifest": manifest}, indent=1, sort_keys=True)
    write_text(path / MANIFEST, sealed, to_disk=True)
    return sealed


def _checked(
    rates: Iterable[tuple[RateEntry, CompactSurface]], entries: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, CompactSurface]]:
    """Collect the entries as plain values, and yield their surfaces."""
    for entry, surface in rates:
        if entry.asset in entries:
            raise RateStoreError(f"asset must occur once in a version, got {entry.asset!r} twice")
        if not isinstance(surface, CompactSurface):
            raise RateStoreError(
                f"surface of {entry.asset!r} must be a CompactSurface, got {type(surface).__name__} (compact it first)"
            )
        entries[entry.asset] = asdict(entry)
        yield entry.asset, surface


def _give_name(part: Path, path: Path, sealed: str) -> None:
    """Rename a complete version into place, unless a publisher that was stopped late has already done so."""
    try:
        part.rename(path)
    except OSError as error:
        if not path.exists():
            raise
        found = path / MANIFEST
        if not found.exists() or found.read_text(encoding="utf-8") != sealed:
            raise RateStoreError(f"name must be new, got {path.name!r}: {path} has already been published") from error
        shutil.rmtree(part)
