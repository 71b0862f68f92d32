"""Losses of single covers from tail sums, priced before expenses.

Expected value, standard deviation and variance principles need sums of four powers of a loss: their price is a function
of mean and second moment, and their influence function is ``bend x^2 + slope x``. So the premium of a payout of steps
and ramps takes a few binary searches. Every other principle, and capital that is measured on the cover's own loss, need
the law of the loss: a few values if the payout consists of steps, otherwise a pass over the groups that fired.
"""

import math

from pricing.contract.payouts import Payout
from pricing.premiums.basis import PricingBasis
from pricing.premiums.build_up import Losses, simulated_losses
from pricing.principles import (
    ExpectedValuePrinciple,
    PremiumPrinciple,
    SmoothPrinciple,
    StandardDeviationPrinciple,
    VariancePrinciple,
)
from pricing.principles.moments import variance_of
from pricing.rates.grouped_sample import GroupedSample, error_of_mean
from pricing.rates.tail_sums import LossSums, TailReader
from pricing.surface.estimates import Estimate
from pricing.tools.arrays import FloatArray

_TWO_MOMENTS = (ExpectedValuePrinciple, StandardDeviationPrinciple, VariancePrinciple)


def needs_two_moments(basis: PricingBasis) -> bool:
    """Return whether the risk load and the capital of a basis are functions of two moments of the loss."""
    measured = basis.capital is not None and isinstance(basis.capital.capital, PremiumPrinciple)
    return type(basis.risk_load) in _TWO_MOMENTS and not measured


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
    sums = tail.loss_sums(payout, drop) if needs_two_moments(basis) else None
    if sums is not None:
        return _two_moment_losses(sums, tail.sums.paths, tail.sums.largest_weight, basis, factor)
    steps = tail.steps(payout, drop) if _are_smooth(basis) else None
    sample, shares = steps or _all_groups(tail, payout, drop)
    return simulated_losses(sample, factor * shares, tail.fired(drop), basis)


def _are_smooth(basis: PricingBasis) -> bool:
    """Return whether a few values are enough; the error of a quantile depends on single neighbouring paths."""
    measures = (basis.risk_load, basis.capital.capital if basis.capital else 0.0)
    return all(isinstance(each, SmoothPrinciple | float | int) for each in measures)


def _all_groups(tail: TailReader, payout: Payout, drop: float) -> tuple[GroupedSample, FloatArray]:
    sample = tail.sums.sample()
    return sample, payout.share(sample.tail(drop))


def _two_moment_losses(
    sums: LossSums, n_paths: int, largest_weight: float, basis: PricingBasis, factor: float
) -> Losses[float]:
    fired, fired_squares, first, second, squares, cubes, fourths = sums
    probability, mean = fired / n_paths, factor * first / n_paths
    second_moment = factor * factor * second / n_paths
    price, bend, slope = _price_and_influence(basis.risk_load, mean, second_moment)
    bent, sloped = bend * factor * factor, slope * factor
    influence_squares = bent * bent * fourths + 2.0 * bent * sloped * cubes + sloped * sloped * squares
    influence = bend * second_moment + slope * mean
    return Losses(
        Estimate(probability, error_of_mean(fired_squares, probability, n_paths, largest_weight)),
        Estimate(mean, error_of_mean(factor * factor * squares, mean, n_paths, largest_weight)),
        Estimate(price, error_of_mean(influence_squares, influence, n_paths, largest_weight)),
        Estimate(fixed_capital(basis), 0.0),
    )


def fixed_capital(basis: PricingBasis) -> float:
    """Return the capital per unit of limit of a basis of two moments."""
    if basis.capital is None:
        return 0.0
    assert not isinstance(basis.capital.capital, PremiumPrinciple)
    return basis.capital.capital


def _price_and_influence(principle: PremiumPrinciple, mean: float, second_moment: float) -> tuple[float, float, float]:
    """Return the price, and the bend and the slope of the influence function."""
    if type(principle) is ExpectedValuePrinciple:
        return (1.0 + principle.loading) * mean, 0.0, 1.0 + principle.loading
    variance = variance_of(mean, second_moment)
    if type(principle) is VariancePrinciple:
        return mean + principle.multiple * variance, principle.multiple, 1.0 - 2.0 * principle.multiple * mean
    assert type(principle) is StandardDeviationPrinciple
    deviation = math.sqrt(variance)
    bend = 0.5 * principle.multiple / deviation if deviation else 0.0
    return mean + principle.multiple * deviation, bend, 1.0 - 2.0 * bend * mean
