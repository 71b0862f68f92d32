"""Estimates from a weighted sample, against counts and formulas that can be worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pricing import WeightedSample
from pricing.errors import PrecisionError, PrecisionWarning
from pricing.surface.exceedance_curves import exceedance_band

DROPS = np.array([0.1, 0.5, 0.2, 0.4, 0.3])


def test_exceedance_counts_paths_at_or_beyond_the_drop():
    sample = WeightedSample.of_paths(DROPS, None)
    assert sample.drops.tolist() == [0.5, 0.4, 0.3, 0.2, 0.1]
    estimate = sample.exceedance(0.3)
    assert estimate.value == 3 / 5
    assert estimate.standard_error == pytest.approx(math.sqrt(0.6 * 0.4 / 5), rel=1e-15)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=60))
def test_paths_of_equal_depth_keep_their_order(depths):
    # Sums of weights must not depend on which sort this machine has.
    drops, weights = np.array(depths) / 31.0, 1.0 + np.arange(len(depths)) / 64.0
    sample = WeightedSample.of_paths(drops, weights)
    ordered = sorted(zip(-drops, weights, strict=True))
    assert [(-drop, weight) for drop, weight in zip(sample.drops, sample.weights, strict=True)] == ordered


@pytest.mark.filterwarnings("ignore:one of 5 paths carries")
def test_weights_move_the_estimate():
    weights = np.array([0.5, 2.0, 0.5, 1.5, 0.5])
    estimate = WeightedSample.of_paths(DROPS, weights).exceedance(0.4)
    assert estimate.value == pytest.approx((2.0 + 1.5) / 5)
    squares = (2.0 - 0.7) ** 2 + (1.5 - 0.7) ** 2 + 3 * 0.7**2
    assert estimate.standard_error == pytest.approx(math.sqrt(squares) / 5, rel=1e-14)


@pytest.mark.filterwarnings("ignore:one of 5 paths carries")
def test_equal_weights_are_no_weights():
    plain, weighted = (WeightedSample.of_paths(DROPS, weights) for weights in (None, np.ones(5)))
    for drop in (0.05, 0.25, 0.5, 0.9):
        assert plain.exceedance(drop) == weighted.exceedance(drop)


@pytest.mark.parametrize("drop", [0.05, 0.9])
def test_silence_is_not_certainty(drop):
    assert WeightedSample.of_paths(DROPS, None).exceedance(drop).standard_error == 1 / 5


def test_quantile_is_the_drop_with_that_many_paths_beyond():
    sample = WeightedSample.of_paths(np.arange(1, 1001) / 1001.0, None)
    estimate = sample.quantile(0.95)
    assert estimate.value == 951 / 1001  # fifty of a thousand paths lie at or beyond it
    # One standard error of probability is sqrt(0.05 * 0.95 / 1000) = 0.0069; the drops are uniform.
    assert estimate.standard_error == pytest.approx(0.0069, abs=0.001)


def test_a_quantile_beyond_the_sample_is_refused():
    with pytest.raises(PrecisionError, match="leaves 5 of 1000 paths"):
        WeightedSample.of_paths(np.linspace(0.1, 0.9, 1000), None).quantile(0.995)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=50), st.lists(st.floats(0.01, 0.99), min_size=2, max_size=8))
def test_exceedance_never_rises_with_the_drop(drops, thresholds):
    sample = WeightedSample.of_paths(np.array(drops), None)
    values = [sample.exceedance(threshold).value for threshold in sorted(thresholds)]
    assert values == sorted(values, reverse=True)
    assert all(0.0 <= value <= 1.0 for value in values)


def test_intervals_cover_the_truth_as_often_as_they_say():
    # 2,000 samples of 400 paths, seed 3; the truth is 0.1; z < 4 for a share of 2,000 near 0.95.
    uniforms = np.random.default_rng(3).random((2_000, 400))
    covered = 0
    for row in uniforms:
        estimate = WeightedSample.of_paths(row, None).exceedance(0.9)
        covered += abs(estimate.value - 0.1) <= 1.959964 * estimate.standard_error
    hits = np.arange(401)
    inside = np.abs(hits / 400 - 0.1) <= 1.959964 * np.sqrt(hits / 400 * (1 - hits / 400) / 400)
    exact = binom.pmf(hits, 400, 0.1)[inside].sum()  # 0.949
    assert abs(covered / 2_000 - exact) < 4 * math.sqrt(exact * (1 - exact) / 2_000)


def test_a_curve_of_few_heavy_paths_is_drawn_without_a_warning():
    """One of 100 weights is 50: an estimate warns of it, and the band of a curve is as wide as its error."""
    drops = np.linspace(0.9, 0.1, 100)
    sample = WeightedSample(drops, np.where(np.arange(100) == 0, 50.0, 50.0 / 99.0))
    with pytest.warns(PrecisionWarning, match="one of 100 paths carries"):
        wanted = sample.exceedance(0.5)
    _, probability, error, lower, _ = exceedance_band(sample, [0.5])
    assert (probability[0], error[0]) == (wanted.value, wanted.standard_error)
    assert probability[0] / lower[0] == pytest.approx(math.exp(1.96 * error[0] / probability[0]), rel=1e-3)
