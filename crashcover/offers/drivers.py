"""Drivers of a price: what all tokens share, the token's own crashes, and the effects of holders and uncertainty.

The cover is priced again with the same random numbers, each time with one cause changed: without the token's own
crashes, which splits the expected loss in two; with unknown holders; and with the level of the law known
exactly. The last two effects are factors on the expected loss. Each compares with the full model, so no order of the
causes enters. Differences of losses on the same path have small standard errors.
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

#: A share or a factor with a larger standard error is noise.
LARGEST_STANDARD_ERROR = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """Two shares of the expected loss, which add up to one, and two factors that it contains.

    Parameters
    ----------
    volatility : Estimate
        Share that remains without the token's own crashes: volatility and the shocks of the market.
    own_crashes : Estimate
        The other share.
    holders : Estimate
        Expected loss over that of the token with unknown holders; below one if they are shown to be many.
    uncertainty : Estimate
        Expected loss over that with the level of the law known exactly.
    """

    volatility: Estimate[float]
    own_crashes: Estimate[float]
    holders: Estimate[float]
    uncertainty: Estimate[float]

    @property
    def shares(self) -> dict[str, Estimate[float]]:
        """Shares of the expected loss by name."""
        return {"volatility": self.volatility, "own_crashes": self.own_crashes}

    @property
    def factors(self) -> dict[str, Estimate[float]]:
        """Factors on the expected loss by name."""
        return {"holders": self.holders, "uncertainty": self.uncertainty}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """The same paths under four models.

    Parameters
    ----------
    full, smooth, ordinary, certain : DropSurface
        Worst drops under the full model; without the token's own crashes; with unknown holders; and with the level of
        the law known exactly.
    """

    full: DropSurface
    smooth: DropSurface
    ordinary: DropSurface
    certain: DropSurface


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
    inputs = inputs_of(calibration)
    done: dict[PriceModel, DropSurface] = {full.model: full}

    def surface_of(model: PriceModel, name: str) -> DropSurface:
        if model not in done:
            done[model] = simulate_covers(model, covers, full.settings, begin(name, full.settings.n_paths))
        return done[model]

    return Variants(
        full=full,
        smooth=surface_of(remodel(calibration, replace(inputs, hazard=0.0)), "no own crashes"),
        ordinary=surface_of(remodel(calibration, replace(inputs, hazard=1.0)), "holders unknown"),
        certain=surface_of(remodel(calibration, replace(inputs, certain=True)), "level known"),
    )


def drivers_of(cover: Cover, variants: Variants) -> Drivers | None:
    """Split and explain the expected loss of a cover; None if the full model has none."""
    full, smooth, ordinary, certain = (_losses(cover, getattr(variants, part.name)) for part in fields(variants))
    if not full.any():
        return None
    volatility = _ratio(smooth, full)
    return Drivers(
        volatility=volatility,
        own_crashes=Estimate(1.0 - volatility.value, volatility.standard_error),
        holders=Estimate(1.0, 0.0) if variants.ordinary is variants.full else _ratio(full, ordinary),
        uncertainty=Estimate(1.0, 0.0) if variants.certain is variants.full else _ratio(full, certain),
    )


def _losses(cover: Cover, surface: DropSurface) -> FloatArray:
    """Return the weighted loss of every path as a share of the limit, in the order of the paths."""
    losses = shares_by_path(cover, surface)
    weights = surface.weights_of(cover.observation)
    return losses if weights is None else losses * weights


def _ratio(part: FloatArray, whole: FloatArray) -> Estimate[float]:
    """Estimate a ratio of means of pairs, with its standard error to first order (Cochran 1977, section 2.11).

    If all paths agree, the error would be zero, which would wrongly claim certainty; so it is at least that of
    one full loss that differs. Without any loss in the denominator the ratio is unknown.
    """
    if not whole.any():
        return Estimate(np.inf, np.inf)
    ratio = float(part.mean() / whole.mean())
    influence = (part - ratio * whole) / whole.mean()
    spread = float(np.sqrt(np.mean(influence * influence) / len(whole)))
    return Estimate(ratio, max(spread, float(1.0 / whole.sum())))


def is_resolved(estimate: Estimate[float]) -> bool:
    """Return whether a share or a factor is known to within ten points."""
    return estimate.standard_error <= LARGEST_STANDARD_ERROR
