"""Covers of several events: against Poisson laws, single covers and the clerk's arithmetic."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import poisson

from pricing import (
    CapitalCost,
    ConstantVolatility,
    Cover,
    DropTrigger,
    FullPayout,
    Jumps,
    LinearPayout,
    Normal,
    NormalSizes,
    PremiumFlag,
    PriceModel,
    PricingBasis,
    SimulationSettings,
    StandardDeviationPrinciple,
    TieredPayout,
    premium,
    simulate,
)
from pricing.errors import InvalidTermsError, NotSimulatedError, PrecisionError, UninsurableError
from pricing.events import event_premiums
from pricing.events.event_premiums import event_premium, events_on_surface, poisson_events
from pricing.events.reinstatements import AggregateTerms, PoissonEvents, reinstatement_premium
from pricing.events.rules import EventRules
from pricing.surface.by_path import worst_drops_by_path

PURE = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=0.0), expense_ratio=0.0)
JUMPS_ALONE = PriceModel(
    volatility=ConstantVolatility(annual=0.0),
    innovations=Normal(),
    jumps=(Jumps(per_year=18.25, sizes=NormalSizes(mean=-0.5, stdev=0.01)),),
)
#: Few enough to settle them in every test.
N_PATHS = 400
#: Every jump fires; 18.25 a year are 1.5 in 30 days.
MEAN_EVENTS = 1.5


def make_cover(**changes):
    terms = {"cover_id": "C-1", "asset": "OM", "payout": FullPayout(), "limit": 100.0, "currency": "USD"}
    return Cover(**{"trigger": DropTrigger(drop=0.3, window="1h"), **terms, **changes})


@pytest.fixture(scope="module")
def jumping():
    return simulate(
        JUMPS_ALONE,
        windows=("1h",),
        terms=("30d",),
        waiting_periods=("0h", "10d"),
        settings=SimulationSettings(n_paths=N_PATHS, seed=1),
    )


@pytest.mark.parametrize("pro_rata_time", [False, True])
@pytest.mark.parametrize(
    "amounts", [{"n_reinstatements": 1}, {"n_reinstatements": 3, "deductible": 100.0, "coinsurance": 0.25}]
)
def test_jumps_agree_with_the_poisson_law(jumping, pro_rata_time, amounts):
    """Seed 1, z < 4; two jumps of one path in one hour or the next count once: 0.3 % of them."""
    terms = AggregateTerms(event_limit=100.0, reinstatement_share=1.0, pro_rata_time=pro_rata_time, **amounts)
    found = event_premium(make_cover(), jumping, PURE, terms=terms)
    exact = reinstatement_premium(PoissonEvents(mean_events=MEAN_EVENTS, unit=100.0), terms)
    assert abs(found.mean_events.value - MEAN_EVENTS) < 4.0 * found.mean_events.standard_error
    assert found.mean_events.standard_error == pytest.approx(math.sqrt(MEAN_EVENTS / N_PATHS), rel=0.1)
    error = found.total.expected_loss_standard_error
    assert abs(found.total.expected_loss - exact.expected_loss) < 4.0 * error
    assert found.initial + found.reinstatement == pytest.approx(found.total.gross, rel=1e-12)
    sold = (1.0 - terms.coinsurance) * terms.term_limit
    assert found.total.rate_on_line == pytest.approx(found.total.gross / sold, rel=1e-12)
    # a charge is at most 3 per path, so its error is at most 3 / sqrt(N_PATHS)
    assert abs(found.expected_charge - exact.expected_charge) < 4.0 * 1.5 / math.sqrt(N_PATHS)


def test_a_single_event_to_the_end_of_the_term_is_a_plain_cover(jumping):
    cover = make_cover(payout=LinearPayout(attachment=0.3, exhaustion=0.9), waiting_period="10d")
    basis = PricingBasis(interest_rate=0.1, tax_ratio=0.1, capital=CapitalCost(annual_rate=0.1))
    found = event_premium(
        cover, jumping, basis, terms=AggregateTerms(event_limit=100.0), rules=EventRules(cool_off="30d")
    )
    plain = premium(cover, jumping, basis)
    for line in (
        "trigger_probability",
        "expected_loss",
        "risk_load",
        "capital_cost",
        "gross",
        "total",
        "standard_error",
    ):
        assert getattr(found.total, line) == pytest.approx(getattr(plain, line), rel=1e-10)
    assert (found.expected_charge, found.reinstatement, found.initial) == (0.0, 0.0, found.total.gross)


def test_events_are_paid_and_reinstated_one_after_the_other(jumping):
    """Every path by hand: after a deductible of half an event, two of them are paid and the first is reinstated."""
    terms = AggregateTerms(
        event_limit=100.0, n_reinstatements=1, deductible=50.0, reinstatement_share=0.8, pro_rata_time=True
    )
    found = event_premium(make_cover(), jumping, PURE, terms=terms)
    steps = [[] for _ in range(N_PATHS)]
    for event in events_on_surface(make_cover(), jumping, EventRules()):
        steps[event.path].append(event.step)
    paid = [min(max(100.0 * len(path) - 50.0, 0.0), 200.0) for path in steps]
    # half of the limit comes back after the first event, the other half after the second
    charged = [sum(0.5 * (1.0 - step / 720.0) for step in path[:2]) for path in steps]
    assert found.total.expected_loss == pytest.approx(np.mean(paid), rel=1e-12)
    assert found.expected_charge == pytest.approx(0.8 * np.mean(charged), rel=1e-12)
    assert found.total.trigger_probability == pytest.approx(np.mean([bool(path) for path in steps]), rel=1e-12)


def test_losses_of_different_size_are_reinstated_in_their_order(jumping):
    terms = AggregateTerms(event_limit=100.0, n_reinstatements=2, reinstatement_share=1.0)
    cover = make_cover(payout=LinearPayout(attachment=0.3, exhaustion=0.5))
    found = event_premium(cover, jumping, PURE, terms=replace(terms, pro_rata_time=True))
    left, charged = dict.fromkeys(range(N_PATHS), 200.0), 0.0
    for event in events_on_surface(cover, jumping, EventRules()):
        reinstated = min(left[event.path], 100.0 * min((event.drop - 0.3) / 0.2, 1.0))
        left[event.path] -= reinstated
        charged += reinstated / 100.0 * (1.0 - event.step / 720.0)
    assert found.expected_charge == pytest.approx(charged / N_PATHS, rel=1e-12)


def test_paths_are_replayed_in_parts_that_change_nothing(jumping, monkeypatch):
    whole = events_on_surface(make_cover(), jumping, EventRules())
    monkeypatch.setattr(event_premiums, "_PATHS_AT_ONCE", 50)
    assert events_on_surface(make_cover(), jumping, EventRules()) == whole
    assert len({event.path for event in whole}) > 100


def test_events_are_spaced_by_the_clock_whatever_the_step():
    """Jumps fire on steps of two hours, so a cool-off of half a day is six of them."""
    surface = simulate(
        replace(JUMPS_ALONE, step="2h"), windows=("2h",), settings=SimulationSettings(n_paths=N_PATHS, seed=1)
    )
    cover = make_cover(trigger=DropTrigger(drop=0.3, window="2h"))
    events = events_on_surface(cover, surface, EventRules(cool_off="12h"))
    apart = [after.step - before.step for before, after in pairwise(events) if after.path == before.path]
    assert 6 <= min(apart) < 12


def test_a_worst_drop_that_equals_the_trigger_is_an_event(jumping):
    worst = worst_drops_by_path(jumping, make_cover().observation)
    path = int(worst.argmax())
    deepest = make_cover(trigger=DropTrigger(drop=float(worst[path]), window="1h"))
    assert [event.path for event in events_on_surface(deepest, jumping, EventRules())] == [path]


def test_stricter_rules_never_cost_more(jumping):
    terms = AggregateTerms(event_limit=100.0, n_reinstatements=2)
    plain, *strict = (
        event_premium(make_cover(), jumping, PURE, terms=terms, rules=rules).total.expected_loss
        for rules in (
            EventRules(),
            EventRules(cool_off="5d"),
            EventRules(cool_off="20d"),
            EventRules(confirmation=2),
        )
    )
    assert plain > strict[0] > strict[1]
    assert strict[2] < 0.01 * plain  # a jump is below the close before it at one close; two in a row are rare


def test_weighted_paths_agree_with_plain_ones():
    # 20,000 plain and 2,000 weighted paths, seed 2, z < 4.
    model = PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=Normal())
    cover = make_cover(trigger=DropTrigger(drop=0.17), term="10d")
    terms = AggregateTerms(event_limit=100.0, n_reinstatements=1)
    found = [
        event_premium(
            cover,
            simulate(model, terms=("10d",), settings=SimulationSettings(n_paths=n_paths, seed=2, rare_drops=rare)),
            PURE,
            terms=terms,
        ).total
        for rare, n_paths in ((False, 20_000), (True, 2_000))
    ]
    errors = [each.expected_loss_standard_error for each in found]
    assert abs(found[0].expected_loss - found[1].expected_loss) < 4.0 * math.hypot(*errors)


def test_weights_of_paths_count_in_every_figure():
    model = PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=Normal())
    settings = SimulationSettings(n_paths=N_PATHS, seed=2, rare_drops=True)
    surface, cover = (
        simulate(model, terms=("10d",), settings=settings),
        make_cover(trigger=DropTrigger(drop=0.17), term="10d"),
    )
    terms = AggregateTerms(event_limit=100.0, n_reinstatements=1, reinstatement_share=1.0)
    found = event_premium(cover, surface, PURE, terms=terms)
    events = np.bincount([event.path for event in events_on_surface(cover, surface, EventRules())], minlength=N_PATHS)
    weights = np.asarray(surface.weights)
    assert found.total.trigger_probability == pytest.approx((weights * (events > 0)).sum() / N_PATHS, rel=1e-12)
    assert found.mean_events.value == pytest.approx((weights * events).sum() / N_PATHS, rel=1e-12)
    assert found.expected_charge == pytest.approx((weights * np.minimum(events, 1)).sum() / N_PATHS, rel=1e-12)


def test_probabilities_do_not_depend_on_the_unit_of_money(jumping):
    for limit in (100.0, 0.5):
        terms = AggregateTerms(event_limit=limit)
        found = event_premium(make_cover(limit=limit), jumping, PURE, terms=terms).total
        assert found.trigger_probability == jumping.exceedance(0.3, window="1h").value


@pytest.mark.parametrize("n_units", [1, 4, 20])
def test_poisson_events_of_a_surface_have_its_law(jumping, n_units):
    """No event within the term, and none beyond each depth, have the probabilities of the surface."""
    payout = TieredPayout({0.3: 0.25, 0.39: 0.5, 0.4: 1.0})
    cover = make_cover(payout=payout if n_units > 1 else FullPayout())
    events = poisson_events(cover, jumping, n_units=n_units)
    assert events.unit == 100.0 / n_units
    assert math.exp(-events.mean_events) == pytest.approx(1.0 - jumping.exceedance(0.3, window="1h").value, rel=1e-12)
    if n_units > 1:
        deepest = events.mean_events * events.severity[-1]
        assert -math.expm1(-deepest) == pytest.approx(jumping.exceedance(0.4, window="1h").value, rel=1e-9)
        half = events.mean_events * sum(events.severity[n_units // 2 :])
        assert -math.expm1(-half) == pytest.approx(jumping.exceedance(0.39, window="1h").value, rel=1e-9)
    assert abs(events.mean_events - MEAN_EVENTS) < 4.0 * math.sqrt(math.expm1(MEAN_EVENTS) / N_PATHS)


def test_an_event_that_pays_nothing_is_an_event(jumping):
    """Jumps fall by 0.39 on average, so half of the events are above an attachment there."""
    cover = make_cover(payout=LinearPayout(attachment=0.39, exhaustion=0.3901))
    events = poisson_events(cover, jumping)
    beyond = -math.log1p(-jumping.exceedance(0.39005, window="1h").value)
    assert events.unit == 100.0
    assert events.mean_events * events.severity[1] == pytest.approx(beyond, rel=1e-9)
    assert sum(events.severity) == pytest.approx(1.0, rel=1e-12)


def test_without_an_event_there_is_no_price(jumping):
    never = make_cover(trigger=DropTrigger(drop=0.9, window="1h"))
    found = event_premium(never, jumping, PURE, terms=AggregateTerms(event_limit=100.0, n_reinstatements=1))
    assert found.total.flag is PremiumFlag.UNRESOLVED
    assert (found.mean_events.value, found.expected_charge, found.initial) == (0.0, 0.0, 0.0)


def test_a_trigger_may_fire_without_any_payment(jumping):
    events = poisson_events(make_cover(payout=LinearPayout(attachment=0.9, exhaustion=0.95)), jumping)
    assert events.mean_events == -math.log1p(-jumping.exceedance(0.3, window="1h").value)
    assert tuple(events.severity) == (1.0, 0.0)


def test_a_trigger_that_no_path_fires_has_no_known_rate(jumping):
    with pytest.raises(PrecisionError, match=f"cover 'C-1': the trigger fires on none of {N_PATHS} paths"):
        poisson_events(make_cover(trigger=DropTrigger(drop=0.9, window="1h")), jumping)


def test_events_without_end_are_refused():
    always = replace(JUMPS_ALONE, jumps=(replace(JUMPS_ALONE.jumps[0], per_year=2_000.0),))
    surface = simulate(always, windows=("1h",), settings=SimulationSettings(n_paths=500, seed=1))
    with pytest.raises(UninsurableError, match="the trigger fires on every path"):
        poisson_events(make_cover(payout=LinearPayout(attachment=0.9, exhaustion=0.95)), surface)


def test_poisson_jumps_cost_the_same_on_replayed_paths_and_in_the_recursion(jumping):
    """Seed 1, z < 4 of the expected number of at most two events."""
    terms = AggregateTerms(event_limit=100.0, n_reinstatements=1)
    replayed = event_premium(make_cover(), jumping, PURE, terms=terms).total
    exact = reinstatement_premium(poisson_events(make_cover(), jumping), terms).expected_loss
    capped = 2.0 - poisson.cdf(0, MEAN_EVENTS) - poisson.cdf(1, MEAN_EVENTS)
    assert abs(replayed.expected_loss - 100.0 * capped) < 4.0 * replayed.expected_loss_standard_error
    assert abs(exact - 100.0 * capped) < 8.0 * replayed.expected_loss_standard_error


def test_what_is_wrong_is_named(jumping):
    with pytest.raises(InvalidTermsError, match="event_limit must be the limit of the cover, 100, got 50"):
        event_premium(make_cover(), jumping, terms=AggregateTerms(event_limit=50.0))
    with pytest.raises(NotSimulatedError, match="the surface holds no rolling high of 24h"):
        event_premium(make_cover(trigger=DropTrigger(drop=0.3)), jumping, terms=AggregateTerms(event_limit=100.0))
    basis = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=1.0))
    with pytest.raises(UninsurableError, match="cover 'C-1': premium .* reaches the limit 100"):
        event_premium(make_cover(), jumping, basis, terms=AggregateTerms(event_limit=100.0))
    for wrong in (0, True, 1.5):
        with pytest.raises(InvalidTermsError, match=f"n_units must be a whole number of at least 1, got {wrong}"):
            poisson_events(make_cover(), jumping, n_units=wrong)
