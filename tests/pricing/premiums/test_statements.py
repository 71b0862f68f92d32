import dataclasses
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.errors import UninsurableError
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import premium_of_law
from pricing.premiums.premium import LINES, Premium, PremiumFlag
from pricing.premiums.statements import require_coins, rounded, statement
from pricing.principles import LossDistribution

amounts = st.one_of(
    st.just(0.0),
    st.floats(0.0, 1e9),
    st.integers(0, 10**9).map(lambda cents: cents / 200.0),  # whole and half cents
)


def make_premium(lines, tax=0.0):
    gross = sum(lines.values())
    others = {field.name: 0.0 for field in dataclasses.fields(Premium) if field.name != "further"}
    return Premium(**{**others, **lines, "gross": gross, "tax": tax, "total": gross + tax, "flag": PremiumFlag.OK})


@given(amounts=st.tuples(*[amounts] * len(LINES)), tax=amounts, unit=st.sampled_from(["0.01", "1"]))
def test_printed_lines_add_up_to_the_printed_gross_premium(amounts, tax, unit):
    priced = make_premium(dict(zip(LINES, amounts, strict=True)), tax)
    written = statement(priced, unit=Decimal(unit))
    assert sum(written.lines.values()) == written.gross
    assert written.total == written.gross + written.tax
    for amount, exact in ((written.gross, priced.gross), (written.tax, priced.tax)):
        assert amount % Decimal(unit) == 0
        assert abs(amount - Decimal(exact)) <= Decimal(unit) / 2
    for line, amount in zip(LINES, amounts, strict=True):
        assert abs(written.lines[line] - Decimal(amount)) < Decimal(unit)
        assert written.lines[line] >= 0
        if Decimal(amount) % Decimal(unit) == 0:
            assert written.lines[line] == Decimal(amount)
    assert all(amount == round(amount, 2) for amount in written.lines.values())


@given(probability=st.floats(0.0, 0.2), limit=st.floats(1.0, 1e9), fixed=st.floats(0.0, 10.0))
def test_premiums_of_the_engine_are_written_to_the_cent(probability, limit, fixed):
    basis = PricingBasis(
        parameter_load=0.1,
        expense_ratio=0.07,
        fixed_expense=fixed * limit / 1e3,
        commission_ratio=0.05,
        profit_ratio=0.03,
        tax_ratio=0.19,
        minimum_rate_on_line=0.01,
    )
    law = LossDistribution.discrete([limit, 0.0], [probability, 1.0 - probability])
    priced = premium_of_law(law, basis, name="C-1", limit=limit, term="30d")
    written = statement(priced)
    assert sum(written.lines.values()) == written.gross == rounded(priced.gross)
    assert written.tax == rounded(priced.tax)


def test_the_largest_rests_are_rounded_up():
    lines = dict.fromkeys(LINES, 0.0) | {"expected_loss": 0.004, "risk_load": 0.0045, "expenses": 0.0035}
    written = statement(make_premium(lines))
    assert written.gross == Decimal("0.01")
    assert {line: str(amount) for line, amount in written.lines.items() if amount} == {"risk_load": "0.01"}


def test_amounts_beyond_any_currency_are_written_exactly():
    lines = dict.fromkeys(LINES, 0.0) | {"expected_loss": 1e300}
    assert statement(make_premium(lines)).gross == Decimal(int(1e300))


def priced_at(gross, tax=0.0):
    return dataclasses.replace(make_premium({"expected_loss": gross}, tax), trigger_probability=0.25)


def test_a_premium_of_half_a_cent_rounds_up_to_one():
    require_coins(priced_at(0.005), limit=100.0, name="C-1")
    require_coins(priced_at(0.0025), limit=100.0, name="C-1", factor=2.0)
    for gross, factor in ((math.nextafter(0.005, 0.0), 1.0), (0.009, 0.5)):
        with pytest.raises(UninsurableError, match="cover 'C-1': a premium of 0.00.* rounds to zero") as caught:
            require_coins(priced_at(gross), limit=100.0, name="C-1", factor=factor)
        assert caught.value.trigger_probability == 0.25


def test_a_premium_with_tax_that_may_round_up_to_the_limit_reaches_it():
    require_coins(priced_at(80.0, tax=19.98), limit=100.0, name="C-1")
    require_coins(priced_at(40.0, tax=9.99), limit=100.0, name="C-1", factor=2.0)
    for gross, tax, factor in ((80.0, 19.99, 1.0), (40.0, 10.0, 2.0)):
        with pytest.raises(UninsurableError, match="cover 'C-1': the premium .* reaches the limit 100.00") as caught:
            require_coins(priced_at(gross, tax), limit=100.0, name="C-1", factor=factor)
        assert caught.value.trigger_probability == 0.25


def test_units_that_are_missing_go_to_the_earlier_of_equal_remainders():
    lines = dict.fromkeys(LINES, 0.0) | {"expected_loss": 0.25, "risk_load": 0.5, "expenses": 0.5, "profit": 0.5}
    written = statement(make_premium(lines), unit=Decimal(1))
    assert {line: int(amount) for line, amount in written.lines.items() if amount} == {"risk_load": 1, "expenses": 1}
    assert written.gross == 2


def test_half_a_unit_rounds_up():
    assert [str(rounded(amount)) for amount in (0.125, 0.375, 2.0)] == ["0.13", "0.38", "2.00"]
    assert rounded(2.5, Decimal(1)) == 3
