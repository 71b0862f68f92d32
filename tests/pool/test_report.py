import json

import numpy as np
import pytest
from scipy.stats import binom

from pool import (
    Dependence,
    ExcessOfLoss,
    JointSettings,
    LeveragedPositions,
    Occurrence,
    PoolTerms,
    QuotaShare,
    TokenRisk,
    compress,
    joint_scenarios,
    leverage_lines,
    pool_losses,
    pool_report,
    tail_value_at_risk,
)
from pricing.errors import InvalidTermsError
from tests.pool.synthetic import binary_book, uniform_surface

ASSETS = tuple(f"T{number}" for number in range(20))
SURFACES = {asset: uniform_surface(1_000, seed) for seed, asset in enumerate(ASSETS)}
BOOK = compress(binary_book(ASSETS, drop=0.9))
INDEPENDENT = Dependence(shocks=(0.0,), spread=0.2)
TOGETHER = Dependence(shocks=(0.0,), spread=0.0, level_error=0.3)
N = 50_000
#: Largest z of all comparisons below: one in ten thousand by chance.
MOST_SIGMAS = 4.5


def scenarios_under(dependence):
    tokens = dict.fromkeys(ASSETS, TokenRisk(centre=-1.9, crash_rate=0.0))
    return joint_scenarios(SURFACES, dependence, tokens, settings=JointSettings(n_scenarios=N))


@pytest.fixture(scope="module")
def independent():
    return scenarios_under(INDEPENDENT)


def binomial_tail(n, p, level):
    """Average of the worst share of a binomial number."""
    numbers = np.arange(n, -1, -1)
    chances = binom.pmf(numbers, n, p)
    taken = np.minimum(np.cumsum(chances), 1.0 - level)
    return np.diff(taken, prepend=0.0) @ numbers / (1.0 - level)


def test_independent_covers_make_a_binomial_pool(independent):
    """20 covers of probability 0.1, 50,000 scenarios, seed 1."""
    report = pool_report(BOOK, independent, PoolTerms(capital=8.0, income=2.2))
    gross = report.gross
    assert gross.expected.value == pytest.approx(2.0, rel=1e-12)  # marginals are exact
    assert gross.standard_deviation == pytest.approx(np.sqrt(20 * 0.1 * 0.9), rel=0.02)
    assert gross.value_at_risk.value == binom.ppf(0.995, 20, 0.1)
    exact = binomial_tail(20, 0.1, 0.995)
    assert abs(gross.tail_value_at_risk.value - exact) <= MOST_SIGMAS * gross.tail_value_at_risk.standard_error
    assert report.net == gross
    assert report.capital_for_tail.value == pytest.approx(gross.tail_value_at_risk.value - 2.2, rel=1e-12)


def test_covers_that_fall_together_make_a_pool_of_one():
    report = pool_report(BOOK, scenarios_under(TOGETHER), PoolTerms(capital=8.0, income=2.2))
    assert report.gross.expected.value == pytest.approx(2.0, rel=1e-12)
    assert report.gross.tail_value_at_risk.value == pytest.approx(20.0, rel=1e-12)
    assert report.gross.standard_deviation == pytest.approx(20.0 * np.sqrt(0.1 * 0.9), rel=1e-9)
    for line in report.assets:
        assert line.tail_contribution == pytest.approx(1.0, rel=1e-12)


def test_columns_of_covers_add_up(independent):
    contracts = (
        QuotaShare(ceded=0.25, commission=0.2),
        ExcessOfLoss(occurrence=Occurrence.PERIOD, retention=4.0, limit=2.0, premium=0.1),
    )
    report = pool_report(BOOK, independent, PoolTerms(capital=8.0, income=2.2, reinsurance=contracts))
    assert report.expected_by_cover.sum() == pytest.approx(report.gross.expected.value, rel=1e-10)
    assert report.tail_by_cover.sum() == pytest.approx(report.net.tail_value_at_risk.value, rel=1e-10)
    assert sum(line.tail_contribution for line in report.assets) == pytest.approx(
        report.net.tail_value_at_risk.value, rel=1e-10
    )
    assert report.income == pytest.approx(2.2 * (1.0 - 0.25 * 0.8) - 0.1)
    assert report.net.tail_value_at_risk.value < report.gross.tail_value_at_risk.value


def test_leverage_lines_enter_capital_and_ruin(independent):
    positions = [LeveragedPositions(asset=asset, leverage=10.0, notional=1.0) for asset in ASSETS]
    lines = leverage_lines(positions, independent, crashes_per_year=1.0)
    terms = PoolTerms(capital=8.0, income=2.2)
    report, without = pool_report(BOOK, independent, terms, leverage=lines), pool_report(BOOK, independent, terms)
    assert report.leverage_income == pytest.approx(lines.net_income.mean())
    assert report.gross == without.gross
    net_losses = pool_losses(BOOK, independent).total - 2.2 - lines.net_income
    assert report.capital_for_tail == tail_value_at_risk(net_losses, 0.995)
    assert report.ruin.value > without.ruin.value  # shortfalls of even drops cost more than margins bring


def test_a_report_is_json(independent):
    read = json.loads(pool_report(BOOK, independent, PoolTerms(capital=8.0, income=2.2)).to_json())
    assert read["n_covers"] == 20
    assert read["assets"][0]["accumulation"]["manipulation_limit"] == "inf"
    assert "tail_by_cover" not in read


def test_a_report_repeats_to_the_last_bit(independent):
    terms = PoolTerms(capital=8.0, income=2.2)
    again = pool_report(BOOK, scenarios_under(INDEPENDENT), terms)
    assert again.to_json() == pool_report(BOOK, independent, terms).to_json()


@pytest.mark.parametrize("field", ["capital", "income"])
def test_wrong_terms_are_refused(field):
    with pytest.raises(InvalidTermsError, match=f"{field} must be finite and not negative"):
        PoolTerms(**{"capital": 1.0, "income": 1.0, field: -1.0})
