"""Hedges of covers with options: against published prices, parity, limits and replication path by path."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

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
    TieredPayout,
    simulate,
)
from pricing.closed_form import barrier_digital, barrier_option, touch_probability
from pricing.errors import InvalidModelError, InvalidTermsError, NotSimulatedError
from pricing.hedging.hedges import Hedge, Leg, net_losses
from pricing.hedging.replication import OptionMarket, one_touch_hedge, put_price, put_spread_hedge, touch_put_hedge
from pricing.principles import TailValueAtRisk
from tests.reference_tables import rows

strikes = st.floats(0.05, 1.0)
volatilities = st.floats(0.2, 3.0)
terms = st.floats(0.01, 1.0)
carries = st.floats(-0.2, 0.2)

TIERS = TieredPayout({0.3: 0.25, 0.5: 0.6, 0.8: 1.0})


def make_cover(drop=0.3, payout=None, **changes):
    trigger = DropTrigger(drop=drop, **changes.pop("trigger", {}))
    terms = {"cover_id": "C-1", "asset": "OM", "limit": 1_000.0, "currency": "USD", **changes}
    return Cover(trigger=trigger, payout=payout or FullPayout(), **terms)


@given(strike=strikes, volatility=volatilities, years=terms, rate=carries, dividend_yield=carries)
def test_a_put_is_a_barrier_option_that_is_alive_from_the_start(strike, volatility, years, rate, dividend_yield):
    market = {"rate": rate, "dividend_yield": dividend_yield}
    put = put_price(strike, implied_volatility=volatility, term_years=years, market=OptionMarket(**market))
    terms = {"kind": "down_in", "spot": 1.0, "strike": strike, "barrier": 1.0, "term_years": years}
    alive, call = (barrier_option(option=name, volatility=volatility, **terms, **market) for name in ("put", "call"))
    assert put == pytest.approx(alive, abs=1e-13)
    forward = math.exp(-dividend_yield * years) - strike * math.exp(-rate * years)
    assert call - put == pytest.approx(forward, abs=1e-13)


@pytest.mark.parametrize("row", rows("down_in_put_spread"))
def test_spread_and_touch_against_the_table(row):
    """With both strikes at or below the barrier the barrier changes nothing."""
    cover = make_cover(
        drop=1.0 - row["H"],
        payout=LinearPayout(attachment=1.0 - row["K1"], exhaustion=1.0 - row["K2"]) if row["K1"] == row["H"] else None,
        term=f"{round(365 * row['T'])}d",
    )
    if row["K1"] == row["H"]:
        hedge = put_spread_hedge(cover, {row["K1"]: row["sigma"], row["K2"]: row["sigma"]})
        assert hedge.cost_share * (row["K1"] - row["K2"]) == pytest.approx(row["di_put_spread"], rel=1e-9)
    touch = one_touch_hedge(make_cover(term=cover.term), [1.0 - row["H"]], implied_volatility=row["sigma"])
    assert touch.cost_share == pytest.approx(row["one_touch_prob"], rel=1e-9)


TOUCHES = [
    row
    for row in rows("ql_digital_one_touch")
    if (row["style"], row["payoff"], row["type"]) == ("one_touch", "cash", "put")
    and row["barrier_or_strike"] < row["spot"]
    and row["T"] == 0.5
]
DIGITALS = [
    row
    for row in rows("ql_digital_one_touch")
    if (row["style"], row["payoff"], row["type"]) == ("european", "cash", "put")
]


@pytest.mark.parametrize("row", TOUCHES, ids=lambda row: row["ql_line"])
def test_one_touches_against_haug(row):
    drop = 1.0 - row["barrier_or_strike"] / row["spot"]
    hedge = one_touch_hedge(
        make_cover(drop=drop, term="4380h"),
        [drop],
        implied_volatility=row["sigma"],
        payment=row["pay_when"],
        market=OptionMarket(rate=row["r"], dividend_yield=row["q"]),
    )
    assert row["cash"] * hedge.cost_share == pytest.approx(row["value"], abs=row["tol"])


@pytest.mark.parametrize("row", DIGITALS, ids=lambda row: row["ql_line"])
def test_a_tight_put_spread_against_haugs_digital(row):
    strike = row["barrier_or_strike"] / row["spot"]
    hedge = put_spread_hedge(
        make_cover(drop=1.0 - strike, term=f"{round(8760 * row['T'])}h"),
        {strike + 1e-7: row["sigma"], strike: row["sigma"]},
        OptionMarket(rate=row["r"], dividend_yield=row["q"]),
    )
    assert row["cash"] * hedge.cost_share == pytest.approx(row["value"], abs=row["tol"])


def test_the_tables_have_rows_for_both():
    assert len(TOUCHES) >= 3
    assert len(DIGITALS) >= 1


def test_spreads_close_in_on_the_digital_from_above():
    digital = barrier_digital(
        kind="down_in",
        option="put",
        payoff="cash",
        spot=1.0,
        strike=0.7,
        barrier=1.0,
        rate=0.0,
        dividend_yield=0.0,
        volatility=1.2,
        term_years=30 / 365,
    )
    widths = (0.1, 0.01, 0.001)
    excesses = [put_spread_hedge(make_cover(), {0.7 + w: 1.2, 0.7: 1.2}).cost_share - digital for w in widths]
    assert min(excesses) > 0.0
    assert excesses[0] / excesses[1] == pytest.approx(10.0, rel=0.2)
    assert excesses[1] / excesses[2] == pytest.approx(10.0, rel=0.02)


def test_a_smile_makes_the_digital_dearer_by_its_slope():
    """``d put / d strike`` along the smile is the flat digital plus vega times the slope of the smile."""
    slope, width, years = -0.8, 1e-5, 30 / 365
    flat, skewed = (
        put_spread_hedge(make_cover(), {0.7 + width: 1.2 + tilt * width, 0.7: 1.2}).cost_share for tilt in (0.0, slope)
    )
    spread = 1.2 * math.sqrt(years)
    score = -math.log(0.7) / spread + 0.5 * spread
    vega = math.sqrt(years) * math.exp(-0.5 * score**2) / math.sqrt(2.0 * math.pi)
    assert skewed - flat == pytest.approx(slope * vega, rel=1e-3)


LADDER = (0.85, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


@given(falls=st.lists(st.floats(0.0, 0.9), min_size=1, max_size=20))
@pytest.mark.parametrize("payout", [FullPayout(), TIERS, LinearPayout(attachment=0.2, exhaustion=0.7)], ids=repr)
def test_puts_pay_no_less_than_the_cover_on_the_final_price(payout, falls):
    cover = make_cover(payout=payout)
    falls = np.array(falls)
    hedge = put_spread_hedge(cover, dict.fromkeys(LADDER, 1.0))
    paid = hedge.payoff(falls, falls)
    shares = np.where(falls >= 0.3, payout.share(falls), 0.0)
    assert (paid >= shares - 1e-12).all()
    on_the_ladder = 1.0 - np.array(LADDER)
    at_strikes = np.where(np.round(on_the_ladder, 12) >= 0.3, payout.share(np.round(on_the_ladder, 12)), 0.0)
    assert hedge.payoff(on_the_ladder, on_the_ladder) == pytest.approx(at_strikes, abs=1e-11)


@given(falls=st.lists(st.floats(0.0, 0.99), min_size=1, max_size=20))
def test_a_linear_payout_is_one_put_spread(falls):
    payout = LinearPayout(attachment=0.3, exhaustion=0.9)
    hedge = put_spread_hedge(make_cover(payout=payout), {0.7: 1.0, 0.1: 1.6})
    assert [leg.quantity for leg in hedge.legs] == pytest.approx([1.0 / 0.6, -1.0 / 0.6], rel=1e-10)
    assert hedge.payoff(np.array(falls), np.array(falls)) == pytest.approx(payout.share(np.array(falls)), abs=1e-11)
    assert hedge.cost == 1_000.0 * hedge.cost_share


def test_a_strike_at_the_trigger_is_at_it():
    """1 - 0.9 is a little less than 0.1."""
    hedge = put_spread_hedge(make_cover(drop=0.1), {0.95: 1.0, 0.9: 1.0})
    assert [leg.quantity for leg in hedge.legs] == pytest.approx([20.0, -20.0], rel=1e-12)
    touch = touch_put_hedge(make_cover(drop=0.1), {0.95: 1.0, 0.9: 1.0})
    assert [leg.quantity for leg in touch.legs] == pytest.approx([40.0, -40.0 - 1.0 / 0.9], rel=1e-12)
    assert len(put_spread_hedge(make_cover(payout=TIERS), dict.fromkeys((0.8, 0.7, 0.65, 0.6), 1.0)).legs) == 2


def test_one_touches_of_tiers_are_exact_and_of_a_slope_close_in_from_below():
    level = {"volatility": 1.1, "log_drift": -0.605, "term_years": 30 / 365}
    tiers = one_touch_hedge(make_cover(payout=TIERS), [0.3, 0.5, 0.8], implied_volatility=1.1)
    steps = {0.3: 0.25, 0.5: 0.35, 0.8: 0.4}
    expected = sum(step * touch_probability(drop=drop, **level) for drop, step in steps.items())
    assert tiers.cost_share == pytest.approx(expected, rel=1e-12)

    slope = LinearPayout(attachment=0.3, exhaustion=0.8)
    whole, _ = quad(lambda drop: touch_probability(drop=drop, **level) / 0.5, 0.3, 0.8, epsabs=1e-13)
    shortfalls = []
    for n_drops in (51, 501):
        strip = one_touch_hedge(make_cover(payout=slope), np.linspace(0.3, 0.8, n_drops), implied_volatility=1.1)
        shortfalls.append(whole - strip.cost_share)
    assert shortfalls[0] > shortfalls[1] > 0.0
    assert shortfalls[0] / shortfalls[1] == pytest.approx(10.0, rel=0.05)


def test_without_carry_a_touch_is_two_digitals_less_puts_at_the_level():
    hedge = touch_put_hedge(make_cover(), {0.701: 1.0, 0.7: 1.0})
    assert [leg.quantity for leg in hedge.legs] == pytest.approx([2_000.0, -2_000.0 - 1.0 / 0.7], rel=1e-9)


@pytest.mark.parametrize("payout", [FullPayout(), TIERS], ids=repr)
def test_without_carry_tight_spreads_replicate_the_touch(payout):
    ladder = [strike + step for strike in (0.7, 0.5, 0.2) for step in (1e-6, 0.0)]
    hedge = touch_put_hedge(make_cover(payout=payout), dict.fromkeys(ladder, 1.3))
    touches = one_touch_hedge(make_cover(payout=payout), [0.3, 0.5, 0.8], implied_volatility=1.3)
    assert hedge.cost_share == pytest.approx(touches.cost_share, rel=1e-4)


@pytest.mark.parametrize("market", [OptionMarket(rate=0.1), OptionMarket(dividend_yield=0.15)], ids=repr)
def test_with_carry_a_fine_ladder_replicates_the_touch(market):
    ladder = [0.7 + 1e-7, *np.linspace(0.7, 0.01, 400)]
    hedge = touch_put_hedge(make_cover(term="180d"), dict.fromkeys(ladder, 0.8), market)
    touch = one_touch_hedge(make_cover(term="180d"), [0.3], implied_volatility=0.8, market=market)
    assert hedge.cost_share == pytest.approx(touch.cost_share, rel=1e-5)


@pytest.fixture(scope="module")
def surface():
    model = PriceModel(volatility=ConstantVolatility(annual=1.2), innovations=Normal(), annual_drift=-0.72)
    return simulate(
        model,
        windows=("24h", "30d"),
        references=(Reference.ROLLING_HIGH, Reference.LAGGED, Reference.INCEPTION),
        settings=SimulationSettings(n_paths=20_000, seed=4),
    )


def test_a_cover_from_inception_is_hedged_path_by_path(surface):
    cover = make_cover(payout=TIERS, trigger={"reference": Reference.INCEPTION})
    net = net_losses(cover, surface, one_touch_hedge(cover, [0.3, 0.5, 0.8], implied_volatility=1.2))
    assert net.drops == pytest.approx(np.zeros(20_000), abs=1e-15)


def test_a_cover_on_the_final_price_is_hedged_path_by_path(surface):
    payout = LinearPayout(attachment=0.3, exhaustion=0.9)
    cover = make_cover(payout=payout, trigger={"reference": Reference.LAGGED, "window": "30d"})
    net = net_losses(cover, surface, put_spread_hedge(cover, {0.7: 1.2, 0.1: 1.2}))
    assert net.drops == pytest.approx(np.zeros(20_000), abs=1e-11)


def test_a_fair_hedge_takes_off_what_it_costs(surface):
    """Simulated without drift, at the implied volatility: the mean of the cover falls by the cost, within z < 4."""
    cover = make_cover(drop=0.25)
    hedge = put_spread_hedge(cover, {0.8: 1.2, 0.75: 1.2})
    net, alone = net_losses(cover, surface, hedge), net_losses(cover, surface, Hedge(legs=(), limit=1_000.0))
    final = surface.sample(window="30d", reference=Reference.LAGGED)
    paid = hedge.payoff(final.drops, final.drops)
    assert alone.drops.mean() == pytest.approx(surface.exceedance(0.25).value, rel=1e-12)
    assert alone.drops.mean() - net.drops.mean() == pytest.approx(paid.mean(), rel=1e-12)
    assert abs(paid.mean() - hedge.cost_share) < 4.0 * paid.std() / math.sqrt(20_000)
    tail = TailValueAtRisk(level=0.9)
    assert tail.estimate(net, net.drops).value <= tail.estimate(alone, alone.drops).value


def test_net_losses_are_those_of_each_path(surface):
    """A fall exactly to the trigger pays and one exactly to the strike touches; weights follow their paths."""
    cover = make_cover()
    hedge = one_touch_hedge(cover, [0.4], implied_volatility=1.2)
    by_reference = {
        Reference.ROLLING_HIGH: [0.3, 0.5, 0.2, 0.29, 0.6],
        Reference.INCEPTION: [0.1, 0.4, 0.45, 0.0, 0.6],
    }
    worst_drops = np.array([by_reference.get(signal.reference, np.zeros(5)) for signal in surface.signals])
    few = replace(surface, worst_drops=worst_drops, weights=np.array([1.0, 0.5, 2.0, 0.25, 1.25]))
    net = net_losses(cover, few, hedge)
    assert net.drops.tolist() == [1.0, 0.0, 0.0, 0.0, -1.0]
    assert (net.weights[0], net.weights[-1]) == (1.0, 2.0)


def test_a_mixed_hedge_pays_for_all_its_legs():
    legs = (
        Leg(instrument="put", strike=0.7, quantity=2.0, price=0.1),
        Leg(instrument="one_touch", strike=0.5, quantity=0.5, price=0.2),
    )
    hedge = Hedge(legs=legs, limit=100.0)
    paid = hedge.payoff(np.array([0.2, 0.4, 0.6]), np.array([0.3, 0.6, 0.6]))
    assert paid == pytest.approx([0.0, 0.2 + 0.5, 0.6 + 0.5], abs=1e-15)
    assert hedge.cost == pytest.approx(30.0, rel=1e-15)


def test_a_surface_without_the_final_price_says_so():
    model = PriceModel(volatility=ConstantVolatility(annual=1.2), innovations=Normal())
    surface = simulate(model, settings=SimulationSettings(n_paths=100, seed=4))
    cover = make_cover()
    with pytest.raises(NotSimulatedError, match="holds no lagged of 30d over 30d: simulate it as well"):
        net_losses(cover, surface, put_spread_hedge(cover, {0.75: 1.2, 0.7: 1.2}))
    with pytest.raises(NotSimulatedError, match="holds no inception over 30d"):
        net_losses(cover, surface, one_touch_hedge(cover, [0.3], implied_volatility=1.2))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: put_spread_hedge(make_cover(), {}), InvalidTermsError, "strikes must be shares of the spot"),
        (lambda: put_spread_hedge(make_cover(), {70.0: 1.0}), InvalidTermsError, "at most 1, got .70.0"),
        (lambda: put_spread_hedge(make_cover(), {0.7: 1.0}), InvalidTermsError, "one strike must be above 0.7"),
        (lambda: put_spread_hedge(make_cover(), {0.8: 1.0}), InvalidTermsError, "one strike must be at most 0.7"),
        (
            lambda: put_spread_hedge(make_cover(), {0.8: 1.0, 0.7: 0.0}),
            InvalidModelError,
            "volatility must be positive",
        ),
        (lambda: OptionMarket(rate=math.nan), InvalidModelError, "rate must be finite, got nan"),
        (
            lambda: touch_put_hedge(make_cover(), {0.8: 0.3, 0.7: 0.3}, OptionMarket(rate=0.2)),
            InvalidModelError,
            "rate - dividend_yield must be below half the variance",
        ),
        (
            lambda: one_touch_hedge(make_cover(), [30.0], implied_volatility=1.0),
            InvalidTermsError,
            r"drops must be between 0 and 1, got 30.0 \(a fraction",
        ),
        (
            lambda: one_touch_hedge(make_cover(), [0.2], implied_volatility=1.0),
            InvalidTermsError,
            "one strike must be at most 0.7",
        ),
        (
            lambda: one_touch_hedge(make_cover(), [0.3], implied_volatility=1.0, payment="later"),
            InvalidTermsError,
            "payment must be 'hit' or 'expiry', got 'later'",
        ),
    ],
)
def test_hedges_name_what_is_wrong(make, error, message):
    with pytest.raises(error, match=message):
        make()
