"""Quotes from a rate store at the edges: the smallest and the largest price, and which reason comes first."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from pricing import (
    Conditions,
    PricingBasis,
    RateQuoter,
    SalesBump,
    SalesPressure,
    SellingRules,
    StandardDeviationPrinciple,
)
from pricing.contract.book import Book
from pricing.errors import (
    REASONS,
    InvalidTermsError,
    Reason,
    SalesFrozenError,
    StaleRateError,
    SuspendedAssetError,
    UninsurableError,
    WaitingPeriodError,
)
from pricing.rates.publishing import publish
from tests.pricing.rates.store_worlds import NOON, constant_surface, make_cover, make_entry

#: At a premium of 20 %, 30 % and 60 % of the limit, a lift to a minimum is exact in binary.
PURE = {"risk_load": StandardDeviationPrinciple(multiple=0.0), "expense_ratio": 0.0}
SOLD_OUT = Conditions(pressure=SalesPressure(sold=100.0, at=NOON))
DOUBLED = SellingRules(bump=SalesBump(largest=2.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rates")
    entries = [(make_entry(f"P{level}"), constant_surface(level)) for level in (20, 30, 60)]
    entries += [
        (make_entry("SUSP", status="suspended"), entries[0][1]),
        (make_entry("MARK", status="stale"), entries[0][1]),
    ]
    publish(folder, entries, name="night")
    return folder


def refusals(quoter, *covers, **options):
    return [REASONS[code] for code in quoter.quote_many(Book.of_covers(covers), at=NOON, **options).premiums.refusal]


def test_half_a_cent_is_the_smallest_price(folder):
    cover = make_cover(asset="P20", limit=0.02)
    quoter = RateQuoter(folder, PricingBasis(minimum_premium=0.005, **PURE))
    assert quoter.quote(cover, at=NOON).premium.gross == 0.005
    assert refusals(quoter, cover) == [None]
    less = RateQuoter(folder, PricingBasis(minimum_premium=np.nextafter(0.005, 0.0), **PURE))
    with pytest.raises(UninsurableError, match="rounds to zero"):
        less.quote(cover, at=NOON)
    assert refusals(less, cover) == [Reason.UNINSURABLE]


def test_recent_sales_may_raise_a_price_above_half_a_cent(folder):
    cover, quoter = make_cover(asset="P20", limit=0.02), RateQuoter(folder, PricingBasis(**PURE), DOUBLED)
    assert refusals(quoter, cover) == [Reason.UNINSURABLE]
    assert refusals(quoter, cover, conditions={"P20": SOLD_OUT}) == [None]
    assert quoter.quote(cover, at=NOON, conditions=SOLD_OUT).sales_factor == 2.0


def test_a_refresh_tells_whether_the_version_has_changed(tmp_path):
    publish(tmp_path, [(make_entry("P20"), constant_surface(20))], name="monday")
    quoter = RateQuoter(tmp_path)
    assert not quoter.refresh()
    publish(tmp_path, [(make_entry("P20"), constant_surface(30))], name="tuesday")
    before = quoter.quote(make_cover(asset="P20"), at=NOON)
    assert quoter.refresh()
    assert not quoter.refresh()
    after = quoter.quote(make_cover(asset="P20"), at=NOON)
    assert (before.version, quoter.version, after.version) == ("monday", "tuesday", "tuesday")
    assert before.premium.trigger_probability < after.premium.trigger_probability


def test_a_price_a_cent_below_the_limit_reaches_it(folder):
    cover = make_cover(asset="P60", limit=1.01)
    quoter = RateQuoter(folder, PricingBasis(minimum_premium=1.0, **PURE))
    with pytest.raises(UninsurableError, match="cover 'C-1': the premium 1.00 reaches the limit 1.01"):
        quoter.quote(cover, at=NOON)
    assert refusals(quoter, cover) == [Reason.UNINSURABLE]
    less = RateQuoter(folder, PricingBasis(minimum_premium=np.nextafter(1.0, 0.0), **PURE))
    assert less.quote(cover, at=NOON).premium.gross < 1.0
    assert refusals(less, cover) == [None]


def test_a_price_raised_to_a_cent_below_the_limit_reaches_it(folder):
    cover = make_cover(asset="P30", limit=1.01)
    quoter = RateQuoter(folder, PricingBasis(minimum_premium=0.5, **PURE), DOUBLED)
    with pytest.raises(
        UninsurableError, match="after recent sales the premium of 0.50 is raised by a factor 2"
    ) as caught:
        quoter.quote(cover, at=NOON, conditions=SOLD_OUT)
    assert caught.value.trigger_probability == quoter.quote(cover, at=NOON).premium.trigger_probability
    assert refusals(quoter, cover, conditions={"P30": SOLD_OUT}) == [Reason.UNINSURABLE]
    assert quoter.quote(cover, at=NOON).factor == 1.0


def test_conditions_and_validity_are_those_of_the_asset(folder):
    quoter = RateQuoter(folder, PricingBasis(**PURE), DOUBLED)
    covers = [make_cover(asset=asset) for asset in ("P20", "P30")]
    many = quoter.quote_many(Book.of_covers(covers), at=NOON, conditions={"P30": SOLD_OUT})
    alone = [quoter.quote(cover, at=NOON).premium.total for cover in covers]
    assert many.price == pytest.approx([alone[0], 2.0 * alone[1]], rel=1e-12)
    assert list(many.entries) == list(many.valid_until) == ["P20", "P30"]
    assert many.entries["P30"] == make_entry("P30")
    assert many.valid_until["P30"] == "2026-11-22T12:15:00+00:00"


def test_reasons_of_the_asset_come_before_those_of_the_cover(folder):
    quoter = RateQuoter(folder, rules=SellingRules(coverage_lag="1h"))
    alerted = Conditions(alerted_at=NOON)
    found = refusals(
        quoter, *(make_cover(asset=asset) for asset in ("SUSP", "MARK", "P20", "P30")), conditions={"P30": alerted}
    )
    assert found == [Reason.SUSPENDED, Reason.STALE, Reason.WAITING_PERIOD, Reason.FROZEN]
    for asset, conditions, error in (
        ("SUSP", Conditions(), SuspendedAssetError),
        ("MARK", Conditions(), StaleRateError),
        ("P20", Conditions(), WaitingPeriodError),
        ("P30", alerted, SalesFrozenError),
    ):
        with pytest.raises(error):
            quoter.quote(make_cover(asset=asset), at=NOON, conditions=conditions)


def test_a_suspension_gives_its_reasons_if_there_are_any(folder):
    with pytest.raises(SuspendedAssetError, match="asset 'SUSP' is suspended from sale$"):
        RateQuoter(folder).quote(make_cover(asset="SUSP"), at=NOON)


def test_rates_are_used_until_they_expire(folder):
    quoter, end = RateQuoter(folder), NOON + timedelta(hours=18)
    assert quoter.quote(make_cover(asset="P20"), at=end - timedelta(seconds=1)).valid_until == end.isoformat()
    with pytest.raises(StaleRateError, match="the rate was valid until 2026-11-23T06:00:00"):
        quoter.quote(make_cover(asset="P20"), at=end)


def test_a_basis_is_known_by_its_16_digits(folder):
    bases = [PricingBasis(), PricingBasis(), PricingBasis(fixed_expense=1.0)]
    one, same, other = (RateQuoter(folder, basis).quote(make_cover(asset="P20"), at=NOON).basis_id for basis in bases)
    assert one == same != other
    assert len(one) == len(bytes.fromhex(one).hex()) == 16


def test_a_book_needs_a_clock_with_an_offset(folder):
    with pytest.raises(InvalidTermsError, match="at must be a time with an offset from UTC"):
        RateQuoter(folder).quote_many(Book.of_covers([make_cover()]), at=datetime(2026, 11, 22, 12))
