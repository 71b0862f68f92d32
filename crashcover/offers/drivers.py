"""Drivers of a price: months that all tokens share, the token's own crashes, holders and signals, and uncertainty.

The cover is priced four times with the same random numbers: without the token's own crashes, with those of a token
with typical holders, with the token's holders and signals, and with the uncertainty of the law's level. Differences of
losses on the same path have small standard errors. The steps are taken in this order, so an effect that needs
two causes together counts towards the later one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from calibration import Calibration, inputs_of, remodel
from crashcover.offers.outcomes import simulate_covers
from pricing.contract.cover import Cover
from pricing.models.price_model import PriceModel
from pricing.surface.by_path import shares_by_path
from pricing.surface.estimates import Estimate
from pricing.surface.surface import DropSurface
from pricing.tools.arrays import FloatArray
from pricing.tools.progress import Progress, silent

#: A share with a larger standard error is noise.
LARGEST_STANDARD_ERROR = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """Shares of the expected loss; they sum to one, and each may be negative.

    Parameters
    ----------
    volatility : Estimate
        Share that remains without the token's own crashes: volatility and the shocks of the market.
    crash_rate : Estimate
        Addition by own crashes of a token with typical holders.
    concentration : Estimate
        Addition by holders and signals.
    uncertainty : Estimate
        Addition by the uncertainty of the level of the law.
    """

    volatility: Estimate[float]
    crash_rate: Estimate[float]
    concentration: Estimate[float]
    uncertainty: Estimate[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """The same paths under four models.

    Parameters
    ----------
    full, certain, ordinary, smooth : DropSurface
        Worst drops under the full model; with its level known exactly; additionally with typical holders; additionally
        without the token's own crashes.
    """

    full: DropSurface
    certain: DropSurface
    ordinary: DropSurface
    smooth: DropSurface


def simulate_variants(
    calibration: Calibration, full: DropSurface, covers: Sequence[Cover], begin: Progress = silent
) -> Variants:
    """Simulate the other models on the random numbers of the first.

    Parameters
    ----------
    calibration : Calibration
        Source of the full model.
    full : DropSurface
        The full model, simulated for `covers`.
    covers : sequence of Cover
        Covers on this asset.
    begin : callable, optional
        Progress callback.
    """
    certain = replace(inputs_of(calibration), certain=True)
    done: dict[PriceModel, DropSurface] = {full.model: full}

    def surface_of(model: PriceModel, name: str) -> DropSurface:
        if model not in done:
            done[model] = simulate_covers(model, covers, full.settings, begin(name, full.settings.n_paths))
        return done[model]

    return Variants(
        full=full,
        certain=surface_of(remodel(calibration, certain), "level known"),
        ordinary=surface_of(remodel(calibration, replace(certain, hazard=1.0)), "ordinary holders"),
        smooth=surface_of(remodel(calibration, replace(certain, hazard=0.0)), "no own crashes"),
    )


def drivers_of(cover: Cover, variants: Variants) -> Drivers | None:
    """Split the expected loss of a cover; None if the full model has none."""
    full, certain, ordinary, smooth = (_losses(cover, getattr(variants, part.name)) for part in fields(variants))
    if not full.any():
        return None
    return Drivers(
        volatility=_share(smooth, full),
        crash_rate=_share(ordinary - smooth, full),
        concentration=Estimate(0.0, 0.0) if variants.ordinary is variants.certain else _share(certain - ordinary, full),
        uncertainty=Estimate(0.0, 0.0) if variants.certain is variants.full else _share(full - certain, full),
    )


def _losses(cover: Cover, surface: DropSurface) -> FloatArray:
    """Return the weighted loss of every path as a share of the limit, in the order of the paths."""
    losses = shares_by_path(cover, surface)
    return losses if surface.weights is None else losses * surface.weights


def _share(part: FloatArray, whole: FloatArray) -> Estimate[float]:
    """Estimate a ratio of means of pairs, with its standard error to first order (Cochran 1977, section 2.11).

    If all paths agree, the error would be zero, which would wrongly claim certainty; so it is at least that of
    one full loss that differs.
    """
    share = float(part.mean() / whole.mean())
    influence = (part - share * whole) / whole.mean()
    spread = float(np.sqrt(np.mean(influence * influence) / len(whole)))
    return Estimate(share, max(spread, float(1.0 / whole.sum())))


def is_resolved(share: Estimate[float]) -> bool:
    """Return whether a share is known to within ten points."""
    return share.standard_error <= LARGEST_STANDARD_ERROR
