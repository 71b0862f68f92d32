from datetime import timedelta

import numpy as np
import pytest

from calibration import calibrate
from crashcover import sample_market
from crashcover.offers.offers import make_offers
from crashcover.offers.outcomes import quote_or_refuse, simulate_covers
from crashcover.offers.terms import Terms
from pricing import (
    ConstantVolatility,
    InvalidTermsError,
    LinearPayout,
    Normal,
    PriceModel,
    PricingBasis,
    Quote,
    Quoter,
    Reference,
    SimulationSettings,
    StandardDeviationPrinciple,
    simulate,
)
from pricing.errors import Reason, Refusal

MODEL = PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=Normal(), step="6h")
SETTINGS = SimulationSettings(n_paths=2000, seed=3)


def silent(_):
    pass


def test_terms_make_every_combination_once():
    terms = Terms(drops=(0.2, 0.5), windows=("24h", "1d", "48h"), terms=("7d", timedelta(days=30)))
    covers = terms.covers("OM")
    assert [cover.cover_id for cover in covers] == [
        f"OM-{drop}-{window}-{term}" for window in ("24h", "2d") for term in ("7d", "30d") for drop in (0.2, 0.5)
    ]
    assert {cover.asset for cover in covers} == {"OM"}


def test_windows_are_one_where_the_reference_has_none():
    terms = Terms(drops=(0.2,), windows=("1h", "24h"), reference=Reference.RUNNING_HIGH)
    (cover,) = terms.covers("OM")
    assert cover.trigger.window is None
    assert cover.cover_id == "OM-0.2-running-high-30d"


def test_a_percentage_is_a_slip():
    with pytest.raises(InvalidTermsError, match=r"drop must be .* got 50.0 \(a fraction: 50 % is 0\.50\)"):
        Terms(drops=(50,)).covers("OM")


@pytest.mark.parametrize("reference", Reference)
def test_quotes_from_a_shared_surface_reproduce_alone(reference):
    terms = Terms(
        drops=(0.05, 0.1),
        windows=("12h", "24h"),
        terms=("3d", "5d"),
        reference=reference,
        payout=LinearPayout(attachment=0.05, exhaustion=0.4),
        waiting_period="12h",
    )
    covers = terms.covers("OM")
    surface = simulate_covers(MODEL, covers, SETTINGS, silent)
    for cover in covers:
        quote = quote_or_refuse(cover, surface, PricingBasis())
        assert isinstance(quote, Quote)
        assert Quote.from_json(quote.to_json()).reproduce() == quote


def test_a_certain_event_is_uninsurable_and_an_unseen_one_unresolved():
    certain, unseen = Terms(drops=(0.001, 0.95), terms=("5d",)).covers("OM")
    surface = simulate_covers(MODEL, (certain, unseen), SETTINGS, silent)
    refusals = [quote_or_refuse(cover, surface, PricingBasis()) for cover in (certain, unseen)]
    assert all(isinstance(refusal, Refusal) for refusal in refusals)
    assert [refusal.reason for refusal in refusals] == [Reason.UNINSURABLE, Reason.UNRESOLVED]
    assert [refusal.trigger_probability for refusal in refusals] == [1.0, 0.0]


def test_progress_ends_at_the_number_of_paths():
    done = []
    simulate_covers(MODEL, Terms(drops=(0.2,), terms=("5d",)).covers("OM"), SETTINGS, done.append)
    assert done[-1] == SETTINGS.n_paths
    assert (np.diff([0, *done]) > 0).all()


def test_loadings_move_the_premium_as_the_formula_says():
    (cover,) = Terms(drops=(0.1,), terms=("5d",), limit=1000.0).covers("OM")
    surface = simulate_covers(MODEL, (cover,), SETTINGS, silent)
    p = surface.exceedance(0.1, window="24h", term="5d").value
    basis = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=0.5), expense_ratio=0.2, fixed_expense=3.0)
    quote = quote_or_refuse(cover, surface, basis)
    net = 1000.0 * (p + 0.5 * (p * (1.0 - p)) ** 0.5)
    assert quote.premium.gross == pytest.approx((net + 3.0) / 0.8, rel=1e-12)


def test_lines_are_those_of_a_quoter_in_python():
    token = sample_market.CALM
    calibration = calibrate(sample_market.closes(token))
    (cover,) = Terms(drops=(0.2,), limit=1000.0).covers("C")
    settings = SimulationSettings(n_paths=2000)
    (offered,) = make_offers(calibration, (cover,), basis=PricingBasis(), settings=settings, with_drivers=False).quotes
    surface = simulate(calibration.model, settings=settings)
    assert offered.premium == Quoter({"C": surface}).quote(cover).premium
    assert offered.premium.expected_loss == pytest.approx(1000.0 * offered.premium.trigger_probability, rel=1e-12)
    assert offered.premium.parameter_load == 0.0
