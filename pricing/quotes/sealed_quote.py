"""A quote from published rates, sealed so that changes are detected."""

import hashlib
import hmac
import json
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
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
from pricing.errors import InvalidTermsError, PricingError, TamperedQuoteError
from pricing.premiums.premium import Premium, PremiumFlag, build_up_table, headed_lines, reliability_notes
from pricing.premiums.statements import rounded
from pricing.show.html_tables import Table, write_html
from pricing.tools import plain

if TYPE_CHECKING:
    import pandas as pd

_AMOUNTS = tuple(each.name for each in fields(Premium) if each.name not in ("flag", "further"))
_read_amounts = attrgetter(*_AMOUNTS)
_pack_numbers = struct.Struct(f"<{len(_AMOUNTS) + 4}d").pack
_pack_lengths = struct.Struct("<13I").pack


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
    issued_at, valid_until : str
        ISO 8601 times between which the offer can be accepted.
    version : str
        Published version of the rates.
    surface_id, calibration_id, engine_version, basis_id : str
        Identities of the inputs of the premium.
    digest : str
        Seal over everything above; see ``verify``.
    """

    cover: Cover
    premium: Premium
    rate_factor: float
    sales_factor: float
    issued_at: str
    valid_until: str
    version: str
    surface_id: str
    calibration_id: str
    engine_version: str
    basis_id: str
    digest: str

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
            If the text is not such a quote.
        """
        try:
            quote = plain.from_plain(json.loads(text, parse_int=float), (*_QUOTE_CLASSES, *payout_classes(), *classes))
        except (json.JSONDecodeError, RecursionError) as error:
            raise PricingError(f"not a quote: {error}") from error
        return _require_whole(quote)


_QUOTE_CLASSES = (
    RateQuote,
    Cover,
    DropTrigger,
    Payment,
    Premium,
    PremiumFlag,
    Reference,
)


def verify(quote: RateQuote, key: bytes = b"") -> None:
    """Check that a quote is unchanged since it was issued.

    Parameters
    ----------
    quote : RateQuote
        The quote.
    key : bytes
        Key of the backend that issued it. With a key the digest is an HMAC-SHA256 that nobody else can create; without
        one it is a SHA-256 sum that reveals damage, but that anybody can create.

    Raises
    ------
    TamperedQuoteError
        If anything in the quote has changed, or the key is another.
    PricingError
        If it is not a quote.
    InvalidTermsError
        If the key is not bytes.
    """
    require_key(key)
    _require_whole(quote)
    texts = (quote.issued_at, quote.valid_until, quote.version, *identity_of(quote))
    terms = terms_text(quote.cover.observation)
    wanted = seal(quote.cover, terms, quote.premium, quote.rate_factor, quote.sales_factor, texts, key)
    if not hmac.compare_digest(wanted, quote.digest):
        raise TamperedQuoteError(f"quote for cover {quote.cover.cover_id!r} does not match its digest")


def require_key(key: object) -> None:
    """Check that a key is bytes: None, from an unset variable, would seal without a key and accept any seal.

    Raises
    ------
    InvalidTermsError
        If the key is anything else.
    """
    if not isinstance(key, bytes):
        raise InvalidTermsError(f"key must be bytes, got {type(key).__name__} (b'' to seal without one)")


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
    key: bytes,
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
        Times and identities, in the order of ``RateQuote``.
    key : bytes
        See ``verify``.
    """
    payout, ends = _payout_parts(cover.payout)
    flag = premium.flag.value + plain.to_json(premium.further) if premium.further else premium.flag.value
    words = (cover.cover_id, cover.asset, cover.currency, terms, payout, flag, *texts)
    numbers = _pack_numbers(cover.trigger.drop, cover.limit, rate_factor, sales_factor, *_read_amounts(premium))
    message = _pack_lengths(*map(len, words)) + "".join(words).encode() + numbers + ends
    return hmac.digest(key, message, "sha256").hex() if key else hashlib.sha256(message).hexdigest()


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
