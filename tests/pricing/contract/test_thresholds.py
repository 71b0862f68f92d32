"""A fall of exactly the stated drop counts, and one that is short by a part in a billion does not: everywhere."""

import math
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import Span, worst_drops
from backtest.forecasters.historical import stretch_drops
from pricing import (
    ConstantVolatility,
    Cover,
    DropTrigger,
    Empirical,
    FullPayout,
    PriceModel,
    Reference,
    SimulationSettings,
    TieredPayout,
    simulate,
)
from pricing.contract.book import Book
from pricing.contract.loss_functions import compress
from pricing.contract.thresholds import drop_reached, has_fallen, least_drop, least_log_fall
from pricing.events.rules import EventRules, settle
from pricing.rates.compact_surface import compact
from pricing.surface.by_path import shares_by_path

HOUR = timedelta(hours=1)
DROPS = st.integers(1, 99).map(lambda percent: Decimal(percent) / 100)
HIGHS = st.builds(lambda digits, places: Decimal(digits).scaleb(-places), st.integers(1, 10**7), st.integers(-4, 10))
#: Shares of a drop that reach it, and shares that do not.
ENOUGH, SHORT = Decimal(1), 1 - Decimal("1e-9")


def fallen(high, drop, part):
    return float(high), float(high * (1 - drop * part))


def make_cover(drop, *, payout=None, reference=Reference.ROLLING_HIGH, term="1h"):
    return Cover(
        cover_id="C-1",
        asset="OM",
        trigger=DropTrigger(drop=float(drop), window="1h", reference=reference),
        payout=payout or FullPayout(),
        limit=100.0,
        currency="USD",
        term=term,
    )


def events_of(prices, cover, rules=None):
    return settle(np.log(np.array(prices))[:, None], cover, rules or EventRules())


@pytest.mark.parametrize("part", [ENOUGH, SHORT])
@given(high=HIGHS, drop=DROPS)
def test_all_forms_of_the_rule_agree(part, high, drop):
    reference, price = fallen(high, drop, part)
    log_fall = math.log(reference) - math.log(price)
    answers = {
        bool(has_fallen(np.array(price), np.array(reference), float(drop))),
        1.0 - price / reference >= least_drop(float(drop)),
        log_fall >= least_log_fall(float(drop)),
        bool(drop_reached(np.array(log_fall)) >= float(drop)),
    }
    assert answers == {part == ENOUGH}


@pytest.mark.parametrize("part", [ENOUGH, SHORT])
@pytest.mark.parametrize("reference", Reference)
@given(high=HIGHS, drop=DROPS)
def test_settlement_follows_the_rule(part, reference, high, drop):
    assert bool(events_of(fallen(high, drop, part), make_cover(drop, reference=reference))) is (part == ENOUGH)


@pytest.mark.parametrize("part", [ENOUGH, SHORT])
@given(high=HIGHS, drop=DROPS.filter(lambda drop: drop > Decimal("0.01")))
def test_tiers_follow_the_rule(part, high, drop):
    payout = TieredPayout({0.01: 0.25, float(drop): 1.0})
    (event,) = events_of(fallen(high, drop, part), make_cover("0.01", payout=payout))
    assert payout.share(np.array([event.drop])) == (1.0 if part == ENOUGH else 0.25)


@pytest.mark.parametrize("part", [ENOUGH, SHORT])
@given(high=HIGHS, recovery=st.integers(51, 100).map(lambda percent: Decimal(percent) / 100))
def test_recoveries_follow_the_rule(part, high, recovery):
    prices = [float(high * share) for share in (Decimal(1), Decimal("0.5"), recovery * part, recovery * part)]
    rules = EventRules(recovery=float(recovery), recovery_period="2h")
    cover = make_cover("0.5", reference=Reference.INCEPTION, term="3h")
    assert bool(events_of(prices, cover, rules)) is (part != ENOUGH)


@pytest.mark.parametrize("part", [ENOUGH, SHORT])
@given(high=HIGHS, drop=DROPS)
def test_outcomes_follow_the_rule_with_a_plain_comparison(part, high, drop):
    closes = np.array(fallen(high, drop, part))[:, None]
    stretch = stretch_drops(closes, Span(HOUR, HOUR), HOUR, every=1)
    assert [bool(worst_drops(closes, 1)[0] >= float(drop)), bool(stretch[0, 0] >= float(drop))] == [part == ENOUGH] * 2


def test_a_price_that_does_not_move_has_not_fallen():
    assert worst_drops(np.array([[0.1], [0.1]]), 1).tolist() == [0.0]
    assert not events_of([0.1, 0.1], make_cover("0.01"))


@pytest.mark.parametrize("part", [1.0, 1.0 - 1e-9])
@pytest.mark.parametrize("percent", [5, 10, 30, 35, 70, 95])
def test_simulated_falls_follow_the_rule(percent, part):
    """The price falls by the drop, or not at all, with equal odds: no figure can lie between 0 and about a half."""
    drop = float(Decimal(percent) / 100)
    hourly_one = ConstantVolatility(annual=math.sqrt(8760.0))
    model = PriceModel(volatility=hourly_one, innovations=Empirical(values=(math.log1p(-drop * part), 0.0)))
    surface = simulate(model, windows=("1h",), terms=("1h",), settings=SimulationSettings(n_paths=1000))
    payout = TieredPayout({drop / 2: 0.5, drop: 1.0})
    full, tiered = make_cover(drop), make_cover(drop / 2, payout=payout)
    store = compact(surface)
    tail, reader = store.tail(full.observation), store.tail(full.observation).reader()
    (function,) = compress(Book.of_covers([full])).functions
    worst = surface.worst_drops[0]
    exceeded = [
        surface.exceedance(drop, window="1h", term="1h").value,
        store.exceedance(drop, window="1h", term="1h").value,
        shares_by_path(full, surface).mean(),
        float((shares_by_path(tiered, surface) == 1.0).mean()),
        function.loss(worst).mean() / full.limit,
        reader.fired(drop).value,
        reader.loss_sums(full.payout, drop).first / 1000,
        tail.at(np.array([drop]))[0, 0] / 1000,
    ]
    expected = np.mean(worst > 0.0) if part == 1.0 else 0.0
    assert exceeded == pytest.approx([expected] * len(exceeded), abs=0.002)  # groups of a compact surface mix paths
    assert 0.4 < np.mean(worst > 0.0) < 0.6
