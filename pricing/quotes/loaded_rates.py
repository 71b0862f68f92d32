"""One published version of the rates in the shape that a quote reads: everything looked up, nothing computed twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pricing.contract.cover import Cover
from pricing.contract.observation import Payment
from pricing.contract.payouts import FullPayout
from pricing.contract.signals import Signal
from pricing.contract.triggers import DropTrigger, Reference
from pricing.errors import NotSimulatedError
from pricing.premiums.basis import PricingBasis
from pricing.premiums.discounting import discount_factor
from pricing.quotes.sealed_quote import terms_text
from pricing.rates.compact_surface import CompactSurface
from pricing.rates.store import RateEntry, RateStore
from pricing.rates.tail_sums import TailReader
from pricing.tools.units import Duration

#: What decides a cover: reference, window, term and waiting period.
Observed = tuple[Reference, Duration | None, Duration, Duration]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What covers with one observation have in common: a pair each, for payment at the hit and at expiry."""

    texts: tuple[str, str]
    factors: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class AssetRates:
    """What quotes on one asset need, read once."""

    entry: RateEntry
    as_of: datetime
    valid_until: datetime
    surface: CompactSurface
    tails: Mapping[Observed, tuple[TailReader, Terms]]

    def find(self, cover: Cover) -> tuple[TailReader, Terms]:
        """Return what a cover is read off.

        Raises
        ------
        NotSimulatedError
            If there is nothing.
        """
        trigger = cover.trigger
        found = self.tails.get((trigger.reference, trigger.window, cover.term, cover.waiting_period))
        if found is None:
            self.surface.tail(
                reference=trigger.reference, window=trigger.window, term=cover.term, waiting_period=cover.waiting_period
            )
            raise NotSimulatedError(
                f"cover {cover.cover_id!r}: the surface of {cover.asset!r} does not hold its signal"
            )
        return found


@dataclass(frozen=True, slots=True, eq=False)
class LoadedRates:
    """One published version."""

    version: str
    assets: Mapping[str, AssetRates]


def load_rates(folder: Path, basis: PricingBasis) -> LoadedRates:
    """Map all surfaces of the version in force.

    Raises
    ------
    RateStoreError, CorruptSurfaceError
        If the store is empty or damaged.
    """
    store = RateStore.open(folder)
    terms: dict[Observed, Terms] = {}
    return LoadedRates(store.version, {asset: _load_asset(store, asset, basis, terms) for asset in store.entries})


def _load_asset(store: RateStore, asset: str, basis: PricingBasis, terms: dict[Observed, Terms]) -> AssetRates:
    entry, surface = store.entries[asset], store.surface(asset)
    tails = {}
    for signal, tail in zip(surface.signals, surface.tails, strict=True):
        observation = _observation(signal, surface.step)
        if observation not in terms:
            terms[observation] = _terms(observation, basis)
        tails[observation] = tail.reader(), terms[observation]
    return AssetRates(entry, entry.as_of_time, entry.valid_until_time, surface, tails)


def _observation(signal: Signal, step: timedelta) -> Observed:
    window = signal.window_steps * step if signal.window_steps else None
    return signal.reference, window, signal.term_steps * step, signal.start_steps * step


def _terms(observation: Observed, basis: PricingBasis) -> Terms:
    reference, window, term, waiting_period = observation
    covers = [
        Cover(
            cover_id="any",
            asset="any",
            trigger=DropTrigger(drop=0.5, window=window, reference=reference),
            payout=FullPayout(),
            limit=1.0,
            currency="any",
            term=term,
            waiting_period=waiting_period,
            payment=payment,
        )
        for payment in (Payment.AT_HIT, Payment.AT_EXPIRY)
    ]
    at_hit, at_expiry = ((terms_text(cover), discount_factor(cover, basis.interest_rate)) for cover in covers)
    return Terms((at_hit[0], at_expiry[0]), (at_hit[1], at_expiry[1]))
