"""A run resumes where another with the same inputs was stopped, and on nothing else."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from pricing.errors import DataError, InvalidTermsError
from pricing.tools.run_folder import MANIFEST, RunFolder, resume

INPUTS = {"book": "a", "libraries": {"numpy": "1", "scipy": "2"}, "sellers": {"one": "A"}}


@pytest.fixture
def folder(tmp_path):
    return RunFolder(path=tmp_path, kind="a cake", holds="slices")


def test_the_same_inputs_may_go_on(folder):
    assert folder.manifest() is None
    folder.begin(INPUTS)
    assert folder.manifest("book") == INPUTS
    folder.begin(INPUTS)
    assert folder.manifest() == INPUTS


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"book": "b", "libraries": {"numpy": "3"}}, "book: it has a, this run has b"),
        ({"libraries": {"numpy": "1", "scipy": "3"}}, "scipy: it has 2, this run has 3"),
        ({"libraries": {"numpy": "1", "arch": "4"}}, "arch: it has None, this run has 4"),
        ({"sellers": {"two": "B", "one": "C"}}, "one: it has A, this run has C"),
        ({"seed": 1}, "seed: it has None, this run has 1"),
    ],
)
def test_the_first_other_input_is_named(folder, change, difference):
    folder.begin(INPUTS)
    with pytest.raises(InvalidTermsError, match=f"holds slices of another {difference} .choose another --out"):
        folder.begin({**INPUTS, **change}, grows="sellers")
    assert folder.manifest() == INPUTS


def test_a_mapping_that_grows_keeps_the_entries_of_all_runs(folder):
    folder.begin(INPUTS, grows="sellers")
    folder.begin({**INPUTS, "sellers": {"two": "B"}}, grows="sellers")
    assert folder.manifest() == {**INPUTS, "sellers": {"one": "A", "two": "B"}}


@pytest.mark.parametrize("text", ["no json", "[]", "{}"])
def test_something_else_is_no_manifest(folder, text):
    (folder.path / MANIFEST).write_text(text)
    with pytest.raises(DataError, match="is not the manifest of a cake: .* .choose another --out"):
        folder.manifest("book")


def test_only_leftovers_of_the_run_are_swept(folder):
    own = ["manifest.json.1-2.part", "sum[1].json.3-4.part", "work/deep/5-6.part"]
    kept = ["film.part", "sum1.json.3-4.part", "other/7-8.part", "sum[1].json"]
    for name in own + kept:
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).touch()
    folder.sweep("sum[1].json", "work")
    assert [name for name in own + kept if (folder.path / name).exists()] == kept


@dataclass(frozen=True)
class Square:
    number: int
    result_file: Path


def square(task):
    value = task.number**2
    task.result_file.write_text(json.dumps(value))
    return value


def read(path):
    return json.loads(path.read_text())


def test_only_what_is_missing_is_done_and_all_comes_back_in_order(tmp_path):
    tasks = [Square(number, tmp_path / f"{number}.json") for number in range(6)]
    asked, told = [], []

    def backwards(waiting):
        asked.append([task.number for task in waiting])
        return map(square, reversed(waiting))

    square(tasks[2])
    assert resume(tasks, backwards, read, told.append) == [0, 1, 4, 9, 16, 25]
    assert asked == [[0, 1, 3, 4, 5]]
    assert told == [1, 2, 3, 4, 5, 6]


def test_progress_counts_the_amount_of_work(tmp_path):
    tasks = [Square(number, tmp_path / f"{number}.json") for number in (1, 2, 3)]
    told = []
    square(tasks[1])
    resume(tasks, lambda waiting: map(square, waiting), read, told.append, size=int)
    assert told == [4, 5, 14]
