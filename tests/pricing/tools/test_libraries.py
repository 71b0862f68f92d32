"""A library that is missing or damaged is one typed line with the extra that brings it."""

import json
import sys

import pytest

from pricing.errors import MissingLibraryError, PricingError
from pricing.tools.libraries import load_library, without


def test_a_library_that_is_there_is_imported():
    assert load_library("json", extra="cli") is json


@pytest.mark.parametrize("name", ["no_such_library", "no_such_library.part"])
def test_a_missing_library_is_one_line_that_names_its_extra(name):
    with pytest.raises(MissingLibraryError) as caught:
        load_library(name, extra="plot")
    assert str(caught.value) == "no_such_library is not installed: pip install 'crashcover[plot]'"
    assert isinstance(caught.value, PricingError)
    assert isinstance(caught.value, ImportError)


def test_a_library_that_lacks_another_says_which(tmp_path, monkeypatch):
    (tmp_path / "damaged_library.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingLibraryError, match="damaged_library cannot be imported: No module named 'no_such_lib"):
        load_library("damaged_library", extra="plot")


def test_others_are_imported_as_if_a_library_were_missing(tmp_path, monkeypatch):
    (tmp_path / "drawing_library.py").write_text("")
    (tmp_path / "other_library.py").write_text(
        "try:\n    import drawing_library\nexcept ImportError:\n    drawing_library = None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with without("drawing_library"):
        other = load_library("other_library", extra="calibration")
    assert other.drawing_library is None
    drawing = load_library("drawing_library", extra="plot")  # from then on it is there
    with without("drawing_library"):
        assert load_library("drawing_library", extra="plot") is drawing  # what is loaded stays
    for name in ("drawing_library", "other_library"):
        monkeypatch.delitem(sys.modules, name)
