import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.plain import to_plain
from calibration.verdict import Verdict


@dataclass(frozen=True)
class Inner:
    length: timedelta
    scratch: object = field(default=object(), metadata={"plain": False})


class Colour(Enum):
    RED = 1


def test_each_kind_has_its_form():
    value = (
        Inner(timedelta(days=30)),
        Colour.RED,
        Verdict.GAPS | Verdict.NO_HOLDERS,
        {"a": None},
        datetime(2024, 1, 1, tzinfo=UTC),
    )
    assert to_plain(value) == [
        {"type": "Inner", "length": "30d"},
        "RED",
        ["GAPS", "NO_HOLDERS"],
        {"a": None},
        "2024-01-01T00:00:00+00:00",
    ]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive_json_to_the_last_bit(value):
    assert json.loads(json.dumps(to_plain(value))) == value


@pytest.mark.parametrize(("value", "text"), [(math.inf, "inf"), (-math.inf, "-inf"), (math.nan, "nan")])
def test_numbers_that_json_does_not_know_become_texts(value, text):
    assert to_plain(value) == text


def test_what_has_no_form_is_refused():
    with pytest.raises(TypeError, match="got set"):
        to_plain({1, 2})
