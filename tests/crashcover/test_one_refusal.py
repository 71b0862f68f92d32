"""One slip, one reason: however a cover is priced, it is refused for the same reason, or priced alike."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crashcover.files.quotes import plain_refused
from crashcover.offers.offers import Offer
from crashcover.offers.outcomes import quote_or_refuse
from crashcover.report.book.pooling import _price as report_premiums
from crashcover.repricing.premiums import with_premiums
from pricing import (
    REASONS,
    Conditions,
    DropTrigger,
    FullPayout,
    InvalidTermsError,
    LinearPayout,
    PricingBasis,
    Quoter,
    QuoteRefusedError,
    RateQuoter,
    Reason,
    SalesBump,
    SalesPressure,
    SellingRules,
    TieredPayout,
    compact,
    premium,
)
from pricing.contract.book import Book
from pricing.contract.observation import Observation
from pricing.premiums.premium import Premium, PremiumFlag
from pricing.principles import (
    EsscherPrinciple,
    ExponentialPrinciple,
    StandardDeviationPrinciple,
    ValueAtRisk,
    WangTransform,
)
from pricing.rates.book_premiums import premium_columns
from pricing.rates.publishing import publish
from tests.pricing.rates.store_worlds import NOON, make_cover, make_entry, simulate_surface

FULL = simulate_surface("anchored", n_paths=4_000)
#: Every path a group of its own, so that all ways price the same sample.
EXACT = compact(FULL, share_of_error=1e-9)
PAYOUTS = {
    "full": FullPayout(),
    "linear:0.2:0.9": LinearPayout(attachment=0.2, exhaustion=0.9),
    "linear:0.01:0.9": LinearPayout(attachment=0.01, exhaustion=0.9),
    "linear:0.98:0.99": LinearPayout(attachment=0.98, exhaustion=0.99),
    "tiered:0.01=0.1,0.6=1": TieredPayout({0.01: 0.1, 0.6: 1.0}),
    "tiered:0.2=0.1,0.6=1": TieredPayout({0.2: 0.1, 0.6: 1.0}),
}


@dataclass(frozen=True)
class OwnPayout:
    """A payout of a user's own that returns one share, however many are due."""

    def share(self, _):
        return np.ones(1)


@dataclass
class Slip:
    """A cover, and all that may keep it from being sold."""

    cover: object
    basis: PricingBasis = field(default_factory=PricingBasis)
    rules: SellingRules = field(default_factory=SellingRules)
    conditions: Conditions = field(default_factory=Conditions)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    entries = [
        make_entry("OM"),
        make_entry("SUSP", status="suspended", verdict=("reused ticker",)),
        make_entry("MARK", status="stale"),
        make_entry("OLD", as_of="2026-11-20T23:59:59+00:00"),
        make_entry("PAST", valid_until="2026-11-22T12:00:00+00:00"),
        make_entry("ENGINE", engine_version="0.1.0"),
        make_entry("AHEAD", as_of="2026-11-22T12:00:06+00:00"),
    ]
    folder = tmp_path_factory.mktemp("rates")
    rare = make_entry("RARE"), compact(simulate_surface("weighted", n_paths=2_000, seed=12))
    assert rare[1].exceedance(0.01, window="24h", term="30d").value == 1.0
    publish(folder, [*((entry, EXACT) for entry in entries), rare], name="night")
    return folder


# --- ways to price: each returns a gross premium, a Reason, or raises what it raises ---------------------------------


def by_premium(slip, _):
    priced = premium(slip.cover, FULL, slip.basis)
    return Reason.UNRESOLVED if priced.flag is PremiumFlag.UNRESOLVED else priced.gross


def by_quoter(slip, _):
    return Quoter({"OM": FULL}, slip.basis).quote(slip.cover).premium.gross


def by_rate_quoter(slip, folder):
    quoter = RateQuoter(folder, slip.basis, slip.rules)
    return quoter.quote(slip.cover, at=NOON, conditions=slip.conditions).premium.gross


def by_quote_many(slip, folder):
    quoter = RateQuoter(folder, slip.basis, slip.rules)
    sold = make_cover(trigger=DropTrigger(drop=0.3), waiting_period=slip.cover.waiting_period)
    book = Book.of_covers([sold, slip.cover, sold])
    many = quoter.quote_many(book, at=NOON, conditions={slip.cover.asset: slip.conditions})
    reason, gross = REASONS[many.premiums.refusal[1]], many.premiums.gross[1]
    assert (reason is None) == np.isfinite(gross) == np.isfinite(many.price[1])
    return reason or gross


def by_columns(slip, _):
    columns = premium_columns(Book.of_covers([slip.cover]), {"OM": EXACT}, slip.basis)
    return REASONS[columns.refusal[0]] or columns.gross[0]


def by_repricing(slip, _):
    cover, trigger = slip.cover, slip.cover.trigger
    row = {
        "drop": trigger.drop,
        "limit": cover.limit,
        "window": f"{trigger.window // timedelta(minutes=1)}min",
        "reference": trigger.reference.name,
        "payout": next(text for text, payout in PAYOUTS.items() if payout == cover.payout),
        "currency": cover.currency,
        "term": f"{cover.term.days}d",
        "waiting_period": f"{cover.waiting_period // timedelta(hours=1)}h",
    }
    table = with_premiums(pa.Table.from_pylist([row]), make_entry(), EXACT, slip.basis)
    (gross,), (verdict,) = table["premium"].to_pylist(), table["verdict"].to_pylist()
    return Reason(verdict) if gross is None else gross


def by_command_line(slip, _):
    outcome = quote_or_refuse(slip.cover, FULL, slip.basis)
    refused = plain_refused([Offer(cover=slip.cover, outcome=outcome)])
    return Reason(refused[0]["reason"]) if refused else outcome.premium.gross


def by_report(slip, _):
    token = SimpleNamespace(surface=FULL)
    (priced,) = report_premiums([slip.cover], {"OM": token}, slip.basis)
    return priced.gross if isinstance(priced, Premium) else priced.reason


#: Ways that put a value on a cover; they keep it however small it is.
VALUE = (by_premium, by_columns, by_repricing)
#: Ways that offer it for sale, to the cent.
SELL = (by_quoter, by_rate_quoter, by_quote_many, by_command_line, by_report)
FROM_A_STORE = (by_rate_quoter, by_quote_many)
#: Ways that take payouts without a text.
OF_ANY_PAYOUT = (by_premium, by_columns, by_quoter, by_rate_quoter, by_quote_many, by_command_line)
BY_ASSET = (by_quoter, *FROM_A_STORE, by_columns)

SOLD_OUT = Conditions(pressure=SalesPressure(sold=1.0, at=NOON))
SLIPS = {
    "unknown asset": (Slip(make_cover(asset="NONE")), Reason.UNKNOWN_ASSET, BY_ASSET),
    "suspended": (Slip(make_cover(asset="SUSP")), Reason.SUSPENDED, FROM_A_STORE),
    "marked as stale": (Slip(make_cover(asset="MARK")), Reason.STALE, FROM_A_STORE),
    "older than the rules allow": (Slip(make_cover(asset="OLD")), Reason.STALE, FROM_A_STORE),
    "of another engine": (Slip(make_cover(asset="ENGINE")), Reason.STALE, FROM_A_STORE),
    "not yet valid": (Slip(make_cover(asset="AHEAD")), Reason.NOT_YET_VALID, FROM_A_STORE),
    "no longer valid": (Slip(make_cover(asset="PAST")), Reason.STALE, FROM_A_STORE),
    "frozen": (Slip(make_cover(), conditions=Conditions(alerted_at=NOON)), Reason.FROZEN, FROM_A_STORE),
    "short waiting period": (
        Slip(make_cover(), rules=SellingRules(coverage_lag="1h")),
        Reason.WAITING_PERIOD,
        FROM_A_STORE,
    ),
    "unknown asset with a short waiting period": (
        Slip(make_cover(asset="NONE"), rules=SellingRules(coverage_lag="1h")),
        Reason.UNKNOWN_ASSET,
        FROM_A_STORE,
    ),
    "window not simulated": (
        Slip(make_cover(trigger=DropTrigger(drop=0.4, window="4h"))),
        Reason.NOT_SIMULATED,
        VALUE + SELL,
    ),
    "term not simulated": (Slip(make_cover(term="8d")), Reason.NOT_SIMULATED, VALUE + SELL),
    "part of a step": (
        Slip(make_cover(trigger=DropTrigger(drop=0.4, window="90min"))),
        Reason.NOT_SIMULATED,
        VALUE + SELL,
    ),
    "too few paths for the risk load": (
        Slip(make_cover(), PricingBasis(risk_load=ValueAtRisk(level=0.999))),
        Reason.UNMEASURABLE,
        VALUE + SELL,
    ),
    "aversion too large": (
        Slip(make_cover(trigger=DropTrigger(drop=0.3)), PricingBasis(risk_load=EsscherPrinciple(aversion=1e4))),
        Reason.UNMEASURABLE,
        VALUE + SELL,
    ),
    "payout of the user's own that returns one share": (
        Slip(make_cover(payout=OwnPayout())),
        Reason.INVALID_PAYOUT,
        OF_ANY_PAYOUT,
    ),
    "rare-drop sampling of a sure event": (
        Slip(make_cover(asset="RARE", trigger=DropTrigger(drop=0.02), payout=PAYOUTS["tiered:0.01=0.1,0.6=1"])),
        Reason.UNMEASURABLE,
        (by_rate_quoter, by_quote_many),
    ),
    "a surer loss would be cheaper": (
        Slip(
            make_cover(trigger=DropTrigger(drop=0.02), payout=PAYOUTS["tiered:0.01=0.1,0.6=1"]),
            PricingBasis(risk_load=StandardDeviationPrinciple(multiple=1.0)),
        ),
        Reason.FALLING_RISK_LOAD,
        VALUE + SELL,
    ),
    "risk load below the mean": (
        Slip(make_cover(trigger=DropTrigger(drop=0.3)), PricingBasis(risk_load=ValueAtRisk(level=0.5))),
        Reason.NEGATIVE_RISK_LOAD,
        VALUE + SELL,
    ),
    "premium reaches the limit": (
        Slip(make_cover(trigger=DropTrigger(drop=0.02))),
        Reason.UNINSURABLE,
        VALUE + SELL,
    ),
    "minimum reaches the limit, and no path pays": (
        Slip(make_cover(trigger=DropTrigger(drop=0.99), limit=10.0), PricingBasis(minimum_premium=10.0)),
        Reason.UNINSURABLE,
        VALUE + SELL,
    ),
    "no path fires": (Slip(make_cover(trigger=DropTrigger(drop=0.999))), Reason.UNRESOLVED, VALUE + SELL),
    "no path pays": (
        Slip(make_cover(trigger=DropTrigger(drop=0.2), payout=PAYOUTS["linear:0.98:0.99"])),
        Reason.UNRESOLVED,
        VALUE + SELL,
    ),
    "premium rounds to zero": (Slip(make_cover(limit=1e-3)), Reason.UNINSURABLE, SELL),
    "premium rounds up to the limit": (
        Slip(make_cover(), PricingBasis(minimum_premium=1e5 - 0.004)),
        Reason.UNINSURABLE,
        SELL,
    ),
    "raised to the limit after sales": (
        Slip(
            make_cover(trigger=DropTrigger(drop=0.25)),
            rules=SellingRules(bump=SalesBump(strength=10.0, largest=1e6)),
            conditions=SOLD_OUT,
        ),
        Reason.UNINSURABLE,
        FROM_A_STORE,
    ),
}


def answer_of(way, slip, folder):
    """Return a gross premium or a reason, and the error if there was one."""
    try:
        return way(slip, folder), None
    except QuoteRefusedError as error:
        return error.reason, error


def shape_of(error):
    """Return the type of an error, and its message without figures."""
    return type(error), re.sub(r"\d[\d.,]*(e[-+]?\d+)?", "#", str(error))


@pytest.mark.parametrize(("slip", "reason", "ways"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_refused_for_one_reason_and_with_one_error_however_it_is_priced(folder, slip, reason, ways):
    answers = {way.__name__: answer_of(way, slip, folder) for way in ways}
    assert {name: found for name, (found, _) in answers.items()} == dict.fromkeys(answers, reason)
    errors = [error for _, error in answers.values() if error]
    assert len({shape_of(error) for error in errors}) == 1
    assert {error.refusal.reason for error in errors} == {reason}


def test_every_reason_has_a_slip():
    assert {reason for _, reason, _ in SLIPS.values()} == set(Reason)


def require_one_answer(slip, folder):
    first, *others = (answer_of(way, slip, folder)[0] for way in VALUE + SELL)
    if isinstance(first, Reason):
        assert others == [first] * len(others)
    else:
        assert others == pytest.approx([first] * len(others), rel=1e-9)


RISK_LOADS = (
    StandardDeviationPrinciple(multiple=0.25),
    ValueAtRisk(level=0.9),
    WangTransform(shift=0.3),
    ExponentialPrinciple(aversion=2.0),
    EsscherPrinciple(aversion=1.0),
    EsscherPrinciple(aversion=800.0),
)


@given(
    drop=st.one_of(st.floats(0.01, 0.6), st.floats(0.6, 0.999)),
    payout=st.sampled_from(list(PAYOUTS.values())),
    window=st.sampled_from(["1h", "24h", "24h", "90min", "4h"]),
    term=st.sampled_from(["7d", "30d", "30d", "8d"]),
    basis=st.sampled_from(
        [
            PricingBasis(),
            PricingBasis(minimum_premium=1e3, tax_ratio=0.05, interest_rate=0.1),
            PricingBasis(risk_load=ValueAtRisk(level=0.9)),
            PricingBasis(risk_load=EsscherPrinciple(aversion=800.0)),
        ]
    ),
)
def test_any_cover_has_one_price_or_one_reason(folder, drop, payout, window, term, basis):
    cover = make_cover(trigger=DropTrigger(drop=drop, window=window), payout=payout, term=term)
    require_one_answer(Slip(cover, basis), folder)


@pytest.mark.parametrize("payout", PAYOUTS)
@pytest.mark.parametrize("risk_load", RISK_LOADS, ids=repr)
@pytest.mark.parametrize(("drop", "term"), [(0.02, "7d"), (0.0625, "30d")])
def test_a_trigger_that_fires_on_every_path_has_one_answer(folder, payout, risk_load, drop, term):
    """Falls so shallow are certain: no path is left that loses nothing, and one step of a payout is a constant."""
    cover = make_cover(trigger=DropTrigger(drop=drop, window="24h"), payout=PAYOUTS[payout], term=term)
    assert EXACT.exceedance(drop, window="24h", term=term).value == pytest.approx(1.0, rel=1e-12)
    require_one_answer(Slip(cover, PricingBasis(risk_load=risk_load)), folder)


def test_a_waiting_period_as_long_as_the_term_makes_no_cover_and_no_row():
    for make in (make_cover, Observation):
        with pytest.raises(InvalidTermsError, match="waiting_period must be shorter than the term of 30d, got 30d"):
            make(term="30d", waiting_period="30d")


def test_a_refusal_says_how_often_the_trigger_fires_once_that_is_known(folder):
    for slip, _, ways in (SLIPS[name] for name in ("premium reaches the limit", "no path pays", "aversion too large")):
        fired = FULL.exceedance(slip.cover.trigger.drop).value
        assert fired > 0.1
        for way in {by_quoter, by_rate_quoter} & set(ways):
            assert answer_of(way, slip, folder)[1].refusal.trigger_probability == pytest.approx(fired, rel=1e-12)
    _, error = answer_of(by_rate_quoter, SLIPS["suspended"][0], folder)
    assert error.refusal.trigger_probability is None
