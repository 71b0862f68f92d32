"""Inputs of a night's rates, written so that every worker can read its token."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from crashcover.files.folders import files_by_token, files_not_read, several_files
from crashcover.files.holders import TokenSupply, read_supplies
from crashcover.files.panels import read_columns
from crashcover.files.reading import INFERRED, PriceReading
from crashcover.files.times import bar_length
from crashcover.offers.windows import require_law
from crashcover.runs.asset_names import file_name
from crashcover.runs.faults import describe_fault
from pricing.contract.signals import Signal, combine_observations, make_signals
from pricing.contract.triggers import Reference
from pricing.errors import DataError, InsufficientDataError, InvalidTermsError, PricingError
from pricing.surface.settings import SimulationSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSettings:
    """Simulation settings for every token.

    Parameters
    ----------
    windows, terms, waiting_periods : tuple of str
        Windows, terms and waiting periods.
    references : tuple of Reference
        Prices from which drops are measured.
    n_paths : int
        Paths per token.
    seed : int
        Seed of the night; the seed of a token is derived from it and the token's name.
    rare_drops : bool
        As in ``SimulationSettings``.
    oldest_close : timedelta
        A token whose last close is older counts as failed.
    grid : timedelta, optional
        Time between two observations of the covers; by default a bar of the prices.

    Raises
    ------
    InvalidTermsError
        If a duration is invalid for any step, or a window is shorter than those of the laws.
    SimulationError
        If the number of paths is out of range.
    """

    windows: tuple[str, ...] = ("1h", "4h", "24h", "72h")
    terms: tuple[str, ...] = ("7d", "30d", "60d", "90d")
    waiting_periods: tuple[str, ...] = ("0h",)
    references: tuple[Reference, ...] = (Reference.ROLLING_HIGH,)
    n_paths: int = 100_000
    seed: int = 1
    rare_drops: bool = False
    oldest_close: timedelta = timedelta(hours=24)
    grid: timedelta | None = None

    def __post_init__(self) -> None:
        self.signals(timedelta(seconds=1))
        require_law(self.windows)
        self.simulation("any")

    def signals(self, step: timedelta) -> tuple[Signal, ...]:
        """Return the signals of a token with bars of a given length, on the grid of the covers if there is one."""
        observations = combine_observations(
            windows=self.windows,
            terms=self.terms,
            references=self.references,
            waiting_periods=self.waiting_periods,
        )
        return make_signals(observations, self.grid or step)

    def simulation(self, asset: str) -> SimulationSettings:
        """Return size and seed of the simulation of a token."""
        return SimulationSettings(n_paths=self.n_paths, seed=self.seed_of(asset), rare_drops=self.rare_drops)

    def seed_of(self, asset: str) -> int:
        """Return the seed of a token, independent of the other tokens."""
        return int.from_bytes(hashlib.sha256(f"{self.seed}/{asset}".encode()).digest()[:8], "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """Tokens to rate, and their files.

    Parameters
    ----------
    as_of : datetime
        UTC time up to which prices are used: the time of the night.
    prices : dict of str to Path
        File of each token's closes, as ``read_closes`` reads it.
    holders : dict of str to Path
        File of the holders of each token that has one.
    supplies : dict of str to TokenSupply
        Supply of each of these tokens, if known.
    pegs : dict of str to str
        Class of the peg of each pegged token that is to be rated.
    unreadable : dict of str to str
        Tokens with invalid prices, holders or supplies, and the reason.
    faults : frozenset of str
        Those of them whose reason is not their data.
    refused : dict of str to str
        Tokens that are not insured because they follow another one, and the reason.
    notices : tuple of str
        Notices about inputs that are not used.
    """

    as_of: datetime
    prices: Mapping[str, Path]
    holders: Mapping[str, Path] = field(default_factory=dict)
    supplies: Mapping[str, TokenSupply] = field(default_factory=dict)
    pegs: Mapping[str, str] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    faults: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def lay_out(
    prices: Path,
    *,
    holders: Path | None,
    supplies: Path | None = None,
    folder: Path,
    oldest_close: timedelta,
    as_of: datetime | None = None,
    before: datetime | None = None,
    reading: PriceReading = INFERRED,
) -> Night:
    """Read all prices and write the closes, one file per token.

    Parameters
    ----------
    prices : Path
        Prices of many tokens, as ``read_panel`` reads them.
    holders : Path, optional
        A folder of holder files that are named by their token.
    supplies : Path, optional
        A file of the supplies of tokens, used if there are holders.
    folder : Path
        Folder for the closes.
    oldest_close : timedelta
        Largest age of a last close at the time of the night.
    as_of : datetime, optional
        Use closes up to this time; by default up to the last close that most tokens reach. A token that goes beyond it
        counts as unreadable.
    before : datetime, optional
        Time of the night if it is not given and no token can be read.
    reading : PriceReading
        What is not to be inferred from the files of prices.

    Raises
    ------
    DataError
        If there are no prices at all, or the wide file or the file of supplies cannot be read; a single token that
        cannot be read does not stop the job.
    """
    lists, twofold = _holder_files(holders)
    supplied = read_supplies(supplies) if supplies else {}
    laid, unreadable, faults, ends = _lay_prices(prices, folder, reading)
    time = as_of or (common_end(ends.values(), oldest_close) if ends else before)
    if time is None:
        raise DataError(f"{prices}: must hold prices of at least one token" + _first(unreadable))
    beyond = {} if as_of else {asset: _beyond(end[-1], time) for asset, end in ends.items() if end[-1] > time}
    wrong = {asset: slip for asset, slip in supplied.items() if isinstance(slip, DataError)}
    unsupplied = {asset: str(slip) for asset, slip in wrong.items() if asset in laid and asset in lists}
    failed = unreadable | {asset: slip for asset, slip in twofold.items() if asset in laid} | unsupplied | beyond
    return Night(
        as_of=time.astimezone(UTC),
        prices={asset: path for asset, path in laid.items() if asset not in failed},
        holders=lists,
        supplies={
            asset: supply for asset, supply in supplied.items() if isinstance(supply, TokenSupply) and asset in lists
        },
        unreadable=failed,
        faults=frozenset(faults),
        notices=(
            *files_not_read(prices),
            *files_not_read(holders),
            *_unused(holders, "there are no prices", lists, {*laid, *unreadable}),
            *_unused(supplies, "there are no prices", supplied, {*laid, *unreadable}),
            *_unused(supplies, "there are no holders", {*supplied} & {*laid, *unreadable}, lists),
        ),
    )


def _lay_prices(
    prices: Path, folder: Path, reading: PriceReading
) -> tuple[dict[str, Path], dict[str, str], set[str], dict[str, pd.DatetimeIndex]]:
    """Return the file and the last two closes of each token that can be read; and the errors of the others."""
    folder.mkdir(parents=True, exist_ok=True)
    laid, unreadable, faults, ends = {}, {}, set(), {}
    for asset, closes in read_columns(prices, reading):
        if isinstance(closes, PricingError):
            unreadable[asset] = str(closes)
        elif isinstance(closes, Exception):
            unreadable[asset] = describe_fault(closes)
            faults.add(asset)
        else:
            laid[asset] = _lay_down(closes, folder / f"{file_name(asset)}.npz")
            ends[asset] = pd.DatetimeIndex(closes.dropna().index.unique()).sort_values()[-2:]
    return laid, unreadable, faults, ends


def _unused(path: Path | None, reason: str, given: Iterable[str], wanted: Collection[str]) -> Iterator[str]:
    names = [name for name in given if name not in wanted]
    if names:
        yield f"{path}: {reason} for {', '.join(sorted(names))}"


def common_end(ends: Iterable[pd.DatetimeIndex], reach: timedelta) -> datetime:
    """Return the last close that most tokens reach: their last closes are at most `reach` before it.

    Neither a token that ended long ago nor one with future times moves it.

    Parameters
    ----------
    ends : iterable of DatetimeIndex
        The last two closes of each token; an isolated last close does not count, unless all are isolated.
    reach : timedelta
        Largest distance of a token's last close before it.
    """
    ends = list(ends)
    steady = [end[-1] for end in ends if end[-1] - end[0] <= reach]
    times = pd.DatetimeIndex(steady or [end[-1] for end in ends]).sort_values()
    reached = times.searchsorted(times, side="right") - times.searchsorted(times - reach)
    latest: datetime = times[np.flatnonzero(reached == reached.max())[-1]].to_pydatetime()
    return latest


def _beyond(last: pd.Timestamp, time: datetime) -> str:
    return (
        f"prices must not go beyond {time.isoformat()}, the last close that most tokens reach, got "
        f"{last.isoformat()} (a wrong time in the file; if the other tokens are outdated, use --as-of)"
    )


def _lay_down(closes: pd.Series, path: Path) -> Path:
    times = pd.DatetimeIndex(closes.index).as_unit("ns")
    np.savez(path, times=times.asi8, closes=closes.to_numpy(np.float64))
    return path


def require_steps(night: Night, settings: RateSettings) -> None:
    """Check that every duration is a whole number of steps for some token; otherwise none could be rated.

    Raises
    ------
    InvalidTermsError
        If a duration fits no token; if it fits some tokens, only the others fail.
    """
    slip = None
    for path in night.prices.values():
        try:
            settings.signals(bar_length(pd.DatetimeIndex(read_closes(path).dropna().index), path))
        except InvalidTermsError as error:
            slip = error
        except InsufficientDataError:
            continue  # a token with one close, which fails by itself
        else:
            return
    if slip:
        raise slip


def read_closes(path: Path) -> pd.Series:
    """Read the closes that ``lay_out`` wrote, on a UTC DatetimeIndex labelled by the close of the bar."""
    with np.load(path) as arrays:
        times = pd.DatetimeIndex(arrays["times"], tz="UTC", name="time")
        return pd.Series(arrays["closes"], index=times, name="close")


def _first(unreadable: Mapping[str, str]) -> str:
    return "".join(f" ({asset}: {slip})" for asset, slip in list(unreadable.items())[:1])


def _holder_files(folder: Path | None) -> tuple[dict[str, Path], dict[str, str]]:
    """Return the file of holders of each token, and the errors of tokens with several."""
    files = files_by_token(folder) if folder else {}
    twofold = {asset: str(several_files(paths)) for asset, paths in files.items() if len(paths) > 1}
    return {asset: paths[0] for asset, paths in files.items()}, twofold
