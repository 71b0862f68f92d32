import sys

import pandas as pd
import pytest

from pricing.errors import InvalidTermsError, MissingLibraryError
from pricing.show.frames import make_frame, require_table


def test_columns_become_a_frame_with_an_index_if_there_is_one():
    frame = make_frame({"name": ["a", "b"], "value": [1.0, 2.0]}, index="name")
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"value": [1.0, 2.0]}, index=pd.Index(["a", "b"], name="name")))
    assert list(make_frame({"value": [1.0]}).columns) == ["value"]


def test_a_frame_without_pandas_is_one_line_that_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)  # as if it were not installed
    with pytest.raises(MissingLibraryError) as caught:
        make_frame({"value": [1.0]})
    assert str(caught.value) == "pandas is not installed: pip install 'crashcover[calibration]'"


def test_a_table_that_a_result_does_not_have_is_refused_with_those_that_it_has():
    require_table("a", ("a", "b"))
    with pytest.raises(InvalidTermsError, match="table must be a, b or c, got 'd'"):
        require_table("d", ("a", "b", "c"))
