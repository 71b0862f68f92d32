"""The content of a file: unpacked by its ending, decoded by its byte order mark."""

import bz2
import codecs
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import IO, Any

from pricing.errors import DataError

#: What unpacks a file, by its ending. A zip archive may hold several files.
_UNPACK: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
#: A file may unpack to so many bytes, or to so many times its size. Prices pack by a factor of 3 to 50, and a file of
#: one repeated letter, which would fill the memory, by one of 1,000.
_MOST_BYTES, _MOST_TIMES = 64 * 2**20, 200
#: Errors of files that cannot be opened, or are damaged.
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like the mark of UTF-16
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def kind_of(path: PurePath) -> str:
    """Return the ending of a file without that of its packing, in small letters.

    Examples
    --------
    >>> kind_of(PurePath("OM.csv.gz")), kind_of(PurePath("OMUSDT-1h-2025-03.zip"))
    ('.csv', '.zip')
    """
    endings = [ending.lower() for ending in path.suffixes[-2:]]
    return endings[0] if len(endings) == 2 and endings[1] in _UNPACK else "".join(endings[-1:])


def read_contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of a file, or of each file in a zip archive in the order of names.

    Raises
    ------
    OSError, ValueError, ...
        One of ``UNREADABLE``, if the file cannot be opened or is damaged.
    """
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in sorted(name for name in archive.namelist() if not name.endswith("/")):
                with archive.open(name) as file:
                    yield name, _unpacked(file, archive.getinfo(name).compress_size)
        return
    unpack = _UNPACK.get(path.suffix.lower())
    if unpack is None:
        yield path.name, path.read_bytes()
        return
    with unpack(path) as file:
        yield path.stem, _unpacked(file, path.stat().st_size)


def _unpacked(file: IO[bytes], size: int) -> bytes:
    most = max(_MOST_BYTES, _MOST_TIMES * size)
    data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"unpacks to more than {most:,} bytes, {_MOST_TIMES} times its size or more (damaged?)")
    return data


def decode(data: bytes, path: Path) -> str:
    r"""Return a text with plain line ends.

    Raises
    ------
    DataError
        If it holds a NUL; the message names the row.
    UnicodeDecodeError
        If it is not UTF-8, nor marked as UTF-16 or UTF-32.

    Examples
    --------
    >>> decode("time;close\r\n".encode("utf-16"), Path("OM.csv"))
    'time;close\n'
    """
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8")
    text = data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        slip = "must be text, got a NUL character (a damaged file, or UTF-16 without a byte order mark)"
        raise DataError(f"{path}, row {row}: {slip}")
    return text
