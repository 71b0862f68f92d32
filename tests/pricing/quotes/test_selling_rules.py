import math
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    Conditions,
    RateInForce,
    RateLimits,
    RatesInForce,
    SalesBump,
    SalesPressure,
    SellingRules,
)
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


def test_a_bump_may_do_nothing():
    pressure = SalesPressure(sold=1.0, at=NOON)
    assert SalesBump(strength=0.0).factor(pressure, NOON) == SalesBump(largest=1.0).factor(pressure, NOON) == 1.0
    assert SalesBump().factor(SalesPressure(sold=0.0, at=NOON), NOON) == 1.0


def test_a_bump_of_exactly_the_largest_factor_is_that_factor():
    assert math.exp(math.log(3.0)) > 3.0
    bump = SalesBump(strength=math.log(3.0), largest=3.0)
    assert bump.factor(SalesPressure(sold=1.0, at=NOON), NOON) == 3.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SalesBump(strength=-1.0), "strength must be finite and not negative, got -1.0"),
        (lambda: SalesBump(strength=math.inf), "strength must be finite and not negative, got inf"),
        (lambda: SalesBump(strength="1"), "strength must be a number, got '1'"),
        (lambda: SalesBump(half_life="0h"), "half_life must be longer than zero, got 0h"),
        (lambda: SalesBump(largest=0.9), "largest must be finite and at least 1, got 0.9"),
        (lambda: SalesBump(largest=math.inf), "largest must be finite and at least 1, got inf"),
        (lambda: SalesBump(largest=None), "largest must be a number, got None"),
        (lambda: SalesPressure(sold=-0.1, at=NOON), "sold must be finite and not negative, got -0.1"),
        (lambda: SalesPressure(sold=math.inf, at=NOON), "sold must be finite and not negative, got inf"),
        (lambda: SalesPressure(sold="1", at=NOON), "sold must be a number, got '1'"),
        (lambda: RateInForce(rate="1", since=NOON), "rate must be a number, got '1'"),
        (lambda: SalesBump().after_sale(None, limit=0.0, capacity=1.0, at=NOON), "limit must be positive and finite"),
        (
            lambda: SalesBump().after_sale(None, limit=1.0, capacity=0.0, at=NOON),
            "capacity must be positive and finite",
        ),
        (lambda: SalesBump().after_sale(None, limit=1.0, capacity=math.inf, at=NOON), "capacity must be .*, got inf"),
    ],
)
def test_numbers_that_make_no_sense_are_named(make, message):
    with pytest.raises(InvalidBasisError, match=message):
        make()


@pytest.mark.parametrize("name", ["oldest", "validity", "coverage_lag", "freeze_after_alert"])
def test_rules_take_durations(name):
    assert getattr(SellingRules(**{name: "90min"}), name) == 1.5 * HOUR
    with pytest.raises(InvalidTermsError, match=f"{name} must be a duration"):
        SellingRules(**{name: "1m"})


def test_a_half_life_is_a_duration():
    with pytest.raises(InvalidTermsError, match="half_life must be a duration"):
        SalesBump(half_life="1m")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("at", lambda naive: SalesPressure(sold=0.1, at=naive)),
        ("since", lambda naive: RateInForce(rate=0.01, since=naive)),
        ("since", lambda naive: RatesInForce(rate=[0.01], since=naive)),
        ("alerted_at", lambda naive: Conditions(alerted_at=naive)),
    ],
)
def test_times_must_have_an_offset(name, make):
    with pytest.raises(InvalidTermsError, match=f"^{name} must be a time with an offset from UTC"):
        make(datetime(2026, 11, 22, 12))


def test_times_are_kept_in_utc():
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    for kept in (
        SalesPressure(sold=0.1, at=tokyo).at,
        RateInForce(rate=0.01, since=tokyo).since,
        RatesInForce(rate=[0.01], since=tokyo).since,
        Conditions(alerted_at=tokyo).alerted_at,
    ):
        assert (kept, kept.utcoffset()) == (NOON, timedelta(0))


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


def test_only_a_bump_turns_sales_into_a_factor():
    pressure = SalesPressure(sold=0.5, at=NOON)
    assert SellingRules().sales_factor(pressure, NOON) == 1.0
    assert SellingRules(bump=SalesBump()).sales_factor(None, NOON) == 1.0
    assert SellingRules(bump=SalesBump()).sales_factor(pressure, NOON) == math.exp(0.5)


def test_rates_of_a_book_are_held_back_row_by_row_and_not_below_their_minimum():
    """Rates that fall to a tenth may lose a quarter of the log in an hour; a row without a rate before is free."""
    rules = SellingRules(rate_limits=RateLimits(per_hour=0.25, per_day=1.0))
    asked, in_force = np.full(3, 0.02), RatesInForce(rate=[0.2, math.nan, 0.002], since=NOON - HOUR)
    held = rules.rate_factors(asked, in_force, NOON)
    assert held * asked == pytest.approx([0.2 * math.exp(-0.25), 0.02, 0.002 * math.exp(0.25)], rel=1e-14)
    lifted = rules.rate_factors(asked, in_force, NOON, least=0.01)
    assert lifted * asked == pytest.approx([0.2 * math.exp(-0.25), 0.02, 0.01], rel=1e-14)
    for free in (SellingRules().rate_factors(asked, in_force, NOON), rules.rate_factors(asked, None, NOON)):
        assert free.tolist() == [1.0, 1.0, 1.0]


def test_rates_of_another_book_are_refused():
    in_force = RatesInForce(rate=[0.1, 0.1], since=NOON)
    with pytest.raises(InvalidBasisError, match=r"rate must have one entry per cover, \(3,\), got \(2,\)"):
        SellingRules().rate_factors(np.full(3, 0.02), in_force, NOON)
