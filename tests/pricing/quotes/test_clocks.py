"""Clocks that disagree: a quote dated before its rate, or before the rate in force, and rates of another engine."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from pricing import (
    ENGINE_VERSION,
    PricingBasis,
    RateInForce,
    RateLimits,
    RateQuoter,
    RatesInForce,
    SellingRules,
    compact,
)
from pricing.contract.book import Book
from pricing.errors import REASONS, InvalidTermsError, NotYetValidError, Reason, StaleRateError
from pricing.rates.publishing import publish
from tests.pricing.rates.store_worlds import NOON, make_cover, make_entry, simulate_surface

SECOND = timedelta(seconds=1)
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)  # the data of the entries end here
LIMITS = SellingRules(rate_limits=RateLimits(per_hour=0.1, per_day=0.5))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rates")
    surface = compact(simulate_surface("plain", n_paths=2_000))
    entries = [make_entry(), make_entry("OLD", engine_version="0.1.0"), make_entry("NEW", engine_version="9.0.0")]
    publish(folder, ((entry, surface) for entry in entries), name="night")
    return folder


def reasons(quoter, *covers, at=NOON, **options):
    columns = quoter.quote_many(Book.of_covers(covers), at=at, **options).premiums
    return [REASONS[code] for code in columns.refusal]


@pytest.mark.parametrize(("skew", "tolerated"), [("0s", 0), ("5s", 5), ("1h", 3600)])
def test_a_quote_before_its_rate_is_refused_beyond_the_stated_skew(folder, skew, tolerated):
    quoter = RateQuoter(folder, rules=SellingRules(clock_skew=skew))
    last = MIDNIGHT - tolerated * SECOND
    assert quoter.quote(make_cover(), at=last).issued_at == last.isoformat()
    assert reasons(quoter, make_cover(), at=last) == [None]
    for at in (last - SECOND, datetime(1970, 1, 1, tzinfo=UTC)):
        with pytest.raises(NotYetValidError, match="asset 'OM': the rate is of 2026-11-22 .* after .*a slow clock"):
            quoter.quote(make_cover(), at=at)
        assert reasons(quoter, make_cover(), at=at) == [Reason.NOT_YET_VALID]


def test_a_skew_that_is_no_skew_is_refused():
    with pytest.raises(InvalidTermsError, match="clock_skew must be at most 1h, got 2h"):
        SellingRules(clock_skew="2h")


@pytest.mark.parametrize("rules", [LIMITS, SellingRules()], ids=["limits", "no limits"])
def test_a_rate_in_force_ahead_of_the_clock_is_tolerated_or_refused(folder, rules):
    quoter = RateQuoter(folder, rules=rules)
    now = quoter.quote(make_cover(), at=NOON, in_force=RateInForce(rate=0.01, since=NOON))
    ahead = quoter.quote(make_cover(), at=NOON, in_force=RateInForce(rate=0.01, since=NOON + 5 * SECOND))
    assert ahead.rate_factor == now.rate_factor
    with pytest.raises(NotYetValidError, match="the rate in force was set at .* after .*a slow clock"):
        quoter.quote(make_cover(), at=NOON, in_force=RateInForce(rate=0.01, since=NOON + 6 * SECOND))
    rates = [0.01, math.nan]
    for seconds, reason in ((5, None), (6, Reason.NOT_YET_VALID)):
        in_force = RatesInForce(rate=rates, since=NOON + seconds * SECOND)
        assert reasons(quoter, make_cover(), make_cover(), in_force=in_force) == [reason, None]


def test_reasons_come_in_the_order_of_their_codes(folder):
    rules = SellingRules(coverage_lag="1h")
    ahead = NOON + 6 * SECOND
    quoter = RateQuoter(folder, rules=rules)
    for asset, reason in (("OLD", Reason.STALE), ("OM", Reason.NOT_YET_VALID)):
        cover = make_cover(asset=asset)
        with pytest.raises((StaleRateError, NotYetValidError)) as caught:
            quoter.quote(cover, at=NOON, in_force=RateInForce(rate=0.01, since=ahead))
        assert caught.value.reason is reason
        assert reasons(quoter, cover, in_force=RatesInForce(rate=[0.01], since=ahead)) == [reason]


@pytest.mark.parametrize(("asset", "engine"), [("OLD", "0.1.0"), ("NEW", "9.0.0")])
def test_a_rate_of_another_engine_is_refused(folder, asset, engine):
    quoter = RateQuoter(folder, PricingBasis())
    with pytest.raises(StaleRateError, match=f"the rate is of engine {engine}, this is {ENGINE_VERSION}"):
        quoter.quote(make_cover(asset=asset), at=NOON)
    assert reasons(quoter, make_cover(asset=asset), make_cover()) == [Reason.STALE, None]
