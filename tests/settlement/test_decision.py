"""Decisions against the kernel that priced the cover, the rules of events, and the contract read by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    ConstantVolatility,
    Cover,
    DropTrigger,
    FullPayout,
    LinearPayout,
    Normal,
    PriceModel,
    Reference,
    SimulationSettings,
    simulate,
)
from pricing.contract.thresholds import least_drop
from pricing.engine.path_replay import replay
from pricing.errors import DataError, InvalidTermsError
from pricing.events.reinstatements import AggregateTerms
from pricing.events.rules import EventRules, settle
from pricing.surface.by_path import shares_by_path, worst_drops_by_path
from settlement import Index, IndexRule, Source, decide

RULE = IndexRule(sources=[Source(name="a", weight=1.0)], quorum_sources=1, bar="1h")
SALE = datetime(2025, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
GAP = float("nan")


def make_index(prices, start=SALE, rule=RULE):
    value = np.array(prices, dtype=float)
    first = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "ns")
    closes = first + np.arange(len(value)) * np.timedelta64(rule.bar)
    return Index(rule, closes, value, np.zeros(len(value)), np.ones(len(value), dtype=bool))


def make_cover(drop=0.3, term="5h", payout=None, waiting="0h", limit=100.0, **trigger):
    return Cover(
        cover_id="C-1",
        asset="OM",
        trigger=DropTrigger(drop=drop, **trigger),
        payout=payout or FullPayout(),
        limit=limit,
        currency="USD",
        term=term,
        waiting_period=waiting,
    )


def status_of(prices, cover=None, **given):
    return decide(cover or make_cover(), make_index(prices), sold_at=SALE, **given).status


def compare_with_kernel(n_paths, seed):
    """Decide every path of a simulation, and return how many fired; each must be as in the kernel."""
    model = PriceModel(volatility=ConstantVolatility(annual=2.0), innovations=Normal())
    references = tuple(Reference)
    settings = SimulationSettings(n_paths=n_paths, seed=seed)
    covers = [
        make_cover(
            drop=0.2, term="7d", waiting="12h", reference=each, payout=LinearPayout(attachment=0.2, exhaustion=0.4)
        )
        for each in references
    ]
    surface = simulate(model, references=references, terms=["7d"], waiting_periods=["12h"], settings=settings)
    kernel = [(worst_drops_by_path(surface, c.observation), shares_by_path(c, surface)) for c in covers]
    fired = 0
    for first in range(0, n_paths, 1024):
        paths = np.arange(first, min(first + 1024, n_paths))
        prices = np.exp(replay(surface, paths))
        for column, path in enumerate(paths):
            which = path % len(covers)
            cover, (drops, shares) = covers[which], kernel[which]
            decision = decide(cover, make_index(prices[:, column]), sold_at=SALE)
            assert (decision.status == "FIRED") == (drops[path] >= least_drop(0.2)), path
            assert decision.share == pytest.approx(shares[path], abs=1e-12)
            fired += decision.status == "FIRED"
    return fired


def test_paths_are_decided_as_the_kernel_priced_them():
    assert 100 < compare_with_kernel(1_600, seed=7) < 1_500


def test_a_fall_is_read_off():
    payout = LinearPayout(attachment=0.3, exhaustion=0.8)
    prices = [90.0, 100.0, 95.0, 65.0, 60.0, 80.0]
    decision = decide(make_cover(payout=payout), make_index(prices), sold_at=SALE)
    assert decision.status == "FIRED"
    assert decision.fired_at == SALE + 3 * HOUR
    assert (decision.reference_price, decision.reference_at) == (100.0, SALE + HOUR)
    assert decision.worst_drop == pytest.approx(0.4, abs=1e-12)
    assert decision.amount == Decimal("20.00")
    assert decision.rule_digest == RULE.digest


@pytest.mark.parametrize("drop", [0.1, 0.2, 0.3, 0.35, 0.5, 0.7, 0.9])
def test_an_exact_fall_fires(drop):
    assert status_of([1.3, 1.3 * (1.0 - drop)] * 3, make_cover(drop=drop)) == "FIRED"
    assert status_of([1.3, 1.3 * (1.0 - drop) * (1.0 + 1e-12)] * 3, make_cover(drop=drop)) == "NOT_FIRED"


@pytest.mark.parametrize(
    ("prices", "status"),
    [
        ([100.0, 99.0, 98.0, 99.0, 98.0, 99.0], "NOT_FIRED"),
        ([100.0, 99.0, 98.0, 99.0, 98.0, 99.0, 10.0], "NOT_FIRED"),  # after the term
        ([100.0, 99.0, 98.0], "RUNNING"),
        ([100.0, 99.0, 60.0], "FIRED"),
        ([100.0, 99.0, GAP, 99.0, 98.0, 99.0], "INDETERMINATE"),
        ([100.0, GAP, 60.0, 99.0, 98.0, 99.0], "FIRED"),  # whatever the missing price was
        ([GAP, 100.0, 99.0, 99.0, 98.0, 99.0], "INDETERMINATE"),
        ([100.0, 99.0, 98.0, 99.0, 98.0, 99.0, GAP], "NOT_FIRED"),
        ([100.0, 99.0, 0.0, 99.0, 98.0, 99.0], "FIRED"),
    ],
)
def test_the_status_follows_from_what_is_known(prices, status):
    assert status_of(prices) == status


def test_a_missing_close_leaves_the_amount_open_unless_it_is_the_whole_limit():
    cover = make_cover(payout=LinearPayout(attachment=0.3, exhaustion=0.8))
    open_ = decide(cover, make_index([100.0, 60.0, GAP, 90.0, 90.0, 90.0]), sold_at=SALE)
    assert (open_.status, open_.amount) == ("INDETERMINATE", Decimal("0.00"))
    assert "no value at 1 closes, the first at 2025-10-01 02:00:00 UTC" in open_.reason
    assert status_of([100.0, 20.0, GAP, 90.0, 90.0, 90.0], cover) == "FIRED"


def test_a_missing_close_of_the_waiting_period_does_not_matter():
    cover = make_cover(waiting="2h")
    assert status_of([100.0, GAP, 60.0, 60.0, 60.0, 60.0], cover) == "NOT_FIRED"


@given(
    prices=st.lists(st.floats(10.0, 100.0), min_size=6, max_size=6),
    gaps=st.sets(st.integers(0, 5), max_size=3),
    others=st.lists(st.floats(1.0, 1000.0), min_size=6, max_size=6),
    reference=st.sampled_from(Reference),
)
def test_what_is_decided_in_spite_of_gaps_holds_whatever_was_in_them(prices, gaps, others, reference):
    cover = make_cover(reference=reference, window="2h")
    known = decide(cover, make_index([GAP if n in gaps else p for n, p in enumerate(prices)]), sold_at=SALE)
    whole = decide(cover, make_index([others[n] if n in gaps else p for n, p in enumerate(prices)]), sold_at=SALE)
    if known.status != "INDETERMINATE":
        assert (known.status, known.amount) == (whole.status, whole.amount)
    assert known.worst_drop <= whole.worst_drop


RULES = EventRules(cool_off="2h", confirmation=2, recovery=0.95, recovery_period="2h")


@given(st.lists(st.sampled_from([100.0, 96.0, 80.0, 60.0, 50.0]), min_size=13, max_size=13))
def test_events_are_those_of_the_rules_that_priced_them(prices):
    cover = make_cover(term="12h", payout=LinearPayout(attachment=0.3, exhaustion=0.8))
    terms = AggregateTerms(event_limit=100.0, n_reinstatements=1, deductible=10.0)
    decision = decide(cover, make_index(prices), sold_at=SALE, rules=RULES, terms=terms)
    events = settle(np.log(prices)[:, None], cover, RULES)
    assert [(event.fired_at, event.drop) for event in decision.events] == [
        (SALE + event.step * HOUR, event.drop) for event in events
    ]
    assert decision.status == ("FIRED" if events else "NOT_FIRED")
    due = min(max(sum(100.0 * (event.drop - 0.3) / 0.5 for event in events) - 10.0, 0.0), 200.0) if events else 0.0
    assert float(decision.amount) == pytest.approx(due, abs=0.0051)


def test_an_event_counts_as_soon_as_nothing_can_change_it():
    cover, prices = make_cover(term="12h"), [100.0, 60.0, 60.0, 61.0, 62.0]
    assert status_of(prices[:4], cover, rules=RULES) == "RUNNING"  # it may still recover
    assert status_of(prices, cover, rules=RULES) == "FIRED"
    assert status_of([*prices[:4], 96.0], cover, rules=RULES) == "RUNNING"
    assert status_of([*prices, GAP], cover, rules=RULES) == "INDETERMINATE"


def test_a_sale_between_closes_takes_the_close_before_it():
    prices = [200.0, 100.0, 90.0, 90.0, 90.0, 90.0, 90.0, 1.0]
    index = make_index(prices)
    sold_at = (SALE + 1.5 * HOUR).astimezone(timezone(timedelta(hours=5)))
    decision = decide(make_cover(), index, sold_at=sold_at)
    assert decision.status == "NOT_FIRED"
    assert decide(make_cover(drop=0.1), index, sold_at=sold_at).reference_at == SALE + HOUR


def test_the_ticks_of_the_window_are_enough_for_a_whole_payment():
    index = make_index([100.0, 60.0, 90.0], start=SALE + 2 * HOUR)
    assert decide(make_cover(), index, sold_at=SALE).status == "FIRED"


def test_amounts_are_whole_cents():
    cover = make_cover(limit=1e300)
    assert decide(cover, make_index([2.0, 1.0] * 3), sold_at=SALE).amount == Decimal("1e300")
    cover = make_cover(limit=0.125)
    assert decide(cover, make_index([2.0, 1.0] * 3), sold_at=SALE).amount == Decimal("0.12")


def test_what_cannot_be_decided_is_refused():
    cover, index = make_cover(), make_index([100.0] * 6)
    with pytest.raises(InvalidTermsError, match="offset from UTC"):
        decide(cover, index, sold_at=SALE.replace(tzinfo=None))
    with pytest.raises(InvalidTermsError, match="whole number of steps"):
        decide(make_cover(window="90min"), index, sold_at=SALE)
    with pytest.raises(InvalidTermsError, match="event_limit must be the limit"):
        decide(cover, index, sold_at=SALE, terms=AggregateTerms(event_limit=1.0))
    with pytest.raises(InvalidTermsError, match="cover must be a Cover"):
        decide("C-1", index, sold_at=SALE)
    with pytest.raises(DataError, match="index begins at .* after the term"):
        decide(cover, index, sold_at=SALE - 6 * HOUR)
    with pytest.raises(DataError, match="must not be negative"):
        decide(cover, make_index([1.0, -1.0]), sold_at=SALE)


def test_an_index_before_the_sale_says_nothing():
    decision = decide(make_cover(), make_index([100.0]), sold_at=SALE + 5 * HOUR)
    assert (decision.status, decision.reason) == ("RUNNING", "the index ends before the sale")
    assert replace(decision, reason="") != decision
