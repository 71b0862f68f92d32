"""Sensitivities of a premium to volatility, crash rate, severity or any other bump of the model.

A model is bumped up and down and simulated with the same random numbers. Most paths then agree, and only those that do
not contribute to the standard error of the difference (common random numbers; Glasserman, Monte Carlo Methods in
Financial Engineering, 2003, section 7.1).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pricing.contract.cover import Cover
from pricing.engine.simulation import simulate_observations
from pricing.errors import InvalidBasisError, InvalidModelError
from pricing.models.jumps import Jumps, ScaledSizes
from pricing.models.price_model import PriceModel
from pricing.models.volatility import scaled_volatility
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import premium
from pricing.premiums.discounting import discount_factor
from pricing.premiums.premium import Premium
from pricing.principles import LossDistribution, PremiumPrinciple, SmoothPrinciple
from pricing.show.frames import make_frame
from pricing.surface.by_path import shares_by_path
from pricing.surface.estimates import Estimate, WeightedSample
from pricing.surface.settings import SimulationSettings
from pricing.surface.surface import DropSurface
from pricing.tools.arrays import FloatArray
from pricing.tools.units import YEAR

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Bump:
    """Two models on either side of a model.

    Concentration, and any other input that moves anchors, is bumped by calibrating twice: a bump takes any two models.

    Parameters
    ----------
    name : str
        Name of the bumped input.
    size : float
        Distance of each model from the middle, in the unit of the sensitivity; positive.
    up, down : PriceModel
        The two models.
    """

    name: str
    size: float
    up: PriceModel
    down: PriceModel

    def __post_init__(self) -> None:
        if not 0.0 < self.size < math.inf:
            raise InvalidModelError(f"size of a bump must be positive and finite, got {self.size}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """Change of a premium per unit of a bump, by linear extrapolation.

    Parameters
    ----------
    name : str
        Name of the bumped input.
    expected_loss, gross : Estimate
        Derivatives of the expected loss and of the gross premium, in the currency of the cover, with standard errors.
    """

    name: str
    expected_loss: Estimate[float]
    gross: Estimate[float]

    def to_frame(self) -> "pd.DataFrame":
        """Return both derivatives as a data frame: index ``amount``; columns ``value`` and ``standard_error``."""
        amounts = (self.expected_loss, self.gross)
        columns = {
            "amount": ["expected_loss", "gross"],
            "value": [each.value for each in amounts],
            "standard_error": [each.standard_error for each in amounts],
        }
        return make_frame(columns, index="amount")


def volatility_bump(model: PriceModel, size: float = 0.05) -> Bump:
    """Bump all volatility by a share of itself; the anchors of a model stay the same."""
    up, down = (replace(model, volatility=scaled_volatility(model.volatility, 1.0 + sign * size)) for sign in (1, -1))
    return Bump(name="volatility", size=size, up=up, down=down)


def crash_rate_bump(model: PriceModel, size: float = 0.1) -> Bump:
    """Bump the rates of all jump sources by a share of themselves; the anchors of a model stay the same."""
    up, down = (
        replace(model, jumps=tuple(replace(each, per_year=each.per_year * (1.0 + sign * size)) for each in model.jumps))
        for sign in (1, -1)
    )
    return Bump(name="crash rate", size=size, up=up, down=down)


def severity_bump(model: PriceModel, size: float = 0.05) -> Bump:
    """Bump the sizes of all log jumps by a share of themselves; the anchors of a model stay the same."""
    up, down = (
        replace(model, jumps=tuple(_scaled_jumps(each, 1.0 + sign * size) for each in model.jumps)) for sign in (1, -1)
    )
    return Bump(name="severity", size=size, up=up, down=down)


def _scaled_jumps(jumps: Jumps, factor: float) -> Jumps:
    return replace(jumps, sizes=ScaledSizes(sizes=jumps.sizes, factor=factor))


def sensitivities(
    cover: Cover,
    model: PriceModel,
    *,
    bumps: Sequence[Callable[[PriceModel], Bump]] = (volatility_bump, crash_rate_bump, severity_bump),
    basis: PricingBasis | None = None,
    settings: SimulationSettings | None = None,
) -> tuple[Sensitivity, ...]:
    """Differentiate the premium of a cover with respect to bumps of its model.

    The difference of a bump up and a bump down is exact to second order in the size, and its standard error grows as
    sizes shrink: bumps of a twentieth are a good start. Errors do not include that the weights of an anchored model
    depend on each other. If a minimum lifts only one of the two premiums, the gross premium has a kink and the
    difference mixes its two sides.

    Parameters
    ----------
    cover : Cover
        The contract.
    model : PriceModel
        Law of the log price.
    bumps : sequence of functions of the model
        Functions that return a ``Bump`` of the model; you can pass your own.
    basis : PricingBasis, optional
        Loadings; by default ``PricingBasis()``.
    settings : SimulationSettings, optional
        Number of paths and seed; two simulations per bump.

    Raises
    ------
    InvalidBasisError
        If the risk load or the capital is measured by a principle that is not smooth, such as value at
        risk.
    QuoteRefusedError
        As in ``premium``.

    Examples
    --------
    >>> from pricing import ConstantVolatility, DropTrigger, FullPayout, Normal
    >>> model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
    >>> cover = Cover(
    ...     cover_id="C-1", asset="OM", trigger=DropTrigger(drop=0.25), payout=FullPayout(), limit=1e5, currency="USD"
    ... )
    >>> (moved,) = sensitivities(cover, model, bumps=[volatility_bump])
    >>> one_percent = 0.01 * moved.gross.value, 0.01 * moved.gross.standard_error
    >>> print("1 % more volatility adds {:,.0f} +- {:,.0f}".format(*one_percent))
    1 % more volatility adds 709 +- 10
    """
    basis = basis or PricingBasis()
    return tuple(_sensitivity(cover, bump(model), basis, settings or SimulationSettings()) for bump in bumps)


def _sensitivity(cover: Cover, bump: Bump, basis: PricingBasis, settings: SimulationSettings) -> Sensitivity:
    up, down = (_Priced.of(cover, model, basis, settings) for model in (bump.up, bump.down))
    return Sensitivity(
        name=bump.name,
        expected_loss=_slope(up.premium.expected_loss - down.premium.expected_loss, up.losses - down.losses, bump.size),
        gross=_slope(up.premium.gross - down.premium.gross, up.influence - down.influence, bump.size),
    )


def _slope(difference: float, by_path: FloatArray, size: float) -> Estimate[float]:
    error = float(by_path.std()) / math.sqrt(len(by_path))
    return Estimate(difference / (2.0 * size), error / (2.0 * size))


@dataclass(frozen=True, slots=True)
class _Priced:
    """A premium, and the contribution of each path to its expected loss and, to first order, to its gross premium."""

    premium: Premium
    losses: FloatArray
    influence: FloatArray

    @classmethod
    def of(cls, cover: Cover, model: PriceModel, basis: PricingBasis, settings: SimulationSettings) -> "_Priced":
        surface = simulate_observations(model, (cover.observation,), settings)
        priced = premium(cover, surface, basis)
        basis = basis.over(cover.term)
        shares = discount_factor(cover.observation, basis.interest_rate) * shares_by_path(cover, surface)
        given = surface.weights_of(cover.observation)
        weights = 1.0 if given is None else given
        # If a minimum lifts the premium, the premium does not change.
        moves = 0.0 if priced.minimum_lift else cover.limit / (1.0 - basis.ratio_of_gross)
        return cls(
            premium=priced,
            losses=cover.limit * weights * shares,
            influence=moves * weights * _influence(shares, surface, basis, cover),
        )


def _influence(shares: FloatArray, surface: DropSurface, basis: PricingBasis, cover: Cover) -> FloatArray:
    """Return the contribution of each path to the net premium per unit of limit, to first order."""
    order = np.argsort(-shares, kind="stable")
    given = surface.weights_of(cover.observation)
    weights = None if given is None else given[order]
    losses = LossDistribution.of_sample(WeightedSample(shares[order], weights), shares[order])
    excess = losses.above_smallest
    influence = _smooth(basis.risk_load).influence(losses) + basis.ratio_of_loss * excess
    if basis.capital and basis.capital.measures:
        rate = basis.capital.annual_rate * (cover.term / YEAR)
        required, expected = (_smooth(each).influence(losses) for each in basis.capital.measures)
        influence = influence + rate * (required - expected)
    by_path = np.empty(len(shares))
    by_path[order] = influence
    return by_path


def _smooth(principle: PremiumPrinciple) -> SmoothPrinciple:
    if not isinstance(principle, SmoothPrinciple):
        raise InvalidBasisError(
            f"{type(principle).__name__} is not a smooth function of the law of the loss: paths have no influence"
        )
    return principle
