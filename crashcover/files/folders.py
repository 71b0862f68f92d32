"""Folders with one file per token, which is named by it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from crashcover.display.messages import tell
from crashcover.files.cells import token_of
from crashcover.files.prices import read_history
from crashcover.files.reading import PriceReading
from pricing.errors import DataError


def files_by_token(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each token in a folder, in the order of names.

    Raises
    ------
    DataError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: cannot be read: no such folder")
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        asset = token_of(path)
        if asset is not None:
            files.setdefault(asset, []).append(path)
    return files


def several_files(paths: Sequence[Path]) -> DataError:
    """Return the error about a token with several files."""
    names = ", ".join(path.name for path in paths)
    return DataError(f"{paths[0].parent} must hold one file per token, got {names}")


def files_not_read(folder: Path | None) -> Iterator[str]:
    """Yield a notice that names the files of a folder that are passed over."""
    if folder is None or not folder.is_dir():
        return
    names = [path.name for path in sorted(folder.iterdir()) if token_of(path) is None and path.name[0] != "."]
    if names:
        yield f"{folder}: not read, because of the endings of the names: {', '.join(names)}"


def read_folder(folder: Path, reading: PriceReading) -> Iterator[tuple[str, pd.Series | Exception]]:
    """Yield the closes of every token; an error of any kind affects only its own token."""
    for asset, paths in files_by_token(folder).items():
        yield asset, _read_token(paths, asset, reading)


def _read_token(paths: Sequence[Path], asset: str, reading: PriceReading) -> pd.Series | Exception:
    try:
        if not asset.strip():
            raise DataError(f"{paths[0]} must be named by its token")
        if len(paths) > 1:
            raise several_files(paths)
        history = read_history(paths[0], asset, reading)
        for notice in history.notices:
            tell(f"notice: {paths[0]}: {notice}")
        return history.closes
    except Exception as error:  # noqa: BLE001
        return error
