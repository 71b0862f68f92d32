import math
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import Conditions, RateInForce, RateLimits, SalesBump, SalesPressure, SellingRules
from pricing.errors import InvalidBasisError, InvalidTermsError, SalesFrozenError, StaleRateError, WaitingPeriodError
from tests.pricing.rates.store_worlds import NOON

HOUR = timedelta(hours=1)


def test_a_bump_is_the_exponential_of_what_was_sold_and_halves_in_a_half_life():
    bump = SalesBump(strength=2.0, half_life="6h", largest=10.0)
    pressure = bump.after_sale(None, limit=3e5, capacity=1e6, at=NOON)
    assert bump.factor(pressure, NOON) == pytest.approx(math.exp(2.0 * 0.3), rel=1e-14)
    assert bump.factor(pressure, NOON + 6 * HOUR) == pytest.approx(math.exp(2.0 * 0.15), rel=1e-14)
    assert bump.factor(pressure, NOON + 18 * HOUR) == pytest.approx(math.exp(2.0 * 0.3 / 8.0), rel=1e-14)
    assert bump.factor(None, NOON) == 1.0


@given(
    sales=st.lists(st.tuples(st.floats(1.0, 1e6), st.integers(0, 10_000)), min_size=1, max_size=20),
    later=st.integers(0, 10_000),
)
def test_the_state_of_many_sales_is_the_sum_of_each_faded(sales, later):
    bump = SalesBump(strength=0.7, half_life="5h", largest=1e9)
    pressure, at, times = None, NOON, []
    for limit, seconds in sales:
        at += timedelta(seconds=seconds)
        pressure = bump.after_sale(pressure, limit=limit, capacity=1e6, at=at)
        times.append((limit, at))
    now = at + timedelta(seconds=later)
    faded = sum(limit / 1e6 * 0.5 ** ((now - sold_at) / (5 * HOUR)) for limit, sold_at in times)
    assert bump.factor(pressure, now) == pytest.approx(math.exp(0.7 * faded), rel=1e-12)


@given(sold=st.floats(0.0, 1e300), hours=st.floats(0.0, 1e4))
def test_a_bump_never_lowers_a_price_and_is_capped(sold, hours):
    factor = SalesBump(largest=2.5).factor(SalesPressure(sold=sold, at=NOON), NOON + hours * HOUR)
    assert 1.0 <= factor <= 2.5


def test_sales_that_clocks_of_threads_put_out_of_order_count_as_at_once():
    bump = SalesBump()
    first = bump.after_sale(None, limit=1e5, capacity=1e6, at=NOON)
    second = bump.after_sale(first, limit=1e5, capacity=1e6, at=NOON - HOUR)
    assert (second.sold, second.at) == (pytest.approx(0.2), NOON)
    assert bump.factor(second, NOON - HOUR) == bump.factor(second, NOON)


def test_a_bump_refuses_what_makes_no_sense():
    for changes in ({"strength": -1.0}, {"strength": math.nan}, {"half_life": "0h"}, {"largest": 0.9}):
        with pytest.raises(InvalidBasisError, match=next(iter(changes))):
            SalesBump(**changes)
    bump = SalesBump()
    with pytest.raises(InvalidBasisError, match="capacity must be positive"):
        bump.after_sale(None, limit=1.0, capacity=0.0, at=NOON)


def test_times_must_have_an_offset():
    naive = datetime(2026, 11, 22, 12)
    for make in (
        lambda: SalesPressure(sold=0.1, at=naive),
        lambda: RateInForce(rate=0.01, since=naive),
        lambda: Conditions(alerted_at=naive),
    ):
        with pytest.raises(InvalidTermsError, match="must be a time with an offset from UTC"):
            make()


def test_sales_freeze_after_an_alert_until_the_time_is_up():
    rules = SellingRules(freeze_after_alert="48h")
    rules.require_calm("OM", None, NOON)
    rules.require_calm("OM", NOON - 48 * HOUR, NOON)
    for alerted_at in (NOON - 47 * HOUR, NOON, NOON + HOUR):  # an alert announced for later freezes too
        with pytest.raises(SalesFrozenError, match="asset 'OM': not sold until"):
            rules.require_calm("OM", alerted_at, NOON)


def test_cover_must_begin_after_the_lag():
    rules = SellingRules(coverage_lag="24h")
    rules.require_lag(timedelta(hours=24))
    with pytest.raises(WaitingPeriodError, match="waiting_period must be at least 24h, got 23:00:00"):
        rules.require_lag(timedelta(hours=23))


def test_a_rate_grows_too_old():
    rules = SellingRules(oldest="36h")
    rules.require_young("OM", NOON - 36 * HOUR, NOON)
    with pytest.raises(StaleRateError, match="more than 36h before"):
        rules.require_young("OM", NOON - 36 * HOUR - timedelta(seconds=1), NOON)


def test_a_quote_is_valid_no_longer_than_its_rate():
    rules = SellingRules(validity="15min")
    assert rules.valid_until(NOON, NOON + HOUR) == NOON + HOUR / 4
    assert rules.valid_until(NOON, NOON + HOUR / 6) == NOON + HOUR / 6


def test_rate_limits_hold_a_rate_back():
    rules = SellingRules(rate_limits=RateLimits(per_hour=0.25, per_day=1.0))
    in_force = RateInForce(rate=0.01, since=NOON - 2 * HOUR)
    assert rules.rate_factor(0.03, in_force, NOON) * 0.03 == pytest.approx(0.01 * math.exp(0.5), rel=1e-14)
    assert rules.rate_factor(0.001, in_force, NOON) * 0.001 == pytest.approx(0.01 * math.exp(-0.5), rel=1e-14)
    assert rules.rate_factor(0.012, in_force, NOON) == 1.0
    assert rules.rate_factor(0.03, None, NOON) == 1.0
    assert SellingRules().rate_factor(0.03, in_force, NOON) == 1.0
