"""A payout and a loading are added here, in one place each, and go everywhere that those of the package go."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from calibration import calibrate
from crashcover import sample_market
from crashcover.display.console import stdout
from crashcover.display.table import cover_table
from crashcover.report.covers.content import cover_content
from crashcover.report.covers.pricing import price_covers
from crashcover.report.page import write_page
from pricing import (
    Cover,
    DropTrigger,
    LinearPayout,
    PricingBasis,
    Quote,
    Quoter,
    RateQuoter,
    SimulationSettings,
    TamperedQuoteError,
    TieredPayout,
    compact,
    premium,
    verify,
)
from pricing.contract import payouts
from pricing.contract.book import Book
from pricing.contract.loss_functions import compress
from pricing.contract.payouts import PiecewisePayout, parse_payout
from pricing.premiums.build_up import premium_from_sample
from pricing.premiums.loadings import Loading
from pricing.principles import WangTransform
from pricing.quotes.sealed_quote import RateQuote
from pricing.rates.book_premiums import premium_columns
from pricing.rates.publishing import publish
from pricing.rates.store import RateStore
from tests.crashcover.repricing.books import ROW, book_file, reprice
from tests.pricing.rates.store_worlds import KEY, NOON, make_cover, make_entry, simulate_surface

FEE = Loading(
    name="oracle_fee",
    heading="oracle",
    meaning="for the price feed",
    of_loss=0.05,
    of_limit=0.002,
    fixed=3.0,
    of_gross=0.04,
)
BASIS = PricingBasis(commission_ratio=0.1, tax_ratio=0.19, loadings=(FEE,))
TERM = "30d"
YEARS = 30 / 365
SURFACE = simulate_surface("anchored", n_paths=20_000)
COMPACT = compact(SURFACE)


@pytest.fixture(scope="module", autouse=True)
def ledge():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class LedgePayout(PiecewisePayout):
        """Pays a floor from the attachment on, and rises from there to the whole limit."""

        form: ClassVar[str] = "ledge:0.3:0.9:0.25"

        attachment: float
        exhaustion: float
        floor: float

        @classmethod
        def parse(cls, numbers):
            attachment, exhaustion, floor = map(float, numbers.split(":"))
            return cls(attachment=attachment, exhaustion=exhaustion, floor=floor)

        def nodes(self):
            slope = (1.0 - self.floor) / (self.exhaustion - self.attachment)
            return (self.attachment, 0.0, self.floor, slope), (self.exhaustion, 1.0, 1.0, 0.0)

        def describe(self, limit):
            return f"{100 * self.floor:g} % of {limit} at once, and the rest by the worst drop."

    yield LedgePayout
    del payouts._KINDS["ledge"]  # as if it had never been


@pytest.fixture(params=["ledge:0.3:0.9:0.25", "ledge:0.45:0.46:0.6", "ledge:0.2:0.7:0"])
def cover(request):
    return make_cover(payout=parse_payout(request.param), term=TERM, trigger=DropTrigger(drop=0.35))


def parts(cover):
    """Return the steps and ramps that add up to a ledge, and their weights."""
    ledge = cover.payout
    step, ramp = (
        TieredPayout({ledge.attachment: 1.0}),
        LinearPayout(attachment=ledge.attachment, exhaustion=ledge.exhaustion),
    )
    return (ledge.floor, replace(cover, payout=step)), (1.0 - ledge.floor, replace(cover, payout=ramp))


def fee_of(priced, cover, *, mean):
    return FEE.of_loss * mean + FEE.of_limit * cover.limit * YEARS + FEE.fixed + FEE.of_gross * priced.gross


def test_the_share_is_that_of_its_nodes(ledge):
    drops = np.array([0.0, 0.29, 0.3, 0.6, 0.9, 0.95])
    share = ledge(attachment=0.3, exhaustion=0.9, floor=0.25).share(drops)
    assert share == pytest.approx([0.0, 0.0, 0.25, 0.625, 1.0, 1.0], rel=1e-14)


def test_a_quote_adds_up_and_reproduces(cover):
    quote = Quoter({"OM": SURFACE}, BASIS).quote(cover)
    priced = quote.premium
    wanted = sum(weight * premium(part, SURFACE, BASIS).expected_loss for weight, part in parts(cover))
    assert priced.expected_loss == pytest.approx(wanted, rel=1e-12)
    assert dict(priced.further) == pytest.approx({"oracle_fee": fee_of(priced, cover, mean=wanted)}, rel=1e-12)
    assert sum(priced.lines.values()) == pytest.approx(priced.gross, rel=1e-12)
    assert sum(quote.statement.lines.values()) == quote.statement.gross
    assert list(quote.statement.lines) == list(BASIS.lines)
    assert Quote.from_json(quote.to_json()).reproduce() == quote


def test_the_error_of_the_loss_is_that_of_what_is_charged_on_it(cover):
    without = premium(cover, SURFACE, replace(BASIS, loadings=(replace(FEE, of_loss=0.0),)))
    loaded = premium(cover, SURFACE, BASIS)
    more = FEE.of_loss * loaded.expected_loss_standard_error / (1.0 - BASIS.ratio_of_gross)
    assert BASIS.ratio_of_gross == pytest.approx(0.1 + 0.1 + 0.04)
    assert loaded.standard_error == pytest.approx(without.standard_error + more, rel=1e-12)


@pytest.mark.parametrize("basis", [BASIS, replace(BASIS, risk_load=WangTransform())], ids=["moments", "law"])
def test_a_book_has_the_premium_of_every_cover(cover, basis):
    covers = [cover, *(part for _, part in parts(cover))]
    columns = premium_columns(Book.of_covers(covers), {"OM": COMPACT}, basis)
    further = dict(columns.further)
    for row, each in enumerate(covers):
        alone = premium_from_sample(each, COMPACT.sample(), basis)
        for name, line in alone.lines.items():
            column = further[name] if name in further else getattr(columns, name)
            assert column[row] == pytest.approx(line, rel=1e-9, abs=1e-9)
        assert columns.gross[row] == pytest.approx(alone.gross, rel=1e-9)
        assert columns.standard_error[row] == pytest.approx(alone.standard_error, rel=1e-9)


def test_a_compressed_book_loses_what_the_cover_pays(cover):
    (function,) = compress(Book.of_covers([cover])).functions
    drops = np.linspace(0.0, 1.0, 1001)
    due = np.where(drops >= cover.trigger.drop, cover.payout.share(drops), 0.0)
    assert function.loss(drops) == pytest.approx(cover.limit * due, rel=1e-12, abs=1e-9)


def test_a_seal_holds_every_number(cover, tmp_path):
    publish(tmp_path, [(make_entry(), COMPACT)], name="night")
    quote = RateQuoter(tmp_path, BASIS, key=KEY).quote(cover, at=NOON)
    assert dict(quote.premium.further)["oracle_fee"] == pytest.approx(
        fee_of(quote.premium, cover, mean=quote.premium.expected_loss), rel=1e-12
    )
    again = RateQuote.from_json(quote.to_json())
    assert again == quote
    verify(again, KEY)
    cheaper = replace(quote.premium, further=(("oracle_fee", 1.0),))
    wider = replace(cover, payout=replace(cover.payout, floor=0.9))
    for tampered in (replace(quote, premium=cheaper), replace(quote, cover=wider)):
        with pytest.raises(TamperedQuoteError):
            verify(tampered, KEY)


def test_a_book_is_repriced(cover, rate_store, tmp_path):
    text = ":".join(["ledge", *map(str, (cover.payout.attachment, cover.payout.exhaustion, cover.payout.floor))])
    row = {**ROW, "drop": 0.15, "payout": text}
    reprice(book_file(pd.DataFrame([row]), tmp_path), rate_store, tmp_path / "out", basis=BASIS)
    found = pd.read_parquet(tmp_path / "out" / "priced").loc[0]
    alone = Cover(
        cover_id=row["cover_id"],
        asset=row["asset"],
        trigger=DropTrigger(drop=row["drop"], window=row["window"]),
        payout=cover.payout,
        limit=row["limit"],
        currency=row["currency"],
    )
    wanted = premium_from_sample(alone, RateStore.open(rate_store).surface(row["asset"]).sample(), BASIS)
    assert (found["verdict"], found["premium"]) == (wanted.flag.value, pytest.approx(wanted.gross, rel=1e-9))


def test_a_report_describes_both():
    asset = sample_market.WILD.name
    calibration = calibrate(sample_market.closes(sample_market.WILD))
    cover = make_cover(asset=asset, payout=parse_payout("ledge:0.3:0.9:0.25"), trigger=DropTrigger(drop=0.2))
    settings = SimulationSettings(n_paths=2_000, seed=3)
    priced = price_covers(calibration, [cover], basis=BASIS, settings=settings)
    content = cover_content(priced)
    (shown,) = content["covers"]
    assert {"name": "Pays how much", "text": cover.payout.describe("100,000.00 USD")} in shown["terms"]
    assert {"drop": 0.3, "name": "25% of the limit"} in shown["points"]
    assert {"drop": 0.9, "name": "whole limit"} in shown["points"]
    (line,) = (line for line in shown["statement"]["lines"] if line["name"] == "oracle_fee")
    assert line["meaning"] == "for the price feed"
    page = write_page(content)
    assert '<td title="for the price feed">Oracle fee</td>' in page
    console = stdout()
    with console.capture() as capture:
        console.print(cover_table(priced.offers, settings))
    assert "oracle" in capture.get()


@pytest.mark.parametrize(
    ("loadings", "message"),
    [
        ((FEE, FEE), "name of a loading must be new, got 'oracle_fee'"),
        ((replace(FEE, name="commission"),), "name of a loading must be new, got 'commission'"),
        ((replace(FEE, of_gross=0.8),), "must be below 1 together, got 0.1 \\+ 0.1 \\+ 0.0 \\+ 0.8"),
        (("fee",), "loadings must be a sequence of Loading objects, got 'fee' among them"),
    ],
)
def test_loadings_that_make_no_sense_are_named(loadings, message):
    with pytest.raises(ValueError, match=message):
        replace(BASIS, loadings=loadings)


@pytest.mark.parametrize(("field", "value"), [("name", "oracle fee"), ("of_loss", -0.1), ("fixed", "3")])
def test_numbers_of_a_loading_are_checked(field, value):
    with pytest.raises(ValueError, match=field):
        replace(FEE, **{field: value})
