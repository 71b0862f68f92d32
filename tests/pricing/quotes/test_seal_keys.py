"""Keys of seals, their exchange, and what makes an offer one: its identity, its audience and its time."""

import dataclasses
import hashlib
import hmac
import json
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import RateQuote, RateQuoter, compact, verify
from pricing.errors import (
    ExpiredQuoteError,
    ForeignQuoteError,
    InvalidTermsError,
    NewerFormatError,
    PricingError,
    TamperedQuoteError,
)
from pricing.quotes.keys import LEAST_BYTES, seal_key
from pricing.quotes.sealed_quote import seal, terms_text
from pricing.rates.publishing import publish
from tests.pricing.rates.store_worlds import KEY, NOON, make_cover, make_entry, simulate_surface

OTHER = b"the key of the month before"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rates")
    publish(folder, [(make_entry(), compact(simulate_surface("plain", n_paths=2_000)))], name="night")
    return folder


@pytest.fixture(scope="module")
def quoter(folder):
    return RateQuoter(folder, key=KEY)


@pytest.mark.parametrize("key", [b"", b"k", b"k" * (LEAST_BYTES - 1)])
def test_a_key_that_is_no_secret_is_refused(folder, quoter, key):
    with pytest.raises(InvalidTermsError, match=r"key must have at least 16 bytes, got \d+ \(an unset variable"):
        RateQuoter(folder, key=key)
    with pytest.raises(InvalidTermsError, match="key must have at least 16 bytes"):
        verify(quoter.quote(make_cover(), at=NOON), key)


def test_some_key_is_needed_to_verify(quoter):
    with pytest.raises(InvalidTermsError, match="key must hold at least one key, got none"):
        verify(quoter.quote(make_cover(), at=NOON), [])


@given(key=st.binary(min_size=16, max_size=200), n_zeros=st.integers(1, 70))
def test_a_key_and_its_padding_are_two_keys(key, n_zeros):
    """HMAC fills a key of up to 64 bytes with zeros, and hashes a longer one (RFC 2104): both would be one key."""
    mine, padded, hashed = (seal_key(each) for each in (key, key + bytes(n_zeros), hashlib.sha256(key).digest()))
    assert len({mine.secret, padded.secret, hashed.secret}) == 3
    assert len({mine.key_id, padded.key_id, hashed.key_id}) == 3


def test_a_padded_key_does_not_verify(quoter):
    with pytest.raises(TamperedQuoteError):
        verify(quoter.quote(make_cover(), at=NOON), KEY + b"\0")


def test_no_text_shows_a_secret(quoter):
    quote = quoter.quote(make_cover(), at=NOON)
    assert quote.key_id == seal_key(KEY).key_id
    for text in (repr(quoter), repr(seal_key(KEY)), repr(quote), quote.to_json()):
        assert KEY.decode() not in text
        assert seal_key(KEY).secret.hex() not in text


def test_keys_are_exchanged_without_losing_an_offer(folder):
    old, new = (RateQuoter(folder, key=key).quote(make_cover(), at=NOON) for key in (OTHER, KEY))
    for quote in (old, new):
        verify(quote, [KEY, OTHER])
    verify(new, (KEY,))
    with pytest.raises(TamperedQuoteError, match=f"it has key_id '{old.key_id}', tried '{new.key_id}'"):
        verify(old, [KEY])


def test_a_sealed_quote_does_not_become_an_unsealed_one(folder, quoter):
    stripped = dataclasses.replace(quoter.quote(make_cover(), at=NOON), key_id="")
    with pytest.raises(TamperedQuoteError):
        verify(stripped)
    unsealed = RateQuoter(folder).quote(make_cover(), at=NOON)
    with pytest.raises(TamperedQuoteError):
        verify(unsealed, KEY)


def test_two_offers_of_one_moment_are_two(quoter):
    quotes = [quoter.quote(make_cover(), at=NOON) for _ in range(1_000)]
    assert len({quote.quote_id for quote in quotes}) == len({quote.digest for quote in quotes}) == 1_000
    assert len({quote.premium for quote in quotes}) == 1
    first, again = (quoter.quote(make_cover(), at=NOON, quote_id="Q-1") for _ in range(2))
    assert first == again
    assert first.quote_id == "Q-1"


@pytest.mark.parametrize("text", [3, b"x", "x" * 201, "\ud800"])
@pytest.mark.parametrize("name", ["quote_id", "audience"])
def test_identity_and_audience_are_texts(quoter, name, text):
    with pytest.raises(InvalidTermsError, match=f"{name} must be a text of at most 200 characters"):
        quoter.quote(make_cover(), at=NOON, **{name: text})


def test_an_offer_is_for_its_audience(quoter):
    quote = quoter.quote(make_cover(), at=NOON, audience="test: buyer 7")
    verify(quote, KEY, audience="test: buyer 7")
    for other in ("", "test: buyer 8"):
        with pytest.raises(ForeignQuoteError, match="is 'test: buyer 7', got"):
            verify(quote, KEY, audience=other)
    with pytest.raises(ForeignQuoteError):
        verify(quoter.quote(make_cover(), at=NOON), KEY, audience="test: buyer 7")
    with pytest.raises(TamperedQuoteError):
        verify(dataclasses.replace(quote, audience="test: buyer 8"), KEY, audience="test: buyer 8")


def test_an_offer_is_accepted_while_it_lasts(quoter):
    quote = quoter.quote(make_cover(), at=NOON)  # valid for a quarter of an hour
    for at in (NOON - 5 * SECOND, NOON, NOON + 15 * MINUTE - SECOND):
        verify(quote, KEY, at=at)
    for at in (NOON - 6 * SECOND, NOON + 15 * MINUTE, datetime(2030, 1, 1, tzinfo=UTC)):
        with pytest.raises(ExpiredQuoteError, match="can be accepted from 2026-11-22T12:00:00"):
            verify(quote, KEY, at=at)
    verify(quote, KEY, at=NOON - MINUTE, clock_skew="1min")
    with pytest.raises(InvalidTermsError, match="at must be a time with an offset"):
        verify(quote, KEY, at=datetime(2026, 11, 22, 12))


@pytest.mark.parametrize("time", ["", "tomorrow", "2026-11-22T12:00:00", "9" * 500])
@pytest.mark.parametrize("name", ["issued_at", "valid_until"])
def test_times_that_are_none_are_refused(folder, name, time):
    quote = dataclasses.replace(RateQuoter(folder).quote(make_cover(), at=NOON), **{name: time})
    texts = [getattr(quote, each) for each in TEXTS]
    sum_of_all = seal(quote.cover, terms_text(quote.cover.observation), quote.premium, 1.0, 1.0, tuple(texts), b"")
    with pytest.raises(PricingError, match=f"{name} of a quote must be a time with an offset from UTC"):
        verify(dataclasses.replace(quote, digest=sum_of_all), at=NOON)


TEXTS_1 = ("issued_at", "valid_until", "version", "surface_id", "calibration_id", "engine_version", "basis_id")
TEXTS = ("format", "quote_id", "audience", "key_id", *TEXTS_1)


def in_format_1(quote, key):
    """Write a quote as release 0.3.0 and those before did, by a second hand."""
    cover, premium = quote.cover, quote.premium
    amounts = [
        getattr(premium, each.name) for each in dataclasses.fields(premium) if each.name not in ("flag", "further")
    ]
    terms = f"ROLLING_HIGH {cover.trigger.window} {cover.term} {cover.waiting_period} {cover.payment.value}"
    words = ["C-1", "OM", "USD", terms, "full", premium.flag.value, *(getattr(quote, name) for name in TEXTS_1)]
    message = struct.pack("<13I", *map(len, words)) + "".join(words).encode()
    message += struct.pack(f"<{4 + len(amounts)}d", 0.4, 1e5, 1.0, 1.0, *amounts)
    plain = json.loads(quote.to_json())
    for name in ("format", "quote_id", "audience", "key_id"):
        del plain[name]
    return {**plain, "digest": hmac.new(key, message, "sha256").hexdigest()}


def test_a_quote_of_format_1_is_read_and_verified(quoter):
    plain = in_format_1(quoter.quote(make_cover(), at=NOON), KEY)
    quote = RateQuote.from_json(json.dumps(plain))
    verify(quote, KEY, at=NOON)
    assert RateQuote.from_json(quote.to_json()) == quote
    with pytest.raises(TamperedQuoteError):
        verify(RateQuote.from_json(json.dumps({**plain, "version": "another"})), KEY)


def test_a_quote_does_not_go_back_to_format_1(quoter):
    plain = json.loads(quoter.quote(make_cover(), at=NOON, audience="buyer").to_json())
    for name in ("format", "quote_id", "audience", "key_id"):
        del plain[name]
    with pytest.raises(TamperedQuoteError):
        verify(RateQuote.from_json(json.dumps(plain)), KEY)


@pytest.mark.parametrize(
    ("found", "error", "message"),
    [
        (
            "crashcover rate quote 3",
            NewerFormatError,
            "format is 'crashcover rate quote 3', this release reads rate quote",
        ),
        ("crashcover rate quote 0", PricingError, "format must be 'crashcover rate quote 2', got"),
        ("crashcover quote 2", PricingError, "format must be 'crashcover rate quote 2', got"),
        (2, PricingError, "format must be 'crashcover rate quote 2', got 2"),
        ("crashcover rate quote " + "9" * 5000, PricingError, "format must be"),
    ],
)
def test_another_format_says_so(quoter, found, error, message):
    plain = json.loads(quoter.quote(make_cover(), at=NOON).to_json())
    with pytest.raises(error, match=message):
        RateQuote.from_json(json.dumps({**plain, "format": found, "colour": "red"}))
