from datetime import timedelta
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.law.drop_law import TERM
from calibration.law.law_anchors import (
    LEAST_PROBABILITY,
    MOST_IN_A_MONTH,
    MOST_PROBABILITY,
    NODES,
    TERMS,
    can_be_anchored,
    coherent_anchors,
    exceedance,
    log_drop_exceeded,
    over_term,
)
from pricing.engine.simulation import simulate
from pricing.models.innovations import StudentT
from pricing.models.jumps import GeneralizedParetoFalls as Falls
from pricing.models.jumps import Jumps
from pricing.models.price_model import Collapse, PriceModel
from pricing.models.volatility import ConstantVolatility
from pricing.surface.settings import SimulationSettings
from tests.calibration.drop_laws import a_law

LAWS = (a_law("1h", threshold=0.083), a_law("24h"))
CENTRES = st.floats(-3.5, -0.5)
RATES = st.floats(0.0, 2.0)
HOUR = timedelta(hours=1)


def curves(hourly_centre, daily_centre, rates=(0.05, 0.05), laws=LAWS):
    pairs = zip(laws, (hourly_centre, daily_centre), rates, strict=True)
    return [[exceedance(law, drop, centre, rate) for drop in NODES] for law, centre, rate in pairs]


def of_term(anchors, term=TERM):
    """Return the anchors of one term, the shortest window first."""
    return [anchor for anchor in anchors if anchor.term == term]


def test_nodes_rise_and_cover_what_is_sold():
    assert all(shallow < deep for shallow, deep in pairwise(NODES))
    assert {0.1, 0.2, 0.3, 0.4, 0.5, 0.9} <= set(NODES)


@given(CENTRES, CENTRES, RATES, RATES)
def test_a_day_is_at_least_as_bad_as_an_hour(hourly_centre, daily_centre, hourly_rate, daily_rate):
    anchors = coherent_anchors(LAWS, curves(hourly_centre, daily_centre, (hourly_rate, daily_rate)), HOUR)
    for term in TERMS:
        hourly, daily = of_term(anchors, term)
        for drop, probability in zip(hourly.drops, hourly.probabilities, strict=True):
            shallower = [p for d, p in zip(daily.drops, daily.probabilities, strict=True) if d <= drop]
            assert all(p > probability for p in shallower)


@given(CENTRES, CENTRES, RATES, RATES)
def test_probabilities_fall_strictly_between_their_bounds(hourly_centre, daily_centre, hourly_rate, daily_rate):
    anchors = coherent_anchors(LAWS, curves(hourly_centre, daily_centre, (hourly_rate, daily_rate)), HOUR)
    assert [(anchor.term, anchor.window) for anchor in anchors] == list(product(TERMS, (law.window for law in LAWS)))
    for anchor in anchors:
        assert all(deeper < before for before, deeper in pairwise(anchor.probabilities))
        assert all(LEAST_PROBABILITY < probability < MOST_PROBABILITY for probability in anchor.probabilities)
        assert set(anchor.drops) <= set(NODES)


def test_laws_that_agree_are_left_as_they_are():
    hourly, daily = curves(-2.8, -1.8)
    anchors = of_term(coherent_anchors(LAWS, [hourly, daily], HOUR))
    for anchor, curve in zip(anchors, (hourly, daily), strict=True):
        kept = {drop: p for drop, p in zip(NODES, curve, strict=True) if 1e-5 < p < 0.995}
        assert dict(zip(anchor.drops, anchor.probabilities, strict=True)) == pytest.approx(kept, rel=1e-12)


def test_a_daily_law_below_the_hourly_one_is_lifted_and_the_hourly_one_stays():
    hourly, daily = curves(-1.5, -2.5)
    anchors = of_term(coherent_anchors(LAWS, [hourly, daily], HOUR))
    plain = dict(zip(NODES, hourly, strict=True))
    assert anchors[0].probabilities == pytest.approx([plain[drop] for drop in anchors[0].drops], rel=1e-12)
    for drop, probability in zip(anchors[1].drops, anchors[1].probabilities, strict=True):
        lifted = min(1.05 * plain[drop], 1.0 - (1.0 - plain[drop]) / 1.05)
        assert probability == pytest.approx(max(lifted, dict(zip(NODES, daily, strict=True))[drop]))


def test_a_node_must_be_less_likely_by_a_thousandth_to_be_an_anchor():
    """Steps of half a thousandth and of exactly one are left out, and so is what is almost certain or impossible."""
    curve = [MOST_PROBABILITY + 1e-9, 0.99, 0.5, 0.5 * 0.9995, 0.25, 0.25 * (1.0 - 0.99999e-3), 0.125, 0.125 * 0.998]
    curve += [0.05] * (len(NODES) - 10) + [2e-5, 0.999 * LEAST_PROBABILITY]
    (anchor,) = of_term(coherent_anchors(LAWS[:1], [curve], HOUR))
    assert list(anchor.probabilities) == pytest.approx([0.99, 0.5, 0.25, 0.125, 0.125 * 0.998, 0.05, 2e-5], rel=1e-12)
    assert list(anchor.drops) == [NODES[place] for place in (1, 2, 4, 6, 7, 8, len(NODES) - 2)]


def test_a_curve_at_or_above_the_ratios_stays():
    """Over an hourly 20 %, a daily 21 % is the least; over an hourly 90 %, a complement of 10 % / 1.05 is."""
    hourly, daily = np.zeros(len(NODES)), np.zeros(len(NODES))
    hourly[:3], daily[:3] = (0.9, 0.2, 0.1), (0.9, 0.3, 0.1)
    _, anchor = of_term(coherent_anchors(LAWS, [hourly, daily], HOUR))
    assert anchor.probabilities == pytest.approx([1.0 - 0.1 / 1.05, 0.3, 0.105], rel=1e-12)


@pytest.mark.parametrize("window", [timedelta(hours=1), timedelta(hours=24)])
def test_months_compound_and_the_first_window_sees_less(window):
    """Twelve months survive as twelve times one month, but that the empty window costs 30 % of a window only once."""
    months = [over_term([0.2], window, n * TERM)[0] for n in (1, 2, 3)]
    assert months[0] == pytest.approx(0.2, rel=1e-12)
    survived = -np.log1p(-np.array(months))
    assert np.diff(survived) == pytest.approx([survived[0] * (TERM / (TERM - 0.3 * window))] * 2, rel=1e-12)
    week = -np.log1p(-over_term([0.2], window, timedelta(days=7))[0])
    assert week / survived[0] == pytest.approx((168 - 0.3 * window / HOUR) / (720 - 0.3 * window / HOUR), rel=1e-12)


def test_what_nearly_every_month_sees_is_anchored_for_no_week():
    often = [0.99, MOST_IN_A_MONTH + 0.01, MOST_IN_A_MONTH - 0.01]
    week, month = coherent_anchors(LAWS[:1], [[*often, *np.linspace(0.1, 0.01, len(NODES) - 3)]], HOUR)[:2]
    assert (week.drops, month.drops) == (NODES[2:], NODES)


@given(CENTRES, RATES, st.floats(0.01, 0.99))
def test_a_quantile_is_exceeded_with_its_probability(centre, rate, probability):
    law = a_law()
    depth = log_drop_exceeded(law, probability, centre, rate)
    assert exceedance(law, -np.expm1(-depth), centre, rate) == pytest.approx(probability, abs=1e-5)


@pytest.mark.parametrize(
    ("minutes", "possible"), [(5, True), (30, True), (45, True), (60, True), (240, True), (1440, True), (7, False)]
)
def test_steps_must_fit_into_the_longest_window(minutes, possible):
    assert can_be_anchored(timedelta(minutes=minutes), LAWS) == possible


def test_a_step_of_hours_has_anchors_for_windows_of_whole_steps_only():
    both = coherent_anchors(LAWS, curves(-2.9, -1.9), HOUR)
    day = coherent_anchors(LAWS, curves(-2.9, -1.9), timedelta(hours=4))
    assert {anchor.window for anchor in both} == {HOUR, timedelta(hours=24)}
    assert day == tuple(anchor for anchor in both if anchor.window == timedelta(hours=24))


@pytest.mark.parametrize(("hourly_centre", "daily_centre"), [(-2.9, -1.9), (-2.4, -1.4), (-2.1, -1.9)])
def test_a_simulation_meets_the_anchors(hourly_centre, daily_centre):
    anchors = of_term(coherent_anchors(LAWS, curves(hourly_centre, daily_centre), HOUR))
    jumps = Jumps(per_year=0.05 * 365.0 / 30.0, sizes=Falls(threshold=0.083, scale=0.033, shape=0.4))
    level = ConstantVolatility(annual=np.exp(daily_centre + 1.9))
    model = PriceModel(
        volatility=level,
        innovations=StudentT(dof=4.0),
        jumps=(jumps,),
        volatility_spread=0.3,
        collapse=Collapse(probability=0.02, factor=4.0),
        anchors=anchors,
    )
    settings = SimulationSettings(n_paths=20_000, seed=3)
    surface = simulate(model, windows=("1h", "24h"), terms=("30d",), settings=settings)
    worst = {
        signal.window_steps * timedelta(hours=1): drops
        for signal, drops in zip(surface.signals, surface.worst_drops, strict=True)
    }
    met = [
        np.mean(surface.weights * (worst[anchor.window] >= drop)) == pytest.approx(probability, rel=2e-7)
        for anchor in anchors
        for drop, probability in zip(anchor.drops, anchor.probabilities, strict=True)
    ]
    assert sum(met) == surface.anchoring.nodes >= 14
