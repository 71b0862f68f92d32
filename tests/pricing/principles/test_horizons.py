"""Loads that are consistent over terms, against the figures of the catastrophe bond market and exact laws."""

from datetime import timedelta

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.principles import (
    DualPowerTransform,
    HazardTransform,
    OverHorizon,
    ProportionalHazardTransform,
    WangTransform,
    WangTTransform,
)
from tests.pricing.principles.principles_under_test import DISTORTIONS

DAY = timedelta(days=1)
terms = st.integers(1, 365)
probabilities = st.floats(1e-9, 1.0 - 1e-9)
CONSISTENT = [
    HazardTransform(),
    HazardTransform(margin=0.0, capital_rate=0.06),
    HazardTransform(least_capital=1.0, capital_rate=0.05),
    OverHorizon(distortion=WangTransform()),
    OverHorizon(distortion=ProportionalHazardTransform()),
    OverHorizon(distortion=DualPowerTransform(), horizon="30d"),
]


def within(days, monthly):
    """Return the probability within a time of an event that has a probability within 30 days and comes at any time."""
    return -np.expm1(days / 30.0 * np.log1p(-monthly))


@pytest.mark.parametrize(
    ("monthly", "multiple", "rates_on_line"),
    [
        (0.0001, 7.1, None),
        (0.001, 3.2, (0.00075, 0.00321, 0.00959)),
        (0.01, 2.05, (0.0048, 0.0205, 0.060)),
        (0.05, 1.62, (0.0195, 0.081, 0.224)),
        (0.2, 1.45, None),
    ],
)
def test_the_hazard_load_is_that_of_the_proposal(monthly, multiple, rates_on_line):
    """Multiples of the expected loss over 30 days, and rates on line over 7, 30 and 90 days, as they were proposed."""
    load = HazardTransform()
    assert load.price_of_binary(monthly) / monthly == pytest.approx(multiple, rel=0.01)
    for days, rate in zip((7, 30, 90), rates_on_line or (), strict=False):
        assert load.over(days * DAY).price_of_binary(within(days, monthly)) == pytest.approx(rate, rel=0.01)


@given(monthly=probabilities, days=terms, others=terms)
@pytest.mark.parametrize("principle", CONSISTENT, ids=repr)
def test_chances_of_no_payment_multiply_over_consecutive_terms(principle, monthly, days, others):
    """Two covers end to end keep as much as one cover over both terms, if events come at a constant rate."""

    def kept(n_days):
        return 1.0 - principle.over(n_days * DAY).price_of_binary(within(n_days, monthly))

    assert kept(days) * kept(others) == pytest.approx(kept(days + others), rel=1e-6, abs=1e-12)


@given(days=terms, probability=st.lists(probabilities, min_size=3, max_size=3, unique=True))
@pytest.mark.parametrize("principle", CONSISTENT, ids=repr)
def test_the_load_rises_and_is_concave_over_every_term(principle, days, probability):
    low, middle, high = sorted(probability)
    g = principle.over(days * DAY).distort(np.array([low, middle, high]))
    assert g[0] <= g[1] <= g[2]
    assert (g[1] - g[0]) * (high - middle) >= (g[2] - g[1]) * (middle - low) - 1e-9 * (high - low)


@given(days=st.sampled_from([1, 7, 30, 90, 365, 730]), probability=st.floats(1e-4, 0.8))
@pytest.mark.parametrize("principle", CONSISTENT, ids=repr)
def test_the_slope_is_the_derivative(principle, days, probability):
    load, width = principle.over(days * DAY), 1e-6 * probability
    low, high = load.distort(np.array([probability - width, probability + width]))
    assert load.slope(np.array([probability]))[0] == pytest.approx((high - low) / (2.0 * width), rel=2e-5)


@pytest.mark.parametrize("probability", [1e-12, 0.01, 0.5, 0.95, 1.0 - 1e-9])
def test_a_wang_load_over_a_year_is_exact_for_rare_and_for_nearly_sure_events(probability):
    with mpmath.workdps(200):
        p, shift, n = mpmath.mpf(probability), mpmath.mpf(0.45), mpmath.mpf(365) / 30
        survival = (1 - p) ** n
        tail = min(survival, 1 - survival)
        depth = mpmath.findroot(
            lambda x: mpmath.log(mpmath.ncdf(x)) - mpmath.log(tail), -mpmath.sqrt(-2 * mpmath.log(tail)) + 0.1
        )
        score = depth if tail == survival else -depth
        exact = 1 - mpmath.ncdf(score - shift) ** (1 / n)
    priced = OverHorizon(distortion=WangTransform(shift=0.45)).price_of_binary(probability)
    assert priced == pytest.approx(float(exact), rel=1e-10)


@pytest.mark.parametrize(
    "distortion", [WangTransform(), WangTTransform(), ProportionalHazardTransform(), DualPowerTransform()], ids=repr
)
@given(survival=st.floats(1e-3, 1.0 - 1e-3))
def test_the_dual_is_what_the_distortion_leaves(distortion, survival):
    left = 1.0 - distortion.distort(np.array([1.0 - survival]))
    assert np.exp(distortion.log_dual(np.log(np.array([survival])))) == pytest.approx(left, rel=1e-9, abs=1e-12)


def test_a_principle_that_does_not_depend_on_the_term_is_its_own():
    principle = WangTransform()
    assert principle.over(DAY) is principle


@given(probability=probabilities, days=terms)
@pytest.mark.parametrize("principle", DISTORTIONS, ids=repr)
def test_one_probability_gives_what_many_give(principle, probability, days):
    load = principle.over(days * DAY)
    wanted = load.distort(np.array([probability]))[0], load.slope(np.array([probability]))[0]
    assert load.at(probability) == pytest.approx(wanted, rel=1e-12)
