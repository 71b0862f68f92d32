"""One published version of the rates, prepared for quotes: everything is looked up, nothing is computed twice."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pricing.contract.cover import Cover
from pricing.contract.observation import Observation, Payment
from pricing.contract.signals import observation_of
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import sample_for
from pricing.premiums.discounting import discount_factor
from pricing.quotes.sealed_quote import terms_text
from pricing.quotes.selling_rules import SellingRules
from pricing.rates.compact_surface import CompactSurface
from pricing.rates.store import RateEntry, RateStore, read_current
from pricing.rates.stored_surfaces import Surfaces
from pricing.rates.tail_sums import TailReader
from pricing.version import ENGINE_VERSION


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Common values of covers with one observation: its text in a seal, the discount factor, and the basis."""

    text: str
    factor: float
    basis: PricingBasis


@dataclass(frozen=True, slots=True, eq=False)
class AssetRates:
    """Data for quotes on one asset, read once.

    If it `is_plain`, nothing but an alert keeps the asset from sale from `plain_from` until `plain_until`. Otherwise
    the rules say what does.
    """

    entry: RateEntry
    as_of: datetime
    valid_until: datetime
    is_plain: bool
    plain_from: datetime
    plain_until: datetime
    surface: CompactSurface
    tails: Mapping[Observation, tuple[TailReader, Terms]]

    def find(self, cover: Cover) -> tuple[TailReader, Terms]:
        """Return the tail and the terms of a cover.

        Raises
        ------
        NotSimulatedError
            If its signal was not simulated.
        """
        found = self.tails.get(cover.observation)
        if found is None:
            sample_for(cover, self.surface)  # raises the error, which names the contents of the surface
        assert found is not None
        return found


@dataclass(frozen=True, slots=True, eq=False)
class LoadedRates:
    """One published version."""

    version: str
    assets: Mapping[str, AssetRates]
    surfaces: Surfaces


def load_rates(folder: str | Path, basis: PricingBasis, rules: SellingRules) -> LoadedRates:
    """Map all surfaces of the version in force.

    Raises
    ------
    RateStoreError, CorruptSurfaceError, NewerFormatError
        If the store is empty, damaged, or of a newer release.
    """
    return read_current(folder, lambda store: _load(store, basis, rules))


def _load(store: RateStore, basis: PricingBasis, rules: SellingRules) -> LoadedRates:
    surfaces = store.surfaces()
    terms: dict[Observation, Terms] = {}
    assets = {
        asset: _load_asset(entry, surfaces.surface(asset), basis, rules, terms)
        for asset, entry in store.entries.items()
    }
    return LoadedRates(store.version, assets, surfaces)


def _load_asset(
    entry: RateEntry, surface: CompactSurface, basis: PricingBasis, rules: SellingRules, terms: dict[Observation, Terms]
) -> AssetRates:
    tails = {}
    for signal, tail in zip(surface.signals, surface.tails, strict=True):
        watched, reader = observation_of(signal, surface.step), tail.reader()
        for observation in (replace(watched, payment=payment) for payment in Payment):
            if observation not in terms:
                factor = discount_factor(observation, basis.interest_rate)
                terms[observation] = Terms(terms_text(observation), factor, basis.over(observation.term))
            tails[observation] = reader, terms[observation]
    as_of, valid_until = entry.as_of_time, entry.valid_until_time
    return AssetRates(
        entry=entry,
        as_of=as_of,
        valid_until=valid_until,
        is_plain=entry.status == "fresh" and entry.engine_version == ENGINE_VERSION,
        plain_from=as_of - rules.clock_skew,
        plain_until=valid_until if valid_until - as_of <= rules.oldest else as_of + rules.oldest,
        surface=surface,
        tails=tails,
    )
