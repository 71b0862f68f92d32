"""Whatever is put into a field, an object is made as its class declares it, or an error of ours names the field."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import InvalidTermsError, PricingError, SellingRules, SimulationError, SimulationSettings
from pricing.contract.book import Book
from tests.fuzz.hostile import PLACES, VALID, answer_of, values


def is_plain(value):
    """Return whether a field holds a value that later code may rely on: no text for a number, nothing unbounded."""
    if isinstance(value, float):
        return np.isfinite(value)
    if isinstance(value, tuple):
        return all(map(is_plain, value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "if" and value.ndim == 1
    return isinstance(value, str | bool | int | timedelta | type(None)) or hasattr(value, "__dataclass_fields__")


@given(place=st.sampled_from(PLACES), value=values())
def test_a_field_takes_what_it_is_for_or_names_itself(place, value):
    kind, name = place
    made = answer_of(lambda: kind(**{**VALID[kind], name: value}))
    if isinstance(made, PricingError):
        assert len(str(made)) < 2_000
        assert any(word in str(made) for word in words_for(name)), made
        return
    kept = getattr(made, name)
    assert type(kept) in (type(VALID[kind][name]), type(getattr(kind(**VALID[kind]), name))) or is_plain(kept), kept
    assert not isinstance(kept, str) or type(getattr(kind(**VALID[kind]), name)) is str
    assert not isinstance(kept, bool) or type(getattr(kind(**VALID[kind]), name)) is bool


def words_for(name):
    """Return the field, and others that it must fit: the error of a field names one of them."""
    partners = {
        "limit": ("asset", "drop"),
        "assets": ("asset",),
        "observations": ("observation",),
        "payouts": ("payout",),
        "waiting_period": ("term",),
        "term": ("waiting_period",),
        "attachment": ("exhaustion",),
        "alpha": ("gamma",),
        "per_hour": ("per_day",),
    }
    return (name, *partners.get(name, ()))


@pytest.mark.parametrize("value", ["false", "no", 0, 1, None, np.bool_(False)])
def test_a_flag_is_true_or_false_and_no_text(value):
    with pytest.raises(InvalidTermsError, match="sells_stale must be True or False, got "):
        SellingRules(sells_stale=value)
    with pytest.raises(SimulationError, match="rare_drops must be True or False, got "):
        SimulationSettings(rare_drops=value)


@pytest.mark.parametrize(
    "column",
    [1j, [1j], ["0.3"], [True], np.array(["0.3"], dtype=object), np.array([0.3 + 0j], dtype=object), [None], [{}]],
)
@pytest.mark.parametrize("name", ["drop", "limit", "asset"])
def test_a_column_of_a_book_takes_numbers_alone(name, column):
    with pytest.raises(InvalidTermsError, match=f"{name} "):
        Book(**{**VALID[Book], name: column})


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0].__name__}.{place[1]}")
def test_decimal_numbers_are_floats_of_the_same_value(place):
    kind, name = place
    usual = getattr(kind(**VALID[kind]), name)
    if not isinstance(usual, float):
        return
    made = kind(**{**VALID[kind], name: Decimal(repr(usual))})
    assert type(getattr(made, name)) is float
    assert made == kind(**VALID[kind])
