import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest import Constant, GeometricBrownianMotion, Logit, Quotes, TextbookGarch, find_starts, make_panel, walk
from backtest.walk_forward import n_files
from pricing.errors import DataError, InvalidTermsError, SimulationError
from tests.backtest.conftest import TOKENS
from tests.checkout import CHECKOUT

FORECASTERS = (Constant(), Logit(), GeometricBrownianMotion(n_paths=1000), TextbookGarch(n_paths=200, share=0.3))


@dataclass(frozen=True)
class Fixed:
    """Quotes the same for all tokens, and counts its calls in a file."""

    log: Path
    probability: float = 0.5
    name: str = "fixed"

    def quote(self, known):
        with self.log.open("a") as log:
            log.write(f"{known.start}\n")
        return Quotes(probabilities=np.full((len(known.tokens), len(known.cells)), self.probability))


def equal(one, other):
    pd.testing.assert_frame_equal(one.outcomes, other.outcomes, check_exact=True)
    assert one.quotes.keys() == other.quotes.keys()
    for name, table in one.quotes.items():
        pd.testing.assert_frame_equal(table, other.quotes[name], check_exact=True)


@pytest.fixture(scope="module")
def walked(panel, plan, tmp_path_factory):
    return walk(panel, plan, FORECASTERS, tmp_path_factory.mktemp("walked"))


def test_quotes_and_outcomes_are_of_the_same_token_periods(panel, plan, walked):
    starts = find_starts(panel, plan)
    assert len(walked.outcomes) == (len(starts) - 1) * TOKENS
    assert walked.outcomes["start"].min() == starts[1]
    for table in walked.quotes.values():
        assert (table["token"] == walked.outcomes["token"]).all()
        assert (table["start"] == walked.outcomes["start"]).all()
        assert set(table) == {"start", "token", "refusal", *(cell.name for cell in plan.cells)}


def test_progress_counts_to_the_end(panel, plan, tmp_path):
    done = []
    walk(panel, plan, FORECASTERS[:2], tmp_path, progress=done.append)
    assert done == list(range(n_files(panel, plan, FORECASTERS[:2]) + 1))
    done.clear()
    walk(panel, plan, FORECASTERS[:2], tmp_path, progress=done.append)
    assert done == [n_files(panel, plan, FORECASTERS[:2])]


def test_what_was_walked_is_not_walked_again(panel, plan, tmp_path):
    fixed = Fixed(log=tmp_path / "log")
    once = walk(panel, plan, [fixed], tmp_path / "out")
    asked = fixed.log.read_text().splitlines()
    (tmp_path / "out" / "fixed").joinpath("2023-06-30T000000Z.parquet").unlink()
    equal(walk(panel, plan, [fixed], tmp_path / "out"), once)
    assert fixed.log.read_text().splitlines() == [*asked, "2023-06-30 00:00:00+00:00"]


def test_a_forecaster_can_be_added(panel, plan, walked, tmp_path):
    walk(panel, plan, FORECASTERS[:1], tmp_path)
    walk(panel, plan, FORECASTERS[1:3], tmp_path)
    equal(walk(panel, plan, FORECASTERS, tmp_path), walked)
    assert len(json.loads((tmp_path / "manifest.json").read_text())["forecasters"]) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, c, f: (make_panel(p.closes * 2.0), c, f), "another panel"),
        (lambda p, c, f: (p, replace(c, cells=c.cells[:2]), f), "another cells"),
        (lambda p, c, f: (p, replace(c, seed=2), f), "another seed: it has 1, this run has 2"),
        (lambda p, c, f: (p, replace(c, every=pd.Timedelta("31D").to_pytimedelta()), f), "another every"),
        (
            lambda p, c, f: (p, c, [f[0], replace(f[2], n_paths=7)]),
            "another gbm: it has Geo.*n_paths=1000.*, this run has .*n_paths=7",
        ),
    ],
)
def test_results_of_another_backtest_are_not_mixed(panel, plan, tmp_path, change, message):
    walk(panel, plan, FORECASTERS[:3], tmp_path)
    with pytest.raises(InvalidTermsError, match=message):
        walk(*change(panel, plan, FORECASTERS), tmp_path)


def test_a_damaged_manifest_is_not_overwritten(panel, plan, tmp_path):
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="manifest.json cannot be read"):
        walk(panel, plan, FORECASTERS[:1], tmp_path)


@pytest.mark.parametrize("probability", [0.0, 1.0, 1.1, np.inf])
def test_certainty_is_no_quote(panel, plan, tmp_path, probability):
    with pytest.raises(
        SimulationError, match="fixed must quote all cells .* strictly between 0 and 1, .* got .* for T0"
    ):
        walk(panel, plan, [Fixed(log=tmp_path / "log", probability=probability)], tmp_path)


@dataclass(frozen=True)
class Partial:
    name: str = "partial"

    def quote(self, known):
        probabilities = np.full((len(known.tokens), len(known.cells)), 0.5)
        probabilities[1, 2] = np.nan
        return Quotes(probabilities=probabilities)


def test_a_token_is_quoted_whole_or_not_at_all(panel, plan, tmp_path):
    with pytest.raises(SimulationError, match="or none, got nan for T1 at .*, 5% in 24h in 30d"):
        walk(panel, plan, [Partial()], tmp_path)


KILLED = """
import sys
from pathlib import Path
from functools import partial
from backtest import make_panel, walk
from pricing.tools.processes import in_processes
from tests.backtest.test_walk_forward import FORECASTERS
from tests.backtest.conftest import make_closes
from backtest import Plan, make_cells


def show(done):
    print(done, flush=True)


if __name__ == "__main__":
    plan = Plan(cells=make_cells(windows=["1h", "24h"], drops=[0.05, 0.15]))
    run = partial(in_processes, n_processes=2)
    walk(make_panel(make_closes()), plan, FORECASTERS, Path(sys.argv[1]), run=run, progress=show)
"""


def test_a_killed_walk_in_two_processes_leaves_whole_files_and_goes_on_to_the_same(panel, plan, walked, tmp_path):
    """Half of the files, several of each forecaster, come from two processes, and the others from one."""
    half = n_files(panel, plan, FORECASTERS) // 2
    script, folder = tmp_path / "killed.py", tmp_path / "out"
    script.write_text(KILLED)
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, str(script), str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        for line in process.stdout:
            if int(line) >= half:
                break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout.read().count("\n") < half
    deadline = time.monotonic() + 10.0
    while processes_of(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_of(process.pid)
    found = list(folder.rglob("*.parquet"))
    assert half <= len(found) < 2 * half
    assert all(len(pd.read_parquet(file)) == TOKENS for file in found)
    equal(walk(panel, plan, FORECASTERS, folder), walked)
    assert not list(folder.rglob("*.part"))


def processes_of(session):
    """Return the living processes of a session that this test started."""
    living = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, _group, of_session = status.read_text().rpartition(")")[2].split()[:4]
            living += [status.parent.name] if int(of_session) == session and state != "Z" else []
    return living


@dataclass(frozen=True)
class Looking:
    """Keeps the starts whose outcomes it was told."""

    log: Path
    name: str = "looking"

    def quote(self, known):
        with self.log.open("a") as log:
            log.writelines(f"{known.start} {start}\n" for start in known.past["start"].unique())
        return Quotes(probabilities=np.full((len(known.tokens), len(known.cells)), 0.5))


def test_where_terms_overlap_only_those_that_have_ended_are_known(panel, plan, tmp_path):
    walk(panel, replace(plan, every=timedelta(days=10)), (Looking(tmp_path / "log"),), tmp_path / "walk")
    told = [line.split(" ", 4) for line in (tmp_path / "log").read_text().splitlines()]
    ages = {pd.Timestamp(f"{row[0]} {row[1]}") - pd.Timestamp(f"{row[2]} {row[3]}") for row in told}
    assert min(ages) == pd.Timedelta(days=30)
