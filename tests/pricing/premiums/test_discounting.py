import math
from dataclasses import replace

import numpy as np
import pytest

from pricing import (
    ConstantVolatility,
    Cover,
    DropTrigger,
    FullPayout,
    LinearPayout,
    Normal,
    Payment,
    PriceModel,
    Reference,
    SimulationSettings,
    simulate,
)
from pricing.closed_form import cash_at_hit, touch_probability
from pricing.errors import InvalidTermsError, NotSimulatedError
from pricing.premiums.discounting import discount_factor, value_at_hit

STEP_YEARS = 1.0 / 8760.0
#: Distance at which a barrier watched at closes acts like one watched all the time (Broadie, Glasserman, Kou 1997).
SHIFT = 0.5826


def make_cover(**changes):
    return Cover(
        **{
            "cover_id": "C-1",
            "asset": "OM",
            "trigger": DropTrigger(drop=0.2),
            "payout": FullPayout(),
            "limit": 1e5,
            "currency": "USD",
            "term": "30d",
            **changes,
        }
    )


def test_cash_at_hit_agrees_with_the_closed_form():
    """A fall from inception, thirty daily terms, 100,000 paths, seed 3, z < 4; the grid shifts the barrier."""
    volatility, rate = 1.0, 0.5
    model = PriceModel(volatility=ConstantVolatility(annual=volatility), innovations=Normal())
    terms = [f"{day}d" for day in range(1, 31)]
    surface = simulate(
        model,
        terms=terms,
        references=(Reference.INCEPTION,),
        settings=SimulationSettings(n_paths=100_000, seed=3),
    )
    cover = make_cover(trigger=DropTrigger(drop=0.2, reference=Reference.INCEPTION))
    drop = 1.0 - 0.8 * math.exp(-SHIFT * volatility * math.sqrt(STEP_YEARS))
    law = {"drop": drop, "volatility": volatility, "log_drift": 0.0, "term_years": 30.0 / 365.0}
    exact = cash_at_hit(rate=rate, **law)
    found = value_at_hit(cover, surface, terms=terms, rate=rate)
    assert abs(found.value - exact) < 4.0 * found.standard_error
    assert found.lower < found.value < found.upper
    assert found.upper - found.lower < 0.002 * found.value
    assert found.value < 0.99 * touch_probability(**law)


def test_more_terms_narrow_the_bounds_down_and_hold_the_others():
    model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    surface = simulate(
        model, terms=("10d", "20d", "30d"), waiting_periods=("5d",), settings=SimulationSettings(n_paths=10_000, seed=3)
    )
    cover = make_cover(waiting_period="5d", payout=LinearPayout(attachment=0.1, exhaustion=0.5))
    coarse, fine = (value_at_hit(cover, surface, terms=terms, rate=0.3) for terms in (("30d",), ("10d", "20d", "30d")))
    assert coarse.lower <= fine.lower <= fine.value <= fine.upper <= coarse.upper
    plain = surface.expected_payout(cover.payout, trigger=cover.trigger, term="30d", waiting_period="5d")
    assert coarse.value == pytest.approx(discount_factor(cover.observation, 0.3) * plain.value, rel=1e-12)
    assert coarse.lower == pytest.approx(math.exp(-0.3 * 30 / 365) * plain.value, rel=1e-12)
    assert coarse.upper == pytest.approx(math.exp(-0.3 * 5 / 365) * plain.value, rel=1e-12)


def test_without_interest_time_is_worth_nothing():
    for payment in Payment:
        assert discount_factor(make_cover(payment=payment).observation, 0.0) == 1.0


@pytest.mark.parametrize("rare_drops", [False, True])
def test_without_interest_a_payment_at_the_hit_is_worth_its_probability(rare_drops):
    model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    surface = simulate(model, settings=SimulationSettings(n_paths=1_000, seed=3, rare_drops=rare_drops))
    paid, fired = value_at_hit(make_cover(), surface, terms=("30d",), rate=0.0), surface.exceedance(0.2)
    assert paid.lower == paid.value == paid.upper == pytest.approx(fired.value, rel=1e-12)
    assert paid.standard_error == pytest.approx(fired.standard_error, rel=1e-12)


def test_the_mean_factor_lies_between_its_ends():
    cover = make_cover(term="365d", waiting_period="73d")
    at_expiry = replace(cover.observation, payment=Payment.AT_EXPIRY)
    factor, late = discount_factor(cover.observation, 0.1), discount_factor(at_expiry, 0.1)
    assert late == math.exp(-0.1)
    assert factor == pytest.approx(np.exp(-0.1 * np.linspace(0.2, 1.0, 100_001)).mean(), rel=1e-7)
    assert late < factor < math.exp(-0.1 * 0.2)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"terms": ("20d", "10d")}, InvalidTermsError, "terms must increase from the waiting period"),
        ({"terms": ("20d",)}, InvalidTermsError, "terms must increase from the waiting period to the term"),
        ({"terms": ("20d", "20d", "30d")}, InvalidTermsError, "terms must increase from the waiting period"),
        ({"terms": ("0h", "30d")}, InvalidTermsError, "terms must increase from the waiting period"),
        ({"terms": ("20", "30d")}, InvalidTermsError, "terms must be a duration"),
        ({"rate": -0.1}, InvalidTermsError, "rate must be finite and not negative"),
        ({"rate": math.inf}, InvalidTermsError, "rate must be finite and not negative"),
        ({"terms": ("10d", "30d")}, NotSimulatedError, "holds no rolling high of 24h over 10d"),
    ],
)
def test_what_is_wrong_is_named(changes, error, message):
    model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    surface = simulate(model, terms=("20d", "30d"), settings=SimulationSettings(n_paths=100, seed=3))
    with pytest.raises(error, match=message):
        value_at_hit(make_cover(), surface, **{"terms": ("20d", "30d"), "rate": 0.1, **changes})
