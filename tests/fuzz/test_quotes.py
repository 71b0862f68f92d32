"""Any cover on any basis has one price or one reason, quoted alone or in a book, and a price is below its limit."""

import math
from datetime import timedelta
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    REASONS,
    CapitalCost,
    Conditions,
    DropTrigger,
    FullPayout,
    LinearPayout,
    PricingBasis,
    QuoteRefusedError,
    RateInForce,
    RateLimits,
    RateQuoter,
    RatesInForce,
    Reason,
    SalesBump,
    SalesPressure,
    SellingRules,
    TieredPayout,
    compact,
    verify,
)
from pricing.contract.book import Book
from pricing.principles import PRINCIPLE_CLASSES, OverHorizon, WangTransform
from pricing.rates.publishing import publish
from tests.pricing.rates.store_worlds import KEY, NOON, make_cover, make_entry, simulate_surface

KINDS = ("plain", "weighted", "anchored")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rates")
    surfaces = {kind: compact(simulate_surface(kind, n_paths=2_000)) for kind in KINDS}
    publish(folder, ((make_entry(kind), surface) for kind, surface in surfaces.items()), name="night")
    return folder


def logs(lowest, highest):
    return st.floats(lowest, highest).map(lambda power: 10.0**power)


@st.composite
def payouts(draw):
    steps = draw(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5, unique=True))
    shares = draw(st.lists(st.floats(0.001, 1.0), min_size=len(steps), max_size=len(steps), unique=True))
    ramp = LinearPayout(attachment=steps[0], exhaustion=min(steps[0] + draw(logs(-8, 0)), 1.0))
    return draw(
        st.sampled_from([FullPayout(), ramp, TieredPayout(dict(zip(sorted(steps), sorted(shares), strict=True)))])
    )


@st.composite
def covers(draw):
    return make_cover(
        asset=draw(st.sampled_from([*KINDS, "none"])),
        trigger=DropTrigger(drop=draw(st.floats(0.001, 0.999)), window=draw(st.sampled_from(["1h", "24h", "90min"]))),
        payout=draw(payouts()),
        limit=draw(logs(-9, 15)),
        term=draw(st.sampled_from(["7d", "30d", "8d"])),
    )


PRINCIPLES = [kind() for kind in PRINCIPLE_CLASSES if kind is not OverHorizon]
BASES = st.builds(
    PricingBasis,
    risk_load=st.sampled_from([*PRINCIPLES, OverHorizon(distortion=WangTransform())]),
    capital=st.sampled_from([None, CapitalCost(annual_rate=0.1), CapitalCost(annual_rate=0.2, capital=0.3)]),
    interest_rate=st.sampled_from([0.0, 0.3]),
    fixed_expense=st.sampled_from([0.0, 1e-3, 10.0]),
    commission_ratio=st.sampled_from([0.0, 0.3]),
    tax_ratio=st.sampled_from([0.0, 0.2]),
    minimum_premium=st.sampled_from([0.0, 0.005, 10.0]),
    minimum_rate_on_line=st.sampled_from([0.0, 0.05]),
)


def answer_of(ask):
    """Return a quote, or the reason why there is none."""
    try:
        return ask()
    except QuoteRefusedError as error:
        return error.reason


@given(
    basis=BASES,
    book=st.lists(st.tuples(covers(), st.one_of(st.just(math.nan), logs(-12, 1))), min_size=1, max_size=8),
    sold=st.floats(0.0, 2.0),
)
def test_a_cover_has_one_price_or_one_reason(folder, basis, book, sold):
    quoter = RateQuoter(folder, basis, SellingRules(bump=SalesBump(), rate_limits=RateLimits()), key=KEY)
    conditions = {kind: Conditions(pressure=SalesPressure(sold=sold, at=NOON)) for kind in KINDS}
    since, rates = NOON - timedelta(hours=3), np.array([rate for _, rate in book])
    many = quoter.quote_many(
        Book.of_covers(cover for cover, _ in book),
        at=NOON,
        conditions=conditions,
        in_force=RatesInForce(rate=rates, since=since),
    )
    for row, (cover, rate) in enumerate(book):
        in_force = None if math.isnan(rate) else RateInForce(rate=rate, since=since)
        sales = conditions.get(cover.asset, Conditions())
        quote = answer_of(partial(quoter.quote, cover, at=NOON, conditions=sales, in_force=in_force))
        if isinstance(quote, Reason):
            assert REASONS[many.premiums.refusal[row]] is quote
            assert math.isnan(many.price[row])
            continue
        assert many.premiums.refusal[row] == 0
        assert many.price[row] == pytest.approx(quote.premium.total * quote.factor, rel=1e-9)
        assert 0 < quote.price < cover.limit
        assert 0.0 < quote.premium.trigger_probability <= 1.0
        assert all(map(math.isfinite, quote.premium.lines.values()))
        verify(quote, KEY)
