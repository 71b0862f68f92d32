"""Prices of distortions from sums over a tail, held against their definition: a pass over all groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import CapitalCost, FullPayout, LinearPayout, PricingBasis, TieredPayout, compact
from pricing.contract.book import Book
from pricing.principles import HazardTransform, StandardDeviationPrinciple, TailValueAtRisk, ValueAtRisk, WangTransform
from pricing.rates.book_premiums import premium_columns
from pricing.rates.cover_losses import is_of_sums, tail_losses
from tests.pricing.principles.principles_under_test import DISTORTIONS
from tests.pricing.rates.store_worlds import constant_surface, make_cover, simulate_surface

COMPACT = compact(simulate_surface("anchored"))
READER = COMPACT.tails[0].reader()

drops = st.floats(0.02, 0.98)
ramps = st.tuples(st.floats(0.05, 0.9), st.floats(2e-4, 0.6)).map(
    lambda ends: LinearPayout(attachment=ends[0], exhaustion=min(sum(ends), 1.0))
)
tiers = st.lists(st.floats(0.05, 0.95), min_size=1, max_size=4, unique=True).map(
    lambda points: TieredPayout({point: (1 + each) / len(points) for each, point in enumerate(sorted(points))})
)
payouts = st.one_of(st.just(FullPayout()), ramps, tiers)


def priced_by_a_pass(principle, payout, drop):
    sample = READER.sums.sample()
    return principle.estimate(sample, payout.share(sample.tail(drop)))


@given(principle=st.sampled_from(DISTORTIONS), payout=payouts, drop=drops)
def test_sums_give_the_price_and_the_error_of_a_pass(principle, payout, drop):
    # A ramp of width w adds differences of sums, which cancel to 1e-16 / w^2.
    wanted = priced_by_a_pass(principle, payout, drop)
    found = tail_losses(READER, payout, drop, PricingBasis(risk_load=principle), 1.0).price
    assert found.value == pytest.approx(wanted.value, rel=1e-9, abs=1e-13)
    assert found.standard_error == pytest.approx(wanted.standard_error, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("drop", [0.001, 0.999])
@pytest.mark.parametrize("level", [20, 100])
@pytest.mark.parametrize("principle", DISTORTIONS, ids=repr)
def test_sure_and_impossible_payments(principle, level, drop):
    tail = constant_surface(level).tails[0].reader()
    sample, payout = tail.sums.sample(), FullPayout()
    wanted = principle.estimate(sample, payout.share(sample.tail(drop)))
    found = tail_losses(tail, payout, drop, PricingBasis(risk_load=principle), 1.0).price
    assert (found.value, found.standard_error) == pytest.approx((wanted.value, wanted.standard_error), rel=1e-9)


BASES = {
    "hazard": PricingBasis(risk_load=HazardTransform(), interest_rate=0.1),
    "measured capital": PricingBasis(
        risk_load=WangTransform(), capital=CapitalCost(capital=TailValueAtRisk(level=0.9))
    ),
    "deviation and measured capital": PricingBasis(
        risk_load=StandardDeviationPrinciple(), capital=CapitalCost(capital=TailValueAtRisk(level=0.9))
    ),
    "value at risk": PricingBasis(capital=CapitalCost(capital=ValueAtRisk(level=0.99))),
}


@pytest.mark.parametrize("name", BASES)
def test_a_column_has_the_lines_of_single_covers(name):
    basis = BASES[name]
    covers = [
        make_cover(cover_id=f"{term}-{number}", term=term, payout=payout)
        for term in ("7d", "30d")
        for number, payout in enumerate(
            (
                FullPayout(),
                LinearPayout(attachment=0.2, exhaustion=0.6),
                LinearPayout(attachment=0.3, exhaustion=0.3005),
                TieredPayout({0.2: 0.1, 0.35: 0.7, 0.5: 1.0}),
            )
        )
    ]
    book = Book.of_covers(covers)
    columns = premium_columns(book, {"OM": COMPACT}, basis)
    for row, cover in enumerate(covers):
        of_term = basis.over(cover.term)
        tail = COMPACT.tail(cover.observation).reader()
        single = tail_losses(tail, cover.payout, cover.trigger.drop, of_term, discount(cover, basis))
        found = columns.risk_load[row], columns.capital[row], columns.expected_loss[row]
        wanted = single.price.value - single.mean.value, single.capital.value, single.mean.value
        assert np.array(found) / cover.limit == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def discount(cover, basis):
    from pricing.premiums.discounting import discount_factor

    return discount_factor(cover.observation, basis.interest_rate)


def test_bases_that_sums_can_price():
    assert {name: is_of_sums(basis) for name, basis in BASES.items()} == {
        "hazard": True,
        "measured capital": True,
        "deviation and measured capital": True,
        "value at risk": False,
    }


def test_a_distortion_that_prices_in_its_own_way_is_priced_by_a_pass():
    class Doubled(WangTransform):
        def price(self, losses):
            return 2.0 * super().price(losses)

    basis = PricingBasis(risk_load=Doubled())
    assert not is_of_sums(basis)
    wanted = priced_by_a_pass(Doubled(), FullPayout(), 0.3).value
    assert tail_losses(READER, FullPayout(), 0.3, basis, 1.0).price.value == pytest.approx(wanted, rel=1e-12)
