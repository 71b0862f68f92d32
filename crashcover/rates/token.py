"""Rates of one token: calibrated, simulated, compacted and stored; the task can run anywhere."""

import hashlib
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from calibration import Concentration, HolderFindingKind, Market, RiskSignals, calibrate, calibrate_peg
from calibration.holders.control import Control
from crashcover.files.holders import TokenSupply, read_holders
from crashcover.files.splits import FileSplits
from crashcover.offers.movements import control_changes
from crashcover.offers.offers import AnyCalibration
from crashcover.offers.stated_market import market_signals
from crashcover.rates.documents import write_calibration
from crashcover.rates.night import RateSettings, read_closes
from crashcover.runs.asset_names import file_name
from crashcover.runs.faults import describe_fault
from pricing.engine.simulation import simulate
from pricing.errors import InsufficientDataError, PeggedTokenError, PricingError, TooLargeError
from pricing.rates.compact_surface import compact
from pricing.tools.plain import read_json, to_json
from pricing.tools.units import format_duration
from pricing.tools.whole_files import write_text

#: Begin of a notice about the list of holders.
HOLDERS = "holders: "
#: Errors that a token's data can cause; any other error is a fault of this program.
_FAILURES = (PricingError, ArithmeticError, ValueError)
#: Share of the supply that a movement must concern to be a notice of a night.
_LEAST_MOVED = 0.01
_LOST = "the process of this token was lost (too little memory?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTask:
    """One token to rate, small enough to be sent to any worker.

    Parameters
    ----------
    asset : str
        Name of the token.
    prices : Path
        File of its closes, as ``lay_out`` wrote it.
    holders : Path or None
        File of its holders.
    holder_columns : mapping or None
        Columns of that file by ours, if they are not recognised.
    supply : TokenSupply or None
        Its supply; only with holders.
    peg : str or None
        Class of the peg of a pegged token.
    market : Market or None
        Laws of the market; None for the shipped ones.
    as_of : datetime
        UTC time up to which prices are used.
    splits : mapping or None
        Redenominations of the token, ratios by time.
    control_before : Control or None
        Who controlled its supply some days before.
    settings : RateSettings
        Settings of the simulation.
    store : Path
        The rate store, where the calibration is stored.
    folder : Path
        Folder for the surface and the outcome.
    """

    asset: str
    prices: Path
    holders: Path | None
    holder_columns: Mapping[str, str] | None
    supply: TokenSupply | None
    peg: str | None
    market: Market | None = field(repr=False)
    as_of: datetime
    splits: FileSplits | None = field(repr=False)
    control_before: Control | None
    settings: RateSettings
    store: Path
    folder: Path

    @property
    def surface_file(self) -> Path:
        """File of the surface."""
        return self.folder / f"{file_name(self.asset)}.surface"

    @property
    def result_file(self) -> Path:
        """File of the outcome, written after everything else."""
        return self.folder / f"{file_name(self.asset)}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateOutcome:
    """Outcome of one token.

    Parameters
    ----------
    asset : str
        Name of the token.
    error : str
        Reason why there are no rates from tonight; empty if there are.
    is_fault : bool
        True if the reason is not the token's data.
    is_refused : bool
        True if the token is not insured at all, so that its earlier rates do not stay in force.
    calibration_id, surface_id : str
        Identities of calibration and model; empty if there are none.
    verdict : tuple of str
        Names of the flags of the calibration.
    notices : tuple of str
        Warnings of the simulation.
    seconds : tuple of (str, float)
        Stages, and what each took.
    """

    asset: str
    error: str = ""
    is_fault: bool = False
    is_refused: bool = False
    calibration_id: str = ""
    surface_id: str = ""
    verdict: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()


def rate_token(task: RateTask) -> RateOutcome:
    """Rate one token and write the outcome, including failures."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            outcome = _rate(task)
        outcome = replace(outcome, notices=tuple(dict.fromkeys(str(warning.message) for warning in caught)))
    except TooLargeError:  # not the token's fault: with so many paths all would fail
        raise
    except _FAILURES as error:
        slip, refused = " ".join(str(error).split()), isinstance(error, PeggedTokenError)
        outcome = RateOutcome(asset=task.asset, error=slip, is_refused=refused)
    except Exception as error:  # noqa: BLE001, whatever it is, the other tokens are rated
        outcome = RateOutcome(asset=task.asset, error=describe_fault(error), is_fault=True)
    return _write(task, outcome)


def lost_token(task: RateTask) -> RateOutcome:
    """Write the outcome of a token whose process was lost."""
    return _write(task, RateOutcome(asset=task.asset, error=_LOST, is_fault=True))


def _write(task: RateTask, outcome: RateOutcome) -> RateOutcome:
    write_text(task.result_file, to_json(outcome))
    return outcome


def read_outcome(path: Path) -> RateOutcome:
    """Read an outcome that ``rate_token`` wrote."""
    outcome: RateOutcome = read_json(path, (RateOutcome,))
    return outcome


def _rate(task: RateTask) -> RateOutcome:
    started = time.perf_counter()
    calibration = _calibrate(task)
    calibrated = time.perf_counter()
    surface = simulate(
        calibration.model,
        windows=task.settings.windows,
        terms=task.settings.terms,
        references=task.settings.references,
        waiting_periods=task.settings.waiting_periods,
        settings=task.settings.simulation(task.asset),
    )
    simulated = time.perf_counter()
    compact(surface).save(task.surface_file)
    return RateOutcome(
        asset=task.asset,
        calibration_id=write_calibration(task.store, task.asset, calibration),
        surface_id=hashlib.sha256(task.surface_file.read_bytes()).hexdigest()[:32],
        verdict=tuple(str(flag.name) for flag in calibration.verdict),
        seconds=(
            ("calibrate", calibrated - started),
            ("simulate", simulated - calibrated),
            ("compact", time.perf_counter() - simulated),
        ),
    )


def _calibrate(task: RateTask) -> AnyCalibration:
    closes = read_closes(task.prices)
    closes = closes[closes.index <= task.as_of]
    known = closes.dropna().index
    if known.empty or task.as_of - known.max() > task.settings.oldest_close:
        last = "none" if known.empty else known.max().isoformat()
        raise InsufficientDataError(
            f"prices must reach within {format_duration(task.settings.oldest_close)} of {task.as_of.isoformat()}, "
            f"the last close is {last}"
        )
    if task.peg:
        return _calibrate_peg(task, task.peg, closes)
    holders = read_holders(task.holders, asset=task.asset, columns=task.holder_columns) if task.holders else None
    calibration = calibrate(
        closes,
        holders=holders,
        supply=task.supply.total if task.supply else None,
        circulating=task.supply.circulating if task.supply else None,
        holders_before=task.control_before if holders is not None else None,
        signals=_signals(closes, task.supply),
        market=task.market,
        as_of=task.as_of,
        grid=task.settings.grid,
        splits=task.splits,
        stale_ok=True,  # the settings say how old the last close may be
    )
    if holders is not None and calibration.concentration is not None:
        owners = calibration.concentration
        for text in (*holders.attrs["notices"], *_doubts(owners), *_movements(task.control_before, owners)):
            warnings.warn(f"{HOLDERS}{text}", stacklevel=1)  # the caller collects them
    return calibration


def _movements(before: Control | None, owners: Concentration) -> Iterator[str]:
    if before is not None:
        for text in control_changes(before, owners.control, supply=owners.supply, least=_LEAST_MOVED):
            yield f"within a week: {text}"


def _signals(closes: pd.Series, supply: TokenSupply | None) -> RiskSignals | None:
    if supply is None:
        return None
    return market_signals(closes, as_of=None, depth=supply.depth, daily_volume=supply.daily_volume)


def _calibrate_peg(task: RateTask, peg: str, closes: pd.Series) -> AnyCalibration:
    if task.holders:
        warnings.warn(f"{HOLDERS}not used for a pegged token", stacklevel=1)  # the caller collects it
    return calibrate_peg(closes, peg, as_of=task.as_of, stale_ok=True)


def _doubts(owners: Concentration) -> Iterator[str]:
    """Yield the findings about a list of holders that are not among the flags."""
    for finding in owners.findings:
        if finding.kind not in (HolderFindingKind.LIST_CUT, HolderFindingKind.SUPPLY_UNKNOWN):
            yield f"{finding.kind.value}: {finding.message}"
