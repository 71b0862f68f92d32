import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import PeriodBootstrap
from backtest.scoring.money import gross_premium, keep_account, largest_drawdown
from backtest.scoring.scores import Sample
from pricing import ConstantVolatility, Cover, DropTrigger, FullPayout, Normal, PriceModel, premium, simulate
from pricing.premiums.basis import PricingBasis
from pricing.principles import StandardDeviationPrinciple
from pricing.surface.settings import SimulationSettings

PLAIN = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=0.0), expense_ratio=0.2)
STARTS = np.array(["2023-11-01", "2023-12-01", "2024-01-01"], dtype="datetime64[D]")


def account(basis=PLAIN):
    """Two covers per period: expected 0.4 of a limit, gross premium 0.5 per period; one loss in the last but one."""
    sample = Sample(
        quoted=np.array([0.2, 0.2, 0.2, 0.2, 0.2, 0.2]),
        came=np.array([False, False, True, False, False, False]),
        period=np.array([0, 0, 1, 1, 2, 2]),
        n_periods=3,
    )
    bootstrap = PeriodBootstrap.draw(3, seed=1, n_resamples=20)
    return keep_account(sample, STARTS, bootstrap, basis, period_days=30.0, seed=1)


def test_the_gross_premium_is_that_of_the_engine():
    model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    surface = simulate(model, settings=SimulationSettings(n_paths=20_000))
    cover = Cover(
        cover_id="C", asset="A", trigger=DropTrigger(drop=0.2), payout=FullPayout(), limit=1.0, currency="USD"
    )
    priced = premium(cover, surface)
    assert gross_premium(np.array([priced.trigger_probability]), PricingBasis()) == pytest.approx(
        priced.gross, rel=1e-12
    )


def test_an_account_by_hand():
    kept = account()
    assert (kept.covers, kept.declined) == (6, 0)
    assert kept.premium == pytest.approx([0.5, 0.5, 0.5])
    assert kept.losses.tolist() == [0.0, 1.0, 0.0]
    assert kept.loss_ratio.value == pytest.approx(1.0 / 1.5)
    # after expenses of a fifth each period earns 0.4 and the second loses 1
    assert kept.worst_period == pytest.approx(0.6 / 0.5)
    assert kept.drawdown == pytest.approx(0.6 / 0.5)
    assert [(year.year, round(year.loss_ratio, 12)) for year in kept.years] == [(2023, 1.0), (2024, 0.0)]


def test_capital_is_the_quantile_of_a_year_of_binomially_many_bad_periods():
    """Of twelve periods each is the bad one with probability 1/3; nine or more are with probability 0.39 %, eight or
    more with 1.9 %, so the quantile is that of eight: 12 x 0.4 - 8 = -3.2 limits, over a premium of 6."""
    assert account().capital == pytest.approx(3.2 / 6.0, rel=1e-9)


def test_what_would_cost_its_limit_is_declined():
    sample = Sample(quoted=np.array([0.9, 0.1]), came=np.array([True, False]), period=np.array([0, 1]), n_periods=2)
    bootstrap = PeriodBootstrap.draw(2, seed=1, n_resamples=20)
    kept = keep_account(sample, STARTS[:2], bootstrap, PLAIN, period_days=30.0, seed=1)
    assert (kept.covers, kept.declined, kept.losses.sum()) == (1, 1, 0.0)


@given(results=st.lists(st.floats(-10.0, 10.0), min_size=1, max_size=20))
def test_the_drawdown_is_the_worst_of_all_stretches(results):
    stretches = [-sum(results[i:j]) for i in range(len(results)) for j in range(i + 1, len(results) + 1)]
    assert largest_drawdown(np.array(results)) == pytest.approx(max(0.0, *stretches), abs=1e-9)
