"""Time and memory of the report of a pool, in its own process."""

import json
import subprocess
import sys

import pytest

from tests.checkout import CHECKOUT

MOST_SECONDS, MOST_GIGABYTES = 60.0, 2.0


@pytest.mark.parametrize("n_threads", [1, 2])
def test_pool_report(benchmark, n_threads):
    command = [sys.executable, "-m", "tests.benchmarks.pool_work", str(n_threads)]
    printed = benchmark.pedantic(subprocess.check_output, args=(command,), kwargs={"cwd": CHECKOUT}, rounds=1)
    figures = json.loads(printed)
    benchmark.extra_info.update(table="pool", n_threads=n_threads, **figures)
    assert figures["total"] <= MOST_SECONDS
    assert figures["gigabytes"] <= MOST_GIGABYTES
