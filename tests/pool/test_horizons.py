import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from pool import (
    Occurrence,
    PoolLosses,
    aggregate_exceedance,
    capital_for_ruin,
    draw_horizons,
    largest_deficits,
    largest_occurrence,
    occurrence_exceedance,
    periods_in_a_year,
    return_levels,
    ruin_probability,
)
from pricing.errors import InvalidTermsError, PrecisionError, SimulationError
from pricing.tools.units import parse_duration

#: Largest z of all comparisons below, some thirty: one in ten thousand by chance.
MOST_SIGMAS = 4.5


def binary(n, p):
    """Losses of 1 in a share p of n scenarios."""
    return (np.arange(n) < round(p * n)).astype(float)


@given(n=st.integers(1, 200), n_periods=st.integers(1, 30), n_shuffles=st.integers(1, 4), lasting=st.booleans())
def test_a_shuffle_uses_no_scenario_twice(n, n_periods, n_shuffles, lasting):
    if n_periods > n:
        with pytest.raises(SimulationError, match="n_periods must be from 1"):
            draw_horizons(n, n_periods, n_shuffles=n_shuffles)
        return
    levels = np.sin(np.arange(n)) if lasting else None
    horizons = draw_horizons(n, n_periods, levels=levels, n_shuffles=n_shuffles)
    assert horizons.scenarios.shape == (n_shuffles * (n // n_periods), n_periods)
    for used in horizons.scenarios.reshape(n_shuffles, -1):
        assert len(np.unique(used)) == len(used)


def test_periods_of_a_year():
    assert [periods_in_a_year(parse_duration(period, "period")) for period in ("7d", "30d", "90d")] == [52, 12, 4]


def test_standard_errors_are_not_too_small():
    """150 samples of 2,400 scenarios, seed 1: the estimates scatter by at most what they claim, +- 3 errors of that."""
    rng = np.random.default_rng(1)
    estimates = []
    for seed in range(150):
        horizons = draw_horizons(2_400, 12, n_shuffles=5, seed=seed)
        losses = rng.exponential(size=2_400)
        estimates.append(horizons.probability(losses[horizons.scenarios].sum(axis=1) > 16.0))
    scatter = np.std([estimate.value for estimate in estimates])
    claimed = np.mean([estimate.standard_error for estimate in estimates])
    assert 0.3 * claimed < scatter < claimed * (1.0 + 3.0 / math.sqrt(300))


@pytest.mark.parametrize("amount", [0.5, 2.0, 5.0])
def test_occurrences_of_a_poisson_stream(amount):
    """Losses beyond x at a rate of 3 exp(-x) per year: the largest of a year exceeds x with 1 - exp(-3 exp(-x))."""
    n, per_period = 60_000, 3.0 / 12.0
    u = (np.arange(n) + 0.5) / n
    # The largest loss of a period: at most x with probability exp(-3 exp(-x) / 12), and none at all below zero.
    largest = np.maximum(-np.log(-np.log(u) / per_period), 0.0)
    exact = -math.expm1(-3.0 * math.exp(-amount))
    found = occurrence_exceedance(largest, amount, draw_horizons(n, 12))
    assert abs(found.value - exact) <= MOST_SIGMAS * found.standard_error


@pytest.mark.parametrize("n_bad", [0, 1, 3])
def test_bad_periods_of_a_year_are_binomial(n_bad):
    """12 periods, 60,000 scenarios, seed 1."""
    found = aggregate_exceedance(binary(60_000, 0.1), n_bad, draw_horizons(60_000, 12))
    assert abs(found.value - binom.sf(n_bad, 12, 0.1)) <= MOST_SIGMAS * found.standard_error


def test_what_does_not_change_is_bad_in_all_periods_or_in_none():
    levels = np.random.default_rng(1).standard_normal(60_000)
    bad = (levels > np.quantile(levels, 0.9)).astype(float)
    lasting, fresh = draw_horizons(60_000, 12, levels=levels), draw_horizons(60_000, 12)
    # One group of horizons may straddle the level.
    assert aggregate_exceedance(bad, 11.5, lasting).value == pytest.approx(0.1, abs=20 * 12 / 60_000)
    assert aggregate_exceedance(bad, 0.5, lasting).value == pytest.approx(0.1, abs=20 * 12 / 60_000)
    assert aggregate_exceedance(bad, 11.5, fresh).value == 0.0


def test_levels_that_say_nothing_change_nothing():
    """12 periods, 60,000 scenarios, seed 1: levels independent of losses leave the binomial."""
    levels = np.random.default_rng(2).standard_normal(60_000)
    found = aggregate_exceedance(binary(60_000, 0.1), 2, draw_horizons(60_000, 12, levels=levels))
    assert abs(found.value - binom.sf(2, 12, 0.1)) <= MOST_SIGMAS * found.standard_error


def test_the_sum_of_a_year_is_normal_where_periods_are():
    """12 normal periods, 60,000 scenarios, seed 1: the levels of the sum are those of the normal law."""
    losses = 100.0 + 10.0 * norm.ppf((np.arange(60_000) + 0.5) / 60_000)
    years = draw_horizons(60_000, 12, seed=1)
    for level in return_levels(PoolLosses(assets=("A",), by_asset=losses[None]), years, (10.0, 100.0, 250.0)):
        exact = 1_200.0 + 10.0 * math.sqrt(12.0) * norm.isf(1.0 / level.return_period)
        assert abs(level.aggregate.value - exact) <= MOST_SIGMAS * level.aggregate.standard_error
        assert level.aggregate.standard_error < 3.0


def test_an_asset_costs_at_most_the_period_and_that_at_most_the_year():
    by_asset = np.random.default_rng(1).exponential(size=(5, 12_000))
    losses = PoolLosses(assets=tuple("ABCDE"), by_asset=by_asset)
    assert (largest_occurrence(losses, Occurrence.ASSET) <= largest_occurrence(losses, Occurrence.PERIOD)).all()
    levels = return_levels(losses, draw_horizons(12_000, 12), (5.0, 50.0))
    for level in levels:
        assert level.asset_occurrence.value <= level.period_occurrence.value <= level.aggregate.value
    assert levels[0].aggregate.value < levels[1].aggregate.value


def test_ruin_within_one_period_is_counted_exactly():
    losses = np.random.default_rng(1).exponential(size=5_000)
    ruin = ruin_probability(losses - 1.0, 0.5, draw_horizons(5_000, 1, n_shuffles=3))
    assert ruin.value == np.mean(losses > 1.5)


def ruin_of_binary_periods(p, loss, income, capital, n_periods):
    """Probability of ruin by recursion over the number of losses so far."""
    alive = {0: 1.0}
    for period in range(1, n_periods + 1):
        after = {}
        for n_losses, probability in alive.items():
            for more, chance in ((0, 1.0 - p), (1, p)):
                if capital + period * income - (n_losses + more) * loss >= 0.0:
                    after[n_losses + more] = after.get(n_losses + more, 0.0) + probability * chance
        alive = after
    return 1.0 - sum(alive.values())


@pytest.mark.parametrize(("capital", "p"), [(0.75, 0.1), (1.95, 0.1), (2.95, 0.2), (0.0, 0.02)])
def test_ruin_over_a_year_agrees_with_its_recursion(capital, p):
    """12 periods, 60,000 scenarios, seed 1."""
    exact = ruin_of_binary_periods(p, 1.0, 0.11, capital, 12)
    ruin = ruin_probability(binary(60_000, p) - 0.11, capital, draw_horizons(60_000, 12))
    assert abs(ruin.value - exact) <= MOST_SIGMAS * ruin.standard_error


def test_without_income_ruin_is_a_binomial_tail():
    """12 periods, 60,000 scenarios, seed 1: three losses are too many."""
    ruin = ruin_probability(binary(60_000, 0.05), 2.0, draw_horizons(60_000, 12))
    assert abs(ruin.value - binom.sf(2, 12, 0.05)) <= MOST_SIGMAS * ruin.standard_error


@given(
    net=st.lists(st.floats(-5.0, 20.0), min_size=6, max_size=40).map(np.array),
    capital=st.floats(0.0, 50.0),
    more=st.floats(0.0, 50.0),
)
def test_capital_lowers_and_time_raises_ruin(net, capital, more):
    horizons = draw_horizons(len(net), 6)
    ruin = ruin_probability(net, capital, horizons).value
    assert ruin_probability(net, capital + more, horizons).value <= ruin
    assert (largest_deficits(net, horizons) >= np.maximum(net[horizons.scenarios[:, 0]], 0.0)).all()


def test_capital_for_a_probability_of_ruin_leaves_that_probability():
    net = np.random.default_rng(1).exponential(size=24_000) - 1.1
    horizons = draw_horizons(24_000, 12)
    capital = capital_for_ruin(net, 0.01, horizons)
    assert ruin_probability(net, capital.value, horizons).value == pytest.approx(0.01, abs=1e-4)
    assert 0.0 < capital.standard_error < 0.2 * capital.value


def test_what_cannot_be_known_is_refused():
    losses = np.arange(240.0)
    years = draw_horizons(240, 12)
    with pytest.raises(PrecisionError, match=r"level 0.995 leaves 0.1 of 20 disjoint horizons"):
        capital_for_ruin(losses, 0.005, years)
    with pytest.raises(InvalidTermsError, match="capital must not be negative"):
        ruin_probability(losses, -1.0, years)
    with pytest.raises(InvalidTermsError, match="return_periods must be above 1 year"):
        return_levels(PoolLosses(assets=("A",), by_asset=losses[None]), years, (1.0,))
