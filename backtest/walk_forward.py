"""Walk forward: at each start, give every forecaster what was known, and keep its quotes.

A forecaster sees a ``Known`` and nothing else, so nothing that happened later can reach it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from backtest.cells import spans_of
from backtest.known import Forecaster, Known, Quotes
from backtest.outcomes import outcome_table
from backtest.panel import Panel
from backtest.periods import Plan, find_starts
from backtest.store import prepare, result_file
from pricing.errors import SimulationError
from pricing.tools.processes import one_by_one
from pricing.tools.progress import Report, silent
from pricing.tools.run_folder import resume
from pricing.tools.whole_files import replacing

#: Calls a function with each task.
Run = Callable[[Callable[[Any], None], Sequence[Any]], Iterable[None]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walked:
    """The result of a walk.

    Parameters
    ----------
    outcomes : DataFrame
        As made by ``outcome_table``.
    quotes : dict of str to DataFrame
        For each forecaster, one row per row of `outcomes`: a probability for each cell, and ``refusal``, a text or
        missing.
    """

    outcomes: pd.DataFrame = field(repr=False)
    quotes: dict[str, pd.DataFrame] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Task:
    """One forecaster at one start, small enough to be sent to another process."""

    forecaster: Forecaster
    known_but_history: Known
    result_file: Path


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _ClosesFile:
    """Closes in a file that every process maps into memory instead of holding a copy."""

    path: Path
    times: pd.DatetimeIndex
    tokens: pd.Index
    step: timedelta

    def until(self, start: pd.Timestamp) -> pd.DataFrame:
        n_bars = int(self.times.searchsorted(start, side="right"))
        closes = np.load(self.path, mmap_mode="r")[:n_bars]
        return pd.DataFrame(closes, index=self.times[:n_bars], columns=self.tokens, copy=False)


def walk(
    panel: Panel,
    plan: Plan,
    forecasters: Sequence[Forecaster],
    folder: Path,
    *,
    run: Run = one_by_one,
    progress: Report | None = None,
) -> Walked:
    """Quote every token and cell at every start, and look up what happened.

    Quotes that already exist in the folder are read and not made again.

    Parameters
    ----------
    panel : Panel
        Prices.
    plan : Plan
        Events to quote, and starts.
    forecasters : sequence of Forecaster
        Forecasters that quote.
    folder : Path
        Folder for the quotes, one file per forecaster and start.
    run : callable
        Called with a function and a sequence of arguments; yields results as they complete. By default, sequential.
        For processes: ``functools.partial(pricing.tools.processes.in_processes, n_processes=2)``.
    progress : callable, optional
        Called with the number of files done, of ``n_files``.

    Raises
    ------
    InvalidTermsError
        If the folder holds results of another backtest.
    SimulationError
        If a forecaster quotes a probability that is not strictly between 0 and 1.
    """
    starts = find_starts(panel, plan)
    outcomes = outcome_table(panel, starts, spans_of(plan.cells))
    prepare(folder, panel, plan, forecasters)
    tasks = [
        _Task(forecaster=forecaster, known_but_history=known, result_file=result_file(folder, forecaster, known.start))
        for known in (_known_but_history(panel.step, plan, start, outcomes) for start in starts[1:])
        for forecaster in forecasters
    ]
    with _closes_file(panel) as closes:
        quote = partial(run, partial(_quote, closes=closes))
        tables = resume(tasks, quote, pd.read_parquet, progress or silent("walking", len(tasks)))
    quotes = {
        forecaster.name: pd.concat(tables[number :: len(forecasters)], ignore_index=True)
        for number, forecaster in enumerate(forecasters)
    }
    later = outcomes[outcomes["start"] > starts[0]].reset_index(drop=True)
    return Walked(outcomes=later, quotes=quotes)


def n_files(panel: Panel, plan: Plan, forecasters: Sequence[Forecaster]) -> int:
    """Count the files that a walk leaves: there is none for the first start, which has no past."""
    return (len(find_starts(panel, plan)) - 1) * len(forecasters)


def known_at(panel: Panel, plan: Plan, start: pd.Timestamp, outcomes: pd.DataFrame) -> Known:
    """Assemble what was known at a start.

    Parameters
    ----------
    panel : Panel
        Prices; those after the start are not used.
    plan : Plan
        Plan of the backtest.
    start : Timestamp
        Start of the covers.
    outcomes : DataFrame
        As made by ``outcome_table``; those of this start and of later ones are not used.
    """
    return replace(_known_but_history(panel.step, plan, start, outcomes), history=panel.until(start).closes)


def _known_but_history(step: timedelta, plan: Plan, start: pd.Timestamp, outcomes: pd.DataFrame) -> Known:
    now = outcomes[outcomes["start"] == start]
    return Known(
        start=start,
        step=step,
        cells=plan.cells,
        tokens=tuple(now["token"]),
        volatility=now["volatility"].to_numpy(),
        history=pd.DataFrame(),
        past=outcomes[outcomes["start"] + plan.longest_term <= start].dropna().reset_index(drop=True),
        seed=plan.seed,
    )


@contextmanager
def _closes_file(panel: Panel) -> Iterator[_ClosesFile]:
    with TemporaryDirectory(prefix="backtest-") as scratch:
        path = Path(scratch) / "closes.npy"
        np.save(path, panel.closes.to_numpy())
        times = pd.DatetimeIndex(panel.closes.index)
        yield _ClosesFile(path=path, times=times, tokens=panel.closes.columns, step=panel.step)


def _quote(task: _Task, closes: _ClosesFile) -> None:
    known = replace(task.known_but_history, history=closes.until(task.known_but_history.start))
    quotes = task.forecaster.quote(known)
    _require_probabilities(quotes, known, task.forecaster)
    table = pd.DataFrame(quotes.probabilities, columns=[cell.name for cell in known.cells])
    refusals = pd.Series([quotes.refusals.get(token) for token in known.tokens], dtype="str")
    with replacing(task.result_file) as part:
        table.assign(token=known.tokens, start=known.start, refusal=refusals).to_parquet(part)


def _require_probabilities(quotes: Quotes, known: Known, forecaster: Forecaster) -> None:
    probabilities = quotes.probabilities
    if probabilities.shape != (len(known.tokens), len(known.cells)):
        raise SimulationError(f"{forecaster.name} must quote every token and cell, got shape {probabilities.shape}")
    quoted = ~np.isnan(probabilities)
    wrong = quoted & ~((probabilities > 0.0) & (probabilities < 1.0)) | (quoted != quoted.any(axis=1, keepdims=True))
    if wrong.any():
        token, cell = np.argwhere(wrong)[0]
        raise SimulationError(
            f"{forecaster.name} must quote all cells of a token, strictly between 0 and 1, or none, got "
            f"{probabilities[token, cell]} for {known.tokens[token]} at {known.start}, {known.cells[cell].name}"
        )
