from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import PeriodBootstrap
from backtest.scoring.money import gross_premium, keep_account, largest_drawdown
from backtest.scoring.scores import Sample
from pricing import ConstantVolatility, Cover, DropTrigger, FullPayout, Normal, PriceModel, premium, simulate
from pricing.premiums.basis import PricingBasis
from pricing.premiums.loadings import Loading
from pricing.principles import StandardDeviationPrinciple
from pricing.surface.settings import SimulationSettings

PLAIN = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=0.0), expense_ratio=0.2)
STARTS = np.array(["2023-11-01", "2023-12-01", "2024-01-01"], dtype="datetime64[D]")


def account(basis=PLAIN, period_days=30.0):
    """Two covers per period: expected 0.4 of a limit, gross premium 0.5 per period; one loss in the last but one."""
    sample = Sample(
        quoted=np.array([0.2, 0.2, 0.2, 0.2, 0.2, 0.2]),
        came=np.array([False, False, True, False, False, False]),
        period=np.array([0, 0, 1, 1, 2, 2]),
        n_periods=3,
    )
    bootstrap = PeriodBootstrap.draw(3, seed=1, n_resamples=20)
    return keep_account(sample, STARTS, bootstrap, basis, period_days=period_days, seed=1)


FEE = Loading(name="fee", heading="", meaning="", of_loss=0.05, fixed=0.002, of_gross=0.04)


@pytest.mark.parametrize(
    "basis",
    [
        PricingBasis(),
        PricingBasis(parameter_load=0.3, fixed_expense=0.01),
        PricingBasis(fixed_expense=0.01, loadings=(FEE, replace(FEE, name="duty"))),
    ],
)
def test_the_gross_premium_is_that_of_the_engine(basis):
    model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    surface = simulate(model, settings=SimulationSettings(n_paths=20_000))
    cover = Cover(
        cover_id="C", asset="A", trigger=DropTrigger(drop=0.2), payout=FullPayout(), limit=1.0, currency="USD"
    )
    priced = premium(cover, surface, basis)
    assert gross_premium(np.array([priced.trigger_probability]), basis) == pytest.approx(priced.gross, rel=1e-12)


def test_an_account_by_hand():
    kept = account()
    assert (kept.covers, kept.declined) == (6, 0)
    assert kept.premium == pytest.approx([0.5, 0.5, 0.5])
    assert kept.losses.tolist() == [0.0, 1.0, 0.0]
    assert kept.loss_ratio.value == pytest.approx(1.0 / 1.5)
    # after expenses of a fifth each period earns 0.4 and the second loses 1
    assert kept.worst_period == pytest.approx(0.6 / 0.5)
    assert kept.drawdown == pytest.approx(0.6 / 0.5)
    years = [(year.year, year.premium, year.losses, year.loss_ratio) for year in kept.years]
    assert years == [pytest.approx((2023, 1.0, 1.0, 1.0)), pytest.approx((2024, 0.5, 0.0, 0.0))]


def test_fixed_expenses_are_charged_and_spent():
    """Each cover costs (0.2 + 0.08) / 0.8 = 0.35; a period earns 2 x (0.28 - 0.08) = 0.4, and the second loses 1."""
    kept = account(replace(PLAIN, fixed_expense=0.08))
    assert kept.premium == pytest.approx([0.7, 0.7, 0.7])
    assert kept.worst_period == pytest.approx(0.6 / 0.7)


def test_capital_is_the_quantile_of_a_year_of_binomially_many_bad_periods():
    """Of twelve periods each is the bad one with probability 1/3; nine or more are with probability 0.39 %, eight or
    more with 1.9 %, so the quantile is that of eight: 12 x 0.4 - 8 = -3.2 limits, over a premium of 6."""
    assert account().capital == pytest.approx(3.2 / 6.0, rel=1e-9)


def one_bad_period_in_twenty(**options):
    quoted, came = np.full(20, 0.4), np.arange(20) == 7
    sample = Sample(quoted=quoted, came=came, period=np.arange(20), n_periods=20)
    starts = np.datetime64("2020-01-01") + np.arange(20)
    return keep_account(sample, starts, PeriodBootstrap.draw(20, seed=1, n_resamples=20), PLAIN, **options)


def test_a_year_that_is_shorter_than_a_period_holds_one():
    """One period in twenty loses 1 - 0.4 over a premium of 0.5; that two do has a probability of 1 in 400."""
    assert one_bad_period_in_twenty(period_days=1000.0, seed=1).capital == pytest.approx(0.6 / 0.5)
    assert one_bad_period_in_twenty(period_days=183.0, seed=1).capital == pytest.approx(0.2 / 1.0)


def test_years_without_a_loss_need_no_capital_and_years_without_a_premium_have_no_ratio():
    sample = Sample(quoted=np.array([0.2, 0.2]), came=np.array([False, False]), period=np.array([0, 1]), n_periods=2)
    bootstrap = PeriodBootstrap.draw(2, seed=1, n_resamples=20)
    assert keep_account(sample, STARTS[:2], bootstrap, PLAIN, period_days=30.0, seed=1).capital == 0.0
    declined = Sample(quoted=np.full(2, 0.9), came=np.array([True, False]), period=np.array([0, 1]), n_periods=2)
    kept = keep_account(declined, STARTS[:2], bootstrap, PLAIN, period_days=30.0, seed=1)
    assert np.isnan([kept.worst_period, kept.drawdown, kept.capital]).all()


def test_the_same_seed_draws_the_same_years():
    random = np.random.default_rng(3)
    sample = Sample(
        quoted=random.uniform(0.1, 0.5, 90), came=np.arange(90) % 4 == 0, period=np.arange(90) % 30, n_periods=30
    )
    starts = np.datetime64("2020-01-01") + np.arange(30)
    bootstrap = PeriodBootstrap.draw(30, seed=1, n_resamples=20)
    capital = [
        keep_account(sample, starts, bootstrap, PLAIN, period_days=30.0, seed=seed).capital for seed in (1, 1, 2)
    ]
    assert capital[0] == capital[1] != capital[2]


def test_what_would_cost_its_limit_is_declined():
    sample = Sample(quoted=np.array([0.9, 0.1]), came=np.array([True, False]), period=np.array([0, 1]), n_periods=2)
    bootstrap = PeriodBootstrap.draw(2, seed=1, n_resamples=20)
    kept = keep_account(sample, STARTS[:2], bootstrap, PLAIN, period_days=30.0, seed=1)
    assert (kept.covers, kept.declined, kept.losses.sum()) == (1, 1, 0.0)
    exactly = Sample(quoted=np.array([0.8, 0.1]), came=np.array([True, False]), period=np.array([0, 1]), n_periods=2)
    assert keep_account(exactly, STARTS[:2], bootstrap, PLAIN, period_days=30.0, seed=1).declined == 1


@given(results=st.lists(st.floats(-10.0, 10.0), min_size=1, max_size=20))
def test_the_drawdown_is_the_worst_of_all_stretches(results):
    stretches = [-sum(results[i:j]) for i in range(len(results)) for j in range(i + 1, len(results) + 1)]
    assert largest_drawdown(np.array(results)) == pytest.approx(max(0.0, *stretches), abs=1e-9)
