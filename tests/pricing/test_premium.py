import math

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
    PremiumFlag,
    PriceModel,
    PricingBasis,
    SimulationSettings,
    StandardDeviationLoad,
    TieredPayout,
    WeightedSample,
    premium,
    simulate,
)
from pricing.errors import InvalidBasisError, NotSimulatedError, UninsurableError
from pricing.premium import premium_from_sample
from tests.reference_tables import rows

PURE = PricingBasis(risk_load=StandardDeviationLoad(multiple=0.0), expense_ratio=0.0)


def make_cover(drop=0.3, payout=None, **changes):
    terms = {"cover_id": "C-1", "asset": "OM", "limit": 1_000.0, "currency": "USD", **changes}
    return Cover(trigger=DropTrigger(drop=drop), payout=payout or FullPayout(), **terms)


def binary_sample(n_hits, n_paths):
    return WeightedSample.of_paths(np.where(np.arange(n_paths) < n_hits, 0.5, 0.0), None)


@pytest.fixture(scope="module")
def surface():
    model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    return simulate(model, settings=SimulationSettings(n_paths=20_000, seed=2))


@pytest.mark.parametrize("row", rows("bernoulli_premium_principles"))
def test_standard_deviation_principle_agrees_with_the_table(row):
    n_paths = 200_000
    sample = binary_sample(round(row["p_loss"] * n_paths), n_paths)
    basis = PricingBasis(risk_load=StandardDeviationLoad(multiple=0.5), expense_ratio=0.0)
    if row["std_dev_0.5"] >= 1.0:
        with pytest.raises(UninsurableError):
            premium_from_sample(make_cover(), sample, basis)
        return
    priced = premium_from_sample(make_cover(), sample, basis)
    assert priced.gross / 1_000.0 == pytest.approx(row["std_dev_0.5"], rel=1e-11)


def test_lines_add_up_to_the_gross_premium(surface):
    basis = PricingBasis(expense_ratio=0.2, fixed_expense=3.0)
    priced = premium(make_cover(drop=0.2), surface, basis)
    assert priced.gross == priced.expected_loss + priced.risk_load + priced.expenses
    assert priced.expenses == pytest.approx(0.2 * priced.gross + 3.0, rel=1e-12)
    assert priced.rate_on_line == priced.gross / 1_000.0
    assert priced.expected_loss == 1_000.0 * surface.exceedance(0.2).value
    assert priced.flag is PremiumFlag.OK


def test_premium_is_in_proportion_to_the_limit(surface):
    small, large = (premium(make_cover(drop=0.2, limit=limit), surface) for limit in (1.0, 1e9))
    assert large.gross == pytest.approx(1e9 * small.gross, rel=1e-12)
    assert large.standard_error == pytest.approx(1e9 * small.standard_error, rel=1e-12)


@given(
    shares=st.lists(st.floats(0.02, 1.0), min_size=1, max_size=40),
    n_quiet=st.integers(1, 400),
    multiple=st.floats(0.0, 0.5),
)
def test_standard_error_is_that_of_the_linearised_premium(shares, n_quiet, multiple):
    """The delta method: numerical derivatives of the premium by its two moments, times their covariance."""
    drops = np.concatenate([0.3 + 0.6 * np.array(shares), np.zeros(n_quiet)])
    sample = WeightedSample.of_paths(drops, None)
    payout = LinearPayout(attachment=0.3, exhaustion=0.9)
    basis = PricingBasis(risk_load=StandardDeviationLoad(multiple=multiple), expense_ratio=0.1)
    try:
        priced = premium_from_sample(make_cover(payout=payout), sample, basis)
    except UninsurableError:
        return
    losses = 1_000.0 * np.where(drops >= 0.3, payout.share(drops), 0.0)
    moments = np.array([losses.mean(), np.square(losses).mean()])
    variance = moments[1] - moments[0] ** 2
    gradient = np.array([1.0 - multiple * moments[0] / math.sqrt(variance), 0.5 * multiple / math.sqrt(variance)]) / 0.9
    covariance = np.cov(np.stack([losses, np.square(losses)]), bias=True) / len(losses)
    assert priced.standard_error == pytest.approx(math.sqrt(gradient @ covariance @ gradient), rel=1e-6, abs=1e-6)


def test_standard_error_agrees_with_the_scatter_over_seeds():
    # 200 seeds, 2,000 paths each; the scatter of 200 normal values has relative error 1 / sqrt(400) = 5 %, z < 4.
    model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    priced = [
        premium(
            make_cover(drop=0.2), simulate(model, terms=("30d",), settings=SimulationSettings(n_paths=2_000, seed=seed))
        )
        for seed in range(200)
    ]
    scatter = np.std([one.gross for one in priced], ddof=1)
    stated = np.mean([one.standard_error for one in priced])
    assert abs(scatter / stated - 1.0) < 4.0 / math.sqrt(400)


def test_a_deeper_payout_costs_less(surface):
    expected = [
        premium(make_cover(drop=0.15, payout=payout), surface, PURE).expected_loss
        for payout in (
            FullPayout(),
            TieredPayout({0.15: 0.5, 0.25: 1.0}),
            TieredPayout({0.15: 0.25, 0.25: 1.0}),
            LinearPayout(attachment=0.2, exhaustion=0.9),
        )
    ]
    assert expected == sorted(expected, reverse=True)
    assert expected[-1] > 0.0


def test_too_likely_an_event_is_uninsurable():
    with pytest.raises(
        UninsurableError, match=r"reaches the limit 1,000.00 \(the trigger fires with probability 0.950"
    ):
        premium_from_sample(make_cover(), binary_sample(95, 100), PricingBasis())


def test_few_hits_are_flagged_and_none_is_not_a_price():
    assert premium_from_sample(make_cover(), binary_sample(99, 10_000), PURE).flag is PremiumFlag.IMPRECISE
    assert premium_from_sample(make_cover(), binary_sample(101, 10_000), PURE).flag is PremiumFlag.OK
    silent = premium_from_sample(make_cover(), binary_sample(0, 10_000), PURE)
    assert (silent.flag, silent.gross) == (PremiumFlag.UNRESOLVED, 0.0)
    assert silent.standard_error == 1_000.0 / 10_000


def test_a_signal_that_is_missing_names_the_cover(surface):
    with pytest.raises(NotSimulatedError, match="cover 'C-1': the surface holds no rolling high of 24h over 7d"):
        premium(make_cover(term="7d"), surface)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PricingBasis(expense_ratio=15.0), r"expense_ratio must be .* got 15.0 \(a fraction: 10 % is 0.10\)"),
        (lambda: PricingBasis(expense_ratio=-0.1), "expense_ratio must be"),
        (lambda: PricingBasis(fixed_expense=math.nan), "fixed_expense must be finite"),
        (lambda: PricingBasis(risk_load=0.3), "risk_load must be a StandardDeviationLoad"),
        (lambda: StandardDeviationLoad(multiple=-1.0), "multiple must be finite and not negative"),
    ],
)
def test_a_basis_names_what_is_wrong(make, message):
    with pytest.raises(InvalidBasisError, match=message):
        make()
