import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import InvalidBasisError, RateLimits

rates = st.floats(1e-6, 1.0)
hours = st.floats(0.0, 240.0).map(lambda value: timedelta(hours=value))


@given(rates, rates, hours)
def test_a_limited_rate_lies_between_the_two_and_within_reach(before, asked, elapsed):
    found = RateLimits().limited(before=before, asked=asked, elapsed=elapsed)
    assert min(before, asked) * (1 - 1e-12) <= found.rate <= max(before, asked) * (1 + 1e-12)
    days = elapsed / timedelta(days=1)
    assert abs(math.log(found.rate / before)) <= min(6.0 * days, max(1.0, days)) + 1e-9
    assert found.limited == (found.rate != asked)


@given(rates, rates)
def test_a_rate_gets_there_in_the_end(before, asked):
    distance = abs(math.log(asked / before))
    found = RateLimits().limited(before=before, asked=asked, elapsed=timedelta(days=distance + 1.0))
    assert found.rate == asked


@given(st.lists(st.tuples(rates, rates), min_size=1), hours)
def test_many_rates_are_held_like_single_ones(pairs, elapsed):
    before, asked = np.array(pairs).T
    found = RateLimits().limited_rates(before=before, asked=asked, elapsed=elapsed)
    single = [RateLimits().limited(before=b, asked=a, elapsed=elapsed).rate for b, a in pairs]
    assert found == pytest.approx(np.array(single), rel=1e-12)


def test_a_rate_of_long_ago_holds_nothing_back():
    found = RateLimits(per_hour=1.0, per_day=24.0).limited(before=1e-300, asked=0.9, elapsed=timedelta(days=30_000))
    assert found.rate == 0.9


def test_moves_of_an_hour_and_of_a_day():
    limits = RateLimits(per_hour=0.25, per_day=1.0)
    for hours_, reach in ((1, 0.25), (2, 0.5), (4, 1.0), (12, 1.0), (24, 1.0), (36, 1.5)):
        rate = limits.limited(before=0.01, asked=1.0, elapsed=timedelta(hours=hours_)).rate
        assert rate == pytest.approx(0.01 * math.exp(reach))
        fall = limits.limited(before=0.5, asked=1e-9, elapsed=timedelta(hours=hours_)).rate
        assert fall == pytest.approx(0.5 * math.exp(-reach))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"before": 0.0}, "before must be a positive"),
        ({"asked": math.nan}, "asked must be a positive"),
        ({"elapsed": timedelta(hours=-1)}, "elapsed must not be negative"),
    ],
)
def test_nonsense_is_refused(change, message):
    with pytest.raises(InvalidBasisError, match=message):
        RateLimits().limited(**{"before": 0.01, "asked": 0.02, "elapsed": timedelta(hours=1)} | change)


@pytest.mark.parametrize("limits", [{"per_hour": 0.0}, {"per_day": math.inf}, {"per_hour": 2.0}, {"per_day": 10.0}])
def test_limits_that_contradict_each_other_are_refused(limits):
    with pytest.raises(InvalidBasisError, match="per_"):
        RateLimits(**limits)
