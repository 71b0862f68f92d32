"""A checksummed file of a JSON header and arrays: memory-mapped on reading, never pickled.

It is a sequence of NumPy arrays: the header as bytes, then the arrays of float64. The SHA-256 sum of the content
ends the file.
"""

import hashlib
import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from pricing.errors import PricingError
from pricing.tools.arrays import FloatArray
from pricing.tools.regular_files import open_regular
from pricing.tools.whole_files import replacing

Bytes = npt.NDArray[np.uint8]
#: Errors of reading what is damaged, truncated or something else.
DAMAGE = (ValueError, TypeError, LookupError, ArithmeticError, SyntaxError, RecursionError, PricingError, OSError)

_CHECKSUM_BYTES = hashlib.sha256().digest_size
#: NumPy pads the header of each of its arrays to a multiple of this.
_ALIGNMENT = 64
#: Most bytes of a header that NumPy writes in version 1.0 of its format.
_MOST_HEADER_BYTES = 10 + 2**16


def save(path: Path, header: dict[str, Any], arrays: Sequence[FloatArray]) -> None:
    """Write under a temporary name, then rename: a reader sees the complete old file or the complete new one."""
    with replacing(path) as part, part.open("wb") as file:
        write(file, header, arrays)


def write(file: BinaryIO, header: dict[str, Any], arrays: Sequence[FloatArray]) -> bytes:
    """Write to a file that is open at a multiple of 64 bytes; return the checksum, which ends the content."""
    text = np.frombuffer(_aligned(json.dumps(header, sort_keys=True, allow_nan=False).encode()), dtype=np.uint8)
    checksum = hashlib.sha256()
    for array in (text, *(np.ascontiguousarray(array, dtype="<f8") for array in arrays)):
        start = BytesIO()
        np.lib.format.write_array_header_1_0(start, np.lib.format.header_data_from_array_1_0(array))
        for part in (start.getbuffer(), array.data):
            file.write(part)
            checksum.update(part)
    file.write(checksum.digest())
    return checksum.digest()


def _aligned(text: bytes) -> bytes:
    """Pad with blanks, so that the following numbers are aligned in memory."""
    return text.ljust(-(-len(text) // _ALIGNMENT) * _ALIGNMENT)


def map_file(path: Path, *, follow: bool = False) -> Bytes:
    """Map a regular file into memory.

    Raises
    ------
    OSError, ValueError
        If it is missing, empty or something else.
    """
    with open_regular(path, follow=follow) as file:
        return np.memmap(file, dtype=np.uint8, mode="r")


def parse(content: Bytes, n_arrays: int) -> tuple[dict[str, Any], list[FloatArray]]:
    """Verify the checksum of mapped content, and view its header and arrays.

    Raises
    ------
    ValueError
        If the content is damaged, truncated or something else.
    """
    if hashlib.sha256(content[:-_CHECKSUM_BYTES].data).digest() != checksum_of(content):
        raise ValueError("its checksum does not match")
    place, views = 0, []
    for dtype in ("|u1", *["<f8"] * n_arrays):
        view, place = _view_array(content, place, dtype)
        views.append(view)
    header: dict[str, Any] = json.loads(views[0].tobytes())
    return header, views[1:]


def checksum_of(content: Bytes) -> bytes:
    """Return the checksum that ends a content, whether it matches or not."""
    return content[-_CHECKSUM_BYTES:].tobytes()


def _view_array(content: Bytes, place: int, dtype: str) -> tuple[npt.NDArray[Any], int]:
    """View the array at a place of the mapped content; return it and the place after it."""
    start = BytesIO(content[place : place + _MOST_HEADER_BYTES].tobytes())
    np.lib.format.read_magic(start)
    shape, _, found = np.lib.format.read_array_header_1_0(start)
    if found != np.dtype(dtype):
        raise ValueError(f"expected an array of {dtype}, got {found}")
    begin = place + start.tell()
    end = begin + int(np.prod(shape)) * found.itemsize
    return content[begin:end].view(found).reshape(shape), end
