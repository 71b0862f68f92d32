import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import InvalidBasisError, RateLimits, RatesInForce
from tests.pricing.rates.store_worlds import NOON

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
        ({"before": 0.0}, "before must be a positive, finite rate, got 0.0"),
        ({"before": math.inf}, "before must be a positive, finite rate, got inf"),
        ({"asked": math.nan}, "asked must be a positive, finite rate, got nan"),
        ({"elapsed": timedelta(hours=-1)}, "elapsed must not be negative"),
    ],
)
def test_nonsense_is_refused(change, message):
    with pytest.raises(InvalidBasisError, match=message):
        RateLimits().limited(**{"before": 0.01, "asked": 0.02, "elapsed": timedelta(hours=1)} | change)


def test_the_reach_itself_is_free():
    """A move of exactly the reach gives the rate asked for to the bit; by way of its logarithm, 0.003 would not."""
    before, asked = 0.001, 0.003
    move = math.log(asked) - math.log(before)
    assert before * math.exp(move) != asked
    limits, hour = RateLimits(per_hour=move, per_day=2.0 * move), timedelta(hours=1)
    single = limits.limited(before=before, asked=asked, elapsed=hour)
    assert (single.rate, single.asked, single.limited) == (asked, asked, False)
    many = limits.limited_rates(before=np.array([before]), asked=np.array([asked]), elapsed=hour)
    assert many.tolist() == [asked]


def test_a_rate_that_does_not_move_is_free_at_any_time():
    assert not RateLimits().limited(before=0.01, asked=0.01, elapsed=timedelta(0)).limited
    held = RateLimits().limited(before=0.01, asked=0.02, elapsed=timedelta(0))
    assert (held.rate, held.asked, held.limited) == (0.01, 0.02, True)


@pytest.mark.parametrize("limits", [{"per_day": 0.25}, {"per_day": 6.0}])
def test_a_day_allows_from_one_to_24_times_what_an_hour_does(limits):
    RateLimits(per_hour=0.25, **limits)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"per_hour": 0.0}, "per_hour must be positive and finite, got 0.0"),
        ({"per_day": -1.0}, "per_day must be positive and finite, got -1.0"),
        ({"per_day": math.inf}, "per_day must be positive and finite, got inf"),
        ({"per_hour": "1"}, "per_hour must be a number, got '1'"),
        ({"per_day": 0.2}, "per_day must be between per_hour and 24 times that, got 0.2 and 0.25 an hour"),
        ({"per_day": 6.1}, "per_day must be between per_hour and 24 times that, got 6.1 and 0.25 an hour"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits, message):
    with pytest.raises(InvalidBasisError, match=message):
        RateLimits(**limits)


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ([math.nan, 0.1, 0.0, -1.0], "rate of row 2 must be positive and finite or NaN, got 0.0"),
        ([0.1, math.inf], "rate of row 1 must be positive and finite or NaN, got inf"),
        (["a"], r"rate must be numbers, got \['a'\]"),
    ],
)
def test_rates_in_force_name_the_first_that_is_wrong(rates, message):
    with pytest.raises(InvalidBasisError, match=message):
        RatesInForce(rate=rates, since=NOON)
