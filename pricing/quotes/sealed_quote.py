"""A quote from published rates, sealed so that changes are detected."""

import hashlib
import hmac
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from numbers import Real
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from pricing.contract.cover import Cover
from pricing.contract.observation import Observation, Payment
from pricing.contract.payouts import Payout, is_piecewise, payout_classes
from pricing.contract.sentences import terms_table
from pricing.contract.triggers import DropTrigger, Reference
from pricing.errors import ExpiredQuoteError, ForeignQuoteError, PricingError, TamperedQuoteError
from pricing.premiums.premium import Premium, PremiumFlag, build_up_table, headed_lines, reliability_notes
from pricing.premiums.statements import rounded
from pricing.quotes.keys import UNSEALED, SealKey, Unsealed, seal_keys
from pricing.show.html_tables import Table, write_html
from pricing.tools import plain
from pricing.tools.stored import format_name, parse_json, read_format
from pricing.tools.times import to_utc
from pricing.tools.units import Duration, parse_duration

if TYPE_CHECKING:
    import pandas as pd

_AMOUNTS = tuple(each.name for each in fields(Premium) if each.name not in ("flag", "further"))
_read_amounts = attrgetter(*_AMOUNTS)
_pack_numbers = struct.Struct(f"<{len(_AMOUNTS) + 4}d").pack
#: Packs the lengths of all words, by the number of texts among them: as many as in format 1 and in format 2.
_PACK_LENGTHS = {n_texts: struct.Struct(f"<{6 + n_texts}I").pack for n_texts in (7, 11)}

_KIND = "rate quote"
_FORMAT_1 = format_name(_KIND, 1)
#: Format of the quotes of this release, which their seal includes.
FORMAT = format_name(_KIND, 2)
_MOST_CHARACTERS = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RateQuote:
    """An offer, with the identities of all its inputs.

    Parameters
    ----------
    cover : Cover
        The contract.
    premium : Premium
        Premium of the model, line by line.
    rate_factor, sales_factor : float
        Factors of rate limits and of recent sales on the premium.
    quote_id : str
        Identity of the offer: no two have the same.
    audience : str
        Whom the offer is for, such as a buyer or an environment; empty if for anybody.
    key_id : str
        Identity of the key that seals the offer; empty without a key.
    issued_at, valid_until : str
        ISO 8601 times between which the offer can be accepted.
    version : str
        Published version of the rates.
    surface_id, calibration_id, engine_version, basis_id : str
        Identities of the inputs of the premium.
    digest : str
        Seal over everything else; see ``verify``.
    format : str
        Version of the form in which the quote is stored and sealed.
    """

    cover: Cover
    premium: Premium
    rate_factor: float
    sales_factor: float
    quote_id: str
    audience: str
    key_id: str
    issued_at: str
    valid_until: str
    version: str
    surface_id: str
    calibration_id: str
    engine_version: str
    basis_id: str
    digest: str
    format: str = FORMAT

    @property
    def factor(self) -> float:
        """Factor on the premium."""
        return self.rate_factor * self.sales_factor

    @property
    def price(self) -> Decimal:
        """Amount that the buyer pays in the currency of the cover: premium and tax, each to the cent, halves up."""
        return rounded(self.premium.gross * self.factor) + rounded(self.premium.tax * self.factor)

    def to_frame(self) -> "pd.DataFrame":
        """Return the premium of the model as a data frame, see ``Premium.to_frame``; factors are not in it."""
        return self.premium.to_frame()

    def _repr_html_(self) -> str:
        cover = self.cover
        offer = [
            ("Premium of the model", f"{self.premium.total:,.2f} {cover.currency}"),
            ("Factor of rate limits and recent sales", f"{self.factor:.6g}"),
            ("Price", f"{self.price:,} {cover.currency}"),
            ("Issued", self.issued_at),
            ("Valid until", self.valid_until),
        ]
        return write_html(
            f"Quote {cover.cover_id}",
            terms_table(cover),
            Table(rows=offer),
            build_up_table(self.premium, headed_lines(self.premium), cover.currency),
            notes=[*reliability_notes(self.premium.flag), f"Rates {self.version}, engine {self.engine_version}."],
        )

    def to_json(self, *, indent: int | None = None) -> str:
        """Write the quote as JSON with sorted keys."""
        return plain.to_json(self, indent=indent)

    @staticmethod
    def from_json(text: str, *, classes: Iterable[type] = ()) -> "RateQuote":
        """Read a quote; verify it before relying on it.

        Parameters
        ----------
        text : str
            Output of ``to_json``.
        classes : iterable of type
            Payouts of your own that the quote may contain.

        Raises
        ------
        PricingError
            If the text is not such a quote, or has more than 2^20 characters.
        NewerFormatError
            If a newer release wrote it.
        """
        value, known = (
            parse_json(text, "a quote", most=_MOST_CHARACTERS),
            (*_QUOTE_CLASSES, *payout_classes(), *classes),
        )
        if not isinstance(value, dict) or value.get("type") != RateQuote.__name__:
            return _require_whole(plain.from_plain(value, known))
        return read_format(
            value.get("format", _FORMAT_1),
            _KIND,
            {
                1: lambda: _require_whole(plain.from_plain({**_NOT_IN_FORMAT_1, **value}, known)),
                2: lambda: _require_whole(plain.from_plain(value, known)),
            },
        )


_QUOTE_CLASSES = (
    RateQuote,
    Cover,
    DropTrigger,
    Payment,
    Premium,
    PremiumFlag,
    Reference,
)


_NOT_IN_FORMAT_1 = {"format": _FORMAT_1, "quote_id": "", "audience": "", "key_id": ""}


def verify(
    quote: RateQuote,
    key: bytes | Sequence[bytes] | Unsealed = UNSEALED,
    *,
    at: datetime | None = None,
    audience: str = "",
    clock_skew: Duration = "5s",
) -> None:
    """Check that a quote is unchanged since it was issued, is for this audience, and can be accepted at a time.

    A quote can be accepted more than once: whoever accepts it must note its ``quote_id``.

    Parameters
    ----------
    quote : RateQuote
        The quote.
    key : bytes, or list or tuple of bytes, optional
        Key of the backend that issued it, or all keys in use while keys are exchanged; each of at least 16 bytes. With
        a key the digest is an HMAC-SHA256 that nobody else can create; without one it is a SHA-256 sum that reveals
        damage, but that anybody can create.
    at : datetime, optional
        Time of acceptance, with an offset from UTC; by default only the seal and the audience are checked.
    audience : str
        Audience that ``RateQuoter.quote`` was given.
    clock_skew : timedelta or str
        Tolerance if the clock of the issuer is ahead of the clock behind `at`.

    Raises
    ------
    TamperedQuoteError
        If anything in the quote has changed, or the key is another.
    ForeignQuoteError
        If it was offered to another audience.
    ExpiredQuoteError
        If it cannot be accepted at that time.
    PricingError
        If it is not a quote.
    InvalidTermsError
        If a key is not bytes or too short, or the time has no offset from UTC.
    """
    keys = seal_keys(key)
    _require_whole(quote)
    if not any(hmac.compare_digest(_seal_of(quote, each), quote.digest.encode()) for each in keys):
        raise TamperedQuoteError(
            f"quote for cover {quote.cover.cover_id!r} does not match its digest: it was altered, or sealed with "
            f"another key (it has key_id {quote.key_id!r}, tried {', '.join(repr(each.key_id) for each in keys)})"
        )
    if quote.audience != audience:
        raise ForeignQuoteError(f"audience of quote {quote.quote_id!r} is {quote.audience!r}, got {audience!r}")
    if at is not None:
        _require_open(quote, to_utc(at, "at"), parse_duration(clock_skew, "clock_skew"))


def _require_open(quote: RateQuote, at: datetime, clock_skew: timedelta) -> None:
    if not _time(quote, "issued_at") - clock_skew <= at < _time(quote, "valid_until"):
        raise ExpiredQuoteError(
            f"quote {quote.quote_id!r} can be accepted from {quote.issued_at} until {quote.valid_until}, now is {at}"
        )


def _time(quote: RateQuote, name: str) -> datetime:
    try:
        return to_utc(datetime.fromisoformat(getattr(quote, name)), name)
    except ValueError as error:
        raise PricingError(f"{name} of a quote must be a time with an offset from UTC: {error}") from error


def _seal_of(quote: RateQuote, key: SealKey) -> bytes:
    texts = (quote.issued_at, quote.valid_until, quote.version, *identity_of(quote))
    first = (FORMAT, quote.quote_id, quote.audience, quote.key_id)
    sealed = {1: lambda: (texts, key.raw), 2: lambda: ((*first, *texts), key.secret)}
    terms, factors = terms_text(quote.cover.observation), (quote.rate_factor, quote.sales_factor)
    try:
        return seal(quote.cover, terms, quote.premium, *factors, *read_format(quote.format, _KIND, sealed)).encode()
    except (UnicodeEncodeError, ArithmeticError, struct.error) as error:
        raise PricingError(f"not a quote: {error}") from error


def _require_whole(quote: object) -> RateQuote:
    """Check that every part of a value has its type, so that later code can rely on it.

    Raises
    ------
    PricingError
        If a part has another type.
    """
    if not isinstance(quote, RateQuote):
        raise PricingError(f"not a quote from rates but a {type(quote).__name__}")
    kinds: dict[str, Any] = {"cover": Cover, "premium": Premium, "rate_factor": Real, "sales_factor": Real}
    for name in (each.name for each in fields(RateQuote)):
        _require_kind(name, getattr(quote, name), kinds.get(name, str))
    for name in _AMOUNTS:
        _require_kind(name, getattr(quote.premium, name), Real)
    _require_kind("flag", quote.premium.flag, PremiumFlag)
    for name, amount in quote.premium.further:
        _require_kind("further", name, str)
        _require_kind(name, amount, Real)
    return quote


def _require_kind(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise PricingError(f"{name} of a quote must be a {kind.__name__}, got {value!r}")


identity_of = attrgetter("surface_id", "calibration_id", "engine_version", "basis_id")


def seal(
    cover: Cover,
    terms: str,
    premium: Premium,
    rate_factor: float,
    sales_factor: float,
    texts: tuple[str, ...],
    secret: bytes,
) -> str:
    """Return the digest of a quote.

    The message is the lengths of all texts in characters as 32-bit numbers, the texts in UTF-8, and all amounts and
    the numbers of the payout as 64-bit floats, little endian. Further lines follow the flag as JSON.

    Parameters
    ----------
    cover, premium, rate_factor, sales_factor
        See ``RateQuote``.
    terms : str
        ``terms_text`` of the cover's observation.
    texts : tuple of str
        The format, the identity of the quote, its audience, the identity of the key, then times and identities in the
        order of ``RateQuote``.
    secret : bytes
        See ``SealKey``.
    """
    payout, ends = _payout_parts(cover.payout)
    flag = premium.flag.value + plain.to_json(premium.further) if premium.further else premium.flag.value
    words = (cover.cover_id, cover.asset, cover.currency, terms, payout, flag, *texts)
    numbers = _pack_numbers(cover.trigger.drop, cover.limit, rate_factor, sales_factor, *_read_amounts(premium))
    message = _PACK_LENGTHS[len(texts)](*map(len, words)) + "".join(words).encode() + numbers + ends
    return hmac.digest(secret, message, "sha256").hex() if secret else hashlib.sha256(message).hexdigest()


def terms_text(watched: Observation) -> str:
    """Return the observation, the term and the time of payment as text."""
    return f"{watched.reference.name} {watched.window} {watched.term} {watched.waiting_period} {watched.payment.value}"


def _payout_parts(payout: Payout) -> tuple[str, bytes]:
    """Return a payout as its kind, or as JSON, and its numbers, which follow the amounts."""
    if not is_piecewise(payout):
        return plain.to_json(payout), b""
    numbers = payout.numbers()
    return payout.kind, _packer(len(numbers))(*numbers)


@cache
def _packer(n_numbers: int) -> Callable[..., bytes]:
    return struct.Struct(f"<{n_numbers}d").pack
