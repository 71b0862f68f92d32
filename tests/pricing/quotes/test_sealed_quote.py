"""Sealed quotes: what the seal holds, and what a text must be to be read as a quote."""

import dataclasses
import hashlib
import hmac
import json
import struct
from decimal import Decimal

import pytest

from pricing import FullPayout, LinearPayout, PremiumFlag, PricingBasis, RateQuote, RateQuoter, compact, verify
from pricing.errors import PricingError, TamperedQuoteError
from pricing.premiums.loadings import Loading
from pricing.quotes.keys import UNSEALED
from pricing.rates.publishing import publish
from tests.pricing.rates.store_worlds import KEY, NOON, make_cover, make_entry, simulate_surface

FEES = tuple(
    Loading(name=name, heading=name, meaning=name, fixed=fixed) for name, fixed in (("fee", 3.0), ("duty", 4.0))
)
FIRST = ("format", "quote_id", "audience", "key_id")
IDENTITIES = ("issued_at", "valid_until", "version", "surface_id", "calibration_id", "engine_version", "basis_id")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rates")
    publish(folder, [(make_entry(), compact(simulate_surface("plain", n_paths=2_000)))], name="night")
    return folder


def quote_of(folder, *, key=KEY, loadings=(), audience="", **changes):
    quoter = RateQuoter(folder, PricingBasis(loadings=loadings), key=key)
    return quoter.quote(make_cover(**changes), at=NOON, audience=audience)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FixedPayout(FullPayout):
    """A payout of the user's own that no kind names."""

    level: float = 0.5

    def share(self, worst_drop):
        return self.level + 0.0 * worst_drop


PARTS = {
    "kind and numbers": (LinearPayout(attachment=0.2, exhaustion=0.9), "linear", [0.2, 0.9]),
    "kind alone": (FullPayout(), "full", []),
    "json": (FixedPayout(), '{"level":0.5,"type":"FixedPayout"}', []),
}


@pytest.mark.parametrize(("payout", "text", "ends"), PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("key", [UNSEALED, KEY])
def test_the_seal_is_that_of_its_documentation(folder, key, payout, text, ends):
    """Lengths of the texts, the texts, the amounts and the numbers of the payout, by a second hand."""
    quote = quote_of(folder, key=key, payout=payout, audience="buyer ö")
    cover, premium = quote.cover, quote.premium
    terms = f"ROLLING_HIGH {cover.trigger.window} {cover.term} {cover.waiting_period} {cover.payment.value}"
    words = ["C-1", "OM", "USD", terms, text, premium.flag.value]
    words += [getattr(quote, name) for name in (*FIRST, *IDENTITIES)]
    amounts = [
        getattr(premium, field.name) for field in dataclasses.fields(premium) if field.name not in ("flag", "further")
    ]
    numbers = [0.4, 1e5, 1.0, 1.0, *amounts, *ends]
    message = (
        struct.pack("<17I", *map(len, words)) + "".join(words).encode() + struct.pack(f"<{len(numbers)}d", *numbers)
    )
    secret = None if key is UNSEALED else hashlib.sha256(key).digest()
    wanted = hmac.new(secret, message, "sha256") if secret else hashlib.sha256(message)
    assert quote.digest == wanted.hexdigest()


def test_further_lines_are_sealed(folder):
    quote = quote_of(folder, loadings=FEES)
    assert quote.premium.further == (("fee", 3.0), ("duty", 4.0))
    verify(RateQuote.from_json(quote.to_json()), KEY)
    for further in ((), (("fee", 3.0), ("duty", 5.0)), (("fee", 3.0), ("due", 4.0)), (("duty", 4.0), ("fee", 3.0))):
        changed = dataclasses.replace(quote, premium=dataclasses.replace(quote.premium, further=further))
        with pytest.raises(TamperedQuoteError, match="quote for cover 'C-1' does not match its digest"):
            verify(changed, KEY)


@pytest.mark.parametrize("further", [((3.0, 3.0),), (("fee", "3"),), (("fee", True),)])
def test_further_lines_are_names_and_numbers(folder, further):
    quote = quote_of(folder, loadings=FEES)
    changed = dataclasses.replace(quote, premium=dataclasses.replace(quote.premium, further=further))
    with pytest.raises(PricingError, match=r"(further|fee) of a quote must be a (str|Real)"):
        verify(changed, KEY)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cover": None}, "cover of a quote must be a Cover, got None"),
        ({"premium": 3.0}, "premium of a quote must be a Premium, got 3.0"),
        ({"rate_factor": "1"}, "rate_factor of a quote must be a Real, got '1'"),
        ({"sales_factor": True}, "sales_factor of a quote must be a Real, got True"),
        ({"version": 3}, "version of a quote must be a str, got 3"),
    ],
)
def test_parts_of_a_quote_have_their_types(folder, changes, message):
    with pytest.raises(PricingError, match=message):
        verify(dataclasses.replace(quote_of(folder), **changes), KEY)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gross": "3"}, "gross of a quote must be a Real, got '3'"),
        ({"flag": "ok"}, "flag of a quote must be a PremiumFlag, got 'ok'"),
    ],
)
def test_figures_of_a_premium_have_their_types(folder, changes, message):
    quote = quote_of(folder)
    with pytest.raises(PricingError, match=message):
        verify(dataclasses.replace(quote, premium=dataclasses.replace(quote.premium, **changes)), KEY)


def test_the_price_is_the_premium_and_its_tax_times_both_factors_each_to_the_cent(folder):
    quote = quote_of(folder)
    premium = dataclasses.replace(quote.premium, gross=1.0, tax=0.125, flag=PremiumFlag.OK)
    quote = dataclasses.replace(quote, premium=premium, rate_factor=0.5, sales_factor=3.0)
    assert quote.factor == 1.5
    assert quote.price == Decimal("1.50") + Decimal("0.19")


def test_json_has_the_indent_that_is_asked_for(folder):
    quote = quote_of(folder)
    plain = json.loads(quote.to_json())
    assert quote.to_json() == json.dumps(plain, sort_keys=True, separators=(",", ":"))
    assert quote.to_json(indent=2) == json.dumps(plain, sort_keys=True, indent=2)


def test_a_payout_of_the_users_own_is_sealed_and_read_back(folder):
    quote = quote_of(folder, payout=FixedPayout())
    again = RateQuote.from_json(quote.to_json(), classes=(FixedPayout,))
    assert again == quote
    verify(again, KEY)
    for payout in (FullPayout(), FixedPayout(level=0.75)):
        with pytest.raises(TamperedQuoteError):
            verify(dataclasses.replace(quote, cover=make_cover(payout=payout)), KEY)
    with pytest.raises(PricingError, match="got 'FixedPayout'"):
        RateQuote.from_json(quote.to_json())


def test_a_quote_without_a_key_is_checked_without_one(folder):
    verify(quote_of(folder, key=UNSEALED))
    with pytest.raises(TamperedQuoteError):
        verify(quote_of(folder))
