"""What drives a price: how much of the expected loss comes from volatility, from crashes, and from concentration.

The cover is priced three times with the same random numbers: without jumps; with the crash rate of a token of ordinary
concentration; with the full model. Differences of losses on the same path have small standard errors, because jumps
have random streams of their own. The steps are taken in this order, so what only happens because crash and volatility
meet counts as crash.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from calibration import Calibration
from crashcover.quoting import Track, simulate_covers, untracked
from pricing.cover import Cover
from pricing.estimates import Estimate
from pricing.models import PriceModel
from pricing.settings import SimulationSettings
from pricing.signals import make_signal
from pricing.surface import DropSurface
from pricing.units import parse_duration

FloatArray = npt.NDArray[np.float64]

#: A share with a larger standard error is noise.
LARGEST_STANDARD_ERROR = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """Shares of the expected loss; they sum to one, and each may be negative.

    Parameters
    ----------
    volatility : Estimate
        Share that is left without any jump.
    crash_rate : Estimate
        What jumps of a token of ordinary concentration add.
    concentration : Estimate
        What the concentration of the holders adds.
    """

    volatility: Estimate[float]
    crash_rate: Estimate[float]
    concentration: Estimate[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """The same paths under three models.

    Parameters
    ----------
    full, ordinary, smooth : DropSurface
        Worst drops under the full model, under ordinary concentration, and without jumps.
    """

    full: DropSurface
    ordinary: DropSurface
    smooth: DropSurface


def simulate_variants(
    calibration: Calibration, full: DropSurface, covers: Sequence[Cover], track: Track = untracked
) -> Variants:
    """Simulate the other two models on the random numbers of the first.

    Parameters
    ----------
    calibration : Calibration
        Source of the full model.
    full : DropSurface
        The full model, simulated for `covers`.
    covers : sequence of Cover
        Covers on this asset.
    track : callable, optional
        Reports progress.
    """
    ordinary = without_concentration(calibration)
    settings: SimulationSettings = full.settings
    return Variants(
        full=full,
        ordinary=full
        if ordinary == full.model
        else simulate_covers(ordinary, covers, settings, track("ordinary concentration")),
        smooth=simulate_covers(replace(full.model, jumps=()), covers, settings, track("no crashes")),
    )


def without_concentration(calibration: Calibration) -> PriceModel:
    """Return the model of the same token with holders of ordinary concentration."""
    crashes = calibration.crashes
    if crashes.concentration_factor == 1.0:
        return calibration.model
    ordinary = replace(crashes.jumps, per_year=crashes.ordinary_per_year)
    jumps = tuple(ordinary if source == crashes.jumps else source for source in calibration.model.jumps)
    return replace(calibration.model, jumps=jumps)


def drivers_of(cover: Cover, variants: Variants) -> Drivers | None:
    """Split the expected loss of a cover; None where the full model has none."""
    full, ordinary, smooth = (
        _losses(cover, surface) for surface in (variants.full, variants.ordinary, variants.smooth)
    )
    if not full.any():
        return None
    return Drivers(
        volatility=_share(smooth, full),
        crash_rate=_share(ordinary - smooth, full),
        concentration=Estimate(0.0, 0.0) if variants.ordinary is variants.full else _share(full - ordinary, full),
    )


def _losses(cover: Cover, surface: DropSurface) -> FloatArray:
    """Weighted loss of every path as a share of the limit, in the order of the paths."""
    signal = make_signal(
        reference=cover.trigger.reference,
        window=cover.trigger.window,
        term=cover.term,
        waiting_period=cover.waiting_period,
        step=parse_duration(surface.model.step, "step"),
    )
    drops = surface.worst_drops[surface.signals.index(signal)]
    losses = np.where(drops >= cover.trigger.drop, cover.payout.share(drops), 0.0)
    return losses if surface.weights is None else losses * surface.weights


def _share(part: FloatArray, whole: FloatArray) -> Estimate[float]:
    """Estimate a ratio of means of pairs, with its standard error to first order (Cochran 1977, section 2.11).

    Where all paths agree the error would be zero, which would claim certainty from silence; so it is at least that of
    one full loss that differs.
    """
    share = float(part.mean() / whole.mean())
    influence = (part - share * whole) / whole.mean()
    spread = float(np.sqrt(np.mean(influence * influence) / len(whole)))
    return Estimate(share, max(spread, float(1.0 / whole.sum())))


def is_resolved(share: Estimate[float]) -> bool:
    """Whether a share is known to within ten points."""
    return share.standard_error <= LARGEST_STANDARD_ERROR
