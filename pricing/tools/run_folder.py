"""Folders that a run fills task by task, and in which a run with the same inputs continues where another was stopped.

A manifest lists the inputs of the results. Every file is complete or absent, even if the run is killed at any time, so
the tasks without a result are those that remain.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from glob import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pricing.errors import DataError, InvalidTermsError, WorkerError
from pricing.tools.progress import Report
from pricing.tools.whole_files import PART, sweep, write_text
from pricing.version import ENGINE_VERSION

#: File that lists the inputs of the results in a folder.
MANIFEST = "manifest.json"
#: Remedy for a folder that cannot be used.
REMEDY = "(choose another --out, or remove it)"


class _Task(Protocol):
    @property
    def result_file(self) -> Path:
        """File that the task writes last."""


AnyTask = TypeVar("AnyTask", bound=_Task)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """A folder with a manifest.

    Parameters
    ----------
    path : Path
        Path of the folder.
    kind : str
        Name of the complete result, such as ``"a priced book"``, for messages.
    holds : str
        Name of the contents, such as ``"a run"``, for messages.
    """

    path: Path
    kind: str
    holds: str

    def manifest(self, *needed: str) -> dict[str, Any] | None:
        """Read the manifest; None if there is none yet.

        Raises
        ------
        DataError
            If it cannot be read, or lacks a required name.
        """
        path = self.path / MANIFEST
        if not path.exists():
            return None
        try:
            found = {**json.loads(path.read_text(encoding="utf-8"))}
            return found | {name: found[name] for name in needed}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"{path} cannot be read, or is not the manifest of {self.kind}: {error} {REMEDY}"
            ) from error

    def begin(self, inputs: Mapping[str, Any], *, grows: str | None = None) -> None:
        """Create the folder and write the manifest, or check that an existing manifest has the same inputs.

        Parameters
        ----------
        inputs : mapping of str to plain value
            Everything that results depend on; mappings are compared entry by entry.
        grows : str, optional
            Name of a mapping that may gain entries from run to run; the manifest collects those of all runs.

        Raises
        ------
        InvalidTermsError
            If the folder holds results of other inputs; the message names the first difference.
        DataError
            If the manifest cannot be read.
        """
        found = self.manifest()
        wanted = dict(inputs)
        if found is not None:
            self._require_same(found, wanted, grows)
            if grows is not None:
                wanted[grows] = found.get(grows, {}) | wanted[grows]
        if wanted != found:
            self.path.mkdir(parents=True, exist_ok=True)
            write_text(self.path / MANIFEST, json.dumps(wanted, indent=1, sort_keys=True))

    def _require_same(self, found: Mapping[str, Any], wanted: Mapping[str, Any], grows: str | None) -> None:
        for group, part in wanted.items():
            before, now = _entries(group, found.get(group)), _entries(group, part)
            for name, value in now.items():
                if before.get(name) != value and not (group == grows and name not in before):
                    raise InvalidTermsError(
                        f"{self.path} holds {self.holds} of another {name}: it has {before.get(name)}, "
                        f"this run has {value} {REMEDY}"
                    )

    def sweep(self, *names: str) -> None:
        """Delete the half-written files of a stopped run: the manifest, and files and folders with these names.

        Other runs may be using the folder, so nothing else is touched.
        """
        for name in (MANIFEST, *names):
            for part in self.path.glob(f"{escape(name)}.*{PART}"):
                part.unlink(missing_ok=True)
            sweep(self.path / name)


def _entries(name: str, value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {name: value}


def versions(*libraries: str) -> dict[str, Any]:
    """Return the versions of the engine and of libraries, for a manifest."""
    return {"engine": ENGINE_VERSION, "libraries": {name: version(name) for name in libraries}}


def resume(
    tasks: Sequence[AnyTask],
    run: Callable[[Sequence[AnyTask]], Iterable[Any]],
    read: Callable[[Path], Result],
    report: Report,
    *,
    size: Callable[[Any], int] = lambda _result: 1,
) -> list[Result]:
    """Run the tasks without a result, and return the results of all tasks in order.

    Parameters
    ----------
    tasks : sequence
        Tasks; the ``result_file`` of each is the file that it writes last.
    run : callable
        Runs the remaining tasks, in any order and anywhere, and yields a value for each as it ends.
    read : callable
        Reads a result file.
    report : callable
        Called with the finished amount.
    size : callable
        Amount of work in a result, or in a value from `run`; by default each task counts one.

    Raises
    ------
    WorkerError
        If a task has no result in the end.
    """
    results = {task.result_file: read(task.result_file) for task in tasks if task.result_file.exists()}
    n_done = sum(map(size, results.values()))
    report(n_done)
    for finished in run([task for task in tasks if task.result_file not in results]):
        n_done += size(finished)
        report(n_done)
    _require_results(tasks)
    return [results[file] if file in results else read(file) for file in (task.result_file for task in tasks)]


def _require_results(tasks: Sequence[_Task]) -> None:
    missing = [task.result_file for task in tasks if not task.result_file.exists()]
    if missing:
        raise WorkerError(f"{len(missing)} of {len(tasks)} tasks have no result, the first {missing[0]}: run again")
