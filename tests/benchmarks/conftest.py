"""Keep the benchmarks out of `make test`, which installs no opponents, and record more about the machine."""

import re
from importlib.metadata import version
from pathlib import Path

from pricing.engine import kernel

collect_ignore_glob = ["*.py"]  # files named on the command line are collected all the same

OPPONENTS = ("numpy", "scipy", "numba", "QuantLib", "arch")


def pytest_benchmark_update_machine_info(machine_info):
    machine_info["compiler"] = compiler_of(kernel.load_build(kernel.instruction_set).__file__)
    machine_info["versions"] = {name: version(name) for name in OPPONENTS}


def compiler_of(path):
    """Read who built a file from the mark that compilers leave in it."""
    mark = re.search(rb"(GCC): \([^)]*\) ([\d.]+)|(clang) version ([\d.]+)", Path(path).read_bytes())
    return " ".join(part.decode() for part in mark.groups() if part) if mark else "an unknown compiler"
