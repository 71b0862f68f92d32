import functools
import math
import operator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import (
    CapitalCost,
    ConstantVolatility,
    Cover,
    DropTrigger,
    FullPayout,
    LinearPayout,
    Normal,
    ParameterUncertainty,
    Payment,
    PremiumFlag,
    PriceModel,
    PricingBasis,
    SimulationSettings,
    TieredPayout,
    WeightedSample,
    premium,
    simulate,
)
from pricing.errors import (
    InvalidTermsError,
    NegativeRiskLoadError,
    NotSimulatedError,
    UninsurableError,
    UnmeasurableLossError,
    UnresolvedError,
)
from pricing.premiums.build_up import Losses, add_up, make_figures, premium_from_sample, premium_of_law, require_payment
from pricing.premiums.premium import LINES
from pricing.principles import (
    CostOfCapitalPrinciple,
    LossDistribution,
    ProportionalHazardTransform,
    StandardDeviationPrinciple,
    TailValueAtRisk,
    ValueAtRisk,
    WangTransform,
)
from pricing.surface.estimates import Estimate
from tests.reference_tables import rows

PURE = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=0.0), expense_ratio=0.0)


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
    basis = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=0.5), expense_ratio=0.0)
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
    assert priced.trigger_probability_standard_error == surface.exceedance(0.2).standard_error


def test_a_surface_is_priced_by_its_sample(surface):
    cover, uncertainty = make_cover(drop=0.2), ParameterUncertainty(drops=(0.2,), shares=(0.25,))
    apart = premium(cover, surface, uncertainty=uncertainty)
    assert apart == premium_from_sample(cover, surface.sample(), PricingBasis(), uncertainty=uncertainty)
    assert apart.parameter_load == pytest.approx(0.25 * premium(cover, surface).expected_loss, rel=1e-12)


def test_a_column_of_covers_has_the_figures_of_each():
    """One cover at its own price, one at a minimum in money and one at a minimum in proportion to its limit."""
    basis = PricingBasis(capital=CapitalCost(capital=0.5), minimum_premium=2.0, minimum_rate_on_line=0.5)
    limit, years, mean = np.array([100.0, 10.0, 50.0]), np.array([0.1, 0.2, 0.3]), np.array([0.3, 0.01, 0.02])
    parts = [0.5 * mean, mean, 1.2 * mean, 0.5 * np.ones(3)]

    def figures(values, limit, years, larger):
        losses = Losses(*(Estimate(value, 0.1 * value) for value in values))
        terms = {"limit": limit, "years": years, "flag": None, "uncertain": 0.001}
        return make_figures(losses, basis, **terms, larger=larger, make=dict)

    columns = figures(parts, limit, years, np.maximum)
    for row in range(3):
        alone = figures([part[row] for part in parts], limit[row], years[row], max)
        assert alone.pop("further") == columns["further"] == ()
        assert {name: None if each is None else each[row] for name, each in columns.items() if name in alone} == alone
    assert columns["gross"][1:] == pytest.approx([2.0, 7.5], rel=1e-14)


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
    basis = PricingBasis(risk_load=StandardDeviationPrinciple(multiple=multiple), expense_ratio=0.1)
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


ratios = st.floats(0.0, 0.3)
loads = st.floats(0.0, 2.0)
bases = st.builds(
    PricingBasis,
    risk_load=st.one_of(
        st.builds(StandardDeviationPrinciple, multiple=loads),
        st.builds(WangTransform, shift=loads),
        st.builds(CostOfCapitalPrinciple, rate=loads),
    ),
    parameter_load=loads,
    capital=st.none()
    | st.builds(
        CapitalCost,
        annual_rate=loads,
        capital=st.floats(0.0, 1.0) | st.builds(TailValueAtRisk, level=st.floats(0.0, 0.999)),
    ),
    interest_rate=st.floats(0.0, 0.2),
    expense_ratio=ratios,
    fixed_expense=st.floats(0.0, 100.0),
    commission_ratio=ratios,
    profit_ratio=ratios,
    tax_ratio=ratios,
    minimum_premium=st.floats(0.0, 300.0),
    minimum_rate_on_line=ratios,
)


@given(basis=bases, n_hits=st.integers(0, 300), waiting_period=st.integers(0, 29), payment=st.sampled_from(Payment))
def test_every_line_is_what_it_says(basis, n_hits, waiting_period, payment):
    cover = make_cover(waiting_period=f"{waiting_period}d", payment=payment)
    try:
        priced = premium_from_sample(cover, binary_sample(n_hits, 1_000), basis)
    except UninsurableError:
        return
    assert all(0.0 <= getattr(priced, line) < cover.limit for line in LINES)
    # Rounded in the order of the lines; sum() rounds differently since Python 3.12.
    assert priced.gross == functools.reduce(operator.add, (getattr(priced, line) for line in LINES))
    assert priced.total == priced.gross + priced.tax < cover.limit
    close = {"rel": 1e-11, "abs": 1e-11}
    assert priced.expenses == pytest.approx(basis.expense_ratio * priced.gross + basis.fixed_expense, **close)
    assert priced.commission == pytest.approx(basis.commission_ratio * priced.gross, **close)
    assert priced.profit == pytest.approx(basis.profit_ratio * priced.gross, **close)
    assert priced.tax == pytest.approx(basis.tax_ratio * priced.gross, **close)
    least = max(basis.minimum_premium, basis.minimum_rate_on_line * cover.limit * 30.0 / 365.0)
    assert priced.gross >= least * (1.0 - 1e-12)
    assert priced.gross == pytest.approx(least, **close) or priced.minimum_lift == 0.0
    assert priced.rate_on_line == priced.gross / cover.limit


@given(basis=bases, n_hits=st.integers(1, 100))
def test_a_known_law_costs_what_a_sample_of_it_costs(basis, n_hits):
    cover = make_cover(payment=Payment.AT_EXPIRY)
    law = LossDistribution.discrete(
        [cover.limit * math.exp(-basis.interest_rate * 30.0 / 365.0), 0.0], [n_hits / 1_000, 1.0 - n_hits / 1_000]
    )
    try:
        priced = premium_from_sample(cover, binary_sample(n_hits, 1_000), basis)
    except UninsurableError:
        with pytest.raises(UninsurableError):
            premium_of_law(law, basis, name="C-1", limit=cover.limit, term="30d")
        return
    known = premium_of_law(law, basis, name="C-1", limit=cover.limit, term="30d")
    for line in (*LINES, "gross", "tax", "total", "capital", "trigger_probability", "rate_on_line"):
        assert getattr(known, line) == pytest.approx(getattr(priced, line), rel=1e-9, abs=1e-9)
    assert known.standard_error == known.expected_loss_standard_error == known.trigger_probability_standard_error == 0.0


def test_a_law_without_losses_has_no_price():
    nothing = premium_of_law(LossDistribution.discrete([0.0], [1.0]), PURE, name="C-1", limit=100.0, term="30d")
    assert (nothing.flag, nothing.trigger_probability, nothing.gross) == (PremiumFlag.UNRESOLVED, 0.0, 0.0)


def test_the_price_of_a_law_names_what_is_wrong():
    law = LossDistribution.binary(0.5)
    with pytest.raises(InvalidTermsError, match="term must be a duration"):
        premium_of_law(law, name="C-1", limit=1.0, term="1m")
    with pytest.raises(UninsurableError, match="cover 'C-1': premium 0.72 reaches the limit 0.50"):
        premium_of_law(law, name="C-1", limit=0.5, term="30d")


@pytest.mark.parametrize(
    "principle",
    [
        WangTransform(shift=0.45),
        ProportionalHazardTransform(exponent=0.7),
        TailValueAtRisk(level=0.9),
        CostOfCapitalPrinciple(rate=0.1, level=0.99),
    ],
)
def test_any_principle_is_a_risk_load(principle):
    basis = PricingBasis(risk_load=principle, expense_ratio=0.2)
    priced = premium_from_sample(make_cover(), binary_sample(200, 10_000), basis)
    load = principle.price_of_binary(0.02) - 0.02
    assert priced.risk_load == pytest.approx(1_000.0 * load, rel=1e-9)
    # the price answers the probability with the slope of its distortion
    slope = (principle.price_of_binary(0.02 + 1e-7) - principle.price_of_binary(0.02 - 1e-7)) / 2e-7
    error = 1_000.0 * slope * math.sqrt(0.02 * 0.98 / 10_000) / 0.8
    assert priced.standard_error == pytest.approx(error, rel=1e-5)


#: Chance of a loss within 30 days if 0.02 is that within 73 days.
MONTHLY = 1.0 - 0.98 ** (30.0 / 73.0)


@pytest.mark.parametrize(
    ("capital", "allotted"),
    [
        (0.3, 0.3),
        (TailValueAtRisk(level=0.995), 1.0 - MONTHLY),
        (TailValueAtRisk(level=0.95), MONTHLY / 0.05 - MONTHLY),
        (ValueAtRisk(level=0.995), 1.0 - MONTHLY),
        (ValueAtRisk(level=0.99), 0.0),
    ],
)
def test_capital_costs_its_return_for_the_term(capital, allotted):
    basis = PricingBasis(capital=CapitalCost(annual_rate=0.2, capital=capital), expense_ratio=0.0)
    plain, priced = (
        premium_from_sample(make_cover(term="73d"), binary_sample(200, 10_000), each)
        for each in (PricingBasis(expense_ratio=0.0), basis)
    )
    assert priced.capital == pytest.approx(1_000.0 * allotted, abs=1e-9)
    assert priced.capital_cost == pytest.approx(0.2 * 73.0 / 365.0 * priced.capital, abs=1e-12)
    assert priced.gross == pytest.approx(plain.gross + priced.capital_cost, rel=1e-12)
    assert priced.standard_error >= plain.standard_error


def test_payments_are_discounted_from_the_expiry_or_from_a_hit_in_between():
    basis = PricingBasis(risk_load=PURE.risk_load, expense_ratio=0.0, interest_rate=0.5)
    terms = {"term": "73d", "waiting_period": "36d"}
    at_expiry, at_hit = (
        premium_from_sample(make_cover(payment=payment, **terms), binary_sample(10, 100), basis).gross
        for payment in (Payment.AT_EXPIRY, Payment.AT_HIT)
    )
    assert at_expiry == pytest.approx(100.0 * math.exp(-0.1), rel=1e-12)
    days = np.linspace(36.0, 73.0, 200_001)
    assert at_hit == pytest.approx(100.0 * np.exp(-0.5 * days / 365.0).mean(), rel=1e-8)


def test_parameter_uncertainty_is_told_apart_and_moves_nothing():
    sample = WeightedSample.of_paths(np.linspace(0.0, 0.999, 1_000), None)
    basis = PricingBasis(expense_ratio=0.05)
    uncertainty = ParameterUncertainty(drops=(0.8, 0.9), shares=(0.1, 0.3))
    for payout in (FullPayout(), LinearPayout(attachment=0.8, exhaustion=1.0)):
        cover = make_cover(drop=0.8, payout=payout)
        plain = premium_from_sample(cover, sample, basis)
        apart = premium_from_sample(cover, sample, basis, uncertainty=uncertainty)
        assert apart.gross == pytest.approx(plain.gross, rel=1e-12)
        assert apart.expected_loss + apart.parameter_load == pytest.approx(plain.expected_loss, rel=1e-12)
        if isinstance(payout, FullPayout):  # a probability, and the share at its drop
            assert apart.parameter_load == pytest.approx(0.1 * plain.expected_loss, rel=1e-2)
        else:
            # with P(x) = 1 - x, of the layer from 0.8 on: 0.1 + 2 (x - 0.8) up to 0.9, and 0.3 from there on
            integral = sum(
                (1.0 - x) * share * 1e-4
                for x in np.arange(0.80005, 1.0, 1e-4)
                for share in [min(0.1 + 2.0 * (x - 0.8), 0.3)]
            )
            assert apart.parameter_load == pytest.approx(1_000.0 * integral / 0.2, rel=2e-2)


def test_a_parameter_load_is_a_share_of_the_expected_loss():
    plain, loaded = (
        premium_from_sample(make_cover(), binary_sample(20, 1_000), PricingBasis(parameter_load=load))
        for load in (0.0, 0.25)
    )
    assert loaded.parameter_load == pytest.approx(0.25 * 20.0, rel=1e-12)
    assert loaded.gross == pytest.approx(plain.gross + 5.0 / 0.9, rel=1e-12)
    assert loaded.standard_error == pytest.approx(
        plain.standard_error + 0.25 * plain.expected_loss_standard_error / 0.9, rel=1e-12
    )


def test_a_payout_may_be_the_whole_limit_and_nothing():
    cover = make_cover(payout=LinearPayout(attachment=0.5, exhaustion=0.6))
    sample = WeightedSample.of_paths(np.array([0.7, 0.4, *[0.0] * 98]), None)
    assert premium_from_sample(cover, sample, PURE).expected_loss == 10.0


def test_a_price_that_hangs_on_few_paths_is_flagged_where_the_expected_loss_does_not():
    """2,000 of 10,000 paths lose 1 % and 3 lose all: errors of 7.5 % of the mean, 16 % of the price."""
    drops = np.where(np.arange(10_000) < 3, 0.9, np.where(np.arange(10_000) < 2_003, 0.4, 0.0))
    sample = WeightedSample.of_paths(drops, None)
    cover = make_cover(payout=TieredPayout({0.3: 0.01, 0.8: 1.0}))
    steep = PricingBasis(risk_load=ProportionalHazardTransform(exponent=0.3))
    assert premium_from_sample(cover, sample, PURE).flag is PremiumFlag.OK
    assert premium_from_sample(cover, sample, steep).flag is PremiumFlag.IMPRECISE


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


def test_a_premium_must_stay_below_the_limit():
    nearly = PricingBasis(risk_load=PURE.risk_load, expense_ratio=0.0, minimum_premium=999.0)
    assert premium_from_sample(make_cover(), binary_sample(1, 4), nearly).gross == 999.0
    with pytest.raises(UninsurableError, match=r"premium 1,000.00 reaches the limit 1,000.00"):
        premium_from_sample(make_cover(), binary_sample(1, 4), replace(nearly, minimum_premium=1_000.0))


@pytest.mark.parametrize(
    ("basis", "error", "message"),
    [
        (
            PricingBasis(minimum_premium=2e3),
            UninsurableError,
            "cover 'C-1': premium .* with probability 0.050: choose a",
        ),
        (PricingBasis(risk_load=ValueAtRisk(level=0.9)), NegativeRiskLoadError, "ValueAtRisk prices the loss at 0 per"),
        (
            PricingBasis(capital=CapitalCost(capital=ValueAtRisk(level=0.999))),
            UnmeasurableLossError,
            "fewer than 10",
        ),
    ],
)
def test_a_refusal_names_the_cover_and_knows_the_probability_of_the_trigger(basis, error, message):
    with pytest.raises(error, match=message) as caught:
        premium_from_sample(make_cover(), binary_sample(50, 1_000), basis)
    assert caught.value.trigger_probability == 0.05


def add_up_estimates(mean, price):
    losses = Losses(fired=Estimate(0.5, 0.0), mean=mean, price=price, capital=Estimate(0.0, 0.0))
    return add_up(losses, PURE, name="C-1", limit=1_000.0, term=timedelta(days=30))


def test_rounding_may_lower_a_price_to_its_mean_but_no_further():
    mean = Estimate(0.25, 0.0)
    priced = add_up_estimates(mean, Estimate(0.25 * (1.0 - 1e-10), 0.0))
    assert (priced.expected_loss, priced.parameter_load, priced.risk_load) == (250.0, 0.0, 0.0)
    with pytest.raises(NegativeRiskLoadError, match="cover 'C-1': StandardDeviationPrinciple prices the loss at 0.25"):
        add_up_estimates(mean, Estimate(0.25 * (1.0 - 1e-8), 0.0))


def test_an_error_of_more_than_a_tenth_is_imprecise():
    tenth, more = Estimate(0.5, 0.05), Estimate(0.5, 0.0500001)
    assert add_up_estimates(tenth, tenth).flag is PremiumFlag.OK
    assert add_up_estimates(more, tenth).flag is add_up_estimates(tenth, more).flag is PremiumFlag.IMPRECISE


def test_few_hits_are_flagged_and_none_is_not_a_price():
    assert premium_from_sample(make_cover(), binary_sample(99, 10_000), PURE).flag is PremiumFlag.IMPRECISE
    assert premium_from_sample(make_cover(), binary_sample(101, 10_000), PURE).flag is PremiumFlag.OK
    silent = premium_from_sample(make_cover(), binary_sample(0, 10_000), PURE)
    assert (silent.flag, silent.gross) == (PremiumFlag.UNRESOLVED, 0.0)
    assert silent.standard_error == 1_000.0 / 10_000


def test_no_payment_on_any_path_is_no_price():
    require_payment(premium_from_sample(make_cover(), binary_sample(1, 10_000), PURE), "C-1", 10_000)
    silent = premium_from_sample(make_cover(), binary_sample(0, 10_000), PURE)
    with pytest.raises(
        UnresolvedError, match="cover 'C-1': none of 10000 paths .* is below 3.0e-04 with 95 %"
    ) as caught:
        require_payment(silent, "C-1", 10_000)
    assert caught.value.trigger_probability == 0.0


def test_a_signal_that_is_missing_names_the_cover(surface):
    with pytest.raises(NotSimulatedError, match="cover 'C-1': the surface holds no rolling high of 24h over 7d"):
        premium(make_cover(term="7d"), surface)
