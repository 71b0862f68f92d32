"""Fixtures shared by several test modules."""

import os

# Before NumPy starts its linear algebra: on small matrices its threads wait for each other longer than they work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from pricing.engine.kernel_inputs import arrays_digest
from pricing.engine.rare_drops import mixture
from tests.checkout import CHECKOUT

# The same examples in every run: a test fails because of a change, never because of a draw or a slow machine.
settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=25)
settings.register_profile("thorough", settings.get_profile("repeatable"), max_examples=100)
# Other examples in every run, and all that failed before, which are kept.
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=int(os.environ.get("CRASHCOVER_FUZZ_EXAMPLES", "1000")),
    database=DirectoryBasedExampleDatabase(CHECKOUT / "tests" / "fuzz" / "corpus"),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def market_data() -> Path:
    """Folder of real market data, or a skip if it is absent."""
    folder = Path(os.environ.get("CRASHCOVER_DATA", CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no market data at {folder}: set CRASHCOVER_DATA to the folder that holds it")
    return folder


@pytest.fixture
def one_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the pilot of rare drops once per model and signals in a test: no seed, path, thread or build enters it."""
    run, found = mixture._pilot, {}

    def look_up(proposal, arrays, signals):
        key = arrays_digest(arrays, (), proposal), signals
        if key not in found:
            found[key] = run(proposal, arrays, signals)
        return found[key]

    monkeypatch.setattr(mixture, "_pilot", look_up)
