"""The sample market on disk, and a way to call the command line."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result

from crashcover import sample_market
from crashcover.rates.job import RateJob
from crashcover.rates.job import run_job as run_rates
from crashcover.rates.night import RateSettings
from crashcover.runs.workers import Workplace
from pricing.tools.progress import silent
from tests.crashcover.calling import call
from tests.crashcover.stopping import Renames


@pytest.fixture(scope="session")
def sample_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Prices and holders of the sample market."""
    return sample_market.write_files(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def panel(sample_files: tuple[Path, Path]) -> pd.DataFrame:
    """Prices of the sample market as in the file."""
    return pd.read_csv(sample_files[0])


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run the command in this process: ``run("quote", "--drop", 0.5, ...)``."""
    return call


@pytest.fixture
def renames(monkeypatch: pytest.MonkeyPatch) -> Renames:
    """Stop a run before any rename."""
    return Renames(monkeypatch)


@pytest.fixture
def quote(run: Callable[..., Result], sample_files: tuple[Path, Path]) -> Callable[..., Result]:
    """Quote on SYNTH-WILD with few paths: ``quote("--drop", 0.5, ...)``."""
    prices, _ = sample_files
    return lambda *arguments: run("quote", "--prices", prices, "--asset", "SYNTH-WILD", "--paths", 4000, *arguments)


@pytest.fixture(scope="session")
def rate_store(sample_files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rates of the sample market, from few paths."""
    folder = tmp_path_factory.mktemp("rates")
    settings = RateSettings(n_paths=4000, windows=("1h", "24h"), terms=("7d", "30d"))
    run_rates(RateJob(prices=sample_files[0], out=folder, settings=settings), Workplace(processes=1), silent)
    return folder
