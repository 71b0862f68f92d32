"""A surer or larger loss is never cheaper: a premium rises with term and window, falls with the drop, or is refused."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    CapitalCost,
    DropTrigger,
    FallingRiskLoadError,
    FullPayout,
    LinearPayout,
    PricingBasis,
    QuoteRefusedError,
    TieredPayout,
    premium,
)
from pricing.premiums.build_up import premium_of_law
from pricing.principles import (
    CostOfCapitalPrinciple,
    DualPowerTransform,
    EsscherPrinciple,
    ExpectedValuePrinciple,
    ExponentialPrinciple,
    HazardTransform,
    LossDistribution,
    OverHorizon,
    ProportionalHazardTransform,
    StandardDeviationPrinciple,
    TailValueAtRisk,
    ValueAtRisk,
    VariancePrinciple,
    WangTransform,
    WangTTransform,
)
from tests.pricing.rates.store_worlds import make_cover, simulate_surface

PRINCIPLES = (
    HazardTransform(),
    HazardTransform(margin=0.0, capital_rate=1.0),
    OverHorizon(distortion=WangTransform(shift=0.45)),
    WangTransform(shift=0.45),
    WangTTransform(),
    ProportionalHazardTransform(exponent=0.5),
    DualPowerTransform(exponent=3.0),
    CostOfCapitalPrinciple(rate=3.0, level=0.9),
    TailValueAtRisk(level=0.8),
    ValueAtRisk(level=0.9),
    ExpectedValuePrinciple(loading=0.2),
    StandardDeviationPrinciple(multiple=0.25),
    StandardDeviationPrinciple(multiple=2.0),
    VariancePrinciple(multiple=0.25),
    VariancePrinciple(multiple=3.0),
    ExponentialPrinciple(aversion=5.0),
    EsscherPrinciple(aversion=0.5),
    EsscherPrinciple(aversion=5.0),
)
SURFACES = {kind: simulate_surface(kind, n_paths=2_000) for kind in ("plain", "weighted", "anchored")}
PAYOUTS = (
    FullPayout(),
    LinearPayout(attachment=0.05, exhaustion=0.9),
    TieredPayout({0.01: 0.3}),
    TieredPayout({0.01: 0.3, 0.5: 1.0}),
)


def price_of(surface, payout, basis, *, drop, window="24h", term="30d"):
    """Return the gross premium, or None if the cover is refused."""
    cover = make_cover(trigger=DropTrigger(drop=drop, window=window), term=term, payout=payout)
    try:
        return premium(cover, surface, basis).gross
    except QuoteRefusedError:
        return None


def require_rising(prices):
    sold = [price for price in prices if price is not None]
    assert all(after >= before * (1.0 - 1e-9) for before, after in pairwise(sold)), sold


@pytest.mark.filterwarnings("ignore:one of 2000 paths carries")
@pytest.mark.parametrize("principle", PRINCIPLES, ids=repr)
@given(
    kind=st.sampled_from(list(SURFACES)),
    payout=st.sampled_from(PAYOUTS),
    drops=st.lists(st.floats(0.005, 0.6), min_size=2, max_size=6),
)
def test_a_premium_rises_with_window_and_term_and_falls_with_the_drop(principle, kind, payout, drops):
    surface, basis = SURFACES[kind], PricingBasis(risk_load=principle)
    falling = sorted(drops, reverse=True)
    require_rising([price_of(surface, payout, basis, drop=drop) for drop in falling])
    require_rising([price_of(surface, payout, basis, drop=falling[0], window=window) for window in ("1h", "24h")])
    require_rising([price_of(surface, payout, basis, drop=falling[-1], term=term) for term in ("7d", "30d")])


@pytest.mark.parametrize("principle", PRINCIPLES, ids=repr)
@given(
    shares=st.lists(st.floats(0.05, 0.6), min_size=1, max_size=4, unique=True),
    chances=st.lists(st.floats(0.0, 1.0), min_size=8, max_size=8),
)
def test_a_law_that_is_never_smaller_is_never_cheaper(principle, shares, chances):
    """Exceedances of the second law are at least those of the first, layer by layer."""
    losses = np.array([*sorted(shares, reverse=True), 0.0])
    n, basis = len(shares), PricingBasis(risk_load=principle)
    lower, upper = (np.maximum.accumulate(np.array(sorted(part))) for part in (chances[:n], chances[4 : 4 + n]))
    prices = []
    for exceedances in (lower, np.maximum(lower, upper)):
        law = LossDistribution(100.0 * losses, np.append(exceedances, 1.0))
        try:
            prices.append(premium_of_law(law, basis, name="C", limit=100.0, term="30d").gross)
        except QuoteRefusedError:
            prices.append(None)
    require_rising(prices)


@pytest.mark.parametrize("rate", [0.05, 0.3, 2.0])
@pytest.mark.parametrize("capital", [TailValueAtRisk(level=0.995), ValueAtRisk(level=0.99), WangTransform(shift=1.0)])
@given(
    shares=st.lists(st.floats(0.05, 0.6), min_size=1, max_size=3, unique=True),
    spared=st.lists(st.floats(-12.0, 0.0), min_size=6, max_size=6),
    term=st.sampled_from(["7d", "30d", "90d", "360d", "720d"]),
)
def test_measured_capital_makes_no_surer_loss_cheaper(rate, capital, shares, spared, term):
    losses, n = np.array([*sorted(shares, reverse=True), 0.0]), len(shares)
    cost = CapitalCost(annual_rate=rate, capital=capital)
    basis = PricingBasis(risk_load=ExpectedValuePrinciple(loading=0.0), capital=cost)
    lower, upper = (np.sort(1.0 - 10.0 ** np.array(part)) for part in (spared[:n], spared[3 : 3 + n]))
    prices = []
    for exceedances in (lower, np.maximum(lower, upper), np.append(lower[:-1], 1.0)):
        law = LossDistribution(100.0 * losses, np.append(exceedances, 1.0))
        try:
            prices.append(premium_of_law(law, basis, name="C", limit=100.0, term=term).gross)
        except QuoteRefusedError:
            prices.append(None)
    require_rising(prices[:2])
    require_rising(prices[::2])


def test_a_nearly_certain_tier_under_measured_capital_is_refused_beyond_its_crossing():
    """A part due with p costs p + 0.1 years (1 - p) ** (30 d / term), and 1 at 1 - p = (0.1 years) ** (12 / 11)."""
    basis = PricingBasis(risk_load=ExpectedValuePrinciple(loading=0.0), capital=CapitalCost(annual_rate=0.1))
    crossing = 1.0 - (0.1 * 360 / 365) ** (12 / 11)
    for chance, is_sold in ((crossing - 1e-6, True), (crossing + 1e-6, False), (1.0, True)):
        law = LossDistribution(np.array([1e5, 0.0]), np.array([chance, 1.0]))
        if is_sold:
            assert premium_of_law(law, basis, name="C-1", limit=1e6, term="360d").gross > 0.0
        else:
            with pytest.raises(FallingRiskLoadError, match="CapitalCost would price a larger loss below this one"):
                premium_of_law(law, basis, name="C-1", limit=1e6, term="360d")


def test_the_nearly_certain_tier_of_the_report_is_refused_and_not_dearer_than_the_sure_one():
    """A share of 0.3 that is due with 99 % cost 336,124 of a million, and one that is due for sure 333,333."""
    basis = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=0.25))
    for chance in (0.99, 1.0):
        law = LossDistribution(np.array([3e5, 0.0]), np.array([chance, 1.0]))
        with pytest.raises(QuoteRefusedError, match="StandardDeviationPrinciple would price a larger loss below this"):
            premium_of_law(law, basis, name="C-1", limit=1e6, term="7d")
    sold = LossDistribution(np.array([3e5, 0.0]), np.array([0.9, 1.0]))
    wanted = (0.9 + 0.25 * 0.3) * 3e5 / 0.9  # mean, load of a binary loss, expenses of a tenth
    assert premium_of_law(sold, basis, name="C-1", limit=1e6, term="7d").gross == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("multiple", [0.25, 0.5, 1.0, 2.0])
def test_a_binary_loss_is_sold_up_to_the_top_of_its_price(multiple):
    """The slope at no loss is ``1 - k mean / deviation``, for a binary loss ``1 - k sqrt(p / (1 - p))``."""
    principle, top = StandardDeviationPrinciple(multiple=multiple), 1.0 / (1.0 + multiple**2)
    for chance, rises in ((0.999 * top, True), (1.001 * top, False)):
        assert principle.rises(chance, principle.price_of_binary(chance)) == rises
