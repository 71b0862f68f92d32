"""Run mutmut: ``python -m tests.mutation.run [MUTANT ...]``.

A mutant is tried by the tests that mirror its folder and reach its function, and by no others: a folder should be held
by its own tests, and the tests of all folders together would take many times as long.
"""

import sys
from collections.abc import Iterable
from typing import Any

from mutmut import __main__ as mutmut
from mutmut.state import state
from mutmut.stats import save_stats

_collect = mutmut.run_stats_collection


def collect_mirrored(runner: Any, tests: Iterable[str] | None = None) -> None:
    """Find out which tests reach which function, and keep those in the folder that mirrors it."""
    _collect(runner, tests)
    for function, found in state().tests_by_mangled_function_name.items():
        folder = "/".join(function.split(".")[:2])
        found.intersection_update({test for test in found if test.startswith(f"tests/{folder}/")})
    save_stats()


if __name__ == "__main__":
    mutmut.run_stats_collection = collect_mirrored
    mutmut.cli(["run", *sys.argv[1:]])
