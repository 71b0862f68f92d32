"""Standard errors of principles: against derivatives, and against the scatter over samples."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from pricing import WeightedSample
from pricing.errors import PrecisionError
from pricing.principles import LossDistribution, SmoothPrinciple, StandardDeviationPrinciple, ValueAtRisk
from tests.pricing.principles.principles_under_test import EVERY, SMOOTH

LOSSES = np.array([7.0, 4.0, 3.0, 1.5, 0.5])
PROBABILITIES = np.array([0.05, 0.1, 0.17, 0.28, 0.4])


@pytest.mark.parametrize("principle", SMOOTH, ids=repr)
@pytest.mark.parametrize("position", range(4))
def test_influence_is_the_derivative_by_probability(principle, position):
    """Move probability from the smallest loss to one other; a central difference of 1e-5 is good to 1e-8."""

    def price(moved):
        probabilities = PROBABILITIES.copy()
        probabilities[[position, -1]] += moved, -moved
        return principle.price(LossDistribution.discrete(LOSSES, probabilities))

    influence = principle.influence(LossDistribution.discrete(LOSSES, PROBABILITIES))
    assert influence[-1] == 0.0
    assert influence[position] == pytest.approx((price(1e-5) - price(-1e-5)) / 2e-5, rel=1e-7)


@pytest.mark.parametrize("weighted", [False, True])
def test_moments_of_a_sample_cost_what_its_law_costs(weighted):
    """The short way of the standard deviation principle against that of every smooth principle."""
    generator = np.random.default_rng(3)
    losses = np.where(generator.random(500) < HIT, generator.random(500), 0.0)
    weights = generator.random(500) if weighted else None
    sample = WeightedSample.of_paths(losses, None if weights is None else weights / weights.mean())
    values = sample.tail(1e-9)
    principle = StandardDeviationPrinciple(multiple=0.4)
    short, long = principle.estimate(sample, values), SmoothPrinciple.estimate(principle, sample, values)
    assert short.value == pytest.approx(long.value, rel=1e-12)
    assert short.standard_error == pytest.approx(long.standard_error, rel=1e-12)


# One loss in five, uniform up to 1: X > x with probability (1 - x) / 5.
HIT = 0.2


def exact_price(principle):
    """Price of the true law: layers of 1/4000 where the principle needs all of it at once."""
    if hasattr(principle, "distort"):
        value, _ = quad(lambda x: principle.price_of_binary(HIT * (1.0 - x)), 0.0, 1.0, limit=200)
        return value
    edges = np.linspace(1.0, 0.0, 4001)
    middles = 0.5 * (edges[1:] + edges[:-1])
    probabilities = np.append(np.full(4000, HIT / 4000), 1.0 - HIT)
    return principle.price(LossDistribution.discrete(np.append(middles, 0.0), probabilities))


def draw(generator, share_hit, n_paths):
    """Draw with hits as frequent as asked and weigh them back."""
    hit = generator.random(n_paths) < share_hit
    losses = np.where(hit, generator.random(n_paths), 0.0)
    weights = np.where(hit, HIT / share_hit, (1.0 - HIT) / (1.0 - share_hit))
    return WeightedSample.of_paths(losses, None if share_hit == HIT else weights)


@pytest.mark.parametrize("share_hit", [HIT, 0.6], ids=["plain", "weighted"])
def test_intervals_cover_the_truth_as_often_as_they_say(share_hit):
    # 800 samples of 2,000 paths, seed 11; 95 % intervals; z < 4 for the share of 800 that covers.
    generator = np.random.default_rng(11)
    truths = [exact_price(principle) for principle in EVERY]
    covered = np.zeros(len(EVERY))
    for _ in range(800):
        sample = draw(generator, share_hit, 2_000)
        for position, (principle, truth) in enumerate(zip(EVERY, truths, strict=True)):
            estimate = principle.estimate(sample, sample.tail(1e-300))
            covered[position] += abs(estimate.value - truth) <= 1.959964 * estimate.standard_error
    allowed = 4.0 * math.sqrt(0.95 * 0.05 / 800)
    assert np.abs(covered / 800 - 0.95) == pytest.approx(0.0, abs=allowed)


def test_errors_of_an_indicator_are_the_slope_times_that_of_the_probability():
    sample = WeightedSample(np.where(np.arange(1_000) < 30, 1.0, 0.0))
    hits = sample.mean(np.ones(30))
    deviation = math.sqrt(0.03 * 0.97)
    slope = 1.0 + 0.4 * (1.0 - 2.0 * 0.03) / (2.0 * deviation)
    estimate = StandardDeviationPrinciple(multiple=0.4).estimate(sample, np.ones(30))
    assert estimate.standard_error == pytest.approx(slope * hits.standard_error, rel=1e-12)


@pytest.mark.parametrize("principle", SMOOTH, ids=repr)
def test_silence_is_not_certainty(principle):
    estimate = principle.estimate(WeightedSample(np.full(500, 0.1)), np.array([]))
    assert (estimate.value, estimate.standard_error) == (0.0, 1.0 / 500)


def test_a_quantile_that_hangs_on_few_paths_is_refused():
    sample = WeightedSample(np.linspace(1.0, 0.0, 1_000))
    with pytest.raises(PrecisionError, match="level 0.995 leaves 5 of 1000 paths"):
        ValueAtRisk(level=0.995).estimate(sample, sample.drops)
    assert ValueAtRisk(level=0.99).estimate(sample, sample.drops).value == sample.drops[10]


@pytest.mark.parametrize("principle", SMOOTH, ids=repr)
def test_layers_that_no_or_every_path_reaches_leave_the_error_finite(principle):
    """A path of weight zero reaches the top, and the others outweigh the bottom: g is infinitely steep at both ends."""
    sample = WeightedSample(np.array([3.0, 2.0, 1.0, 0.5]), np.array([0.0, 2.0, 2.0, 0.1]))
    influence = principle.influence(LossDistribution.of_sample(sample, sample.drops))
    assert np.isfinite(influence).all()
    assert principle.estimate(sample, sample.drops).standard_error > 0.0


def test_a_quantile_at_a_jump_is_not_certain():
    """A loss of 0, 1 or 2; the quantile sits 2.5 standard errors inside the jump, so it is wrong now and then."""
    n, beyond = 10_000, 0.005
    error = math.sqrt(beyond * (1 - beyond) / n)
    n_deepest = round(n * (beyond - 2.5 * error))
    losses = np.zeros(n)
    losses[:n_deepest], losses[n_deepest : 20 * n_deepest] = 2.0, 1.0
    sample = WeightedSample.of_paths(losses, None)
    estimate = ValueAtRisk(level=1.0 - beyond).estimate(sample, sample.drops)
    wrong = 0.5 * math.erfc(2.5 / math.sqrt(2.0))
    assert estimate.value == 1.0
    assert estimate.standard_error == pytest.approx(math.sqrt(wrong), rel=0.2)


def test_the_error_at_a_jump_is_that_of_repetitions():
    generator = np.random.default_rng(8)
    found, stated = [], []
    for _ in range(400):
        losses = generator.choice([0.0, 1.0, 2.0], size=4000, p=[0.9, 0.0945, 0.0055])
        sample = WeightedSample.of_paths(losses, None)
        estimate = ValueAtRisk(level=0.995).estimate(sample, sample.drops)
        found.append(estimate.value)
        stated.append(estimate.standard_error)
    assert min(stated) > 0.0
    assert np.std(found) == pytest.approx(np.mean(stated), rel=0.25)
