"""A library that is missing or damaged is one typed line with the extra that brings it."""

import json

import pytest

from pricing.errors import MissingLibraryError, PricingError
from pricing.tools.libraries import load_library


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
