"""The nightly job of ``crashcover rates``, resumable after any interruption."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from calibration import Market, fit_market
from crashcover.display.messages import tell
from crashcover.files.markets import read_market
from crashcover.files.panels import read_columns
from crashcover.files.reading import INFERRED, PriceReading
from crashcover.files.splits import FileSplits, of_tokens, read_splits_by_asset
from crashcover.rates.documents import KEPT
from crashcover.rates.earlier_holders import control_before
from crashcover.rates.followers import without_followers
from crashcover.rates.night import Night, RateSettings, lay_out, require_steps
from crashcover.rates.publication import last_time, publish_night, put_together, store_before
from crashcover.rates.report import report_assets, report_document
from crashcover.rates.token import RateOutcome, RateTask, lost_token, rate_token, read_outcome
from crashcover.runs.digests import digest_of
from crashcover.runs.locks import locked
from crashcover.runs.workers import Workplace, one_blas_thread
from pricing.rates.store import RateStore
from pricing.tools.progress import Progress
from pricing.tools.run_folder import resume, versions
from pricing.tools.whole_files import sweep, write_text

#: Folder of the reports in a rate store.
REPORTS = "reports"
_WORK, _PRICES = "work", "prices"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateJob:
    """Inputs and settings of a nightly job.

    Parameters
    ----------
    prices : Path
        A file of many tokens, or a folder of price files named by token.
    out : Path
        The rate store.
    holders : Path, optional
        A folder of holder files named by token.
    supplies : Path, optional
        A file of the supplies of tokens, with the columns asset and supply.
    pegs : Path, optional
        A file of the classes of pegged tokens, with the columns asset and peg.
    market : Path, optional
        A wide file of prices to fit the market to, or a file from ``crashcover market``; by default the shipped market.
    as_of : datetime, optional
        Use closes up to this time; by default up to the last close that most tokens reach.
    reading : PriceReading
        What is not to be inferred from the files of prices; of another file that the market is fitted to, only which
        end of their bars times label.
    holder_columns : mapping of str to str, optional
        Columns of the files of holders by ours, if they are not recognised.
    splits : Path, optional
        A file of redenominations, with the columns asset, time and ratio.
    settings : RateSettings
        Settings of the simulation.
    valid_for : timedelta
        Time for which the rates are valid for sales.
    keep : int
        Number of versions to keep.
    """

    prices: Path
    out: Path
    holders: Path | None = None
    supplies: Path | None = None
    pegs: Path | None = None
    market: Path | None = None
    as_of: datetime | None = None
    reading: PriceReading = INFERRED
    holder_columns: Mapping[str, str] | None = None
    splits: Path | None = None
    settings: RateSettings = field(default_factory=RateSettings)
    valid_for: timedelta = timedelta(hours=36)
    keep: int = 7


def run_job(job: RateJob, workplace: Workplace, begin: Progress) -> dict[str, Any]:
    """Rate all tokens and publish them; continue where an earlier run of the same night was stopped.

    Every token given is in the report, with its rates or with the reason why it has none. If no token has rates, from
    tonight or from before, nothing is published.

    Returns
    -------
    dict
        The report as plain values, as stored.

    Raises
    ------
    FolderInUseError
        If another run is using the store.
    DataError
        If there are no prices, or the market cannot be read.
    WorkerError
        If a token has no outcome.
    """
    with locked(job.out):
        _sweep(job.out)
        before, clock = store_before(job.out), _Clock()
        night = _lay_out(job, before)
        clock.stop("read")
        name = _name(job, night)
        if before is None or before.version != name:
            _publish(job, name, night, before, clock, workplace, begin)
        shutil.rmtree(job.out / _WORK)
        found: dict[str, Any] = json.loads(_report_file(job, name).read_text(encoding="utf-8"))
        return found


def _lay_out(job: RateJob, before: RateStore | None) -> Night:
    prices = job.out / _WORK / _PRICES
    shutil.rmtree(prices, ignore_errors=True)
    night = lay_out(
        job.prices,
        holders=job.holders,
        supplies=job.supplies,
        folder=prices,
        oldest_close=job.settings.oldest_close,
        as_of=job.as_of,
        before=last_time(before),
        reading=job.reading,
    )
    require_steps(night, job.settings)
    return without_followers(night, job.pegs)


def _report_file(job: RateJob, name: str) -> Path:
    return job.out / REPORTS / f"{name}.json"


def _publish(
    job: RateJob,
    name: str,
    night: Night,
    before: RateStore | None,
    clock: "_Clock",
    workplace: Workplace,
    begin: Progress,
) -> None:
    """Rate the tokens, write the report and publish both."""
    tasks = _tasks(job, night, job.out / _WORK / name)
    clock.stop("market")
    outcomes = _outcomes(night, tasks, workplace, begin)
    clock.stop("tokens")
    tonight = put_together(
        outcomes,
        {task.asset: task.surface_file for task in tasks},
        before,
        as_of=night.as_of,
        valid_until=night.as_of + job.valid_for,
    )
    document = report_document(
        name, night.as_of.isoformat(), report_assets(outcomes, tonight), night.notices, clock.seconds
    )
    (job.out / REPORTS).mkdir(exist_ok=True)
    write_text(_report_file(job, name), json.dumps(document, allow_nan=False))
    if tonight.entries:
        publish_night(job.out, name, tonight, keep=job.keep)


def _sweep(store: Path) -> None:
    """Delete the remains of a run that was stopped; unfinished versions are swept by the next publication."""
    for name in (_WORK, REPORTS, *KEPT):
        sweep(store / name)


class _Clock:
    """Measures the time of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def stop(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage], self._last = now - self._last, now


def _name(job: RateJob, night: Night) -> str:
    """Return a name for a night from its time and everything that its rates depend on."""
    known = {
        "prices": digest_of(job.out / _WORK / _PRICES),
        "unreadable": dict(night.unreadable),
        "refused": dict(night.refused),
        "holders": digest_of(job.holders) if job.holders else None,
        "holder_columns": job.holder_columns,
        "supplies": digest_of(job.supplies) if job.supplies else None,
        "pegs": dict(night.pegs),
        "market": digest_of(job.market) if job.market else None,
        "splits": digest_of(job.splits) if job.splits else None,
        "as_of": night.as_of.isoformat(),
        "settings": repr(job.settings),
        "valid_for": str(job.valid_for),
        **versions("arch", "numpy", "pandas", "scipy", "statsmodels"),
    }
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    return f"{night.as_of:%Y-%m-%dT%H%MZ}-{digest[:8]}"


def _tasks(job: RateJob, night: Night, folder: Path) -> list[RateTask]:
    tokens = folder / "tokens"  # separate from the market, because a token may have that name
    tokens.mkdir(parents=True, exist_ok=True)
    splits = of_tokens(read_splits_by_asset(job.splits), night.prices, job.splits) if job.splits else {}
    market = _market(job, night, folder / "market.json", splits)
    earlier = control_before(job.out, night.holders, night.as_of)
    return [
        RateTask(
            asset=asset,
            prices=prices.absolute(),
            holders=night.holders[asset].absolute() if asset in night.holders else None,
            holder_columns=job.holder_columns,
            supply=night.supplies.get(asset),
            peg=night.pegs.get(asset),
            market=market,
            as_of=night.as_of,
            splits=splits.get(asset),
            control_before=earlier.get(asset),
            settings=job.settings,
            store=job.out.absolute(),
            folder=tokens.absolute(),
        )
        for asset, prices in night.prices.items()
    ]


def _market(job: RateJob, night: Night, fitted: Path, splits: Mapping[str, FileSplits]) -> Market | None:
    """Read the market, or fit it to prices, once per night."""
    if job.market is None or not night.prices:
        return None
    if job.market.suffix == ".json":
        return read_market(job.market)
    if not fitted.exists():
        closes = pd.DataFrame(dict(_market_columns(job)))
        with one_blas_thread():
            known = {asset: ratios for asset, ratios in splits.items() if asset in closes}
            write_text(fitted, fit_market(closes, as_of=night.as_of, splits=known).to_json())
    return read_market(fitted)


def _market_columns(job: RateJob) -> Iterator[tuple[str, pd.Series]]:
    """Read the tokens for the fit, each without repetitions; an invalid one is left out with a notice."""
    assert job.market is not None
    reading = job.reading if job.market == job.prices else PriceReading(label=job.reading.label)
    for asset, closes in read_columns(job.market, reading):
        if isinstance(closes, Exception):
            tell(f"notice: the market is fitted without {asset}: {closes}")
            continue
        known = closes.dropna()
        yield asset, known[~known.index.duplicated()]


def _outcomes(night: Night, tasks: list[RateTask], workplace: Workplace, begin: Progress) -> dict[str, RateOutcome]:
    """Rate the tokens that no earlier run has rated."""
    run = partial(workplace.run, rate_token, lost=lost_token)
    rated = resume(tasks, run, read_outcome, begin("rating", len(tasks)))
    unreadable = {
        asset: RateOutcome(asset=asset, error=slip, is_fault=asset in night.faults)
        for asset, slip in night.unreadable.items()
    }
    refused = {asset: RateOutcome(asset=asset, error=slip, is_refused=True) for asset, slip in night.refused.items()}
    return unreadable | refused | {outcome.asset: outcome for outcome in rated}
