"""The job of ``crashcover reprice``: price a book on published rates, resumable after any interruption."""

import json
import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from crashcover.rates.job import REPORTS
from crashcover.repricing.intake.rows import AssetRates
from crashcover.repricing.intake.staging import StagedBook, stage
from crashcover.repricing.intake.tables import TableBook, export
from crashcover.repricing.summary import summarise
from crashcover.repricing.token import RepriceOutcome, RepriceTask, read_outcome, reprice_token
from crashcover.runs.digests import digest_of
from crashcover.runs.locks import locked
from crashcover.runs.workers import Workplace
from pricing.errors import DataError, InvalidTermsError, RateStoreError, SimulationError
from pricing.premiums.basis import PricingBasis
from pricing.rates.store import RateStore, open_version
from pricing.tools.progress import Progress
from pricing.tools.run_folder import MANIFEST, REMEDY, RunFolder, resume, versions
from pricing.tools.whole_files import replacing, sweep, write_text

#: Names of the results of a run in its folder, beside the manifest.
SUMMARY, PRICED, QUARANTINE = "summary.json", "priced", "quarantine.csv"
_WORK = ".work"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepriceJob:
    """Inputs and output of a repricing run.

    Parameters
    ----------
    book : Path or TableBook
        A file or folder as in ``read_batches``, or a table of a database.
    rates : Path
        The rate store.
    out : Path
        Folder for the priced book.
    previous : Path, optional
        Folder of an earlier run on the same book, for comparison.
    basis : PricingBasis
        Loadings.
    """

    book: Path | TableBook
    rates: Path
    out: Path
    previous: Path | None = None
    basis: PricingBasis = field(default_factory=PricingBasis)


def run_job(job: RepriceJob, workplace: Workplace, begin: Progress) -> dict[str, Any]:
    """Price a book; continue where an earlier run in the same folder was stopped.

    Returns
    -------
    dict
        The summary as plain values, as stored in the folder.

    Raises
    ------
    FolderInUseError
        If another run is using the folder.
    InvalidTermsError
        If the folder holds a run of another book, basis, engine or rates, or is within the book or the rates.
    DataError
        If the book cannot be read.
    RateStoreError
        If there are no rates.
    """
    _require_apart(job)
    with locked(job.out):
        folder = RunFolder(path=job.out, kind="a priced book", holds="a run")
        folder.sweep(SUMMARY, QUARANTINE, _WORK)
        book = _book_file(job)
        store = _open_rates(job, folder)
        folder.begin(_describe(job, book, store))
        if not (job.out / SUMMARY).exists():
            _price(job, book, store, workplace, begin)
        shutil.rmtree(job.out / _WORK, ignore_errors=True)
        found: dict[str, Any] = json.loads((job.out / SUMMARY).read_text(encoding="utf-8"))
        return found


def _require_apart(job: RepriceJob) -> None:
    """Require a separate folder: the rate store deletes folders within it, and results would change a book."""
    sources = {"--rates": job.rates, "the book": job.book, "--previous": job.previous}
    for name, source in sources.items():
        if isinstance(source, Path) and job.out.resolve().is_relative_to(source.resolve()):
            raise InvalidTermsError(
                f"--out must not be within {name}, got {job.out} in {source} (choose another --out)"
            )


def _book_file(job: RepriceJob) -> Path:
    """Return the file of the book; a table is first written to a file, so that it is priced as of one point in time."""
    if isinstance(job.book, Path):
        return job.book
    (job.out / _WORK).mkdir(exist_ok=True)
    return export(job.book, job.out / _WORK / "book.parquet")


def _open_rates(job: RepriceJob, folder: RunFolder) -> RateStore:
    """Open the latest rates, or those with which an unfinished run in the folder began."""
    rates, manifest = job.rates.absolute(), folder.manifest("rates")
    if manifest is None or (job.out / SUMMARY).exists():
        return RateStore.open(rates)
    name = str(manifest["rates"])
    try:
        return open_version(rates, name)
    except RateStoreError as error:
        raise RateStoreError(
            f"{job.out} holds a run that began with the rates {name}, which have since been pruned: {error} {REMEDY}"
        ) from error


def _describe(job: RepriceJob, book: Path, store: RateStore) -> dict[str, Any]:
    """Describe everything that the result depends on."""
    return {
        "book": digest_of(book),
        "rates": store.version,
        "surfaces": digest_of(store.path / "manifest.json"),
        "previous": digest_of(job.previous / SUMMARY) if job.previous else None,
        "basis": repr(job.basis),
        **versions("numpy", "pyarrow"),
    }


def _price(job: RepriceJob, book: Path, store: RateStore, workplace: Workplace, begin: Progress) -> None:
    """Stage, price, check that no row is lost, and publish; the summary is written last."""
    work = job.out / _WORK
    staged = _stage(job, book, store, begin)
    (work / PRICED).mkdir(exist_ok=True)
    outcomes = resume(
        _tasks(job, store, staged),
        partial(workplace.run, reprice_token),
        read_outcome,
        begin("pricing", staged.n_rows - staged.n_quarantined),
        size=lambda outcome: outcome.covers,
    )
    _require_all(staged, outcomes)
    summary = summarise(staged, outcomes, store)
    if not (job.out / PRICED).exists():
        sweep(work / PRICED)  # remains of a worker that outlived its run
        (work / PRICED).replace(job.out / PRICED)
    with replacing(job.out / QUARANTINE) as part:
        shutil.copyfile(staged.quarantine_file, part)
    write_text(job.out / SUMMARY, json.dumps(summary, indent=1, allow_nan=False))


def _stage(job: RepriceJob, book: Path, store: RateStore, begin: Progress) -> StagedBook:
    try:
        return stage(book, _reasons(job.rates, store) | _assets(store), job.out / _WORK / "staged", begin)
    except DataError:
        (job.out / MANIFEST).unlink()  # nothing was priced: the folder can be used again for the corrected book
        shutil.rmtree(job.out / _WORK, ignore_errors=True)
        raise


def _reasons(rates: Path, store: RateStore) -> dict[str, AssetRates | str]:
    """Return why assets have no rates, as the report on the night says, if there is one."""
    path = rates / REPORTS / f"{store.version}.json"
    assets = json.loads(path.read_text(encoding="utf-8"))["assets"] if path.exists() else ()
    return {each["asset"]: each["error"] for each in assets if each["error"]}


def _assets(store: RateStore) -> dict[str, AssetRates | str]:
    assets: dict[str, AssetRates | str] = {}
    surfaces = store.surfaces()
    for asset, entry in store.entries.items():
        surface = surfaces.surface(asset)
        is_suspended = entry.status == "suspended"
        assets[asset] = AssetRates(step=surface.step, signals=frozenset(surface.signals), is_suspended=is_suspended)
    return assets


def _tasks(job: RepriceJob, store: RateStore, staged: StagedBook) -> list[RepriceTask]:
    return [
        RepriceTask(
            asset=asset,
            stretches=stretches,
            staged=staged.folder.absolute(),
            rates=store.only(asset),
            basis=job.basis,
            priced=(job.out / _WORK / PRICED).absolute(),
            before=(job.previous / PRICED).absolute() if job.previous else None,
        )
        for asset, stretches in staged.stretches.items()
    ]


def _require_all(staged: StagedBook, outcomes: list[RepriceOutcome]) -> None:
    n_priced = sum(outcome.covers for outcome in outcomes)
    if staged.n_rows != n_priced + staged.n_quarantined:
        raise SimulationError(
            f"{staged.n_rows:,} rows came in, {n_priced:,} were priced and {staged.n_quarantined:,} set aside: the "
            "difference is lost (start again with another --out)"
        )
