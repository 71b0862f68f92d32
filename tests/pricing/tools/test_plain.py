import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, Flag

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import Reference
from pricing.errors import PricingError
from pricing.tools.plain import Form, from_plain, read_json, to_json, to_plain


@dataclass(frozen=True)
class Inner:
    length: timedelta
    scratch: object = field(default=object(), metadata={"plain": False})


@dataclass(frozen=True)
class Outer:
    name: str
    numbers: tuple[float, ...]
    reference: Reference


class Colour(Enum):
    RED = 1


class Doubt(Flag):
    GAPS = 1
    OLD = 2
    SHORT = 4


VALUE = (
    Inner(timedelta(days=30)),
    Colour.RED,
    Doubt.GAPS | Doubt.SHORT,
    {"a": None},
    datetime(2024, 1, 1, tzinfo=UTC),
    np.array([[1.5, np.nan]]),
)


def test_each_kind_has_its_form_to_be_read():
    rest = ["RED", ["GAPS", "SHORT"], {"a": None}, "2024-01-01T00:00:00+00:00"]
    assert to_plain(VALUE, Form.NAMED) == [
        {"type": "Inner", "length": "30d"},
        *rest,
        [[1.5, "nan"]],
    ]
    assert to_plain(VALUE, Form.BARE) == [{"length": "30d"}, *rest, [[1.5, None]]]


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(Form))
def test_floats_survive_json_to_the_last_bit(value, form):
    assert json.loads(json.dumps(to_plain(value, form))) == value


@given(
    st.builds(Outer, st.text(), st.tuples(st.floats(allow_nan=False, allow_infinity=False)), st.sampled_from(Reference))
)
def test_the_exact_form_can_be_rebuilt(value):
    assert from_plain(json.loads(to_json(value)), (Outer, Reference)) == value


def test_a_value_comes_back_from_a_file(tmp_path):
    value = Outer("a", (0.1,), Reference.LAGGED)
    (tmp_path / "value.json").write_text(to_json(value))
    assert read_json(tmp_path / "value.json", (Outer, Reference)) == value


@pytest.mark.parametrize(("value", "text"), [(math.inf, "inf"), (-math.inf, "-inf"), (np.nan, "nan")])
def test_numbers_that_json_does_not_know_become_texts_or_none(value, text):
    assert to_plain(value, Form.NAMED) == text
    assert to_plain(value, Form.BARE) is None


@pytest.mark.parametrize("form", Form)
def test_what_has_no_form_is_refused(form):
    with pytest.raises(PricingError, match="set has no plain form"):
        to_plain({1, 2}, form)


@pytest.mark.parametrize("value", VALUE[3:5])
def test_what_could_not_be_rebuilt_has_no_exact_form(value):
    with pytest.raises(PricingError, match="has no plain form"):
        to_plain(value)
