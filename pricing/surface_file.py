"""Surfaces on disk: one file of NumPy arrays back to back, checksummed, memory-mapped on reading, never pickled.

The first array is a JSON header as bytes; then come the weights (empty where all are 1) and the worst drops.
"""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from pricing import plain
from pricing.errors import CorruptSurfaceError, PricingError
from pricing.models import MODEL_CLASSES
from pricing.settings import SimulationSettings
from pricing.signals import Signal
from pricing.surface import DropSurface
from pricing.triggers import Reference

FloatArray = npt.NDArray[np.float64]

_FORMAT = "crashcover surface 1"
_CLASSES = (*MODEL_CLASSES, SimulationSettings, Signal, Reference)


def write(surface: DropSurface, path: Path) -> None:
    """Write a surface under a temporary name, then rename: a reader sees the old file or the new one, whole."""
    weights = np.empty(0) if surface.weights is None else surface.weights
    arrays = [np.ascontiguousarray(array, dtype="<f8") for array in (weights, surface.worst_drops)]
    header = {
        "format": _FORMAT,
        "model": plain.to_plain(surface.model),
        "settings": plain.to_plain(surface.settings),
        "model_digest": surface.model_digest,
        "signals": plain.to_plain(surface.signals),
        "checksums": [_checksum(array) for array in arrays],
    }
    text = json.dumps(header, sort_keys=True, allow_nan=False).encode()
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            for array in (np.frombuffer(text, dtype=np.uint8), *arrays):
                np.lib.format.write_array(file, array, allow_pickle=False)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: Path) -> DropSurface:
    """Read a surface and check its sums.

    Raises
    ------
    CorruptSurfaceError
        If the file is damaged, truncated or not a surface.
    """
    try:
        with path.open("rb") as file:
            header = json.loads(np.lib.format.read_array(file, allow_pickle=False).tobytes())
            weights, worst_drops = _map_array(file), _map_array(file)
        return _surface(header, weights, worst_drops)
    except (ValueError, TypeError, KeyError, AttributeError, EOFError, PricingError) as error:
        raise CorruptSurfaceError(f"{path} is damaged or not a surface: {error}") from error


def _map_array(file: BinaryIO) -> FloatArray:
    """Map the array at the file's position into memory and move behind it."""
    version = np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if version != (1, 0) or dtype != np.dtype("<f8"):
        raise ValueError(f"expected an array of float64 in format 1.0, got {dtype} in format {version}")
    offset, n_bytes = file.tell(), int(np.prod(shape)) * dtype.itemsize
    if n_bytes == 0:
        return np.empty(shape)
    mapped = np.memmap(file, dtype=dtype, mode="r", offset=offset, shape=shape)
    file.seek(offset + n_bytes)
    return mapped


def _surface(header: dict[str, Any], weights: FloatArray, worst_drops: FloatArray) -> DropSurface:
    if header["format"] != _FORMAT:
        raise ValueError(f"format must be {_FORMAT!r}, got {header['format']!r}")
    if header["checksums"] != [_checksum(weights), _checksum(worst_drops)]:
        raise ValueError("the checksum of its numbers does not match")
    return DropSurface(
        model=plain.from_plain(header["model"], _CLASSES),
        settings=plain.from_plain(header["settings"], _CLASSES),
        model_digest=header["model_digest"],
        signals=plain.from_plain(header["signals"], _CLASSES),
        worst_drops=worst_drops,
        weights=weights if weights.size else None,
    )


def _checksum(array: FloatArray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
