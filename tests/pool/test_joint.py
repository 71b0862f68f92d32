import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import binom, multivariate_normal

from calibration import shipped_market
from pool import MAJORS, Dependence, JointSettings, Observation, TokenRisk, joint_scenarios
from pool.dependence import draw_log_worst, draw_shared
from pool.joint import NEIGHBOURS, path_drops
from pricing import DropTrigger, FullPayout, LinearPayout, SimulationSettings, StudentT, simulate
from pricing.errors import NotSimulatedError, SimulationError
from tests.pool.synthetic import MODEL, surface_of, uniform_surface

DEPENDENCE = Dependence.of_law(shipped_market(datetime(2025, 7, 1, tzinfo=UTC)).laws[-1])
TOKEN = TokenRisk(centre=-1.9, crash_rate=0.05)
INDEPENDENT = Dependence(shocks=(0.0,), spread=0.2)
SHORT = Observation(window="1h")
WEEK = Observation(term="7d")
#: Largest z of all comparisons below, some forty: one in five thousand by chance.
MOST_SIGMAS = 4.5


def scenarios_of(surfaces, dependence=DEPENDENCE, token=TOKEN, *, n_scenarios, seed=1, n_threads=1, **how):
    settings = JointSettings(n_scenarios=n_scenarios, seed=seed, n_threads=n_threads)
    return joint_scenarios(surfaces, dependence, dict.fromkeys(surfaces, token), settings=settings, **how)


@pytest.mark.parametrize("shape", [None, SHORT])
def test_every_path_of_an_unweighted_surface_is_taken_once(shape):
    surfaces = {asset: uniform_surface(2_000, seed, SHORT) for seed, asset in enumerate("ABC")}
    scenarios = scenarios_of(surfaces, n_scenarios=2_000, shape=shape)
    for paths in scenarios.paths:
        np.testing.assert_array_equal(np.sort(paths), np.arange(2_000))


@given(weights=st.lists(st.floats(0.0, 5.0), min_size=1, max_size=50), n=st.integers(1, 400), seed=st.integers(0, 99))
def test_paths_are_taken_as_often_as_their_weight_says(weights, n, seed):
    weights = np.array([1.0, *weights])
    drops = np.random.default_rng(seed).random(len(weights))
    scenarios = scenarios_of({"A": surface_of({Observation(): drops}, weights)}, n_scenarios=n, seed=seed)
    taken = np.bincount(scenarios.paths[0], minlength=len(weights))
    assert (np.abs(taken - n * weights / weights.sum()) <= 1.0 + 1e-9).all()


def test_expected_payouts_are_those_of_the_surface():
    terms = {"windows": ("1h", "24h"), "terms": ("7d", "30d"), "settings": SimulationSettings(n_paths=20_000, seed=3)}
    surface = simulate(replace(MODEL, innovations=StudentT(dof=3.0)), **terms)
    scenarios = scenarios_of({"A": surface, "B": surface}, n_scenarios=20_000, shape=SHORT)
    for window, term in (("1h", "7d"), ("24h", "30d"), ("1h", "30d")):
        for payout in (FullPayout(), LinearPayout(attachment=0.05, exhaustion=0.5)):
            drops = scenarios.worst_drops("B", Observation(window=window, term=term))
            paid = np.where(drops >= 0.06, payout.share(drops), 0.0)
            exact = surface.expected_payout(payout, trigger=DropTrigger(drop=0.06, window=window), term=term)
            assert paid.mean() == pytest.approx(exact.value, rel=1e-12)


def test_paths_stand_in_the_order_of_the_draws():
    surfaces = {asset: uniform_surface(3_000, seed) for seed, asset in enumerate("AB")}
    scenarios = scenarios_of(surfaces, n_scenarios=1_000)
    shared = draw_shared(DEPENDENCE, n_months=1, n_scenarios=1_000, seed=1)
    for asset in surfaces:
        drawn = draw_log_worst(DEPENDENCE, TOKEN, shared, asset=asset, seed=1)
        assert (np.diff(scenarios.worst_drops(asset, Observation())[np.argsort(drawn)]) > 0.0).all()


def test_a_shape_moves_ranks_by_less_than_the_neighbourhood():
    surfaces = {asset: uniform_surface(5_000, seed, SHORT) for seed, asset in enumerate("AB")}
    plain, shaped = (scenarios_of(surfaces, n_scenarios=5_000, shape=shape) for shape in (None, SHORT))
    for asset in surfaces:
        moved = shaped.worst_drops(asset, Observation()) - plain.worst_drops(asset, Observation())
        assert np.abs(moved).max() < NEIGHBOURS / 5_000


def test_a_shape_is_shared_by_as_much_as_the_dependence_says():
    """Depth and speed of a path are independent here: normal scores of speed correlate like shapes. 50,000, seed 1."""
    surfaces = {asset: uniform_surface(50_000, seed, SHORT) for seed, asset in enumerate("AB")}
    scenarios = scenarios_of(surfaces, n_scenarios=50_000, shape=SHORT)
    scores = [ndtri(scenarios.worst_drops(asset, SHORT)) for asset in surfaces]
    # A score and a draw of the same rank among n correlate by the mean square of the expected order statistics (Blom).
    kept = np.square(ndtri((np.arange(1, NEIGHBOURS + 1) - 0.375) / (NEIGHBOURS + 0.25))).mean()
    exact = DEPENDENCE.shape_correlation * kept**2
    assert abs(np.corrcoef(*scores)[0, 1] - exact) <= MOST_SIGMAS / math.sqrt(50_000)


def test_tokens_without_anything_in_common_fall_independently():
    """20 tokens, drops of probability 0.1, 50,000 scenarios, seed 1: their number is binomial."""
    surfaces = {f"T{number}": uniform_surface(1_000, number) for number in range(20)}
    scenarios = scenarios_of(surfaces, INDEPENDENT, n_scenarios=50_000)
    n_fallen = sum(scenarios.worst_drops(asset, Observation()) > 0.9 for asset in surfaces)
    exact = binom.pmf(np.arange(8), 20, 0.1)
    frequency = np.bincount(n_fallen, minlength=8)[:8] / 50_000
    assert (np.abs(frequency - exact) <= MOST_SIGMAS * np.sqrt(exact * (1.0 - exact) / 50_000)).all()


def test_tokens_without_anything_of_their_own_fall_together():
    surfaces = {f"T{number}": uniform_surface(1_000, number) for number in range(5)}
    together = Dependence(shocks=tuple(np.linspace(-1.0, 1.0, 11)), spread=0.0, level_error=0.1)
    scenarios = scenarios_of(surfaces, together, TokenRisk(centre=-2.0, crash_rate=0.0), n_scenarios=1_000)
    drops = [scenarios.worst_drops(asset, Observation()) for asset in surfaces]
    for other in drops[1:]:
        np.testing.assert_array_equal(drops[0], other)


@pytest.mark.parametrize("probability", [0.3, 0.1, 0.02])
def test_normal_shocks_give_the_normal_copula(probability):
    """Two tokens, correlation 0.7, 200,000 scenarios, seed 1, against the bivariate normal distribution."""
    shocks = math.sqrt(0.7) * ndtri((np.arange(5_000) + 0.5) / 5_000)
    normal = Dependence(shocks=tuple(shocks), spread=math.sqrt(0.3))
    surfaces = {asset: uniform_surface(10_000, seed) for seed, asset in enumerate("AB")}
    scenarios = scenarios_of(surfaces, normal, TokenRisk(centre=-2.0, crash_rate=0.0), n_scenarios=200_000)
    first, second = (scenarios.worst_drops(asset, Observation()) > 1.0 - probability for asset in surfaces)
    both = multivariate_normal(cov=[[1.0, 0.7], [0.7, 1.0]]).cdf(np.full(2, ndtri(probability)))
    assert abs((first & second).mean() - both) <= MOST_SIGMAS * math.sqrt(both / 200_000)


def test_majors_fall_together_and_keep_their_paths():
    """50,000 scenarios, seed 1. In those of the 1 % deepest falls of BTC, ETH falls as deep twice as often as apart."""
    surfaces = {asset: uniform_surface(5_000, seed, SHORT) for seed, asset in enumerate(("BTC", "ETH", "OM"))}
    apart = scenarios_of(surfaces, token=TokenRisk(centre=-2.5, crash_rate=0.07, own_share=1.0), n_scenarios=50_000)
    together = scenarios_of(surfaces, token=TokenRisk(centre=-2.5, crash_rate=0.07), n_scenarios=50_000)
    assert [each.group for each in together.tokens.values()] == [MAJORS, MAJORS, None]
    np.testing.assert_array_equal(np.sort(together.paths), np.sort(apart.paths))
    np.testing.assert_array_equal(together.paths[2], apart.paths[2])
    shares = []
    for scenarios in (apart, together):
        deep = [scenarios.worst_drops(asset, Observation()) >= 0.99 for asset in ("BTC", "ETH")]
        shares.append((deep[0] & deep[1]).sum() / deep[0].sum())
    assert shares[1] > 2.0 * shares[0]


def test_threads_and_other_tokens_change_no_bit():
    surfaces = {asset: uniform_surface(2_000, seed, SHORT) for seed, asset in enumerate("ABCD")}
    alone = scenarios_of(surfaces, n_scenarios=2_000, shape=SHORT)
    threaded = scenarios_of(surfaces, n_scenarios=2_000, shape=SHORT, n_threads=3)
    fewer = scenarios_of({"D": surfaces["D"], "B": surfaces["B"]}, n_scenarios=2_000, shape=SHORT)
    np.testing.assert_array_equal(alone.paths, threaded.paths)
    np.testing.assert_array_equal(fewer.paths, alone.paths[[3, 1]])
    assert (scenarios_of(surfaces, n_scenarios=2_000, seed=2).paths != alone.paths).any()


@pytest.mark.parametrize(("term", "n_months"), [("7d", 1), ("30d", 1), ("45d", 2), ("90d", 3)])
def test_a_term_counts_as_so_many_months(term, n_months):
    ranking = Observation(term=term)
    scenarios = scenarios_of({"A": surface_of({ranking: np.linspace(0.0, 0.9, 500)})}, n_scenarios=500, ranking=ranking)
    shared = draw_shared(DEPENDENCE, n_months=n_months, n_scenarios=500, seed=1)
    drawn = draw_log_worst(DEPENDENCE, TOKEN, shared, asset="A", seed=1)
    assert scenarios.period == ranking.term
    assert (np.diff(scenarios.worst_drops("A", ranking)[np.argsort(drawn)]) > 0.0).all()


def test_what_was_not_simulated_is_refused():
    surface = uniform_surface(100, 1, WEEK)
    scenarios = scenarios_of({"A": surface}, n_scenarios=10, ranking=WEEK)
    with pytest.raises(NotSimulatedError, match="term of A must not exceed the period"):
        scenarios.worst_drops("A", Observation())
    with pytest.raises(NotSimulatedError, match="asset must be one of the 1 that were simulated, got 'B'"):
        scenarios.row("B")
    with pytest.raises(NotSimulatedError, match="the surface of A holds no rolling high of 1h over 30d"):
        path_drops(surface, SHORT, "A")
    with pytest.raises(NotSimulatedError, match="tokens must hold the risk of every asset, but 'A' is missing"):
        joint_scenarios({"A": surface}, DEPENDENCE, {})


@pytest.mark.parametrize(("field", "value"), [("n_scenarios", 0), ("seed", -1), ("n_threads", 1.5), ("seed", True)])
def test_wrong_settings_are_refused(field, value):
    with pytest.raises(SimulationError, match=f"{field} must be a whole number"):
        JointSettings(**{field: value})
