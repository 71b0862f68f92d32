"""Publication of outcomes as a version: tonight's surfaces, and earlier ones for tokens that failed tonight."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from crashcover.rates import documents
from crashcover.rates.token import RateOutcome
from pricing.errors import CorruptSurfaceError, RateStoreError
from pricing.rates.compact_surface import CompactSurface
from pricing.rates.publishing import prune, publish
from pricing.rates.store import RateEntry, RateStore, is_empty, open_version, versions
from pricing.version import ENGINE_VERSION

#: Reason for an asset without prices.
NO_PRICES = "no prices tonight"
#: Errors that a damaged surface raises.
DAMAGE = (RateStoreError, CorruptSurfaceError)
_KEPT = "kept from an earlier night: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Tonight:
    """The rates of a night before they are published.

    Parameters
    ----------
    entries : mapping of str to RateEntry
        Entry of each asset, by name.
    surface_files : mapping of str to Path
        Surfaces computed tonight.
    before : RateStore or None
        Store with the other surfaces.
    lost : mapping of str to str
        Assets whose earlier rates are needed but damaged, with the damage.
    """

    entries: Mapping[str, RateEntry]
    surface_files: Mapping[str, Path] = field(repr=False)
    before: RateStore | None = None
    lost: Mapping[str, str] = field(default_factory=dict)

    def surface(self, asset: str) -> CompactSurface:
        """Return the surface of an asset."""
        if asset in self.surface_files:
            return CompactSurface.load(self.surface_files[asset])
        assert self.before is not None
        return self.before.surface(asset)


def store_before(folder: Path) -> RateStore | None:
    """Open the version in force, if there is one.

    Raises
    ------
    RateStoreError
        If it is damaged.
    """
    try:
        return None if is_empty(folder) else RateStore.open(folder)
    except RateStoreError as error:
        raise RateStoreError(f"{error} ({_way_out(folder)})") from error


def _way_out(folder: Path) -> str:
    whole = [name for name in versions(folder) if _entries(folder, name)]
    current = folder / "CURRENT"
    return f"write {whole[-1]} into {current} to go back to it" if whole else f"delete {current} to start again"


def last_time(before: RateStore | None) -> datetime | None:
    """Return the time of the newest rates that are published, if there are any."""
    return max((entry.as_of_time for entry in before.entries.values()), default=None) if before else None


def put_together(
    outcomes: Mapping[str, RateOutcome],
    surface_files: Mapping[str, Path],
    before: RateStore | None,
    *,
    as_of: datetime,
    valid_until: datetime,
) -> Tonight:
    """Combine tonight's rates with the earlier ones of tokens that have none tonight, marked stale.

    A token that is refused keeps none.

    Parameters
    ----------
    outcomes : mapping of str to RateOutcome
        Outcome of each token.
    surface_files : mapping of str to Path
        Surfaces of the rated tokens.
    before : RateStore or None
        The version in force so far.
    as_of, valid_until : datetime
        UTC time of the last data, and end of the validity of the rates for sales.
    """
    fresh = {asset: _fresh(outcome, as_of, valid_until) for asset, outcome in outcomes.items() if not outcome.error}
    settled = {*fresh, *(asset for asset, outcome in outcomes.items() if outcome.is_refused)}
    needed = {asset: entry for asset, entry in (before.entries if before else {}).items() if asset not in settled}
    lost = {asset: slip for asset in needed if before and (slip := _damage(before, asset))}
    gone = RateOutcome(asset="", error=NO_PRICES)
    stale = {
        asset: _stale(entry, outcomes.get(asset, gone).error) for asset, entry in needed.items() if asset not in lost
    }
    return Tonight(
        entries=dict(sorted((fresh | stale).items())),
        surface_files={asset: surface_files[asset] for asset in fresh},
        before=before,
        lost=lost,
    )


def _damage(before: RateStore, asset: str) -> str:
    """Return the damage of a surface as text, or an empty text."""
    try:
        before.surface(asset)
    except DAMAGE as error:
        return str(error)
    return ""


def publish_night(folder: Path, name: str, tonight: Tonight, *, keep: int) -> RateStore:
    """Publish a night, and delete all but the latest versions and their calibrations.

    Parameters
    ----------
    folder : Path
        The rate store.
    name : str
        Name of the version.
    tonight : Tonight
        Rates to publish.
    keep : int
        Number of versions to keep, including this one.
    """
    if (folder / name).exists():  # but it is not in force: a run was stopped, or an older version was restored
        shutil.rmtree(folder / name)
    store = publish(folder, ((entry, tonight.surface(asset)) for asset, entry in tonight.entries.items()), name=name)
    prune(folder, keep=keep)
    kept = [entry for version in versions(folder) for entry in _entries(folder, version)]
    documents.forget_all_but(folder, {entry.calibration_id for entry in kept})
    return store


def _entries(folder: Path, version: str) -> Iterable[RateEntry]:
    try:
        return open_version(folder, version).entries.values()
    except RateStoreError:  # a damaged older version must not end a night that is already published
        return ()


def _fresh(outcome: RateOutcome, as_of: datetime, valid_until: datetime) -> RateEntry:
    return RateEntry(
        asset=outcome.asset,
        surface_id=outcome.surface_id,
        calibration_id=outcome.calibration_id,
        engine_version=ENGINE_VERSION,
        as_of=as_of.isoformat(),
        valid_until=valid_until.isoformat(),
        status="fresh",
        verdict=outcome.verdict,
    )


def _stale(entry: RateEntry, error: str) -> RateEntry:
    """Keep an older entry with the latest reason; a suspended one stays suspended."""
    verdict = (*(reason for reason in entry.verdict if not reason.startswith(_KEPT)), f"{_KEPT}{error}")
    return replace(entry, status="stale" if entry.status == "fresh" else entry.status, verdict=verdict)
