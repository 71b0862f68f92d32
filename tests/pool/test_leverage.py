import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from pool import (
    Dependence,
    JointSettings,
    LeveragedPositions,
    LeverageTerms,
    TokenRisk,
    crash_shortfall,
    joint_scenarios,
    leverage_lines,
    tail_margin_rate,
)
from pricing.errors import InvalidTermsError
from tests.pool.synthetic import uniform_surface

SCENARIOS = joint_scenarios(
    {asset: uniform_surface(2_000, seed) for seed, asset in enumerate("AB")},
    Dependence(shocks=(-0.3, 0.3), spread=0.2),
    dict.fromkeys("AB", TokenRisk(centre=-1.9, crash_rate=0.05)),
    settings=JointSettings(n_scenarios=2_000),
)


def lines(*positions, **terms):
    return leverage_lines(positions, SCENARIOS, crashes_per_year=0.05, terms=LeverageTerms(**terms))


@pytest.mark.parametrize("leverage", [1.5, 2.0, 5.0, 10.0, 50.0, 125.0])
def test_the_shortfall_of_a_crash_is_its_integral(leverage):
    debt = 1.0 - 1.0 / leverage

    def integrand(log_fall):
        return max(debt - math.exp(-math.exp(log_fall)), 0.0) * norm.pdf(log_fall, scale=0.75)

    kink = math.log(-math.log(debt))
    exact = sum(quad(integrand, *span, epsabs=1e-12, limit=200)[0] for span in ((kink, 0.0), (0.0, 6.0)))
    assert crash_shortfall(leverage) == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize(("leverage", "published"), [(2, 0.17), (5, 0.43), (10, 0.53), (20, 0.58), (50, 0.61)])
def test_published_shortfalls(leverage, published):
    assert crash_shortfall(leverage) == pytest.approx(published, abs=0.005)


def test_the_published_margin():
    rate = tail_margin_rate(10, crashes_per_year=0.05, loading=1.0)
    assert rate == pytest.approx(0.0072e-2, abs=0.00005e-2)


@given(leverage=st.floats(1.01, 200.0), more=st.floats(0.0, 100.0))
def test_more_leverage_never_pays_less(leverage, more):
    assert crash_shortfall(leverage + more) >= crash_shortfall(leverage) - 1e-9


def test_margins_are_paid_for_the_days_of_the_period():
    margin = lines(LeveragedPositions(asset="A", leverage=10.0, notional=1e6), margin_loading=2.0).margins
    assert margin == pytest.approx(30 * 1e6 * tail_margin_rate(10.0, crashes_per_year=0.05, loading=2.0))


def test_shortfalls_and_penalties_are_averages_of_an_even_drop():
    """Drops are even between 0 and 1: E (drop - 1/L)^+ = (1 - 1/L)^2 / 2, and penalties are an area under a roof."""
    positions = LeveragedPositions(asset="A", leverage=10.0, notional=100.0)
    found = lines(positions, maintenance_margin=0.02, penalty_rate=0.01, pool_share=0.6)
    assert found.shortfalls.mean() == pytest.approx(100.0 * 0.9**2 / 2.0, rel=1e-5)
    # Sold between 0.9 and 0.9 / 0.98; what is left above the debt counts up to 1 % of 0.9.
    width, most = 0.9 / 0.98 - 0.9, 0.009
    assert found.penalties.mean() == pytest.approx(60.0 * (most * (width - most) + most**2 / 2.0), rel=0.02)


def test_the_fund_pays_first_and_the_pool_up_to_its_limit():
    positions = [LeveragedPositions(asset=asset, leverage=10.0, notional=100.0) for asset in "AB"]
    plain = lines(positions[0]).shortfalls
    layered = lines(positions[0], venue_fund=20.0, shortfall_limit=30.0).shortfalls
    np.testing.assert_allclose(layered, np.clip(plain - 20.0, 0.0, 30.0))
    # Each asset has a fund and a limit of its own; positions of one asset share them.
    both = lines(*positions, venue_fund=20.0, shortfall_limit=30.0).shortfalls
    other = lines(positions[1], venue_fund=20.0, shortfall_limit=30.0).shortfalls
    np.testing.assert_allclose(both, layered + other)
    twice = lines(positions[0], positions[0], venue_fund=20.0, shortfall_limit=30.0).shortfalls
    np.testing.assert_allclose(twice, np.clip(2.0 * plain - 20.0, 0.0, 30.0))


def test_net_income_is_what_comes_less_what_goes():
    found = lines(LeveragedPositions(asset="A", leverage=20.0, notional=1e3))
    np.testing.assert_allclose(found.net_income, found.margins + found.penalties - found.shortfalls)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LeveragedPositions(asset="A", leverage=5.0, notional=1.0), "leverage must be above 5"),
        (lambda: LeveragedPositions(asset="A", leverage=10.0, notional=0.0), "notional must be positive"),
        (lambda: LeverageTerms(penalty_rate=13.0), "penalty_rate must be from 0 to 1"),
        (lambda: LeverageTerms(margin_loading=0.5), "margin_loading must be at least 1"),
        (lambda: LeverageTerms(venue_fund=-1.0), "venue_fund must not be negative"),
        (lambda: crash_shortfall(1.0), "leverage must be above 1"),
        (lambda: tail_margin_rate(10, crashes_per_year=-1.0, loading=1.0), "crashes_per_year must be finite"),
    ],
)
def test_wrong_terms_are_refused(call, message):
    with pytest.raises(InvalidTermsError, match=message):
        call()
