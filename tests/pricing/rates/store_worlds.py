"""Surfaces and covers shared by the tests of the rate store and its quotes."""

from datetime import UTC, datetime

import numpy as np

from pricing import (
    Anchor,
    ConstantVolatility,
    Cover,
    DropTrigger,
    FullPayout,
    Jumps,
    LinearPayout,
    Normal,
    NormalSizes,
    PriceModel,
    Reference,
    SimulationSettings,
    StudentT,
    TieredPayout,
    compact,
    simulate,
)
from pricing.rates.store import RateEntry

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = b"a key of the backend"
PAYOUTS = (
    FullPayout(),
    LinearPayout(attachment=0.2, exhaustion=0.9),
    LinearPayout(attachment=0.3, exhaustion=0.31),
    TieredPayout({0.2: 0.1, 0.35: 0.5, 0.6: 1.0}),
)
WINDOWS, TERMS = ("1h", "24h"), ("7d", "30d")
_ANCHOR = Anchor(window="24h", term="30d", drops=(0.2, 0.3, 0.5), probabilities=(0.5, 0.12, 0.01))


def simulate_surface(kind, *, n_paths=20_000, seed=5, windows=WINDOWS, terms=TERMS):
    """Simulate a plain, an importance-sampled ("weighted") or an anchored surface."""
    jumps = () if kind == "weighted" else (Jumps(per_year=3.0, sizes=NormalSizes(mean=-0.2, stdev=0.2)),)
    model = PriceModel(
        volatility=ConstantVolatility(annual=1.2),
        innovations=Normal() if kind == "weighted" else StudentT(dof=4.0),
        jumps=jumps,
        anchors=(_ANCHOR,) if kind == "anchored" else (),
    )
    settings = SimulationSettings(n_paths=n_paths, seed=seed, rare_drops=kind == "weighted")
    return simulate(
        model, windows=windows, terms=terms, references=(Reference.ROLLING_HIGH, Reference.INCEPTION), settings=settings
    )


def make_entry(asset="OM", **changes):
    """Make the entry of an asset whose data ended twelve hours before noon."""
    fields = {
        "surface_id": "surface-1",
        "calibration_id": "calibration-1",
        "engine_version": "0.2.0",
        "as_of": "2026-11-22T00:00:00+00:00",
        "valid_until": "2026-11-23T06:00:00+00:00",
    }
    return RateEntry(**{"asset": asset, **fields, **changes})


def make_cover(**changes):
    """Make a cover on OM."""
    terms = {"cover_id": "C-1", "asset": "OM", "limit": 1e5, "currency": "USD", "payout": FullPayout()}
    return Cover(**{"trigger": DropTrigger(drop=0.4), **terms, **changes})


def constant_surface(level):
    """Make a surface that says in every number which version it is of: a drop of 0.4 has probability `level` / 100."""
    surface = simulate_surface("plain", n_paths=1_000, windows=("24h",), terms=("30d",))
    surface.worst_drops[:] = np.where(np.arange(1_000) < 10 * level, 0.5, 0.01)
    return compact(surface)


def damage(path):
    """Flip one bit in the middle, inside a text without making it no text."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
