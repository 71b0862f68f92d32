"""Digests of files and folders by their content."""

import hashlib
from pathlib import Path

from pricing.errors import DataError


def digest_of(path: Path) -> str:
    """Hash a file, or all files of a folder with their names.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for file in sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]:
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
            digest.update(file.relative_to(path).as_posix().encode())
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    return digest.hexdigest()
