"""Trigger, payouts and cover: accepted values and error messages."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import Cover, DropTrigger, FullPayout, LinearPayout, Reference, TieredPayout
from pricing.errors import InvalidTermsError

FRACTION = st.floats(0.01, 0.99)
TERMS = {"cover_id": "C-1", "asset": "OM", "limit": 1e5, "currency": "USD"}


def make_cover(**changes):
    return Cover(**{"trigger": DropTrigger(drop=0.5), "payout": FullPayout(), **TERMS, **changes})


def test_the_default_trigger_is_the_rolling_high_of_24_hours():
    trigger = DropTrigger(drop=0.5)
    assert (trigger.window, trigger.reference) == (timedelta(hours=24), Reference.ROLLING_HIGH)


@pytest.mark.parametrize("reference", [Reference.RUNNING_HIGH, Reference.INCEPTION])
def test_references_without_a_window_drop_it(reference):
    assert DropTrigger(drop=0.5, window="7d", reference=reference).window is None
    assert DropTrigger(drop=0.5, window=None, reference=reference).window is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drop": 50.0}, "50 % is 0.50"),
        ({"window": None}, "window must be given for ROLLING_HIGH"),
        ({"window": "0h"}, "window must be longer than zero"),
        ({"reference": "rolling"}, "reference must be one of Reference.ROLLING_HIGH"),
        ({"reference": 0}, "reference must be one of"),
    ],
)
def test_a_trigger_names_what_is_wrong(changes, message):
    with pytest.raises(InvalidTermsError, match=message):
        DropTrigger(**{"drop": 0.5, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"limit": 0.0}, "limit must be positive"),
        ({"limit": "1000"}, "limit must be a number, got '1000'"),
        ({"limit": True}, "limit must be a number, got True"),
        ({"limit": 10**400}, "limit must be a number that fits a float, got 1000000000"),
        ({"cover_id": "half a \ud83d"}, "cover_id must be a text that can be encoded"),
        ({"limit": float("nan")}, "limit must be positive and finite, got nan"),
        ({"term": "0d"}, "waiting_period must be shorter than the term of 0h"),
        ({"term": "-30d"}, "term must be a duration"),
        ({"waiting_period": "30d"}, "waiting_period must be shorter than the term of 30d, got 30d"),
        ({"currency": " "}, "currency must be a text"),
        ({"asset": None}, "asset must be a text"),
        ({"trigger": 0.5}, "trigger must be a DropTrigger"),
        ({"payout": 1.0}, "payout must have share"),
    ],
)
def test_a_cover_names_what_is_wrong(changes, message):
    with pytest.raises(InvalidTermsError, match=message):
        make_cover(**changes)


@pytest.mark.parametrize("limit", [1000, Decimal("1000.00"), Fraction(1000), np.float32(1000.0), np.int64(1000)])
def test_any_kind_of_number_becomes_a_plain_one(limit):
    cover = make_cover(limit=limit, trigger=DropTrigger(drop=np.float32(0.5)))
    assert (type(cover.limit), cover.limit) == (float, 1000.0)
    assert type(cover.trigger.drop) is float


def test_a_cover_keeps_durations_as_such():
    cover = make_cover(term="30d", waiting_period="12h")
    assert (cover.term, cover.waiting_period) == (timedelta(days=30), timedelta(hours=12))


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        ({}, "at least one drop"),
        ([0.3], "tiers must be shares by drop"),
        ({0.3: "1"}, "tiers: share must be a number, got '1'"),
        ({30: 0.5}, "30 % is 0.30"),
        ({0.3: 50}, "share at 0.3 must be above 0 and at most 1, got 50"),
        ({0.3: 0.5, 0.5: 0.4}, "share at 0.5 must be above the share of the previous tier"),
    ],
)
def test_tiers_name_what_is_wrong(tiers, message):
    with pytest.raises(InvalidTermsError, match=message):
        TieredPayout(tiers)


@pytest.mark.parametrize(("attachment", "exhaustion"), [(0.0, 0.5), (0.5, 0.5), (0.5, 0.3), (0.3, 90.0)])
def test_a_linear_payout_needs_room(attachment, exhaustion):
    with pytest.raises(InvalidTermsError, match="attachment|exhaustion"):
        LinearPayout(attachment=attachment, exhaustion=exhaustion)


@given(
    payout=st.one_of(
        st.just(FullPayout()),
        st.tuples(FRACTION, FRACTION)
        .filter(lambda points: points[0] < points[1])
        .map(lambda points: LinearPayout(attachment=points[0], exhaustion=points[1])),
        st.dictionaries(FRACTION, FRACTION, min_size=1).map(
            lambda tiers: TieredPayout(dict(zip(sorted(tiers), sorted(set(tiers.values())), strict=False)))
        ),
    ),
    drops=st.lists(st.floats(0.0, 1.0), min_size=1),
)
def test_shares_lie_between_0_and_1_and_never_fall_with_depth(payout, drops):
    shares = payout.share(np.sort(drops))
    assert ((shares >= 0.0) & (shares <= 1.0)).all()
    assert (np.diff(shares) >= 0.0).all()


def test_tiers_begin_at_their_drop():
    assert TieredPayout({0.5: 1.0, 0.3: 0.25}).share(np.array([0.3, 0.3 - 1e-12, 0.5])).tolist() == [
        0.25,
        0,
        1,
    ]
