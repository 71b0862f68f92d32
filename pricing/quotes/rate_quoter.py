"""Quotes from a rate store in microseconds, for a selling backend.

A quoter holds one whole published version of the rates, mapped into memory. Only the
reference to that version ever changes, atomically in ``refresh``: a quote reads it once and so sees one version,
whatever other threads do. There is no lock, no thread, no cache and no global state, so it may be shared by threads and
inherited by forked processes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from os import urandom
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pricing.contract.book import Book
from pricing.contract.cover import Cover
from pricing.errors import (
    CorruptSurfaceError,
    InvalidTermsError,
    NewerFormatError,
    NotYetValidError,
    PricingError,
    QuoteRefusedError,
    RateStoreError,
    Reason,
    StaleRateError,
    SuspendedAssetError,
    UninsurableError,
    WaitingPeriodError,
)
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import add_up, require_payment
from pricing.premiums.premium import Premium
from pricing.premiums.statements import LEAST_COIN, ROUNDED_UP, require_coins
from pricing.quotes.keys import UNSEALED, SealKey, Unsealed, seal_key
from pricing.quotes.known_assets import find_asset
from pricing.quotes.loaded_rates import AssetRates, LoadedRates, Terms, load_rates
from pricing.quotes.rate_limits import RateInForce, RatesInForce
from pricing.quotes.sealed_quote import FORMAT, RateQuote, seal
from pricing.quotes.selling_rules import Conditions, SellingRules
from pricing.rates.book_premiums import PremiumColumns, premium_columns
from pricing.rates.cover_losses import tail_losses
from pricing.rates.store import RateEntry, current_version
from pricing.rates.tail_sums import TailReader
from pricing.tools import plain
from pricing.tools.arrays import CodeArray, FloatArray
from pricing.tools.fields import require_kind
from pricing.tools.times import to_utc
from pricing.tools.units import YEAR, is_unicode
from pricing.version import ENGINE_VERSION

if TYPE_CHECKING:
    import pandas as pd

_UNREMARKABLE = Conditions()
_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BookQuotes:
    """Current prices of a book of covers; they are not sealed, because they are not offers.

    Parameters
    ----------
    premiums : PremiumColumns
        Premiums, and the reason for each cover that has none.
    price : ndarray of shape (n_covers,)
        Price with tax and the increase from recent sales, NaN if a cover is refused.
    version : str
        Published version of the rates.
    entries : mapping of str to RateEntry
        Entry of each asset of the book.
    valid_until : mapping of str to str
        Time until which the prices on each asset are valid.
    """

    premiums: PremiumColumns
    price: FloatArray
    version: str
    entries: Mapping[str, RateEntry]
    valid_until: Mapping[str, str]

    def to_frame(self) -> "pd.DataFrame":
        """Return the prices as a data frame: ``price``, then the columns of ``premiums``; a row per cover."""
        frame = self.premiums.to_frame()
        frame.insert(0, "price", self.price)
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class RateQuoter:
    """Issues sealed quotes from the rates in force, in microseconds.

    Parameters
    ----------
    folder : path
        The rate store that ``publish`` writes.
    basis : PricingBasis, optional
        Loadings of every quote.
    rules : SellingRules, optional
        Rules on when to sell, and on price reactions to sales.
    key : bytes, optional
        Key of at least 16 bytes that seals quotes; see ``verify``.

    Raises
    ------
    RateStoreError, CorruptSurfaceError
        If the store is empty or damaged.
    InvalidTermsError
        If the key is not bytes or too short, for example because an environment variable is not set.
    """

    folder: str | Path
    basis: PricingBasis = field(default_factory=PricingBasis)
    rules: SellingRules = field(default_factory=SellingRules)
    key: bytes | Unsealed = field(default=UNSEALED, repr=False)
    _rates: LoadedRates = field(init=False, repr=False)
    _basis_id: str = field(init=False, repr=False)
    _seal_key: SealKey = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_kind(self.folder, "folder", str | Path, InvalidTermsError)
        require_kind(self.basis, "basis", PricingBasis, InvalidTermsError)
        require_kind(self.rules, "rules", SellingRules, InvalidTermsError)
        object.__setattr__(self, "_seal_key", seal_key(self.key))
        basis_id = hashlib.sha256(plain.to_json(self.basis).encode()).hexdigest()[:16]
        object.__setattr__(self, "_basis_id", basis_id)
        object.__setattr__(self, "_rates", load_rates(self.folder, self.basis, self.rules))

    @property
    def version(self) -> str:
        """Name of the version in use."""
        return self._rates.version

    @property
    def entries(self) -> dict[str, RateEntry]:
        """Entry of each asset."""
        return {name: asset.entry for name, asset in self._rates.assets.items()}

    def __reduce__(self) -> tuple[type["RateQuoter"], tuple[Path, PricingBasis, SellingRules]]:
        """Pickle a quoter without a key as its folder, which is opened again where it arrives.

        Raises
        ------
        PricingError
            If there is a key, which must not travel with a pickle.
        """
        if self.key is not UNSEALED:
            raise PricingError(
                "a quoter with a key cannot be sent to another process, because the key would go with it: call "
                "RateQuoter(folder, ..., key=...) in each worker"
            )
        return RateQuoter, (Path(self.folder).absolute(), self.basis, self.rules)

    def __copy__(self) -> "RateQuoter":
        """Copy the quoter; the copy shares the rates in memory until one of the two is refreshed."""
        twin = object.__new__(RateQuoter)
        for each in fields(self):
            object.__setattr__(twin, each.name, getattr(self, each.name))
        return twin

    def __deepcopy__(self, memo: dict[int, object]) -> "RateQuoter":
        """Copy the quoter; nothing that the copies share ever changes."""
        return copy(self)

    def refresh(self) -> bool:
        """Switch to the version in force in the store; return whether it has changed.

        Quotes continue to use the old version while the new one is read, and also if reading fails. Call it from any
        one thread, as often as you like: it reads one small file if nothing was published. If somebody has written to
        the file in use, its checksums are verified again; if they do not match, no rate is left to quote from.

        Raises
        ------
        RateStoreError, CorruptSurfaceError, NewerFormatError
            If the new version is damaged, or of a newer release.
        """
        before = self._rates.version
        while not self._is_up_to_date():
            try:
                rates = load_rates(self.folder, self.basis, self.rules)
            except (RateStoreError, CorruptSurfaceError, NewerFormatError):
                if not self._rates.surfaces.is_untouched():
                    object.__setattr__(self, "_rates", replace(self._rates, assets={}))
                raise
            object.__setattr__(self, "_rates", rates)
        return self._rates.version != before

    def _is_up_to_date(self) -> bool:
        return current_version(self.folder) == self._rates.version and self._rates.surfaces.is_untouched()

    def quote(
        self,
        cover: Cover,
        *,
        at: datetime,
        conditions: Conditions = _UNREMARKABLE,
        in_force: RateInForce | None = None,
        quote_id: str = "",
        audience: str = "",
    ) -> RateQuote:
        """Price a cover for sale, and seal the offer.

        Parameters
        ----------
        cover : Cover
            The contract.
        at : datetime
            Time of the quote, with an offset from UTC.
        conditions : Conditions
            Alerts and recent sales on the asset.
        in_force : RateInForce, optional
            The rate at which the same terms were offered before.
        quote_id : str
            Identity of the offer, by which it can be accepted once; by default 96 random bits.
        audience : str
            Whom the offer is for, such as a buyer or an environment; ``verify`` asks for it again.

        Raises
        ------
        UnknownAssetError, SuspendedAssetError, StaleRateError, NotYetValidError, SalesFrozenError, WaitingPeriodError
            If the rules forbid the sale.
        InvalidTermsError
            If `quote_id` or `audience` is not a text of at most 200 characters.
        NotSimulatedError
            If the rates do not contain the cover's observation.
        UnmeasurableLossError, NegativeRiskLoadError
            If the basis cannot price the loss.
        UnresolvedError
            If no simulated path triggers a payment, so that there is a bound but no price.
        UninsurableError
            If the price reaches the limit, or rounds to zero.
        """
        at, rates = to_utc(at, "at"), self._rates
        if conditions is not _UNREMARKABLE:
            require_kind(conditions, "conditions", Conditions, InvalidTermsError)
        asset = find_asset(cover, rates.assets)
        self._require_sellable(asset, at, conditions.alerted_at)
        if in_force is not None:
            self.rules.require_set(in_force.since, at)
        self.rules.require_lag(cover.waiting_period)
        tail, terms = asset.find(cover)
        priced = _price(cover, tail, terms)
        rate_factor = 1.0
        if in_force is not None:
            require_kind(in_force, "in_force", RateInForce, InvalidTermsError)
            least = self.basis.least_gross(cover.limit, cover.term / YEAR) / cover.limit
            rate_factor = self.rules.rate_factor(priced.rate_on_line, in_force, at, least=least)
        sales_factor = self.rules.sales_factor(conditions.pressure, at)
        _require_price(cover, priced, rate_factor * sales_factor)
        entry, key = asset.entry, self._seal_key
        quote_id = _require_text(quote_id, "quote_id") if quote_id else urandom(12).hex()
        if audience:
            _require_text(audience, "audience")
        issued_at, valid_until = at.isoformat(), self.rules.valid_until(at, asset.valid_until).isoformat()
        texts = (
            FORMAT,
            quote_id,
            audience,
            key.key_id,
            issued_at,
            valid_until,
            rates.version,
            entry.surface_id,
            entry.calibration_id,
            entry.engine_version,
            self._basis_id,
        )
        return RateQuote(
            cover=cover,
            premium=priced,
            rate_factor=rate_factor,
            sales_factor=sales_factor,
            quote_id=quote_id,
            audience=audience,
            key_id=key.key_id,
            issued_at=issued_at,
            valid_until=valid_until,
            version=rates.version,
            surface_id=entry.surface_id,
            calibration_id=entry.calibration_id,
            engine_version=entry.engine_version,
            basis_id=self._basis_id,
            digest=seal(cover, terms.text, priced, rate_factor, sales_factor, texts, key.secret),
        )

    def quote_many(
        self,
        book: Book,
        *,
        at: datetime,
        conditions: Mapping[str, Conditions] | None = None,
        in_force: RatesInForce | None = None,
    ) -> BookQuotes:
        """Price a book of covers.

        A cover that ``quote`` would refuse is refused in its row, for the same reason; all others are priced.

        Parameters
        ----------
        book : Book
            Covers.
        at : datetime
            Time of the quotes, with an offset from UTC.
        conditions : mapping of str to Conditions, optional
            Alerts and recent sales by asset.
        in_force : RatesInForce, optional
            The rates at which the same terms were offered before.
        """
        require_kind(book, "book", Book, InvalidTermsError)
        require_kind(in_force, "in_force", RatesInForce | None, InvalidTermsError)
        for each in (conditions or {}).values():
            require_kind(each, "conditions", Conditions, InvalidTermsError)
        at, known = to_utc(at, "at"), self._rates
        of_asset = [(conditions or {}).get(asset, _UNREMARKABLE) for asset in book.assets]
        assets = {asset: known.assets[asset] for asset in book.assets if asset in known.assets}
        surfaces = {asset: rates.surface for asset, rates in assets.items()}
        refusal = self._refusals(book, assets, at, of_asset, in_force)
        premiums = premium_columns(book, surfaces, self.basis, refusal=refusal)
        factor = self._factors(book, premiums, at, of_asset, in_force)
        price = premiums.total * factor
        has_price = (premiums.gross * factor >= LEAST_COIN) & (price < book.limit - ROUNDED_UP)
        premiums = premiums.refused(~has_price, Reason.UNINSURABLE)
        return BookQuotes(
            premiums=premiums,
            price=np.where(premiums.refusal, np.nan, price),
            version=known.version,
            entries={asset: rates.entry for asset, rates in assets.items()},
            valid_until={
                asset: self.rules.valid_until(at, rates.valid_until).isoformat() for asset, rates in assets.items()
            },
        )

    def _refusals(
        self,
        book: Book,
        assets: Mapping[str, AssetRates],
        at: datetime,
        conditions: Sequence[Conditions],
        in_force: RatesInForce | None,
    ) -> CodeArray:
        """Return the refusals of the rules; reasons of the asset precede those of the observation."""
        by_asset = np.array(
            [
                self._refusal(assets.get(asset), at, known.alerted_at)
                for asset, known in zip(book.assets, conditions, strict=True)
            ],
            dtype=np.int8,
        )[book.asset]
        lags = [self._refusal_of_lag(observation.waiting_period) for observation in book.observations]
        by_cover = np.array(lags, dtype=np.int8)[book.observation]
        is_of_book = in_force is not None and in_force.rate.shape == by_cover.shape  # the rules refuse other shapes
        if in_force is not None and is_of_book and self._refusal_of_time(in_force.since, at):
            by_cover = np.where(np.isnan(in_force.rate), by_cover, np.int8(Reason.NOT_YET_VALID.code))
        return np.where(by_asset, by_asset, by_cover)

    def _factors(
        self,
        book: Book,
        premiums: PremiumColumns,
        at: datetime,
        conditions: Sequence[Conditions],
        in_force: RatesInForce | None,
    ) -> FloatArray:
        """Return the factors of rate limits and recent sales on each premium."""
        sales = np.array([self.rules.sales_factor(known.pressure, at) for known in conditions])[book.asset]
        least = self.basis.least_gross(book.limit, book.years, larger=np.maximum) / book.limit
        return sales * self.rules.rate_factors(premiums.rate_on_line, in_force, at, least=least)

    def _refusal(self, asset: AssetRates | None, at: datetime, alerted_at: datetime | None) -> int:
        if asset is None:
            return Reason.UNKNOWN_ASSET.code
        try:
            self._require_sellable(asset, at, alerted_at)
        except QuoteRefusedError as error:
            return error.reason.code
        return 0

    def _refusal_of_time(self, since: datetime, at: datetime) -> int:
        try:
            self.rules.require_set(since, at)
        except NotYetValidError as error:
            return error.reason.code
        return 0

    def _refusal_of_lag(self, waiting_period: timedelta) -> int:
        try:
            self.rules.require_lag(waiting_period)
        except WaitingPeriodError as error:
            return error.reason.code
        return 0

    def _require_sellable(self, asset: AssetRates, at: datetime, alerted_at: datetime | None) -> None:
        if asset.is_plain and asset.plain_from <= at < asset.plain_until and alerted_at is None:
            return
        entry = asset.entry
        if entry.status == "suspended":
            reasons = f" ({'; '.join(entry.verdict)})" if entry.verdict else ""
            raise SuspendedAssetError(f"asset {entry.asset!r} is suspended from sale{reasons}")
        if entry.status == "stale" and not self.rules.sells_stale:
            raise StaleRateError(f"asset {entry.asset!r}: the rate of {entry.as_of} is marked as stale")
        if at >= asset.valid_until:
            raise StaleRateError(f"asset {entry.asset!r}: the rate was valid until {entry.valid_until}, now is {at}")
        if entry.engine_version != ENGINE_VERSION:
            raise StaleRateError(
                f"asset {entry.asset!r}: the rate is of engine {entry.engine_version}, this is {ENGINE_VERSION} "
                "(publish with this release, or quote with the release that published)"
            )
        self.rules.require_young(entry.asset, asset.as_of, at)
        self.rules.require_calm(entry.asset, alerted_at, at)


def _require_text(text: object, name: str) -> str:
    if not (isinstance(text, str) and len(text) <= _MOST_CHARACTERS and is_unicode(text)):
        raise InvalidTermsError(f"{name} must be a text of at most {_MOST_CHARACTERS} characters, got {text!r:.80}")
    return text


def _price(cover: Cover, tail: TailReader, terms: Terms) -> Premium:
    losses = tail_losses(tail, cover.payout, cover.trigger.drop, terms.basis, terms.factor)
    priced = add_up(losses, terms.basis, name=cover.cover_id, limit=cover.limit, term=cover.term)
    require_payment(priced, cover.cover_id, tail.sums.paths)
    return priced


def _require_price(cover: Cover, priced: Premium, factor: float) -> None:
    if not priced.total * factor < cover.limit - ROUNDED_UP and factor > 1.0:
        raise UninsurableError(
            f"cover {cover.cover_id!r}: after recent sales the premium of {priced.total:,.2f} is raised by a factor "
            f"{factor:.3g} and reaches the limit {cover.limit:,.2f}",
            trigger_probability=priced.trigger_probability,
        )
    require_coins(priced, limit=cover.limit, name=cover.cover_id, factor=factor)
