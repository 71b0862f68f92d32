"""All builds of the kernel are one kernel."""

import os
import subprocess
import sys

import numpy as np
import pytest

from pricing import Reference, SimulationSettings, simulate
from pricing.engine import kernel
from pricing.errors import SimulationError
from tests.pricing.engine.test_kernel_twin import MODELS


def drops_of(build, model, monkeypatch, n_threads=1, *, rare_drops=False):
    monkeypatch.setattr("pricing.engine.simulation.simulate_blocks", kernel.load_build(build).simulate_blocks)
    surface = simulate(
        model,
        windows=("1h", "24h"),
        terms=("32h", "65h"),  # a chunk is 32 rows
        references=tuple(Reference),
        waiting_periods=("0h", "5h"),
        settings=SimulationSettings(n_paths=5_001, seed=99, n_threads=n_threads, rare_drops=rare_drops),
    )
    return np.vstack([surface.worst_drops, np.ones(5_001) if surface.weights is None else surface.weights])


@pytest.mark.usefixtures("one_pilot")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("rare_drops", [False, True])
def test_every_build_and_number_of_threads_gives_the_same_bits(name, rare_drops, monkeypatch):
    expected = drops_of("baseline", MODELS[name], monkeypatch, rare_drops=rare_drops)
    for build in kernel.usable_builds():
        for n_threads in (1, 2):  # of two batches
            assert np.array_equal(
                drops_of(build, MODELS[name], monkeypatch, n_threads, rare_drops=rare_drops), expected
            ), (build, n_threads)


def test_the_widest_build_is_the_default():
    if kernel.VARIABLE in os.environ:
        pytest.skip(f"{kernel.VARIABLE} is set")
    assert kernel.instruction_set == kernel.usable_builds()[-1]


def chosen(value):
    program = "from pricing.engine import kernel; print(kernel.instruction_set, kernel.simulate_blocks.__module__)"
    environment = {**os.environ, kernel.VARIABLE: value}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("build", kernel.usable_builds())
def test_the_environment_chooses_a_build(build):
    assert chosen(build).stdout.split()[0] == build


def test_an_unknown_build_is_refused():
    assert "CRASHCOVER_INSTRUCTION_SET must be one of baseline" in chosen("mmx").stderr
    with pytest.raises(SimulationError, match="got 'mmx'"):
        kernel.load_build("mmx")
