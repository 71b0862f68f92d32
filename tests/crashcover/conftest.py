"""The sample market on disk, and a way to call the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crashcover import sample_market
from crashcover.cli import main


@pytest.fixture(scope="session")
def sample_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Prices and holders of the sample market."""
    return sample_market.write_files(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run the command in this process: ``run("quote", "--drop", 0.5, ...)``."""
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def quote(run: Callable[..., Result], sample_files: tuple[Path, Path]) -> Callable[..., Result]:
    """Quote on SYNTH-WILD with few paths: ``quote("--drop", 0.5, ...)``."""
    prices, _ = sample_files
    return lambda *arguments: run("quote", "--prices", prices, "--asset", "SYNTH-WILD", "--paths", 4000, *arguments)
