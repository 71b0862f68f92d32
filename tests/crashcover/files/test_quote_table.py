"""The table of quotes reads back: as a book of covers, and as the statements that were quoted."""

import csv
import io
from decimal import Decimal

import pytest

from crashcover import read_book
from crashcover.files.quote_table import FIGURES, SOURCE, SUMS, VERDICT, formula_names, write_table
from crashcover.files.tables import BOOK_COLUMNS
from crashcover.offers.offers import Offer
from crashcover.offers.outcomes import quote_or_refuse
from pricing import (
    ConstantVolatility,
    Cover,
    DropTrigger,
    FullPayout,
    LinearPayout,
    Loading,
    Normal,
    PriceModel,
    PricingBasis,
    Reference,
    Refusal,
    SimulationSettings,
    TieredPayout,
    simulate,
)
from pricing.contract.payouts import parse_payout

FEE = Loading(name="oracle_fee", heading="oracle", meaning="for the price feed", of_limit=0.01)
BASIS = PricingBasis(tax_ratio=0.05, loadings=(FEE,))
PAYOUTS = (
    FullPayout(),
    LinearPayout(attachment=0.1, exhaustion=1 / 3),
    TieredPayout({0.1: 0.25, 0.2: 0.6, 0.35: 1.0}),
)


@pytest.fixture(scope="module")
def surface():
    model = PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=Normal())
    return simulate(
        model,
        windows=("24h",),
        terms=("20d",),
        waiting_periods=("2d",),
        references=(Reference.ROLLING_HIGH, Reference.INCEPTION),
        settings=SimulationSettings(n_paths=2000, seed=1),
    )


def offers_on(surface, asset="OM"):
    triggers = (
        DropTrigger(drop=0.15),
        DropTrigger(drop=0.2, reference=Reference.INCEPTION, window=None),
        DropTrigger(drop=0.9),
    )
    terms = {"asset": asset, "limit": 12_345.5, "currency": "EUR", "term": "20d", "waiting_period": "2d"}
    covers = [
        Cover(cover_id=f"{asset}-{trigger}-{payout}", trigger=trigger, payout=payout, **terms)
        for trigger in triggers
        for payout in PAYOUTS
    ]
    return [Offer(cover=cover, outcome=quote_or_refuse(cover, surface, BASIS)) for cover in covers]


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_columns_are_those_of_a_book_and_then_verdict_figures_lines_sums_and_source(surface):
    header = write_table(offers_on(surface), BASIS.lines).splitlines()[0]
    assert header == ",".join([*BOOK_COLUMNS, VERDICT, *FIGURES, *BASIS.lines, *SUMS, *SOURCE])


def test_a_row_holds_the_statement_to_the_cent_and_the_figures_to_the_last_bit(surface):
    offers = offers_on(surface)
    for row, offer in zip(rows_of(write_table(offers, BASIS.lines)), offers, strict=True):
        if isinstance(offer.outcome, Refusal):
            continue
        written = offer.outcome.statement
        assert {name: Decimal(row[name]) for name in BASIS.lines} == written.lines
        assert sum(Decimal(row[name]) for name in BASIS.lines) == Decimal(row["gross"])
        assert Decimal(row["total"]) == offer.outcome.price
        assert {name: float(row[name]) for name in FIGURES} == {
            name: getattr(offer.outcome.premium, name) for name in FIGURES
        }
        assert (row["verdict"], row["n_paths"], row["message"]) == (offer.outcome.premium.flag.value, "2000", "")


def test_a_refused_cover_has_its_reason_and_no_premium(surface):
    (row, *_) = [row for row in rows_of(write_table(offers_on(surface), BASIS.lines)) if row["drop"] == "0.9"]
    assert row["verdict"] == "unresolved"
    assert "no price" in row["message"]
    assert {row[name] for name in (*BASIS.lines, *SUMS)} == {""}


def test_the_table_is_a_book(surface, tmp_path):
    offers, path = offers_on(surface), tmp_path / "quotes.csv"
    path.write_text(write_table(offers, BASIS.lines), encoding="utf-8")
    assert list(read_book(path).covers) == [offer.cover for offer in offers]


@pytest.mark.parametrize("payout", PAYOUTS)
def test_a_payout_as_a_text_parses_back(payout):
    assert parse_payout(payout.as_text()) == payout


@pytest.mark.parametrize("asset", ["=1+1", "+OM", "-OM", "@OM"])
def test_a_name_that_is_a_formula_to_a_spreadsheet_gets_an_apostrophe(surface, asset):
    offers = offers_on(surface, asset)
    assert {row["asset"] for row in rows_of(write_table(offers, BASIS.lines))} == {f"'{asset}"}
    assert formula_names(offers) == (asset,)
    assert formula_names(offers_on(surface)) == ()
