"""The laws that actuaries require of a premium principle, each for the principles that obey it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import WeightedSample
from pricing.errors import InvalidBasisError, InvalidTermsError, PrecisionError
from pricing.principles import (
    CostOfCapitalPrinciple,
    DualPowerTransform,
    EsscherPrinciple,
    ExpectedValuePrinciple,
    ExponentialPrinciple,
    HazardTransform,
    LossDistribution,
    OverHorizon,
    ProportionalHazardTransform,
    StandardDeviationPrinciple,
    TailValueAtRisk,
    ValueAtRisk,
    VariancePrinciple,
    WangTransform,
    WangTTransform,
)
from tests.pricing.principles.principles_under_test import (
    CONCAVE,
    DEVIATIONS,
    DISTORTIONS,
    EVERY,
    EXPECTED,
    EXPONENTIALS,
    QUANTILES,
)

amounts = st.floats(0.0, 20.0, allow_subnormal=False)
outcomes = st.lists(amounts, min_size=1, max_size=12)
pairs = st.lists(st.tuples(amounts, amounts), min_size=1, max_size=12)
probabilities = st.floats(0.0, 1.0)


def equally_likely(values):
    return LossDistribution.discrete(values, np.full(len(values), 1.0 / len(values)))


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@given(probability=probabilities)
@pytest.mark.parametrize("principle", EVERY, ids=repr)
def test_a_binary_law_costs_what_the_closed_form_says(principle, probability):
    closed = principle.price_of_binary(probability)
    assert principle.price(LossDistribution.binary(probability)) == pytest.approx(closed, rel=1e-12, abs=1e-15)


@given(n_hits=st.integers(0, 400), n_paths=st.integers(400, 600))
@pytest.mark.parametrize("principle", EVERY, ids=repr)
def test_a_sample_of_hits_costs_what_the_closed_form_says(principle, n_hits, n_paths):
    sample = WeightedSample(np.where(np.arange(n_paths) < n_hits, 1.0, 0.0))
    closed = principle.price_of_binary(n_hits / n_paths)
    for values in (sample.drops, sample.drops[:n_hits]):
        assert principle.estimate(sample, values).value == pytest.approx(closed, rel=1e-12, abs=1e-15)


@given(amount=amounts)
@pytest.mark.parametrize("principle", [principle for principle in EVERY if principle is not EXPECTED], ids=repr)
def test_a_sure_loss_is_not_loaded(principle, amount):
    assert principle.price(equally_likely([amount] * 3)) == near(amount)


@given(losses=outcomes, shift=st.floats(-10.0, 10.0))
@pytest.mark.parametrize("principle", [principle for principle in EVERY if principle is not EXPECTED], ids=repr)
def test_a_sure_addition_costs_itself(principle, losses, shift):
    moved = equally_likely(np.array(losses) + shift)
    assert principle.price(moved) == near(principle.price(equally_likely(losses)) + shift)


@given(losses=outcomes, scale=st.floats(0.01, 100.0))
@pytest.mark.parametrize("principle", [EXPECTED, DEVIATIONS[0], *QUANTILES], ids=repr)
def test_price_is_in_proportion_to_the_loss(principle, losses, scale):
    scaled = principle.price(equally_likely(scale * np.array(losses)))
    assert scaled == near(scale * principle.price(equally_likely(losses)))


@given(losses=outcomes, scale=st.floats(0.01, 100.0))
@pytest.mark.parametrize(
    ("kind", "parameter"),
    [(VariancePrinciple, "multiple"), (ExponentialPrinciple, "aversion"), (EsscherPrinciple, "aversion")],
)
def test_aversions_are_per_unit_of_loss(kind, parameter, losses, scale):
    in_units = kind(**{parameter: 0.3}).price(equally_likely(losses))
    assert kind(**{parameter: 0.3 / scale}).price(equally_likely(scale * np.array(losses))) == near(scale * in_units)


@given(losses=pairs)
@pytest.mark.parametrize("principle", [*CONCAVE, DEVIATIONS[0]], ids=repr)
def test_pooling_never_costs_more(principle, losses):
    first, second = np.array(losses).T
    apart = principle.price(equally_likely(first)) + principle.price(equally_likely(second))
    assert principle.price(equally_likely(first + second)) <= apart + 1e-9


@given(losses=pairs)
@pytest.mark.parametrize("principle", QUANTILES, ids=repr)
def test_losses_that_rise_together_add_up(principle, losses):
    first, second = np.sort(np.array(losses), axis=0).T
    apart = principle.price(equally_likely(first)) + principle.price(equally_likely(second))
    assert principle.price(equally_likely(first + second)) == near(apart)


@given(first=outcomes, second=outcomes)
@pytest.mark.parametrize("principle", [DEVIATIONS[1], *EXPONENTIALS], ids=repr)
def test_independent_losses_add_up(principle, first, second):
    together = principle.price(equally_likely(np.add.outer(first, second).ravel()))
    assert together == near(principle.price(equally_likely(first)) + principle.price(equally_likely(second)))


@given(losses=pairs)
@pytest.mark.parametrize("principle", [EXPECTED, EXPONENTIALS[0], *QUANTILES], ids=repr)
def test_a_larger_loss_never_costs_less(principle, losses):
    first, second = np.array(losses).T
    assert principle.price(equally_likely(first)) <= principle.price(equally_likely(first + second)) + 1e-9


@given(losses=outcomes)
@pytest.mark.parametrize("principle", [EXPECTED, *DEVIATIONS, *EXPONENTIALS, *CONCAVE], ids=repr)
def test_no_price_is_below_the_expected_loss(principle, losses):
    assert principle.price(equally_likely(losses)) >= np.mean(losses) - 1e-9


@given(losses=outcomes)
@pytest.mark.parametrize("principle", [*EXPONENTIALS, *QUANTILES], ids=repr)
def test_no_price_is_above_the_largest_loss(principle, losses):
    assert principle.price(equally_likely(losses)) <= max(losses) + 1e-9


def test_two_factor_prices_fall_below_the_expected_loss_where_the_event_is_all_but_sure():
    assert WangTTransform(shift=0.45, dof=5.0).price_of_binary(0.999) < 0.999


@given(losses=outcomes, steps=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)))
@pytest.mark.parametrize(
    "make",
    [
        lambda x: ExpectedValuePrinciple(loading=x),
        lambda x: StandardDeviationPrinciple(multiple=x),
        lambda x: VariancePrinciple(multiple=x),
        lambda x: ExponentialPrinciple(aversion=x),
        lambda x: EsscherPrinciple(aversion=x),
        lambda x: ProportionalHazardTransform(exponent=1.0 - 0.99 * x),
        lambda x: DualPowerTransform(exponent=1.0 + 9.0 * x),
        lambda x: WangTransform(shift=x),
        lambda x: WangTTransform(shift=x),
        lambda x: TailValueAtRisk(level=0.99 * x),
        lambda x: ValueAtRisk(level=0.99 * x),
        lambda x: CostOfCapitalPrinciple(rate=x),
        lambda x: CostOfCapitalPrinciple(rate=0.1, level=x),
        lambda x: HazardTransform(margin=x),
        lambda x: HazardTransform(capital_rate=x),
        lambda x: HazardTransform(least_capital=x),
        lambda x: OverHorizon(distortion=ProportionalHazardTransform(exponent=1.0 - 0.99 * x), term="1d"),
    ],
)
def test_price_rises_with_the_parameter(make, losses, steps):
    mild, harsh = (make(step).price(equally_likely(losses)) for step in sorted(steps))
    assert mild <= harsh + 1e-9


@given(losses=outcomes)
@pytest.mark.parametrize(
    "principle",
    [
        ExpectedValuePrinciple(loading=0.0),
        StandardDeviationPrinciple(multiple=0.0),
        VariancePrinciple(multiple=0.0),
        ExponentialPrinciple(aversion=0.0),
        EsscherPrinciple(aversion=0.0),
        ProportionalHazardTransform(exponent=1.0),
        DualPowerTransform(exponent=1.0),
        WangTransform(shift=0.0),
        TailValueAtRisk(level=0.0),
        CostOfCapitalPrinciple(rate=0.0),
        HazardTransform(margin=0.0, capital_rate=0.0),
        OverHorizon(distortion=WangTransform(shift=0.0), term="1d"),
    ],
    ids=repr,
)
def test_without_a_load_the_price_is_the_expected_loss(principle, losses):
    assert principle.price(equally_likely(losses)) == near(np.mean(losses))


def test_exponential_and_variance_agree_for_a_small_aversion():
    """``ln E exp(a X) / a = E X + a Var X / 2 + O(a^2)``."""
    losses = equally_likely([0.0, 1.0, 2.0, 5.0])
    exponential = ExponentialPrinciple(aversion=1e-6).price(losses)
    assert exponential == pytest.approx(VariancePrinciple(multiple=0.5e-6).price(losses), rel=1e-11)


def test_dual_power_prices_the_largest_of_several_losses():
    losses = [0.0, 1.0, 2.0, 5.0]
    largest = np.maximum.outer(losses, losses).ravel()
    assert DualPowerTransform(exponent=2.0).price(equally_likely(losses)) == pytest.approx(largest.mean(), rel=1e-14)


def test_tail_measures_average_and_count_the_worst_outcomes():
    losses = equally_likely(np.arange(1.0, 101.0))
    assert TailValueAtRisk(level=0.95).price(losses) == pytest.approx(98.0, rel=1e-13)
    assert ValueAtRisk(level=0.95).price(losses) == 95.0
    assert ValueAtRisk(level=0.9).price(losses) == 90.0
    assert ValueAtRisk(level=0.0).price(losses) == 1.0


def test_a_return_on_capital_is_what_the_price_holds():
    losses = equally_likely(np.square(np.arange(100.0)))
    price = CostOfCapitalPrinciple(rate=0.2, level=0.9).price(losses)
    capital = TailValueAtRisk(level=0.9).price(losses) - price
    assert price == pytest.approx(losses.mean + 0.2 * capital, rel=1e-13)


@pytest.mark.parametrize("kind", [ExponentialPrinciple, EsscherPrinciple])
def test_an_aversion_in_the_wrong_unit_is_refused(kind):
    with pytest.raises(PrecisionError, match="aversion 1.0 is too large for losses that differ by 100000"):
        kind(aversion=1.0).price(LossDistribution.discrete([0.0, 1e5], [0.9, 0.1]))
    with pytest.raises(PrecisionError, match="is too large"):
        kind(aversion=1e3).price_of_binary(0.1)


@pytest.mark.parametrize("principle", EVERY, ids=repr)
@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_a_probability_is_one(principle, probability):
    with pytest.raises(InvalidTermsError, match="probability must be between 0 and 1"):
        principle.price_of_binary(probability)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ExpectedValuePrinciple(loading=-0.1), "loading must be finite and not negative, got -0.1"),
        (lambda: StandardDeviationPrinciple(multiple=float("inf")), "multiple must be finite"),
        (lambda: VariancePrinciple(multiple=-1.0), "multiple must be"),
        (lambda: ExponentialPrinciple(aversion=float("nan")), "aversion must be"),
        (lambda: EsscherPrinciple(aversion=-1.0), "aversion must be"),
        (lambda: ProportionalHazardTransform(exponent=0.0), "exponent must be above 0 and at most 1, got 0.0"),
        (lambda: DualPowerTransform(exponent=0.5), "exponent must be finite and at least 1, got 0.5"),
        (lambda: WangTransform(shift=-0.1), "shift must be"),
        (lambda: WangTTransform(dof=0.0), "dof must be positive and finite, got 0.0"),
        (lambda: TailValueAtRisk(level=99.5), r"level must be at least 0 and below 1, got 99.5 \(a fraction: 99.5 %"),
        (lambda: TailValueAtRisk(level=1.0), "level must be at least 0 and below 1, got 1.0"),
        (lambda: ValueAtRisk(level=-0.1), "level must be"),
        (lambda: CostOfCapitalPrinciple(rate=-0.1), "rate must be"),
        (lambda: CostOfCapitalPrinciple(level=1.5), "level must be"),
        (lambda: HazardTransform(margin=-0.1), "margin must be"),
        (lambda: HazardTransform(capital_rate=float("nan")), "capital_rate must be"),
        (lambda: HazardTransform(least_capital=1.5), "least_capital must be at most 1 per unit of limit, got 1.5"),
        (lambda: HazardTransform(term="0h"), "term must be longer than zero, got 0h"),
        (lambda: OverHorizon(distortion=0.45), "distortion must be a Distortion such as WangTransform, got 0.45"),
        (lambda: OverHorizon(distortion=WangTransform(), horizon="0h"), "horizon must be longer than zero"),
    ],
)
def test_a_principle_names_what_is_wrong(make, message):
    with pytest.raises(InvalidBasisError, match=message):
        make()


@pytest.mark.parametrize("principle", DISTORTIONS, ids=repr)
def test_a_distortion_runs_from_nothing_to_certainty(principle):
    assert principle.distort(np.array([0.0, 1.0])).tolist() == [0.0, pytest.approx(1.0, abs=1e-15)]


@pytest.mark.parametrize("principle", [ExponentialPrinciple(aversion=800.0), EsscherPrinciple(aversion=800.0)])
@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_a_certain_loss_has_its_price_whatever_the_aversion(principle, probability):
    certain = LossDistribution.discrete([probability], [1.0])
    assert principle.price_of_binary(probability) == principle.price(certain) == probability


@pytest.mark.parametrize("loss", [0.1, 1.0 / 3.0, 0.7])
def test_a_certain_loss_has_no_load_for_its_deviation(loss):
    """Weights whose sum is off by rounding, as anchored weights are: the second moment less the square is not zero."""
    weights = np.random.default_rng(1).gamma(1.0, size=4_000)
    sample = WeightedSample(np.full(4_000, 0.5), weights / weights.mean())
    mean = sample.mean(np.full(4_000, loss)).value
    assert StandardDeviationPrinciple(multiple=0.25).estimate(sample, np.full(4_000, loss)).value == mean
