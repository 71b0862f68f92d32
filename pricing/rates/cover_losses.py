"""Losses of single covers from tail sums, priced before expenses.

Expected value, standard deviation and variance principles need sums of four powers of a loss: their price is a function
of mean and second moment, and their influence function is ``bend x^2 + slope x``. Distortions need areas under the
distorted exceedance curve. So the premium of a payout of steps and ramps takes a few binary searches. Every other
principle needs the law of the loss: a few values if the payout consists of steps, otherwise a pass over the groups that
fired.
"""

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, TypeGuard

from pricing.contract.payouts import Payout, PiecewisePayout, is_piecewise
from pricing.contract.shares import shares_of
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import Losses, simulated_losses
from pricing.principles import (
    Distortion,
    ExpectedValuePrinciple,
    PremiumPrinciple,
    SmoothPrinciple,
    StandardDeviationPrinciple,
    VariancePrinciple,
)
from pricing.principles.moments import variance_of
from pricing.rates.distorted_tail import LEAST_RAMP, PriceSums
from pricing.rates.grouped_sample import GroupedSample, error_of_mean
from pricing.rates.tail_sums import LossSums, TailReader
from pricing.surface.estimates import Estimate
from pricing.tools.arrays import FloatArray

_TWO_MOMENTS = (ExpectedValuePrinciple, StandardDeviationPrinciple, VariancePrinciple)


def is_of_sums(basis: PricingBasis) -> bool:
    """Return whether sums over a tail give the risk load and the capital of a basis."""
    return all(is_of_moments(each) or is_distortion(each) for each in principles_of(basis))


def principles_of(basis: PricingBasis) -> tuple[PremiumPrinciple, ...]:
    """Return the principles that price a loss: the risk load, and the measures of capital."""
    return (basis.risk_load, *((basis.capital and basis.capital.measures) or ()))


def is_of_moments(principle: PremiumPrinciple) -> bool:
    """Return whether the price is a function of two moments of the loss."""
    return type(principle) in _TWO_MOMENTS


def is_distortion(principle: PremiumPrinciple) -> TypeGuard[Distortion]:
    """Return whether g alone gives the price and its error; a subclass of ``Distortion`` may override both."""
    return _prices_by_g(type(principle))


@cache
def _prices_by_g(kind: type[PremiumPrinciple]) -> bool:
    names = ("price", "influence", "estimate")
    return issubclass(kind, Distortion) and all(getattr(kind, name) is getattr(Distortion, name) for name in names)


def tail_losses(tail: TailReader, payout: Payout, drop: float, basis: PricingBasis, factor: float) -> Losses[float]:
    """Price the loss of a cover before expenses, per unit of limit.

    Parameters
    ----------
    tail : TailReader
        Worst drops of the cover's signal.
    payout : Payout
        Payout of the cover.
    drop : float
        Drop of the trigger.
    basis : PricingBasis
        Loadings.
    factor : float
        Discount factor of payments.
    """
    if is_of_sums(basis) and is_piecewise(payout) and not _has_narrow_ramp(payout):
        return _losses_of_sums(tail, payout, drop, basis, factor)
    steps = tail.steps(payout, drop) if _are_smooth(basis) else None
    sample, shares = steps or _all_groups(tail, payout, drop)
    return simulated_losses(sample, factor * shares, tail.fired(drop), basis)


def _has_narrow_ramp(payout: PiecewisePayout) -> bool:
    nodes = payout.nodes()
    return any(slope and end - point < LEAST_RAMP for (point, *_, slope), (end, *_) in pairwise(nodes))


def _are_smooth(basis: PricingBasis) -> bool:
    """Return whether a few values are enough; the error of a quantile depends on single neighbouring paths."""
    return all(isinstance(each, SmoothPrinciple) for each in principles_of(basis))


def _all_groups(tail: TailReader, payout: Payout, drop: float) -> tuple[GroupedSample, FloatArray]:
    sample = tail.sums.sample()
    return sample, shares_of(payout, sample.tail(drop))


def _losses_of_sums(
    tail: TailReader, payout: PiecewisePayout, drop: float, basis: PricingBasis, factor: float
) -> Losses[float]:
    sums, n_paths, largest_weight = tail.loss_sums(payout, drop), tail.sums.paths, tail.sums.largest_weight
    probability, mean = sums.fired / n_paths, factor * sums.first / n_paths

    def error(squares: float, average: float) -> float:
        return error_of_mean(squares, average, n_paths, largest_weight)

    def price(principle: PremiumPrinciple) -> Estimate[float]:
        if is_distortion(principle):
            found = tail.distorted(principle).sum_up(payout, drop).scaled(factor)
        else:
            found = moment_sums(principle, sums, n_paths, factor, root=math.sqrt)
        return Estimate(found.price, error(found.influence_squares, found.influence))

    return Losses(
        Estimate(probability, error(sums.fired_squares, probability)),
        Estimate(mean, error(factor * factor * sums.squares, mean)),
        price(basis.risk_load),
        basis.capital.allotted(price) if basis.capital else Estimate(0.0, 0.0),
    )


def moment_sums(
    principle: PremiumPrinciple, sums: LossSums, paths: Any, factor: Any, *, root: Callable[[Any], Any]
) -> PriceSums:
    """Price a loss by a principle of two moments, of one cover or of a column of them.

    Parameters
    ----------
    principle : PremiumPrinciple
        One for which ``is_of_moments`` holds.
    sums : LossSums
        Sums of the loss.
    paths, factor : number or ndarray
        Number of paths, and discount factor of payments.
    root : callable
        Square root: ``math.sqrt``, or ``numpy.sqrt`` for arrays.
    """
    mean, second_moment = factor * sums.first / paths, factor * factor * sums.second / paths
    variance = variance_of(mean, second_moment)
    if type(principle) is ExpectedValuePrinciple:
        price, bend, slope = (1.0 + principle.loading) * mean, 0.0, 1.0 + principle.loading
    elif type(principle) is VariancePrinciple:
        price, bend = mean + principle.multiple * variance, principle.multiple
        slope = 1.0 - 2.0 * bend * mean
    else:
        assert type(principle) is StandardDeviationPrinciple
        deviation = root(variance)
        is_sure = deviation == 0.0  # then no path has an influence
        price = mean + principle.multiple * deviation
        bend = 0.5 * principle.multiple / (deviation + is_sure) * (1 - is_sure)
        slope = 1.0 - 2.0 * bend * mean
    bent, sloped = bend * factor * factor, slope * factor
    squares = bent * bent * sums.fourths + 2.0 * bent * sloped * sums.cubes + sloped * sloped * sums.squares
    return PriceSums(price, bend * second_moment + slope * mean, squares)
