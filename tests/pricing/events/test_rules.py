"""Settlement against a clerk who reads the contract close by close."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing import Cover, DropTrigger, FullPayout, Reference
from pricing.contract.signals import Signal
from pricing.errors import InvalidTermsError
from pricing.events.rules import EventRules, settle
from tests.pricing.engine.kernel_twin import worst_log_drop

HOUR = timedelta(hours=1)


def make_cover(drop=0.3, window=4, reference=Reference.ROLLING_HIGH, waiting=0, term=20):
    return Cover(
        cover_id="C-1",
        asset="OM",
        trigger=DropTrigger(drop=drop, window=f"{window}h", reference=reference),
        payout=FullPayout(),
        limit=1.0,
        currency="USD",
        term=f"{term}h",
        waiting_period=f"{waiting}h",
    )


def log_prices_of(*prices):
    return np.log(np.array(prices, dtype=float))[:, None]


def clerks_fall(log_prices, cover, begin, t):
    """Read off the fall at close t of an observation that began earlier."""
    seen = log_prices[begin : t + 1]
    window = round((cover.trigger.window or HOUR) / HOUR)
    reference = {
        Reference.ROLLING_HIGH: max(seen[-window - 1 :]),
        Reference.LAGGED: seen[-window - 1] if len(seen) > window else -math.inf,
        Reference.RUNNING_HIGH: max(seen),
        Reference.INCEPTION: seen[0],
    }[cover.trigger.reference]
    return reference - log_prices[t]


def clerk(log_prices, cover, rules):
    """Walk through one path, close by close, keeping what the contract speaks of."""
    term, cool_off, patience = (round(each / HOUR) for each in (cover.term, rules.cool_off, rules.recovery_period))
    begin = t = round(cover.waiting_period / HOUR)
    events, held = [], []
    while t <= term:
        fall = clerks_fall(log_prices, cover, begin, t)
        held = [*held, fall] if fall >= -math.log1p(-cover.trigger.drop) else []
        if len(held) < rules.confirmation:
            t += 1
            continue
        enough = log_prices[t] + fall + math.log(rules.recovery or 1.0)
        back = [later for later in range(t + 1, min(t + patience, term) + 1) if log_prices[later] >= enough]
        if back:
            begin, held = back[0], []
        else:
            later = range(t + 1, min(t + cool_off, term) + 1)
            falls = [*held[-rules.confirmation :], *(clerks_fall(log_prices, cover, begin, each) for each in later)]
            events.append((t, 1.0 - math.exp(-max(falls))))
            begin, held = t + cool_off, []
        t = begin
    return events


recoveries = st.just({}) | st.fixed_dictionaries(
    {"recovery": st.sampled_from([0.6, 0.8, 0.95]), "recovery_period": st.integers(1, 6).map("{}h".format)}
)


@settings(max_examples=500)
@given(
    returns=st.lists(st.floats(-0.5, 0.5), min_size=20, max_size=20),
    drop=st.sampled_from([0.1, 0.3, 0.5]),
    window=st.integers(1, 25),
    reference=st.sampled_from(Reference),
    waiting=st.integers(0, 5),
    term=st.integers(6, 20),
    cool_off=st.integers(0, 8),
    confirmation=st.integers(1, 4),
    recovery=recoveries,
)
def test_a_clerk_finds_the_same_events(
    returns, drop, window, reference, waiting, term, cool_off, confirmation, recovery
):
    log_prices = np.concatenate([[0.0], np.cumsum(returns)])
    cover = make_cover(drop, window, reference, waiting, term)
    rules = EventRules(cool_off=f"{cool_off}h", confirmation=confirmation, **recovery)
    found = settle(log_prices[:, None], cover, rules)
    expected = clerk(log_prices.tolist(), cover, rules)
    assert [event.step for event in found] == [step for step, _ in expected]
    assert [event.drop for event in found] == pytest.approx([drop for _, drop in expected], abs=1e-12)


@given(
    returns=st.lists(st.floats(-0.5, 0.5), min_size=20, max_size=20),
    window=st.integers(1, 25),
    reference=st.sampled_from(Reference),
    waiting=st.integers(0, 5),
)
def test_one_event_that_lasts_to_the_end_is_the_worst_drop(returns, window, reference, waiting):
    log_prices = np.concatenate([[0.0], np.cumsum(returns)])[:, None]
    cover = make_cover(0.3, window, reference, waiting)
    signal = Signal(reference=reference, window_steps=window, start_steps=waiting, term_steps=20)
    worst = 1.0 - math.exp(-worst_log_drop(log_prices, signal)[0])
    events = settle(log_prices, cover, EventRules(cool_off="20h"))
    if worst >= 0.3:
        assert [event.drop for event in events] == [pytest.approx(worst, abs=1e-12)]
    else:
        assert not events


@given(returns=st.lists(st.floats(-0.5, 0.5), min_size=20, max_size=20), reference=st.sampled_from(Reference))
def test_stricter_rules_find_no_more_first_events(returns, reference):
    log_prices = np.concatenate([[0.0], np.cumsum(returns)])[:, None]
    cover = make_cover(reference=reference)
    (plain, *strict) = (
        settle(log_prices, cover, rules)
        for rules in (
            EventRules(),
            EventRules(cool_off="5h"),
            EventRules(confirmation=2),
            EventRules(recovery=0.9, recovery_period="3h"),
        )
    )
    for events in strict:
        assert not events or plain[0].step <= events[0].step


def test_each_fall_counts_once():
    cover = make_cover(term=6)
    steps = [event.step for event in settle(log_prices_of(100, 65, 60, 50, 45, 40, 30), cover, EventRules())]
    assert steps == [1, 4, 6]  # from 100 to 65, from 65 to 45, from 45 to 30
    steps = [event.step for event in settle(log_prices_of(100, 65, 60, 50, 48, 46, 45), cover, EventRules())]
    assert steps == [1]  # 46 is 29 % below 65, and at 45 the window no longer holds it


def test_a_recovery_in_time_annuls_the_event():
    cover = make_cover(term=5)
    prices = log_prices_of(100, 60, 70, 92, 95, 96)
    rules = {"recovery": 0.9, "recovery_period": "2h"}
    assert settle(prices, cover, EventRules(**rules)) == []
    (event,) = settle(prices, cover, EventRules(**{**rules, "recovery_period": "1h"}))
    assert (event.step, round(event.drop, 12)) == (1, 0.4)


def test_after_a_recovery_the_observation_begins_anew():
    cover = make_cover(reference=Reference.INCEPTION, term=5)
    prices = log_prices_of(100, 60, 95, 80, 66, 64)
    rules = EventRules(recovery=0.9, recovery_period="1h")
    (event,) = settle(prices, cover, rules)
    assert (event.step, round(1.0 - event.drop, 12)) == (4, round(66 / 95, 12))  # measured from 95, not from 60
    late = log_prices_of(100, 60, 70, 92, 62, 61)
    (event,) = settle(late, cover, EventRules(recovery=0.9, recovery_period="2h"))
    assert (event.step, round(1.0 - event.drop, 12)) == (4, round(62 / 92, 12))  # from the close that recovered


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EventRules(confirmation=0), "confirmation must be a number of closes of at least 1, got 0"),
        (lambda: EventRules(confirmation=True), "confirmation must be a number of closes of at least 1, got True"),
        (lambda: EventRules(confirmation=1.5), "confirmation must be a number of closes of at least 1, got 1.5"),
        (lambda: EventRules(recovery=1.5, recovery_period="1h"), "recovery must be above 0 and at most 1, got 1.5"),
        (lambda: EventRules(recovery=0.0, recovery_period="1h"), "recovery must be above 0 and at most 1, got 0.0"),
        (lambda: EventRules(cool_off="1m"), "cool_off must be a duration"),
        (lambda: EventRules(recovery_period="1m"), "recovery_period must be a duration"),
        (lambda: EventRules(recovery=0.9), "recovery and recovery_period must be given together"),
        (lambda: EventRules(recovery_period="2h"), "recovery and recovery_period must be given together"),
        (
            lambda: settle(np.zeros((5, 1)), make_cover(), EventRules()),
            "log_prices must be of shape .* at least 20 steps",
        ),
        (lambda: settle(np.zeros((20, 1)), make_cover(), EventRules()), r"at least 20 steps, got \(20, 1\)"),
        (
            lambda: settle(np.zeros(50), make_cover(), EventRules()),
            r"of shape \(n_steps \+ 1, n_paths\) .*, got \(50,\)",
        ),
        (lambda: settle(np.zeros((50, 1)), make_cover(), EventRules(), step="1m"), "step must be a duration"),
    ],
)
def test_what_is_wrong_is_named(make, message):
    with pytest.raises(InvalidTermsError, match=message):
        make()


@pytest.mark.parametrize(
    ("name", "rules", "changes"),
    [
        ("window", {}, {"trigger": DropTrigger(drop=0.3, window="90min")}),
        ("waiting_period", {}, {"waiting_period": "90min"}),
        ("term", {}, {"term": "90min"}),
        ("cool_off", {"cool_off": "90min"}, {}),
        ("recovery_period", {"recovery": 0.9, "recovery_period": "90min"}, {}),
    ],
)
def test_durations_are_whole_numbers_of_steps(name, rules, changes):
    """90 minutes are three steps of half an hour; an hour is the step by default."""
    cover, rules = replace(make_cover(window=3), **changes), EventRules(**rules)
    assert settle(np.zeros((50, 2)), cover, rules, step="30min") == []
    with pytest.raises(InvalidTermsError, match=f"{name} must be a whole number of steps of 1h, got 90min"):
        settle(np.zeros((50, 2)), cover, rules)


def test_a_recovery_may_ask_for_the_whole_reference_price():
    rules = EventRules(recovery=1.0, recovery_period="2h")
    assert settle(log_prices_of(100, 60, 99, 100, 100, 100), make_cover(term=5), rules) == []
    (event,) = settle(log_prices_of(100, 60, 99, 99, 100, 100), make_cover(term=5), rules)
    assert event.step == 1


def test_nothing_counts_after_the_term():
    prices = log_prices_of(100, 100, 100, 100, 65, 65)
    assert settle(prices, make_cover(term=3), EventRules()) == []
    assert [event.step for event in settle(prices, make_cover(term=4), EventRules())] == [4]


def test_every_path_has_its_own_events():
    prices = np.column_stack([log_prices_of(100, 100, 65, 65), log_prices_of(100, 65, 65, 65), np.zeros((4, 1))])
    events = settle(prices, make_cover(term=3), EventRules())
    assert [(event.path, event.step, round(event.drop, 12)) for event in events] == [(0, 2, 0.35), (1, 1, 0.35)]
