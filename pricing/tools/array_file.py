"""A checksummed file of a JSON header and arrays: memory-mapped on reading, never pickled.

It is a sequence of NumPy arrays: the header as bytes, then the arrays of float64. The SHA-256 sum of the content
ends the file.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from pricing.tools.arrays import FloatArray
from pricing.tools.whole_files import replacing

Bytes = npt.NDArray[np.uint8]

_CHECKSUM_BYTES = hashlib.sha256().digest_size
#: NumPy pads the header of each of its arrays to a multiple of this.
_ALIGNMENT = 64


def write(path: Path, header: dict[str, Any], arrays: Sequence[FloatArray]) -> None:
    """Write under a temporary name, then rename: a reader sees the complete old file or the complete new one."""
    text = np.frombuffer(_aligned(json.dumps(header, sort_keys=True, allow_nan=False).encode()), dtype=np.uint8)
    with replacing(path) as part, part.open("w+b") as file:
        for array in (text, *(np.ascontiguousarray(array, dtype="<f8") for array in arrays)):
            np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)
        file.seek(0)
        checksum = hashlib.file_digest(file, "sha256").digest()
        file.write(checksum)


def _aligned(text: bytes) -> bytes:
    """Pad with blanks, so that the following numbers are aligned in memory."""
    return text.ljust(-(-len(text) // _ALIGNMENT) * _ALIGNMENT)


def read(path: Path, n_arrays: int) -> tuple[dict[str, Any], list[FloatArray]]:
    """Read the header and map the arrays.

    Raises
    ------
    ValueError
        If the file is damaged, truncated or something else.
    """
    content = np.memmap(path, dtype=np.uint8, mode="r")
    if hashlib.sha256(content[:-_CHECKSUM_BYTES].data).digest() != content[-_CHECKSUM_BYTES:].tobytes():
        raise ValueError("its checksum does not match")
    with path.open("rb") as file:
        header: dict[str, Any] = json.loads(_map_array(file, content, "|u1").tobytes())
        return header, [_map_array(file, content, "<f8") for _ in range(n_arrays)]


def _map_array(file: BinaryIO, content: Bytes, dtype: str) -> npt.NDArray[Any]:
    """View the array at the file's position in the mapped content, and move past it."""
    np.lib.format.read_magic(file)
    shape, _, found = np.lib.format.read_array_header_1_0(file)
    if found != np.dtype(dtype):
        raise ValueError(f"expected an array of {dtype}, got {found}")
    start = file.tell()
    end = start + int(np.prod(shape)) * found.itemsize
    file.seek(end)
    return content[start:end].view(found).reshape(shape)
