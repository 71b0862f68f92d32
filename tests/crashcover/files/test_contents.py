"""A small packed file cannot fill the memory."""

import bz2
import gzip
import lzma
import zipfile

import pytest

from crashcover.files import contents
from crashcover.files.prices import read_prices
from pricing import DataError


def pack(path, data):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("OM.csv", data)
    else:
        path.write_bytes({".gz": gzip, ".xz": lzma, ".bz2": bz2}[path.suffix].compress(data))
    return path


@pytest.mark.parametrize("ending", [".csv.gz", ".csv.xz", ".csv.bz2", ".zip"])
def test_a_file_that_unpacks_to_far_more_than_its_size_is_refused(monkeypatch, tmp_path, ending):
    monkeypatch.setattr(contents, "_MOST_BYTES", 100_000)
    path = pack(tmp_path / f"OM{ending}", b"x" * 2_000_000)
    with pytest.raises(DataError, match=r"OM.*: cannot be read: unpacks to more than [\d,]+ bytes, 200 times its size"):
        read_prices(path)
    ((_, data),) = contents.read_contents(pack(tmp_path / f"OM{ending}", b"x" * 100_000))
    assert data == b"x" * 100_000
