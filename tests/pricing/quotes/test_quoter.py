import dataclasses
import json
import multiprocessing
import os
import subprocess
import sys
import threading
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    CapitalCost,
    Conditions,
    DropTrigger,
    FullPayout,
    LinearPayout,
    Payment,
    PremiumFlag,
    PricingBasis,
    Quoter,
    RateInForce,
    RateLimits,
    RateQuote,
    RateQuoter,
    RatesInForce,
    Reference,
    SalesBump,
    SalesPressure,
    SellingRules,
    TieredPayout,
    compact,
    verify,
)
from pricing.contract.book import Book
from pricing.errors import (
    REASONS,
    InvalidBasisError,
    InvalidTermsError,
    NotSimulatedError,
    PricingError,
    QuoteRefusedError,
    RateStoreError,
    Reason,
    StaleRateError,
    SuspendedAssetError,
    TamperedQuoteError,
    UninsurableError,
    UnknownAssetError,
    UnresolvedError,
)
from pricing.premiums.build_up import premium_from_sample
from pricing.principles import (
    ExpectedValuePrinciple,
    StandardDeviationPrinciple,
    ValueAtRisk,
    VariancePrinciple,
    WangTransform,
)
from pricing.rates.book_premiums import FLAGS
from pricing.rates.publishing import publish
from tests.checkout import CHECKOUT
from tests.pricing.rates.store_worlds import (
    KEY,
    NOON,
    PAYOUTS,
    TERMS,
    WINDOWS,
    constant_surface,
    make_cover,
    make_entry,
    simulate_surface,
)

HOUR = timedelta(hours=1)
FULL = simulate_surface("anchored")
SURFACE = compact(FULL)
BASES = {
    "expected value": PricingBasis(risk_load=ExpectedValuePrinciple(loading=0.3), fixed_expense=3.0),
    "standard deviation": PricingBasis(
        risk_load=StandardDeviationPrinciple(multiple=0.2),
        interest_rate=0.2,
        commission_ratio=0.1,
        tax_ratio=0.05,
        minimum_premium=2_000.0,
        capital=CapitalCost(capital=0.3),
        parameter_load=0.1,
    ),
    "variance": PricingBasis(risk_load=VariancePrinciple(multiple=0.4), minimum_rate_on_line=0.01),
    "wang": PricingBasis(risk_load=WangTransform(shift=0.3)),
    "measured capital": PricingBasis(capital=CapitalCost()),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rates")
    entries = [
        make_entry("OM"),
        make_entry("SUSP", status="suspended", verdict=("reused ticker",)),
        make_entry("MARK", status="stale"),
        make_entry("OLD", as_of="2026-11-20T23:59:59+00:00"),
        make_entry("PAST", valid_until="2026-11-22T12:00:00+00:00"),
    ]
    publish(folder, ((entry, SURFACE) for entry in entries), name="night")
    return folder


@pytest.fixture(scope="module")
def quoter(folder):
    return RateQuoter(folder, key=KEY)


def fields_of(priced):
    return {name: value for name, value in dataclasses.asdict(priced).items() if name not in ("flag", "further")}


@pytest.mark.parametrize("basis", BASES.values(), ids=BASES)
@pytest.mark.parametrize("payout", [*PAYOUTS, TieredPayout({0.1: 0.2, 0.3: 0.3, 0.999: 1.0})], ids=str)
def test_a_quote_is_the_premium_on_the_compact_sample(folder, basis, payout):
    # What ``premium`` makes of the sample group by group, against sums that were cumulated before.
    quoter = RateQuoter(folder, basis)
    for drop, term, payment in ((0.25, "30d", Payment.AT_EXPIRY), (0.45, "7d", Payment.AT_HIT)):
        cover = make_cover(trigger=DropTrigger(drop=drop), payout=payout, term=term, payment=payment)
        wanted = premium_from_sample(cover, SURFACE.sample(window="24h", term=term), basis)
        found = quoter.quote(cover, at=NOON).premium
        assert fields_of(found) == pytest.approx(fields_of(wanted), rel=1e-9, abs=1e-9)
        assert found.flag is wanted.flag


@pytest.mark.parametrize("payout", PAYOUTS, ids=str)
def test_a_quote_is_off_by_less_than_a_tenth_of_the_error_of_all_paths(quoter, payout):
    for drop in (0.2, 0.3, 0.4):
        cover = make_cover(trigger=DropTrigger(drop=drop), payout=payout)
        full = premium_from_sample(cover, FULL.sample(), PricingBasis())
        found = quoter.quote(cover, at=NOON).premium
        assert abs(found.expected_loss - full.expected_loss) < 0.1 * full.expected_loss_standard_error
        assert found.standard_error == pytest.approx(full.standard_error, rel=0.01)


def make_book():
    rng = np.random.default_rng(8)
    covers = [
        make_cover(
            cover_id=f"C-{number}",
            asset=str(rng.choice(["OM", "SUSP", "MARK", "OLD", "PAST", "NONE"], p=(0.75, *5 * (0.05,)))),
            trigger=DropTrigger(
                drop=rng.choice([0.1, 0.3, 0.45, 0.99, rng.uniform(0.15, 0.6)]),
                window=str(rng.choice([*WINDOWS, "4h"], p=(0.45, 0.5, 0.05))),
                reference=Reference(int(rng.choice([0, 1, 3]))),
            ),
            payout=PAYOUTS[rng.integers(len(PAYOUTS))],
            limit=rng.uniform(1e3, 1e6),
            term=str(rng.choice(TERMS)),
            payment=list(Payment)[rng.integers(2)],
        )
        for number in range(400)
    ]
    return covers, Book.of_covers(covers)


@pytest.mark.parametrize("basis", BASES.values(), ids=BASES)
def test_many_quotes_are_the_single_ones_and_refuse_the_same(folder, basis):
    covers, book = make_book()
    rules = SellingRules(bump=SalesBump(), rate_limits=RateLimits())
    conditions = {"OM": Conditions(pressure=SalesPressure(sold=0.2, at=NOON - 5 * HOUR))}
    quoter = RateQuoter(folder, basis, rules)
    before = np.where(np.arange(len(book)) % 3, 0.05, np.nan)
    in_force = RatesInForce(rate=before, since=NOON - 2 * HOUR)
    many = quoter.quote_many(book, at=NOON, conditions=conditions, in_force=in_force)

    def quote_of(row, cover):
        alone = None if np.isnan(before[row]) else RateInForce(rate=before[row], since=NOON - 2 * HOUR)
        sold = conditions.get(cover.asset, Conditions())
        return quoter.quote(cover, at=NOON, conditions=sold, in_force=alone)

    for row, cover in enumerate(covers):
        reason = REASONS[many.premiums.refusal[row]]
        if reason:
            with pytest.raises(QuoteRefusedError) as caught:
                quote_of(row, cover)
            assert caught.value.reason is reason
            assert np.isnan([many.price[row], many.premiums.gross[row], many.premiums.trigger_probability[row]]).all()
            continue
        quote = quote_of(row, cover)
        columns = {name: getattr(many.premiums, name)[row] for name in fields_of(quote.premium)}
        assert columns == pytest.approx(fields_of(quote.premium), rel=1e-9, abs=1e-9)
        assert FLAGS[many.premiums.flag[row]] is quote.premium.flag
        assert many.price[row] == pytest.approx(quote.premium.total * quote.factor, rel=1e-9)
    assert many.version == "night"
    assert {REASONS[code] for code in many.premiums.refusal} >= {
        Reason.UNKNOWN_ASSET,
        Reason.SUSPENDED,
        Reason.STALE,
        Reason.NOT_SIMULATED,
        Reason.UNRESOLVED,
        Reason.UNINSURABLE,
    }


def test_rates_in_force_must_fit_their_book(folder):
    with pytest.raises(InvalidBasisError, match="rate of row 1 must be positive and finite or NaN, got -0.1"):
        RatesInForce(rate=[0.1, -0.1], since=NOON)
    quoter = RateQuoter(folder, rules=SellingRules(rate_limits=RateLimits()))
    with pytest.raises(InvalidBasisError, match=r"rate must have one entry per cover, \(1,\), got \(2,\)"):
        quoter.quote_many(Book.of_covers([make_cover()]), at=NOON, in_force=RatesInForce(rate=[0.1, 0.1], since=NOON))


def test_many_quotes_heed_alerts_and_lags(folder):
    covers, book = make_book()
    rules = SellingRules(coverage_lag="1h")
    refusal = RateQuoter(folder, rules=rules).quote_many(book, at=NOON).premiums.refusal
    is_sold = np.array([cover.asset == "OM" for cover in covers])
    assert {REASONS[code] for code in refusal[is_sold]} == {Reason.WAITING_PERIOD}
    alerted = {"OM": Conditions(alerted_at=NOON)}
    refusal = RateQuoter(folder).quote_many(book, at=NOON, conditions=alerted).premiums.refusal
    assert {REASONS[code] for code in refusal[is_sold]} == {Reason.FROZEN}


def test_a_book_of_unknown_assets_is_refused_whole(quoter):
    book = Book.of_covers([make_cover(asset="A", payout=payout) for payout in PAYOUTS])
    many = quoter.quote_many(book, at=NOON)
    assert [REASONS[code] for code in many.premiums.refusal] == [Reason.UNKNOWN_ASSET] * len(PAYOUTS)
    assert np.isnan(many.price).all()
    assert (many.entries, many.valid_until) == ({}, {})


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"asset": "NONE"}, UnknownAssetError, "asset must be one of the 5 with a rate, got 'NONE'"),
        ({"asset": "SUSP"}, SuspendedAssetError, r"suspended from sale \(reused ticker\)"),
        ({"asset": "MARK"}, StaleRateError, "marked as stale"),
        ({"asset": "OLD"}, StaleRateError, "more than 36h before"),
        ({"asset": "PAST"}, StaleRateError, "valid until 2026-11-22T12:00:00"),
        ({"trigger": DropTrigger(drop=0.3, window="4h")}, NotSimulatedError, "the surface holds no rolling high of 4h"),
        ({"trigger": DropTrigger(drop=0.99)}, UnresolvedError, "cover 'C-1': none of 20000 paths triggers a"),
        ({"trigger": DropTrigger(drop=0.02)}, UninsurableError, "reaches the limit"),
        ({"limit": 1e-3}, UninsurableError, "rounds to zero"),
        # The trigger fires on some paths, and none of them pays.
        (
            {"payout": LinearPayout(attachment=0.98, exhaustion=0.99)},
            UnresolvedError,
            "of 20000 paths triggers a payment",
        ),
    ],
)
def test_what_is_not_sold_is_refused_by_type(quoter, changes, error, message):
    with pytest.raises(error, match=message):
        quoter.quote(make_cover(**changes), at=NOON)


def test_rules_may_sell_rates_that_are_marked_as_stale(folder):
    lenient = RateQuoter(folder, rules=SellingRules(sells_stale=True, oldest="48h"))
    assert lenient.quote(make_cover(asset="MARK"), at=NOON).premium == lenient.quote(make_cover(), at=NOON).premium
    lenient.quote(make_cover(asset="OLD"), at=NOON)
    with pytest.raises(StaleRateError):
        lenient.quote(make_cover(asset="MARK"), at=NOON + 30 * HOUR)


def test_a_quote_says_what_it_was_made_from(quoter):
    quote = quoter.quote(make_cover(), at=NOON)
    assert (quote.version, quote.surface_id, quote.calibration_id) == ("night", "surface-1", "calibration-1")
    assert quote.engine_version == "0.2.0"
    assert quote.issued_at == "2026-11-22T12:00:00+00:00"
    assert quote.valid_until == "2026-11-22T12:15:00+00:00"
    late = quoter.quote(make_cover(), at=NOON + 17 * HOUR + 50 / 60 * HOUR)
    assert late.valid_until == "2026-11-23T06:00:00+00:00"


def test_a_clock_without_an_offset_is_refused(quoter):
    with pytest.raises(InvalidTermsError, match="at must be a time with an offset from UTC"):
        quoter.quote(make_cover(), at=datetime(2026, 11, 22, 12))


def test_sales_raise_the_price_and_rate_limits_hold_it(folder):
    bump = SalesBump(strength=1.0, half_life="24h")
    rules = SellingRules(bump=bump, rate_limits=RateLimits(per_hour=0.1, per_day=0.5))
    quoter = RateQuoter(folder, rules=rules)
    calm = quoter.quote(make_cover(), at=NOON)
    assert calm.factor == 1.0
    sold = Conditions(pressure=bump.after_sale(None, limit=5e5, capacity=1e6, at=NOON))
    raised = quoter.quote(make_cover(), at=NOON, conditions=sold)
    assert raised.premium == calm.premium
    assert raised.sales_factor == pytest.approx(np.exp(0.5), rel=1e-14)
    assert float(raised.price) == pytest.approx(calm.premium.total * np.exp(0.5), abs=0.011)
    in_force = RateInForce(rate=calm.premium.rate_on_line / 2.0, since=NOON - HOUR)
    held = quoter.quote(make_cover(), at=NOON, in_force=in_force)
    assert held.rate_factor == pytest.approx(np.exp(0.1) / 2.0, rel=1e-12)


def test_rate_limits_stop_at_the_minimum_premium(folder):
    quoter = RateQuoter(folder, PricingBasis(minimum_premium=5e3), SellingRules(rate_limits=RateLimits()))
    held = quoter.quote(make_cover(), at=NOON, in_force=RateInForce(rate=0.01, since=NOON - HOUR))
    assert held.premium.gross * held.factor == pytest.approx(5e3, rel=1e-12)
    many = quoter.quote_many(
        Book.of_covers([make_cover()]), at=NOON, in_force=RatesInForce(rate=[0.01], since=NOON - HOUR)
    )
    assert many.price == pytest.approx([5e3], rel=1e-12)


def test_a_price_of_nothing_is_refused_alike(quoter):
    small = make_cover(limit=1e-3)
    many = quoter.quote_many(Book.of_covers([small]), at=NOON)
    assert [REASONS[code] for code in many.premiums.refusal] == [Reason.UNINSURABLE]
    with pytest.raises(UninsurableError, match="rounds to zero"):
        Quoter({"OM": FULL}).quote(small)


def test_a_price_that_rounds_up_to_the_limit_is_refused_alike(folder):
    to_the_limit = PricingBasis(minimum_premium=(1e5 - 0.004) / 1.1, tax_ratio=0.1)
    just_below = PricingBasis(minimum_premium=(1e5 - 0.02) / 1.1, tax_ratio=0.1)
    sold = RateQuoter(folder, just_below).quote(make_cover(), at=NOON)
    assert 0 < sold.price < 100_000
    quoter = RateQuoter(folder, to_the_limit)
    with pytest.raises(UninsurableError, match=r"the premium 100,000.00 reaches the limit 100,000.00"):
        quoter.quote(make_cover(), at=NOON)
    with pytest.raises(UninsurableError, match="reaches the limit"):
        Quoter({"OM": FULL}, to_the_limit).quote(make_cover())
    many = quoter.quote_many(Book.of_covers([make_cover()]), at=NOON)
    assert [REASONS[code] for code in many.premiums.refusal] == [Reason.UNINSURABLE]


def test_times_are_told_in_utc_over_a_change_to_winter_time(tmp_path):
    entry = make_entry("OM", as_of="2026-10-24T20:00:00+00:00", valid_until="2026-10-26T20:00:00+00:00")
    publish(tmp_path, [(entry, SURFACE)], name="night")
    last_of_summer = datetime(2026, 10, 25, 2, 50, tzinfo=ZoneInfo("Europe/Berlin"))  # 00:50 UTC
    quote = RateQuoter(tmp_path).quote(make_cover(), at=last_of_summer)
    assert (quote.issued_at, quote.valid_until) == ("2026-10-25T00:50:00+00:00", "2026-10-25T01:05:00+00:00")


@pytest.mark.parametrize("number", [int, np.float32, Decimal, Fraction])
def test_policies_of_any_kind_of_number_give_quotes_that_verify(folder, number):
    rules = SellingRules(
        bump=SalesBump(strength=number(8), largest=number(2)),
        rate_limits=RateLimits(per_hour=number(1), per_day=number(2)),
    )
    quoter = RateQuoter(folder, PricingBasis(fixed_expense=number(3), tax_ratio=number(0)), rules, key=KEY)
    conditions = Conditions(pressure=SalesPressure(sold=number(1), at=NOON))
    in_force = RateInForce(rate=number(1) / 8, since=NOON - HOUR)
    quote = quoter.quote(make_cover(), at=NOON, conditions=conditions, in_force=in_force)
    verify(quote, KEY)
    assert quote.sales_factor == 2.0
    assert 0 < quote.price < 100_000


@pytest.mark.parametrize(
    "make",
    [
        lambda: PricingBasis(expense_ratio="0.1"),
        lambda: SalesBump(largest=None),
        lambda: RateLimits(per_hour=True),
        lambda: RateInForce(rate=[0.1], since=NOON),
        lambda: SalesPressure(sold=Decimal("sNaN"), at=NOON),
        lambda: RatesInForce(rate=["a"], since=NOON),
    ],
)
def test_policies_want_numbers(make):
    with pytest.raises(InvalidBasisError, match="must be (a number|numbers)"):
        make()


def test_the_error_of_a_quantile_is_that_of_its_paths_also_where_few_values_are_paid(folder):
    payout = TieredPayout({0.25: 0.25, 0.35: 0.8})
    cover = make_cover(trigger=DropTrigger(drop=0.25), payout=payout)
    level = 1.0 - 0.995 * SURFACE.exceedance(0.35).value  # just inside the deeper tier
    basis = PricingBasis(risk_load=ValueAtRisk(level=level))
    wanted = premium_from_sample(cover, SURFACE.sample(), basis)
    found = RateQuoter(folder, basis).quote(cover, at=NOON).premium
    assert found.standard_error == pytest.approx(wanted.standard_error, rel=1e-9)
    assert found.standard_error > 0.1 * found.gross
    assert found.flag is wanted.flag is PremiumFlag.IMPRECISE


@pytest.mark.parametrize("key", [None, "secret", bytearray(b"secret")])
def test_a_key_must_be_bytes(folder, quoter, key):
    with pytest.raises(InvalidTermsError, match=r"key must be bytes, got \w+ \(leave it out to seal without one\)"):
        RateQuoter(folder, key=key)
    with pytest.raises(InvalidTermsError, match="key must be bytes"):
        verify(quoter.quote(make_cover(), at=NOON), key)


def test_a_price_raised_to_the_limit_is_refused(folder):
    quoter = RateQuoter(folder, rules=SellingRules(bump=SalesBump(strength=10.0, largest=1e6)))
    cover = make_cover(trigger=DropTrigger(drop=0.25))
    quoter.quote(cover, at=NOON)
    with pytest.raises(UninsurableError, match="after recent sales"):
        quoter.quote(cover, at=NOON, conditions=Conditions(pressure=SalesPressure(sold=1.0, at=NOON)))


@pytest.mark.parametrize("payout", PAYOUTS, ids=str)
@pytest.mark.parametrize("key", [{}, {"key": KEY}], ids=["no key", "key"])
def test_a_quote_survives_json_and_keeps_its_seal(folder, payout, key):
    quote = RateQuoter(folder, **key).quote(make_cover(payout=payout), at=NOON)
    verify(quote, **key)
    again = RateQuote.from_json(quote.to_json())
    assert again == quote
    verify(again, **key)
    with pytest.raises(TamperedQuoteError, match="does not match its digest"):
        verify(quote, b"another key of 16 bytes or more")


def leaves(value, path=()):
    """List every number and text inside plain JSON."""
    if isinstance(value, dict):
        return [leaf for name, item in value.items() if name != "type" for leaf in leaves(item, (*path, name))]
    if isinstance(value, list):
        return [leaf for place, item in enumerate(value) for leaf in leaves(item, (*path, place))]
    return [path]


SEALED = json.loads(
    RateQuote(
        cover=make_cover(payout=PAYOUTS[3]),
        premium=premium_from_sample(make_cover(payout=PAYOUTS[3]), FULL.sample(), PricingBasis()),
        rate_factor=1.0,
        sales_factor=1.0,
        **dict.fromkeys(
            ("quote_id", "audience", "key_id", "issued_at", "valid_until", "version", "surface_id", "calibration_id"),
            "x",
        ),
        **dict.fromkeys(("engine_version", "basis_id", "digest"), "x"),
    ).to_json()
)


@pytest.mark.parametrize("path", leaves(SEALED), ids=str)
def test_a_change_anywhere_breaks_the_seal(quoter, path):
    plain = json.loads(quoter.quote(make_cover(payout=PAYOUTS[3]), at=NOON).to_json())
    *way, last = path
    inner = plain
    for step in way:
        inner = inner[step]
    inner[last] = changed(inner[last])
    with pytest.raises(PricingError if last == "format" else TamperedQuoteError):
        verify(RateQuote.from_json(json.dumps(plain)), KEY)


@pytest.mark.parametrize("path", leaves(SEALED), ids=str)
@pytest.mark.parametrize(
    "junk", [None, "1", True, [], {"type": []}, {"type": "Cover"}, -1e308, 10**400], ids=lambda junk: repr(junk)[:20]
)
def test_whatever_is_put_into_a_quote_is_refused_as_no_quote(quoter, path, junk):
    plain = json.loads(quoter.quote(make_cover(payout=PAYOUTS[3]), at=NOON).to_json())
    *way, last = path
    inner = plain
    for step in way:
        inner = inner[step]
    inner[last] = junk
    with pytest.raises(PricingError):
        verify(RateQuote.from_json(json.dumps(plain)), KEY)


def changed(value):
    """Change a value a little, to one that a quote may have."""
    others = {"OK": "IMPRECISE", "IMPRECISE": "OK", "AT_HIT": "AT_EXPIRY", "ROLLING_HIGH": "LAGGED"}
    others |= {"24h": "25h", "30d": "31d", "0h": "1h"}
    if isinstance(value, str):
        return others.get(value, value + "x")
    return float(np.nextafter(value, 0.45))


def test_texts_cannot_be_moved_across_the_fields_of_a_quote(quoter):
    quote = quoter.quote(make_cover(cover_id="C-1", currency="USD"), at=NOON)
    moved = dataclasses.replace(quote, cover=dataclasses.replace(quote.cover, cover_id="C-1O", asset="M"))
    with pytest.raises(TamperedQuoteError):
        verify(moved, KEY)


def test_what_is_no_quote_is_refused():
    with pytest.raises(PricingError, match="not a quote"):
        RateQuote.from_json("{")
    with pytest.raises(PricingError, match="not a quote: maximum recursion depth"):
        RateQuote.from_json("[" * 100_000)
    with pytest.raises(PricingError, match="not a quote from rates but a FullPayout"):
        RateQuote.from_json('{"type": "FullPayout"}')


@given(drop=st.floats(0.15, 0.5), width=st.floats(0.001, 0.4))
def test_a_deeper_attachment_never_costs_more(quoter, drop, width):
    payouts = [LinearPayout(attachment=drop + shift, exhaustion=drop + shift + width) for shift in (0.0, 0.01, 0.1)]
    losses = [quoter.quote(make_cover(trigger=DropTrigger(drop=0.15), payout=payout), at=NOON) for payout in payouts]
    amounts = [quote.premium.expected_loss for quote in losses]
    assert amounts[1] <= amounts[0] * (1.0 + 1e-9)
    assert amounts[2] <= amounts[1] * (1.0 + 1e-9)


def publish_level(folder, number):
    """Publish a version whose every number says which it is: the trigger fires with probability 1 %, 2 % or 3 %."""
    level = 1 + number % 3
    rates = ((make_entry(f"T{asset}", calibration_id=f"c{level}"), LEVELS[level]) for asset in range(8))
    publish(folder, rates, name=f"night-{number}")


LEVELS = {level: constant_surface(level) for level in (1, 2, 3)}


def is_whole(quote):
    number = int(quote.version.removeprefix("night-"))
    level = 1 + number % 3
    is_right = abs(quote.premium.trigger_probability - 0.01 * level) < 1e-12
    return is_right and quote.calibration_id == f"c{level}"


def test_16_threads_see_whole_versions_only_while_rates_are_swapped(tmp_path):
    publish_level(tmp_path, 0)
    quoter = RateQuoter(tmp_path, key=KEY)
    stop, failures, seen = threading.Event(), [], [Counter() for _ in range(16)]
    covers = [make_cover(cover_id=f"C-{asset}", asset=f"T{asset}") for asset in range(8)]
    book = Book.of_covers(covers)

    def sell(mine):
        try:
            while not stop.is_set():
                for cover in covers:
                    quote = quoter.quote(cover, at=NOON)
                    verify(quote, KEY)
                    assert is_whole(quote)
                    mine[quote.version] += 1
                many = quoter.quote_many(book, at=NOON)
                level = 1 + int(many.version.removeprefix("night-")) % 3
                assert many.premiums.trigger_probability == pytest.approx(0.01 * level, rel=1e-12)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the test fails with it
            failures.append(error)

    threads = [threading.Thread(target=sell, args=(mine,)) for mine in seen]
    for thread in threads:
        thread.start()
    for number in range(1, 6):
        publish_level(tmp_path, number)
        assert quoter.refresh()
        assert not quoter.refresh()
        assert quoter.version == f"night-{number}"
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(set().union(*seen)) >= 4
    assert all(seen)


def test_many_threads_may_refresh_at_once(tmp_path):
    publish_level(tmp_path, 0)
    quoter = RateQuoter(tmp_path)
    for number in range(1, 5):
        publish_level(tmp_path, number)
        threads = [threading.Thread(target=quoter.refresh) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert quoter.version == f"night-{number}"


def test_a_damaged_new_version_leaves_the_old_one_in_force(tmp_path):
    publish_level(tmp_path, 0)
    quoter = RateQuoter(tmp_path)
    publish_level(tmp_path, 1)
    surface = tmp_path / "night-1" / "surfaces"
    surface.write_bytes(surface.read_bytes()[:-100])
    with pytest.raises(RateStoreError):
        quoter.refresh()
    assert quoter.version == "night-0"
    assert is_whole(quoter.quote(make_cover(asset="T3"), at=NOON))


def _quote_in_child(quoter, folder, answers):
    before = quoter.quote(make_cover(asset="T1"), at=NOON, quote_id="Q-1")
    quoter.refresh()
    after = quoter.quote(make_cover(asset="T1"), at=NOON)
    answers.put((before.to_json(), after.version, is_whole(after), str(folder)))


@pytest.mark.skipif(sys.platform == "win32", reason="fork is of Unix")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_worker_quotes_the_same_and_refreshes_by_itself(tmp_path):
    publish_level(tmp_path, 0)
    quoter = RateQuoter(tmp_path, key=KEY)
    wanted = quoter.quote(make_cover(asset="T1"), at=NOON, quote_id="Q-1").to_json()
    publish_level(tmp_path, 1)
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    workers = [context.Process(target=_quote_in_child, args=(quoter, tmp_path, answers)) for _ in range(4)]
    for worker in workers:
        worker.start()
    found = [answers.get() for _ in workers]
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert found == [(wanted, "night-1", True, str(tmp_path))] * 4
    assert quoter.version == "night-0"


QUOTE_ALONE = """
import sys, threading
from tests.pricing.rates.store_worlds import NOON, make_cover
from pricing import RateQuoter
quoter = RateQuoter(sys.argv[1])
quoter.quote(make_cover(), at=NOON)
imported = {name.split(".")[0] for name in sys.modules}
assert not imported & {"pandas", "scipy", "arch", "calibration", "crashcover"}, imported
assert threading.active_count() == 1
"""


def test_a_quote_needs_no_pandas_and_no_thread(folder):
    subprocess.run([sys.executable, "-c", QUOTE_ALONE, str(folder)], cwd=CHECKOUT, check=True)


def test_surfaces_in_memory_still_give_reproducible_quotes():
    quote = Quoter({"OM": FULL}).quote(make_cover())
    assert quote.premium == premium_from_sample(make_cover(), FULL.sample(), PricingBasis())


def test_payouts_of_your_own_are_quoted_by_a_pass_over_the_tail(folder, quoter):
    class Squared(FullPayout):
        def share(self, worst_drop):
            return np.square(worst_drop)

    cover = make_cover(payout=Squared())
    wanted = premium_from_sample(cover, SURFACE.sample(), PricingBasis())
    assert fields_of(quoter.quote(cover, at=NOON).premium) == pytest.approx(fields_of(wanted), rel=1e-12)
    book = Book.of_covers([cover])
    assert RateQuoter(folder).quote_many(book, at=NOON).price == pytest.approx([wanted.total], rel=1e-12)


@pytest.mark.skipif(sys.platform == "win32", reason="the example forks")
def test_the_example_of_the_documentation_runs():
    options = ["--assets", "3", "--paths", "5000", "--quotes", "500", "--seconds", "0.2"]
    printed = subprocess.run(
        [sys.executable, "-m", "docs.studies.quoting_backend", *options],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "from tuesday" in printed
    assert "forked worker 2 of 2" in printed
    prices = [float(price) for price in printed.split("five sales of one cover: ")[1].splitlines()[0].split(",")]
    assert prices == sorted(set(prices))
    assert "after an alert: asset 'T0': not sold" in printed
