import io
import math
from decimal import Decimal

import pytest
from rich.console import Console

from calibration import Bounded, calibrate, explain
from crashcover import sample_market
from crashcover.display.table import assumption_list, calibration_panel, cover_table, footnotes
from crashcover.offers.drivers import Drivers
from crashcover.offers.offers import Offer, make_offers
from crashcover.offers.outcomes import quote_or_refuse, simulate_covers
from crashcover.offers.terms import Terms
from pricing import CapitalCost, Estimate, LinearPayout, PremiumFlag, PricingBasis, Quote, SimulationSettings
from pricing.errors import Reason, Refusal
from pricing.premiums.statements import rounded

SETTINGS = SimulationSettings(n_paths=4000, seed=2)


def text_of(renderable, width=1000):
    console = Console(width=width, record=True, file=io.StringIO(), color_system=None)
    console.print(renderable)
    return console.export_text()


@pytest.fixture(scope="module")
def calibration():
    token = sample_market.WHALE
    return calibrate(sample_market.closes(token), holders=sample_market.holders(token), supply=sample_market.SUPPLY)


@pytest.fixture(scope="module")
def offers(calibration):
    covers = Terms(drops=(0.02, 0.2, 0.6, 0.9999), limit=5000.0, currency="EUR").covers("W")
    return make_offers(calibration, covers, basis=PricingBasis(), settings=SETTINGS)


def rows_of(offers):
    lines = text_of(cover_table(offers.offers, SETTINGS)).splitlines()
    return [line.split() for line in lines if line.strip()[:1].isdigit()]


def test_a_trigger_that_fires_without_a_payment_shows_how_often_it_fires(calibration):
    covers = Terms(drops=(0.2,), payout=LinearPayout(attachment=0.98, exhaustion=0.99)).covers("W")
    offers = make_offers(calibration, covers, basis=PricingBasis(), settings=SETTINGS)
    (outcome,) = (offer.outcome for offer in offers.offers)
    assert outcome.reason is Reason.UNRESOLVED
    assert outcome.trigger_probability > 0.01
    (row,) = rows_of(offers)
    assert f"{100 * outcome.trigger_probability:.3g}" in row
    assert "unresolved" in row
    assert "<" not in row


def test_the_panel_has_every_figure_of_the_summary(calibration):
    text = text_of(calibration_panel(calibration, "SYNTH-WHALE", "synthetic"))
    crashes, holders = calibration.crashes, calibration.concentration
    month, volatility = calibration.worst_months[1], math.exp(calibration.state.log_volatility[0])
    for figure in (
        "SYNTH-WHALE (synthetic)",
        "2025-01-01 01:00 to 2026-01-01 00:00 UTC",
        f"{volatility:.1%} (30d)",
        f"median {month.median_drop:.1%} within 24h",
        f"{100 * month.at(0.3):.3g}% for 30%",
        f"{crashes[0].per_year:.2f} per year of 8% or more within 1h",
        f"x {calibration.hazard.on_rate:.2f} (",
        f"HHI {holders.hhi.lower:.4f} to {holders.hhi.upper:.4f}",
        f"top 10 hold {holders.top10.describe('.1%')}",
        "effective holders",
        "Nakamoto 1",
        *explain(calibration.verdict),
    ):
        assert figure in text


def test_a_calibration_without_holders_says_so():
    calibration = calibrate(sample_market.closes(sample_market.CALM))
    text = text_of(calibration_panel(calibration, "C"))
    assert "no list given" in text
    assert "no holder list" in text


def test_panels_and_notes_fit_a_hundred_and_twenty_columns(calibration, offers):
    for part in (calibration_panel(calibration, "W"), assumption_list(calibration)):
        assert max(map(len, text_of(part).splitlines())) <= 120
    assert max(len(line.rstrip()) for line in text_of(cover_table(offers.offers, SETTINGS)).splitlines()) <= 120
    assert max(map(len, text_of(footnotes(offers.offers, SETTINGS), 104).splitlines())) <= 104


def test_every_assumption_is_listed(calibration):
    text = " ".join(text_of(assumption_list(calibration)).replace("│", " ").split())
    assert all(assumption in text for assumption in calibration.assumptions)


def test_a_row_holds_the_numbers_of_its_quote(offers):
    quote = offers.offers[1].outcome
    assert isinstance(quote, Quote)
    priced = quote.premium
    names = ("expected_loss", "risk_load", "expenses", "gross", "standard_error")
    row = rows_of(offers)[1]
    assert row[:3] == ["20", "24h", "30d"]
    assert row[3] == f"{100 * priced.trigger_probability:.3g}"
    printed = [Decimal(cell.removesuffix("*").replace(",", "")) for cell in row[4:9]]
    assert [float(amount) for amount in printed] == pytest.approx([getattr(priced, name) for name in names], abs=0.01)
    assert sum(printed[:3]) == printed[3] == quote.price
    assert float(row[9]) == pytest.approx(100 * priced.rate_on_line, rel=0.005)


def test_every_line_that_is_charged_is_shown_and_lines_add_up(calibration):
    basis = PricingBasis(
        parameter_load=0.1,
        capital=CapitalCost(annual_rate=0.2),
        commission_ratio=0.1,
        profit_ratio=0.05,
        tax_ratio=0.19,
        minimum_premium=4e5,
    )
    covers = Terms(drops=(0.2, 0.3), limit=1e6).covers("W")
    offers = make_offers(calibration, covers, basis=basis, settings=SETTINGS, with_drivers=False)
    text = text_of(cover_table(offers.offers, SETTINGS))
    for heading in (
        "exp. loss",
        "param.",
        "risk",
        "capital",
        "expenses",
        "commission",
        "profit",
        "to minimum",
        "to pay",
    ):
        assert heading in text
    for row, quote in zip(rows_of(offers), offers.quotes, strict=True):
        printed = [Decimal(cell.removesuffix("*").replace(",", "")) for cell in row[4:15]]
        assert sum(printed[:8]) == printed[8] == rounded(quote.premium.gross, Decimal(1))
        assert (
            sum(printed[8:10])
            == printed[10]
            == rounded(quote.premium.gross, Decimal(1)) + rounded(quote.premium.tax, Decimal(1))
        )


def test_large_limits_are_shown_in_whole_units(calibration):
    covers = Terms(drops=(0.2,), limit=1e6).covers("W")
    offers = make_offers(calibration, covers, basis=PricingBasis(), settings=SETTINGS, with_drivers=False)
    (quote,) = offers.quotes
    (row,) = rows_of(offers)
    assert row[7] == f"{quote.premium.gross:,.0f}"


def test_refused_cells_say_why(offers):
    certain, *_, unseen = rows_of(offers)
    assert "not insurable" in " ".join(certain)
    assert float(certain[3]) > 50.0
    # three of 4,000 paths, in per cent
    assert "< 0.075" in " ".join(unseen)
    assert "unresolved" in unseen
    refusals = [offer.outcome for offer in offers.offers if isinstance(offer.outcome, Refusal)]
    assert {refusal.reason for refusal in refusals} == {Reason.UNINSURABLE, Reason.UNRESOLVED}


def test_imprecise_cells_are_marked_and_the_mark_is_explained(offers):
    flags = [offer.outcome.premium.flag for offer in offers.offers[1:3]]
    assert flags == [PremiumFlag.OK, PremiumFlag.IMPRECISE]
    rows = rows_of(offers)
    assert not rows[1][4].endswith("*")
    assert rows[2][4].endswith("*")
    assert "* imprecise" in text_of(footnotes(offers.offers, SETTINGS))
    assert "* imprecise" not in text_of(footnotes(offers.offers[:2], SETTINGS))


def test_headings_name_units_and_footnotes_the_terms(offers):
    text = text_of(cover_table(offers.offers, SETTINGS))
    assert text.count("EUR") == 5
    notes = text_of(footnotes(offers.offers, SETTINGS))
    assert "Limit 5,000 EUR, full payout; 4,000 paths, seed 2" in notes


def test_shares_that_are_noise_are_hidden(offers):
    outcome = offers.offers[1].outcome
    drivers = Drivers(
        volatility=Estimate(0.62, 0.05),
        own_crashes=Estimate(0.38, 0.2),
        holders=Estimate(0.88, 0.01),
        uncertainty=Estimate(1.04, 0.001),
    )
    text = text_of(cover_table([Offer(cover=outcome.cover, outcome=outcome, drivers=drivers)], SETTINGS))
    assert text.split()[-4:] == ["62", "?", "0.88", "1.04"]


def test_numbers_are_never_cut(calibration):
    covers = Terms(drops=(0.2,), limit=1e12).covers("W")
    surface = simulate_covers(calibration.model, covers, SETTINGS, lambda _: None)
    quote = quote_or_refuse(covers[0], surface, PricingBasis())
    assert not isinstance(quote, Refusal)
    text = text_of(cover_table([Offer(cover=quote.cover, outcome=quote)], SETTINGS))
    assert f"{quote.premium.gross:,.0f}" in text
    assert "…" not in text


def test_bounds_are_one_number_where_they_look_the_same():
    assert Bounded(lower=0.12341, upper=0.12342).describe(".4f") == "0.1234"
    assert Bounded(lower=0.1, upper=0.2).describe(".1f") == "0.1 to 0.2"
    assert Bounded(lower=3.0, upper=math.inf).describe(",.0f") == "3 to ?"
