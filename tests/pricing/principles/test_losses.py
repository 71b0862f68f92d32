"""Laws of losses from samples and probabilities."""

import numpy as np
import pytest

from pricing import LinearPayout, WeightedSample
from pricing.errors import InvalidTermsError
from pricing.principles import LossDistribution

DROPS = np.array([0.9, 0.6, 0.5, 0.2, 0.1])


def test_paths_beyond_the_listed_ones_lose_nothing():
    sample = WeightedSample.of_paths(DROPS, None)
    values = LinearPayout(attachment=0.4, exhaustion=0.9).share(sample.tail(0.4))
    losses = LossDistribution.of_sample(sample, values)
    assert losses.losses.tolist() == [*values.tolist(), 0.0]
    assert losses.probabilities == pytest.approx([0.2, 0.2, 0.2, 0.4], rel=1e-14)
    assert losses.mean == pytest.approx(sample.mean(values).value, rel=1e-14)


@pytest.mark.parametrize(
    ("weights", "probabilities"),
    [
        ([0.5, 0.5, 1.0, 1.5, 1.0], [0.1, 0.1, 0.2, 0.3, 0.3]),  # half a weight is missing: the smallest loss has it
        ([0.5, 0.5, 1.0, 1.5, 3.0], [0.1, 0.1, 0.2, 0.3, 0.3]),  # too much of it: the smallest loss has less
        ([2.0, 2.0, 2.0, 1.0, 1.0], [0.4, 0.4, 0.2, 0.0, 0.0]),
    ],
)
def test_what_likelihood_ratios_lack_or_exceed_is_the_smallest_loss(weights, probabilities):
    sample = WeightedSample(DROPS, np.array(weights))
    losses = LossDistribution.of_sample(sample, DROPS)
    assert losses.probabilities == pytest.approx(probabilities, abs=1e-15)
    assert losses.mean == pytest.approx(DROPS @ np.array(probabilities), rel=1e-14)


def test_a_sample_without_a_loss():
    losses = LossDistribution.of_sample(WeightedSample.of_paths(DROPS, None), np.array([]))
    assert (losses.losses.tolist(), losses.exceedances.tolist(), losses.mean) == ([0.0], [1.0], 0.0)


def test_amounts_come_in_any_order():
    losses = LossDistribution.discrete([1.0, 5.0, 2.0], [0.5, 0.2, 0.3])
    assert losses.losses.tolist() == [5.0, 2.0, 1.0]
    assert losses.probabilities == pytest.approx([0.2, 0.3, 0.5], rel=1e-14)
    assert losses.mean == pytest.approx(2.1, rel=1e-14)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LossDistribution(np.array([1.0, 2.0]), np.array([0.5, 1.0])), "losses must not increase"),
        (lambda: LossDistribution(np.array([2.0, np.inf]), np.array([0.5, 1.0])), "losses must be finite"),
        (lambda: LossDistribution(np.array([2.0]), np.array([0.5, 1.0])), "must have the same shape"),
        (lambda: LossDistribution(np.array([]), np.array([])), "must have the same shape"),
        (lambda: LossDistribution(np.array([2.0, 1.0]), np.array([0.5, 0.9])), "to exactly 1"),
        (lambda: LossDistribution(np.array([2.0, 1.0]), np.array([np.nan, 1.0])), "to exactly 1"),
        (lambda: LossDistribution(np.array([2.0, 1.0, 0.0]), np.array([0.5, 0.4, 1.0])), "must increase from"),
        (lambda: LossDistribution.discrete([1.0, 2.0], [0.5, 0.6]), "add up to 1, .* with sum 1.1"),
        (lambda: LossDistribution.discrete([1.0, 2.0], [1.5, -0.5]), "not negative"),
        (lambda: LossDistribution.discrete([1.0], [0.5, 0.5]), "one per loss"),
        (lambda: LossDistribution.binary(2.0), "probability must be between 0 and 1, got 2.0"),
        (
            lambda: LossDistribution.of_sample(WeightedSample.of_paths(DROPS, None), np.array([0.1, 0.2])),
            "a payout must not fall with a deeper drop",
        ),
    ],
)
def test_what_is_no_law_is_refused(make, message):
    with pytest.raises(InvalidTermsError, match=message):
        make()
