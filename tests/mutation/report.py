"""Count the mutants that the tests let live: ``python -m tests.mutation.report`` after ``mutmut run``.

A mutant that behaves like the original cannot be killed; ``equivalent.toml`` lists such mutants with their reasons, and
functions whose mutants are not counted. The report fails if, in any folder, more than 3 % of the other mutants survive.
"""

import json
import re
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from rich.console import Console
from rich.table import Table

MOST_SURVIVORS = 0.03
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
#: Mutants that were tried, with those that no test reaches.
TRIED = ("killed", "survived", "no tests", "timeout", "suspicious", "segfault")
ALIVE = ("survived", "no tests")


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that lives: where, and what became of a line."""

    folder: str
    function: str
    before: str
    after: str


def function_of(name: str) -> str:
    """Return the dotted name of the function that a mutant changes."""
    return re.sub(r"__mutmut_\d+$", "", name).replace("xǁ", "").replace("ǁ", ".").replace(".x_", ".")


def read_survivor(folder: str, name: str, path: Path) -> Survivor:
    """Read what a mutant changes."""
    lines = get_diff_for_mutant(name, path=path).splitlines()[2:]
    before, after = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return Survivor(folder, function_of(name), before, after)


def is_equivalent(survivor: Survivor, listed: dict[str, list[dict[str, str]]]) -> bool:
    """Tell whether a mutant is listed: by its function and new text, or because it differs in nothing but a kind."""
    return any(
        survivor.function == each["function"] and survivor.after == each["after"] for each in listed["mutant"]
    ) or any(without(each["text"], survivor.before) == without(each["text"], survivor.after) for each in listed["kind"])


def without(pattern: str, line: str) -> str:
    """Leave out the text of a kind, and the comma and the blanks that a removed argument leaves behind."""
    return re.sub(r",?\s+|,(?=\))", "", re.sub(pattern, "", line))


def main() -> int:
    """Print the table and the survivors; return 1 if there are too many."""
    listed = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
    tried, equivalent, alive = Counter[str](), Counter[str](), []
    for meta in sorted(Path("mutants").rglob("*.py.meta")):
        path = meta.relative_to("mutants").with_suffix("")
        for name, code in json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"].items():
            if any(re.search(each["functions"], function_of(name)) for each in listed["outside"]):
                continue
            status, folder = status_by_exit_code[code], path.parent.as_posix()
            tried[folder] += status in TRIED
            if status in ALIVE:
                survivor = read_survivor(folder, name, path)
                if is_equivalent(survivor, listed):
                    equivalent[folder] += 1
                else:
                    alive.append(survivor)
    console = Console(width=120, highlight=False, soft_wrap=True)
    for survivor in alive:
        console.print(f"{survivor.function}\n  - {survivor.before}\n  + {survivor.after}", markup=False)
    table = Table("folder", "mutants", "killed", "equivalent", "survived", "survival")
    lived, too_many = Counter(survivor.folder for survivor in alive), False
    for folder in filter(tried.get, tried):
        share = lived[folder] / (tried[folder] - equivalent[folder])
        too_many |= share > MOST_SURVIVORS
        killed = tried[folder] - equivalent[folder] - lived[folder]
        table.add_row(
            folder, *(f"{n:,}" for n in (tried[folder], killed, equivalent[folder], lived[folder])), f"{share:.1%}"
        )
    console.print(table)
    return int(too_many)


if __name__ == "__main__":
    sys.exit(main())
