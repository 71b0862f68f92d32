"""Let every N-th operation of a scenario fail once: ``python -m tests.failing_disk.run NAME N`` under the library."""

import shutil
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from pricing.errors import PricingError
from pricing.tools.whole_files import PART
from tests.failing_disk import disk
from tests.failing_disk.scenarios import SCENARIOS, Parts, Scenario


def run(scenario: Scenario, folder: Path, every: int) -> int:
    """Let operations fail, each in a copy of its own; return how many, or raise an AssertionError."""
    clean = folder / "clean" / "out"
    clean.mkdir(parents=True)
    scenario.prepare(clean)
    undisturbed, again = _copy(clean, folder / "undisturbed"), scenario.again or scenario.act
    before, after = scenario.read(clean), _read_after(scenario.act, undisturbed, scenario)
    last = _read_after(again, undisturbed, scenario) if scenario.again else after
    n_failed = 0
    for place in count(1, every):
        tried = _copy(clean, folder / str(place))
        error, n_operations = _act(scenario, tried, place)
        if n_operations < place:
            assert error is None
            break
        _check(scenario.read(tried), before, after, f"operation {place}: {error!r}")
        assert error is None or not _unfinished(tried), f"operation {place}: {_unfinished(tried)}"
        assert _read_after(again, tried, scenario) == last, f"operation {place}: another result after {error!r}"
        assert not _unfinished(tried), f"operation {place}: {_unfinished(tried)} after a second try"
        shutil.rmtree(tried.parent)
        n_failed += 1
    return n_failed


def _act(scenario: Scenario, folder: Path, place: int) -> tuple[Exception | None, int]:
    """Act while the operation at a place fails; return the error that is told, and the number of operations."""
    disk.arm(folder, place)
    try:
        scenario.act(folder)
    except (OSError, PricingError) as error:
        return error, disk.disarm()
    return None, disk.disarm()


def _check(found: Parts, before: Parts, after: Parts, where: str) -> None:
    assert found.keys() == after.keys(), f"{where}: {sorted(found)} are left"
    for part, value in found.items():
        assert value in (before[part], after[part]), f"{where}: {part} is neither old nor new"


def _copy(clean: Path, to: Path) -> Path:
    shutil.copytree(clean.parent, to)
    return to / "out"


def _read_after(act: Callable[[Path], object], folder: Path, scenario: Scenario) -> Parts:
    act(folder)
    return scenario.read(folder)


def _unfinished(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(f"*{PART}"))


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        print(run(SCENARIOS[sys.argv[1]], Path(name).resolve(), int(sys.argv[2])))  # noqa: T201 - for the test
