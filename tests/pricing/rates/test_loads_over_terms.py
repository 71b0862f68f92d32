"""A load that depends on the term, on every way from a surface to a premium."""

from dataclasses import replace

import pytest

from pricing import PricingBasis, Quoter, RateQuoter, compact, premium
from pricing.contract.book import Book
from pricing.events.event_premiums import event_premium
from pricing.events.reinstatements import AggregateTerms
from pricing.premiums.build_up import premium_of_law
from pricing.principles import HazardTransform, LossDistribution, OverHorizon, WangTransform
from pricing.rates.publishing import publish
from tests.pricing.rates.store_worlds import KEY, NOON, make_cover, make_entry, simulate_surface

SURFACE = simulate_surface("anchored")
LOADS = [HazardTransform(), OverHorizon(distortion=WangTransform())]
COVERS = [make_cover(term=term) for term in ("7d", "30d")]


def loaded(cover, probability, load):
    """Return the price of a cover that pays its whole limit, before expenses."""
    return cover.limit * load.over(cover.term).price_of_binary(probability)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rates")
    publish(folder, [(make_entry("OM"), compact(SURFACE))], name="night")
    return folder


@pytest.mark.parametrize("load", LOADS, ids=repr)
@pytest.mark.parametrize("cover", COVERS, ids=lambda cover: str(cover.term))
def test_every_premium_is_loaded_for_the_term_of_its_cover(load, cover, folder):
    basis = PricingBasis(risk_load=load, expense_ratio=0.0)
    quoter = RateQuoter(folder, basis, key=KEY)
    in_memory = Quoter({"OM": SURFACE}, basis).quote(cover).premium
    probability = in_memory.trigger_probability
    for priced in (in_memory, premium(cover, SURFACE, basis), quoter.quote(cover, at=NOON).premium):
        assert priced.gross == pytest.approx(loaded(cover, priced.trigger_probability, load), rel=1e-12)
    law = LossDistribution.discrete([cover.limit, 0.0], [probability, 1.0 - probability])
    of_law = premium_of_law(law, basis, name="C-1", limit=cover.limit, term=cover.term)
    assert of_law.gross == pytest.approx(loaded(cover, probability, load), rel=1e-12)


@pytest.mark.parametrize("load", LOADS, ids=repr)
def test_a_book_of_several_terms_is_loaded_cover_by_cover(load, folder):
    quoter = RateQuoter(folder, PricingBasis(risk_load=load, expense_ratio=0.0), key=KEY)
    columns = quoter.quote_many(Book.of_covers([replace(cover, cover_id=str(cover.term)) for cover in COVERS]), at=NOON)
    assert columns.premiums.gross.tolist() == pytest.approx(
        [quoter.quote(cover, at=NOON).premium.gross for cover in COVERS], rel=1e-12
    )


def test_events_are_loaded_for_the_term():
    cover, load = COVERS[0], LOADS[0]
    terms = AggregateTerms(event_limit=cover.limit)
    priced = event_premium(cover, SURFACE, PricingBasis(risk_load=load, expense_ratio=0.0), terms=terms)
    assert priced.total.gross == pytest.approx(loaded(cover, priced.total.trigger_probability, load), rel=1e-9)
