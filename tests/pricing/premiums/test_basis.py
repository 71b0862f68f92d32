"""The basis of a premium: which numbers and loadings it takes, and what follows from them."""

import math
from dataclasses import fields

import numpy as np
import pytest

from pricing import InvalidBasisError, PricingBasis
from pricing.premiums.basis import PLAIN_LOADINGS
from pricing.premiums.loadings import Loading
from pricing.premiums.premium import LINES, Premium

RATIOS = ("expense_ratio", "commission_ratio", "profit_ratio", "tax_ratio", "minimum_rate_on_line")
AMOUNTS = ("parameter_load", "interest_rate", "fixed_expense", "minimum_premium")
FEE = Loading(name="oracle_fee", heading="oracle", meaning="for the price feed", of_loss=0.25, of_gross=0.125)
TAX = Loading(name="stamp", heading="stamp", meaning="a duty", of_loss=0.5, of_gross=0.0625)


@pytest.mark.parametrize("name", PLAIN_LOADINGS)
def test_a_loading_is_a_number_that_is_not_negative(name):
    assert getattr(PricingBasis(**{"expense_ratio": 0.0, name: 0}), name) == 0.0
    with pytest.raises(InvalidBasisError, match=f"{name} must be a number, got '0.1'"):
        PricingBasis(**{name: "0.1"})
    for wrong in (-0.1, math.nan, math.inf):
        with pytest.raises(InvalidBasisError, match=f"{name} must be .*, got {wrong}"):
            PricingBasis(**{name: wrong})


@pytest.mark.parametrize("name", RATIOS)
def test_a_ratio_is_below_1_and_larger_ones_are_taken_for_percentages(name):
    for wrong in (1.0, 15.0):
        with pytest.raises(InvalidBasisError, match=rf"{name} must be .* got {wrong} \(a fraction: 10 % is 0.10\)$"):
            PricingBasis(**{name: wrong})
    with pytest.raises(InvalidBasisError, match=f"{name} must be from 0 to below 1, got -0.1$"):
        PricingBasis(**{name: -0.1})


def test_an_amount_may_exceed_1():
    for name in AMOUNTS:
        assert getattr(PricingBasis(**{name: 2}), name) == 2.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"risk_load": 0.3}, "risk_load must be a PremiumPrinciple, got 0.3"),
        ({"capital": 0.1}, "capital must be a CapitalCost, got 0.1"),
        ({"loadings": ("fee",)}, "loadings must be a sequence of Loading objects, got 'fee' among them"),
        ({"loadings": (FEE, TAX, FEE)}, "name of a loading must be new, got 'oracle_fee'"),
    ],
)
def test_what_is_wrong_is_named(changes, message):
    with pytest.raises(InvalidBasisError, match=message):
        PricingBasis(**changes)


@pytest.mark.parametrize("name", sorted({each.name for each in fields(Premium)}))
def test_a_loading_must_not_be_called_like_a_figure_of_the_premium(name):
    with pytest.raises(InvalidBasisError, match=f"name of a loading must be new, got '{name}'"):
        PricingBasis(loadings=(Loading(name=name, heading="", meaning=""),))


def test_shares_of_the_gross_premium_stay_below_1_together():
    PricingBasis(expense_ratio=0.25, commission_ratio=0.25, profit_ratio=0.25)
    PricingBasis(expense_ratio=0.25, commission_ratio=0.25, profit_ratio=0.25, loadings=(FEE,))
    with pytest.raises(InvalidBasisError, match=r"must be below 1 together, got 0\.25 \+ 0\.25 \+ 0\.5"):
        PricingBasis(expense_ratio=0.25, commission_ratio=0.25, profit_ratio=0.5)
    with pytest.raises(InvalidBasisError, match=r"got 0\.25 \+ 0\.25 \+ 0\.375 \+ 0\.125"):
        PricingBasis(expense_ratio=0.25, commission_ratio=0.25, profit_ratio=0.375, loadings=(FEE,))


def test_ratios_add_up_with_those_of_further_loadings():
    ratios = {"expense_ratio": 0.5, "commission_ratio": 0.125, "profit_ratio": 0.0625}
    plain, loaded = (PricingBasis(parameter_load=0.125, **ratios, loadings=loadings) for loadings in ((), [FEE, TAX]))
    assert (plain.ratio_of_loss, plain.ratio_of_gross) == (0.125, 0.6875)
    assert (loaded.ratio_of_loss, loaded.ratio_of_gross) == (0.875, 0.875)
    assert loaded.loadings == (FEE, TAX)


def test_further_lines_come_before_the_lift_to_the_minimum():
    lines = PricingBasis(loadings=(FEE, TAX)).lines
    assert list(lines) == [*list(LINES)[:-1], "oracle_fee", "stamp", "minimum_lift"]
    assert (lines["stamp"].heading, lines["stamp"].meaning) == ("stamp", "a duty")
    assert PricingBasis().lines == LINES


def test_the_larger_minimum_holds():
    basis = PricingBasis(minimum_premium=30.0, minimum_rate_on_line=0.25)
    assert [basis.least_gross(limit, 0.5) for limit in (200.0, 240.0, 400.0)] == [30.0, 30.0, 50.0]
    limits, years = np.array([100.0, 200.0, 200.0]), np.array([1.0, 1.0, 0.5])
    assert basis.least_gross(limits, years, larger=np.maximum).tolist() == [30.0, 50.0, 30.0]
