"""A folder of price files of one token that follow each other, such as the months that an exchange gives."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from crashcover.files.cells import token_of
from crashcover.files.closes import TokenCloses, read_file
from crashcover.files.reading import PriceReading
from crashcover.files.tables import some
from crashcover.files.times import bar_length
from pricing.errors import DataError
from pricing.tools.units import format_duration

_DIGITS = re.compile(r"\d+")


def read_months(folder: Path, asset: str | None, reading: PriceReading) -> TokenCloses:
    """Read the closes of one token from all files of a folder, joined in the order of time.

    Parameters
    ----------
    folder : Path
        The folder. If a file has the name of the token, only that file is read.
    asset : str, optional
        Token to choose, if the files hold several.
    reading : PriceReading
        How each file is read.

    Returns
    -------
    TokenCloses
        Equal rows of several files are kept once.

    Raises
    ------
    DataError
        If there is no file, one cannot be read, two contradict each other, or they differ in more than digits of their
        names, in the length of their bars, in the end of the bar that they label, or in their token.
    """
    paths, not_read = _files(folder, asset)
    parts = {path: read_file(path, asset, reading) for path in paths}
    _require_alike(parts, folder, "name the same token", lambda _, part: part.asset or "none")
    _require_alike(parts, folder, "label the same end of bars (--label)", lambda _, part: part.label)
    several = {path: part for path, part in parts.items() if part.closes.index.nunique() > 1}
    _require_alike(several, folder, "hold bars of one length", lambda path, part: _length(part, path))
    closes, overlapping = _join(parts)
    first = parts[paths[0]]
    told = (f"{len(paths)} files are joined, {paths[0].name} to {paths[-1].name}",) if len(paths) > 1 else ()
    volumes = [part.volumes for part in parts.values() if part.volumes is not None]
    joined = pd.concat(volumes) if len(volumes) == len(parts) else None
    return TokenCloses(
        asset=first.asset,
        closes=closes,
        label=first.label,
        volumes=None if joined is None else joined[~joined.index.duplicated()],
        notices=(*told, *not_read, *_notices(parts), *overlapping),
    )


def _files(folder: Path, asset: str | None) -> tuple[list[Path], tuple[str, ...]]:
    """Return the files of the folder in the order of their names, and a notice that names those that are not read."""
    inside = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    tables = [path for path in inside if token_of(path) is not None]
    paths = [path for path in tables if token_of(path) == asset] or tables
    if not paths:
        raise DataError(f"{folder}: must hold files of prices, got {some(path.name for path in inside) or 'none'}")
    names = _first_of_each((_DIGITS.sub("", path.name.split(".")[0]), path.name) for path in paths)
    if len(names) > 1:
        raise DataError(
            f"{folder}: must hold files of one token, whose names differ in digits only, got {some(names.values())} "
            "(choose a file by its token with --asset)"
        )
    others = [path.name for path in inside if path not in tables]
    return paths, (f"not read, because of the endings of the names: {some(others)}",) if others else ()


def _first_of_each(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the first name of each value."""
    found: dict[str, str] = {}
    for value, name in pairs:
        found.setdefault(value, name)
    return found


def _require_alike(
    parts: dict[Path, TokenCloses], folder: Path, demand: str, value: Callable[[Path, TokenCloses], str]
) -> None:
    values = _first_of_each((value(path, part), path.name) for path, part in parts.items())
    if len(values) > 1:
        got = " and ".join(f"{each} in {name}" for each, name in list(values.items())[:2])
        raise DataError(f"{folder}: all files must {demand}, got {got}")


def _length(part: TokenCloses, path: Path) -> str:
    return format_duration(bar_length(pd.DatetimeIndex(part.closes.index), path))


def _join(parts: dict[Path, TokenCloses]) -> tuple[pd.Series, tuple[str, ...]]:
    """Join closes in the order of time, and tell how many were in several files."""
    paths = list(parts)
    closes = pd.concat([part.closes for part in parts.values()])
    source = np.repeat(np.arange(len(paths)), [len(part.closes) for part in parts.values()])
    order = np.argsort(pd.DatetimeIndex(closes.index).asi8, kind="stable")
    closes, source = closes.iloc[order], source[order]
    known = closes.notna().to_numpy()
    closes, source = closes[known], source[known]
    again = closes.index.duplicated()
    _refuse_contradictions(closes, again, [paths[each] for each in source])
    repeated = again & (source != np.roll(source, 1))  # one that a file repeats itself is a finding of the calibration
    told = (f"{repeated.sum()} rows are in two files, with equal closes, and count once",) if repeated.any() else ()
    return closes[~repeated], told


def _refuse_contradictions(closes: pd.Series, again: npt.NDArray[np.bool_], source: Sequence[Path]) -> None:
    """Check that closes of one time are equal."""
    prices = closes.to_numpy()
    wrong = np.flatnonzero(again & (prices != np.roll(prices, 1)))
    if len(wrong):
        at = int(wrong[0])
        raise DataError(
            f"{source[at]}: close {prices[at]:g} contradicts {prices[at - 1]:g} in {source[at - 1].name} of the same "
            f"time {closes.index[at].isoformat()} (two tokens or two venues in one folder?)"
        )


def _notices(parts: dict[Path, TokenCloses]) -> tuple[str, ...]:
    """Return every notice once, with the first file if not all have it."""
    found: dict[str, list[str]] = {}
    for path, part in parts.items():
        for notice in part.notices:
            found.setdefault(notice, []).append(path.name)
    return tuple(notice if len(names) == len(parts) else f"{some(names)}: {notice}" for notice, names in found.items())
