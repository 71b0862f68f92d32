"""Quotes show themselves with the price that the buyer pays."""

from dataclasses import replace
from decimal import Decimal

import pytest
from matplotlib.figure import Figure

from pricing import (
    ConstantVolatility,
    Cover,
    DropTrigger,
    LinearPayout,
    Loading,
    Normal,
    PriceModel,
    PricingBasis,
    Quoter,
    RateQuote,
    SimulationSettings,
    simulate,
)

FEE = Loading(name="oracle_fee", heading="oracle", meaning="for the price feed", of_limit=0.01)


@pytest.fixture(scope="module")
def quote():
    model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    cover = Cover(
        cover_id="C-<1>",
        asset="<b>OM</b>",
        trigger=DropTrigger(drop=0.2),
        payout=LinearPayout(attachment=0.2, exhaustion=0.5),
        limit=12_345.0,
        currency="EUR",
    )
    surface = simulate(model, settings=SimulationSettings(n_paths=2000, seed=1))
    return Quoter({cover.asset: surface}, PricingBasis(tax_ratio=0.07, loadings=(FEE,))).quote(cover)


def test_the_frame_is_the_statement_to_the_cent(quote):
    frame = quote.to_frame()
    assert [Decimal(f"{amount:.2f}") for amount in frame.loc[list(quote.statement.lines), "amount"]] == list(
        quote.statement.lines.values()
    )
    assert Decimal(f"{frame.loc['total', 'amount']:.2f}") == quote.price
    assert frame.loc["oracle_fee", "meaning"] == "for the price feed"


def test_the_html_has_terms_price_and_source_and_escapes_names(quote):
    text = quote._repr_html_()
    for part in (f"{quote.price:,}", "for the price feed", "2,000 paths, seed 1", quote.model_digest[:12], ">EUR</th>"):
        assert part in text
    assert "A close of &lt;b&gt;OM&lt;/b&gt; is 20 % or more below" in text
    assert "<b>" not in text
    assert "C-&lt;1&gt;" in text


def test_the_picture_names_the_cover_and_its_currency(quote):
    axes = quote.plot(Figure().subplots())
    assert axes.get_title(loc="left") == "Premium of C-<1>"
    assert axes.get_xlabel().startswith("EUR")


def test_a_sealed_quote_shows_its_factors_and_its_price(quote):
    sealed = RateQuote(
        cover=quote.cover,
        premium=replace(quote.premium),
        rate_factor=1.25,
        sales_factor=1.1,
        quote_id="Q-1",
        audience="",
        key_id="",
        issued_at="2026-01-01T00:00:00+00:00",
        valid_until="2026-01-01T00:15:00+00:00",
        version="<v>",
        surface_id="s",
        calibration_id="c",
        engine_version="1",
        basis_id="b",
        digest="d",
    )
    text = sealed._repr_html_()
    for part in (f"{sealed.price:,} EUR", "1.375", "2026-01-01T00:15", "Rates &lt;v&gt;", "Oracle fee"):
        assert part in text
