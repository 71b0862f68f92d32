"""A premium shows itself: as a frame, as HTML and as a picture, with the same amounts."""

import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from pricing import Loading, PricingBasis
from pricing.premiums.build_up import premium_of_law
from pricing.premiums.premium import LINES, PremiumFlag
from pricing.premiums.statements import statement
from pricing.principles import LossDistribution
from pricing.show import drawing

LAW = LossDistribution.discrete([1000.0, 0.0], [0.02, 0.98])
FEE = Loading(name="oracle_fee", heading="oracle", meaning="for the price feed", of_limit=0.001)
BASIS = PricingBasis(commission_ratio=0.1, tax_ratio=0.05, loadings=(FEE,))


def priced(basis=BASIS, limit=1000.0):
    return premium_of_law(LAW, basis, name="C", limit=limit, term="30d")


def test_the_frame_has_every_line_and_the_sums():
    premium = priced()
    frame = premium.to_frame()
    assert list(frame.index) == [*premium.lines, "gross", "tax", "total"]
    assert frame.loc[list(premium.lines), "amount"].sum() == pytest.approx(premium.gross, rel=1e-14)
    assert frame.loc["total", "amount"] == premium.gross + premium.tax
    assert frame.loc["expected_loss", "meaning"] == LINES["expected_loss"].meaning
    assert np.isnan(frame.loc["tax", "standard_error"])
    assert frame.loc["gross", "standard_error"] == premium.standard_error


def cells(html):
    """Read rows of cells."""
    rows = re.findall(r'<tr class="row[^"]*">(.*?)</tr>', html)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


@given(limit=st.floats(1.0, 1e9), tax=st.floats(0.0, 0.3), fixed=st.floats(0.0, 0.1))
def test_the_html_has_the_cents_of_the_statement(limit, tax, fixed):
    law = LossDistribution.discrete([limit, 0.0], [0.02, 0.98])
    basis = PricingBasis(tax_ratio=tax, fixed_expense=fixed * limit, loadings=(FEE,))
    premium = premium_of_law(law, basis, name="C", limit=limit, term="30d")
    written = statement(premium)
    shown = {row[0]: row[2] for row in cells(premium._repr_html_()) if len(row) == 4}
    amounts = {name.replace("_", " ").capitalize(): amount for name, amount in written.lines.items() if amount}
    for name, amount in {**amounts, "Gross premium": written.gross}.items():
        assert Decimal(shown[name].replace(",", "").replace("−", "-")) == amount
    assert ("To pay" in shown) == bool(written.tax)


def test_the_html_says_what_makes_a_premium_suspect():
    assert "mprecise" not in priced()._repr_html_()
    assert "Imprecise: the standard error" in replace(priced(), flag=PremiumFlag.IMPRECISE)._repr_html_()
    assert "a bound and not an estimate" in replace(priced(), flag=PremiumFlag.UNRESOLVED)._repr_html_()


def test_the_picture_has_a_bar_for_every_line_and_sum_and_the_error_of_the_gross_premium():
    premium = replace(priced(), standard_error=2.0)
    axes = premium.plot(Figure().subplots(), currency="EUR")
    written = statement(premium)
    widths = [bar.get_width() for bar in axes.patches]
    charged = [float(amount) for amount in written.lines.values() if amount]
    np.testing.assert_allclose(widths, [*charged, *map(float, (written.gross, written.tax, written.total))])
    assert axes.patches[len(charged)].get_x() == 0.0
    (interval,) = [each for each in axes.collections if len(each.get_segments()) == 1]
    (left, _), (right, _) = interval.get_segments()[0]
    assert (left, right) == pytest.approx(
        (float(written.gross) - 2 * drawing.BAND, float(written.gross) + 2 * drawing.BAND)
    )
    assert axes.get_xlabel().startswith("EUR, whole term")


def test_a_premium_of_zero_can_be_shown():
    nothing = premium_of_law(LossDistribution.discrete([0.0], [1.0]), PricingBasis(), name="C", limit=1.0, term="30d")
    assert "Gross premium" in nothing._repr_html_()
    assert nothing.plot(Figure().subplots()).get_xlim()[1] > 0.0
