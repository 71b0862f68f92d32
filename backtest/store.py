"""Results on disk: one file a forecaster and start, each whole or not there, under a manifest that says of what."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

import calibration
import pricing
from backtest import forecasters as forecaster_package
from backtest.known import Forecaster
from backtest.panel import Panel
from backtest.periods import Plan
from pricing.errors import DataError, InvalidTermsError
from pricing.tools.whole_files import sweep, write_text
from pricing.version import ENGINE_VERSION

MANIFEST = "manifest.json"
_LIBRARIES = ("arch", "numpy", "pandas", "scipy")
#: Files that are made from others.
_MADE = (".pyc", ".c", ".so", ".pyd")


def result_file(folder: Path, forecaster: Forecaster, start: pd.Timestamp) -> Path:
    """Name the file of a forecaster's quotes at a start."""
    return folder / forecaster.name / f"{start:%Y-%m-%dT%H%M%SZ}.parquet"


def prepare(folder: Path, panel: Panel, plan: Plan, forecasters: Sequence[Forecaster]) -> None:
    """Make the folder ready for results, or make sure that those in it are of the same backtest.

    Forecasters may be added to a folder; what is there stays as it is.

    Raises
    ------
    InvalidTermsError
        If the folder holds results of another panel, plan, version or setting of a forecaster; the message says which.
    DataError
        If its manifest cannot be read.
    """
    wanted = describe(panel, plan, forecasters)
    found = _read_manifest(folder / MANIFEST)
    if found is not None:
        _require_equal(wanted, found, folder)
        wanted["forecasters"] = found["forecasters"] | wanted["forecasters"]
    for forecaster in forecasters:
        (folder / forecaster.name).mkdir(parents=True, exist_ok=True)
        sweep(folder / forecaster.name)
    write_text(folder / MANIFEST, json.dumps(wanted, indent=1, sort_keys=True))


def describe(panel: Panel, plan: Plan, forecasters: Sequence[Forecaster]) -> dict[str, Any]:
    """Describe everything that quotes are a function of, as plain values."""
    return {
        "panel": panel.fingerprint(),
        "cells": [cell.name for cell in plan.cells],
        "every": str(plan.every),
        "first_start": str(plan.first_start),
        "seed": plan.seed,
        "engine": ENGINE_VERSION,
        "source code": _code_digest(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "forecasters": {forecaster.name: repr(forecaster) for forecaster in forecasters},
    }


def _code_digest() -> str:
    """Hash what quotes are made with, so that results of an edited model are not taken for those of the present."""
    digest = hashlib.sha256()
    for package in (pricing, calibration, forecaster_package):
        folder = Path(str(package.__file__)).parent
        for source in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in _MADE):
            digest.update(f"{source.relative_to(folder)}\n".encode() + source.read_bytes())
    return digest.hexdigest()


def _read_manifest(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        return {**manifest, "forecasters": {**manifest["forecasters"]}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read: {error} (choose another folder, or remove it)") from error


def _require_equal(wanted: Mapping[str, Any], found: Mapping[str, Any], folder: Path) -> None:
    differences = [name for name in wanted if name != "forecasters" and wanted[name] != found.get(name)]
    known = found["forecasters"]
    differences += [name for name, text in wanted["forecasters"].items() if known.get(name, text) != text]
    if differences:
        name = differences[0]
        before, now = (known, wanted["forecasters"]) if name in wanted["forecasters"] else (found, wanted)
        raise InvalidTermsError(
            f"{folder} holds results of another {name}: {before.get(name)} there, {now[name]} now (choose another "
            "folder with --out, or remove it)"
        )
