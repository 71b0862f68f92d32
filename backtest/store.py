"""Results on disk: one file per forecaster and start, each complete or absent, under a manifest of the backtest."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

import calibration
import pricing
from backtest import forecasters as forecaster_package
from backtest.known import Forecaster
from backtest.panel import Panel
from backtest.periods import Plan
from pricing.tools.run_folder import RunFolder, versions

#: Files that are generated from others.
_MADE = (".pyc", ".c", ".so", ".pyd")


def result_file(folder: Path, forecaster: Forecaster, start: pd.Timestamp) -> Path:
    """Return the path of the file of a forecaster's quotes at a start."""
    return folder / forecaster.name / f"{start:%Y-%m-%dT%H%M%SZ}.parquet"


def prepare(folder: Path, panel: Panel, plan: Plan, forecasters: Sequence[Forecaster]) -> None:
    """Make the folder ready for results, or make sure that it holds results of the same backtest.

    Forecasters may be added to a folder; existing results are kept.

    Raises
    ------
    InvalidTermsError
        If the folder holds results of another panel, plan, version or setting of a forecaster; the message names the
        difference.
    DataError
        If its manifest cannot be read.
    """
    names = [forecaster.name for forecaster in forecasters]
    run_folder = RunFolder(path=folder, kind="a backtest", holds="results")
    run_folder.begin(describe(panel, plan, forecasters), grows="forecasters")
    for name in names:
        (folder / name).mkdir(exist_ok=True)
    run_folder.sweep(*names)


def describe(panel: Panel, plan: Plan, forecasters: Sequence[Forecaster]) -> dict[str, Any]:
    """Describe everything that quotes depend on, as plain values."""
    return {
        "panel": panel.fingerprint(),
        "cells": [cell.name for cell in plan.cells],
        "every": str(plan.every),
        "first_start": str(plan.first_start),
        "seed": plan.seed,
        "source code": _code_digest(),
        **versions("arch", "numpy", "pandas", "scipy"),
        "forecasters": {forecaster.name: repr(forecaster) for forecaster in forecasters},
    }


def _code_digest() -> str:
    """Hash the source code behind quotes, so that results of an edited model are not mistaken for current ones."""
    digest = hashlib.sha256()
    for package in (pricing, calibration, forecaster_package):
        folder = Path(str(package.__file__)).parent
        for source in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in _MADE):
            digest.update(f"{source.relative_to(folder)}\n".encode() + source.read_bytes())
    return digest.hexdigest()
