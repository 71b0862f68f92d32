"""Loadings that are more than a ratio: capital, further lines, and the share of parameter uncertainty."""

import math

import numpy as np
import pytest

from pricing import (
    CapitalCost,
    Cover,
    DropTrigger,
    FullPayout,
    InvalidBasisError,
    ParameterUncertainty,
    PricingBasis,
    WeightedSample,
)
from pricing.premiums.build_up import premium_from_sample, premium_of_law
from pricing.premiums.loadings import Loading, survivorship
from pricing.principles import EsscherPrinciple, LossDistribution, TailValueAtRisk, ValueAtRisk

#: 20 of 1,000 paths fire.
SAMPLE = WeightedSample.of_paths(np.where(np.arange(1_000) < 20, 0.5, 0.0), None)
#: A fifth of a year.
COVER = Cover(
    cover_id="C-1",
    asset="OM",
    trigger=DropTrigger(drop=0.3),
    payout=FullPayout(),
    limit=1_000.0,
    currency="USD",
    term="73d",
)
FEE = Loading(name="fee", heading="fee", meaning="a fee", of_loss=0.05, of_limit=0.002, fixed=3.0, of_gross=0.04)
DUTY = Loading(name="duty", heading="duty", meaning="a duty", of_loss=0.01, of_limit=0.001, fixed=2.0, of_gross=0.02)


def price(**basis):
    return premium_from_sample(COVER, SAMPLE, PricingBasis(**basis))


def test_further_lines_are_what_they_say_and_add_up():
    priced = price(loadings=(FEE, DUTY), commission_ratio=0.1, profit_ratio=0.05, tax_ratio=0.2)
    lines = {
        each.name: each.of_loss * 20.0 + each.of_limit * 1_000.0 / 5.0 + each.fixed + each.of_gross * priced.gross
        for each in (FEE, DUTY)
    }
    assert dict(priced.further) == pytest.approx(lines, rel=1e-12)
    assert list(priced.lines)[-3:] == ["fee", "duty", "minimum_lift"]
    assert sum(priced.lines.values()) == pytest.approx(priced.gross, rel=1e-14)
    assert (priced.commission, priced.profit) == pytest.approx((0.1 * priced.gross, 0.05 * priced.gross), rel=1e-12)
    assert priced.minimum_lift == 0.0
    assert priced.tax == 0.2 * priced.gross


def test_survivorship_is_a_line_of_its_own():
    priced = price(loadings=(survivorship(0.13),))
    assert dict(priced.further) == {"survivorship": pytest.approx(0.13 * priced.expected_loss, rel=1e-12)}
    with pytest.raises(InvalidBasisError, match="of_loss must be finite and not negative, got -1"):
        survivorship(-1.0)


def test_further_lines_share_in_a_minimum():
    priced = price(loadings=(FEE, DUTY), minimum_premium=500.0)
    assert priced.gross == pytest.approx(500.0, rel=1e-14)
    assert sum(priced.lines.values()) == pytest.approx(500.0, rel=1e-14)
    assert dict(priced.further)["fee"] == pytest.approx(0.05 * 20.0 + 0.4 + 3.0 + 0.04 * 500.0, rel=1e-12)


def test_what_is_charged_on_the_loss_has_its_error():
    plain, loaded = price(expense_ratio=0.2), price(expense_ratio=0.2, loadings=(FEE,))
    before, error = plain.standard_error * 0.8, plain.expected_loss_standard_error
    assert loaded.standard_error == pytest.approx((before + 0.05 * error) / (1.0 - 0.2 - 0.04), rel=1e-12)


def test_the_error_of_measured_capital_is_that_of_the_measure_and_of_the_mean():
    """The mean of the worst 5 % is the probability within 30 days over 5 %, and so is its error."""
    plain, measured, given = (
        price(expense_ratio=0.0, capital=capital)
        for capital in (
            None,
            CapitalCost(annual_rate=0.5, capital=TailValueAtRisk(level=0.95)),
            CapitalCost(annual_rate=0.5, capital=0.4),
        )
    )
    monthly = 30.0 / 73.0 * 0.98 ** (30.0 / 73.0 - 1.0)
    more = 0.5 / 5.0 * plain.expected_loss_standard_error * monthly * (1.0 / 0.05 + 1.0)
    assert measured.standard_error == pytest.approx(plain.standard_error + more, rel=1e-12)
    assert given.standard_error == plain.standard_error


@pytest.mark.parametrize("measure", [TailValueAtRisk(level=0.95), ValueAtRisk(level=0.99)], ids=repr)
def test_covers_of_any_term_need_the_same_capital_at_one_crash_rate(measure):
    capital = CapitalCost(capital=measure)
    for days in (1, 7, 30, 365):
        law = LossDistribution.binary(1.0 - 0.97 ** (days / 30.0))
        price = premium_of_law(law, PricingBasis(capital=capital), name="C-1", limit=1.0, term=f"{days}d")
        assert price.capital == pytest.approx(measure.price_of_binary(0.03) - 0.03, rel=1e-12)


def test_capital_of_another_horizon_is_a_function_of_exceedances():
    with pytest.raises(InvalidBasisError, match="EsscherPrinciple cannot measure the losses within 30 days"):
        price(capital=CapitalCost(capital=EsscherPrinciple(aversion=0.3)))


def test_capital_lies_between_nothing_and_the_limit():
    assert [price(capital=CapitalCost(capital=share)).capital for share in (0.0, 1.0)] == [0.0, 1_000.0]
    for wrong in (-0.1, 1.1, math.nan):
        with pytest.raises(InvalidBasisError, match=f"capital must be between 0 and 1 per unit of limit, got {wrong}"):
            CapitalCost(capital=wrong)
    with pytest.raises(InvalidBasisError, match="annual_rate must be finite and not negative, got inf"):
        CapitalCost(annual_rate=math.inf)


@pytest.mark.parametrize("name", ["of_loss", "of_limit", "fixed", "of_gross"])
def test_the_parts_of_a_loading_are_numbers_that_are_not_negative(name):
    def make(value):
        return Loading(name="fee", heading="", meaning="", **{name: value})

    assert getattr(make(2), name) == 2.0
    with pytest.raises(InvalidBasisError, match=f"{name} must be a number, got '3'"):
        make("3")
    with pytest.raises(InvalidBasisError, match=f"{name} must be finite and not negative, got -0.1"):
        make(-0.1)


@pytest.mark.parametrize("name", ["oracle fee", "", 3, None])
def test_a_loading_has_a_name_of_one_word(name):
    with pytest.raises(InvalidBasisError, match=f"name of a loading must be one word such as oracle_fee, got {name!r}"):
        Loading(name=name, heading="", meaning="")


def test_uncertainty_is_the_share_that_knowledge_would_take_away():
    found = ParameterUncertainty.between(
        drops=(0.1, 0.2, 0.4, 0.6), probabilities=(1.0, 0.5, 0.25, 0.125), certain=(1.0, 0.75, 0.1875, 0.03125)
    )
    assert found.shares == (0.0, 0.0, 0.25, 0.75)  # at 20 %, uncertainty lowers the probability


def test_shares_apply_at_the_depth_of_each_path():
    """Three of four paths fire, at 50 %, 40 % and 20 %; the payout rises in layers of 0.5, 0.25 and 0.25."""
    sample = WeightedSample.of_paths(np.array([0.5, 0.4, 0.2, 0.0]), None)
    uncertainty = ParameterUncertainty(drops=(0.2, 0.4), shares=(0.5, 0.25))
    found = uncertainty.part_of_mean(sample, sample.tail(0.2), np.array([1.0, 0.5, 0.25]))
    assert found == pytest.approx(0.5 * 0.25 * 0.25 + 0.25 * 0.5 * 0.25 + 0.25 * 0.75 * 0.5, rel=1e-14)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drops": (), "shares": ()}, "drops and shares must have one length of at least 1, got 0 and 0"),
        ({"shares": (0.1, 0.2, 0.3)}, "drops and shares must have one length of at least 1, got 2 and 3"),
        ({"drops": (0.3, 0.3)}, "drops must increase"),
        ({"drops": (0.4, 0.3)}, "drops must increase"),
        ({"shares": (0.1, 1.0)}, "shares must be at least 0 and below 1"),
        ({"shares": (-0.1, 0.1)}, "shares must be at least 0 and below 1"),
    ],
)
def test_uncertainty_names_what_is_wrong(changes, message):
    with pytest.raises(InvalidBasisError, match=message):
        ParameterUncertainty(**{"drops": (0.2, 0.4), "shares": (0.0, 0.9), **changes})


def test_drops_of_uncertainty_are_fractions():
    with pytest.raises(ValueError, match=r"drops must be between 0 and 1, got 30.0 \(a fraction: 30 % is 0.30\)"):
        ParameterUncertainty(drops=(30.0,), shares=(0.1,))


@pytest.mark.parametrize("wrong", [0.0, 1.5, math.nan])
@pytest.mark.parametrize("curve", ["probabilities", "certain"])
def test_curves_of_uncertainty_are_probabilities(curve, wrong):
    curves = {"probabilities": (0.5,), "certain": (0.4,), curve: (wrong,)}
    with pytest.raises(InvalidBasisError, match=f"probabilities must be above 0 and at most 1, got {wrong}"):
        ParameterUncertainty.between(drops=(0.3,), **curves)
