"""Time of an import in a fresh interpreter, compared with numpy.

By itself: ``python -m pytest -W default tests/benchmarks/bench_import.py``
"""

import os
import subprocess
import sys

import pytest

#: With bytecode on the disk, as where a package is installed.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
TIMED = "from time import perf_counter; start = perf_counter(); {}; print(perf_counter() - start)"


def seconds(statement):
    """Time a statement in an interpreter of its own, without what starting one takes."""
    printed = subprocess.run(
        [sys.executable, "-c", TIMED.format(statement)], check=True, capture_output=True, env=ENVIRONMENT
    )
    return float(printed.stdout)


@pytest.mark.parametrize(("statement", "reach"), [("import pricing", 1.3), ("from pricing import Quoter", None)])
def test_import(benchmark, statement, reach):
    theirs, ours = [], []

    def side_by_side():
        theirs.append(seconds("import numpy"))
        ours.append(seconds(statement))

    benchmark.pedantic(side_by_side, rounds=15, warmup_rounds=2)
    benchmark.extra_info.update(table="import", statement=statement, numpy=theirs[2:], ours=ours[2:], reach=reach)
