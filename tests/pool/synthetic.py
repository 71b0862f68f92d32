"""Surfaces and books simple enough to have known answers."""

import numpy as np

from pool import Book, Observation
from pricing import ConstantVolatility, DropSurface, FullPayout, Normal, PriceModel, SimulationSettings
from pricing.contract.signals import make_signal

MODEL = PriceModel(volatility=ConstantVolatility(annual=1.0), innovations=Normal())


def surface_of(drops_by_observation, weights=None):
    """A surface that holds given worst drops."""
    signals = [make_signal(observation, MODEL.step) for observation in drops_by_observation]
    worst_drops = np.array(list(drops_by_observation.values()))
    return DropSurface(
        model=MODEL,
        settings=SimulationSettings(n_paths=worst_drops.shape[1]),
        model_digest="",
        signals=tuple(signals),
        worst_drops=worst_drops,
        weights=weights,
    )


def uniform_surface(n_paths, seed, *more):
    """A surface whose worst drops are evenly spread between 0 and 1, in random order; so for more observations."""
    rng = np.random.default_rng(seed)
    return surface_of(
        {observation: (rng.permutation(n_paths) + 0.5) / n_paths for observation in (Observation(), *more)}
    )


def binary_book(assets, *, drop, limit=1.0):
    """One cover on each asset that pays its limit beyond a drop."""
    n = len(assets)
    return Book(
        currency="USD",
        assets=tuple(assets),
        observations=(Observation(),),
        payouts=(FullPayout(),),
        asset=np.arange(n),
        observation=np.zeros(n, dtype=int),
        payout=np.zeros(n, dtype=int),
        drop=np.full(n, drop),
        limit=np.broadcast_to(np.asarray(limit, dtype=float), n),
    )
