"""Rare drops: one weighted sample against exact values and plain simulation."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from pricing import (
    ConstantVolatility,
    DoubleExponentialSizes,
    Empirical,
    Garch,
    GeneralizedParetoFalls,
    Jumps,
    Normal,
    NormalSizes,
    PrecisionWarning,
    PriceModel,
    Reference,
    SimulationSettings,
    StudentT,
    simulate,
)
from pricing.closed_form import (
    discrete_drawdown_probability,
    discrete_touch_probability,
    normal_steps,
    one_step_window_probability,
    two_step_window_probability,
)
from pricing.engine.kernel_inputs import model_arrays
from pricing.engine.rare_drops.segments import jump_laws
from pricing.engine.rare_drops.shares import SMALLEST_PROBABILITY, best_shares
from pricing.engine.rare_drops.tilts import DEEPEST_LOG_DROP, further_jumps
from tests.reference_tables import rows

HOUR, YEAR = timedelta(hours=1), timedelta(days=365)
STEPS_A_YEAR = YEAR / HOUR
DROPS = np.arange(0.10, 0.951, 0.05)
RARE = SimulationSettings(n_paths=20_000, seed=42, rare_drops=True)
HOURLY = 1.0 / math.sqrt(STEPS_A_YEAR)

RESIDUALS = Empirical(values=(np.random.default_rng(1).standard_t(5, 5_000) * math.sqrt(3 / 5)).tolist())
GJR = Garch(omega=3e-6, alpha=0.08, beta=0.88, gamma=0.03, initial_variance=1e-4)


def constant(annual, innovations=None, jumps=(), **changes):
    return PriceModel(
        volatility=ConstantVolatility(annual=annual), innovations=innovations or Normal(), jumps=jumps, **changes
    )


def jumps(per_year, sizes):
    return (Jumps(per_year=per_year, sizes=sizes),)


#: Model and the bound on relative standard error times the square root of the number of paths.
REACH = {
    "constant 60 %": (constant(0.6), 5.1),
    "constant 150 %": (constant(1.5), 5.1),
    "constant 300 %": (constant(3.0), 5.1),
    "bootstrapped": (constant(1.0, RESIDUALS), 5.5),
    "Merton, alt_mid": (constant(0.8, jumps=jumps(12.0, NormalSizes(mean=-0.05, stdev=0.1))), 6.0),
    "Merton, alt_high": (constant(1.2, jumps=jumps(24.0, NormalSizes(mean=-0.1, stdev=0.2))), 6.5),
    "Merton, rare_crash": (constant(0.6, jumps=jumps(2.0, NormalSizes(mean=-0.35, stdev=0.15))), 7.0),
    "Merton, 10 a year": (constant(0.7, jumps=jumps(10.0, NormalSizes(mean=-0.2, stdev=0.2))), 7.0),
    "Merton, 1 a year": (constant(0.5, jumps=jumps(1.0, NormalSizes(mean=-0.1, stdev=0.15))), 7.7),
    "Kou, 12 a year": (
        constant(0.8, jumps=jumps(12.0, DoubleExponentialSizes(p_up=0.4, eta_up=12.0, eta_down=8.0))),
        5.5,
    ),
    "Kou, 2 a year": (
        constant(0.5, jumps=jumps(2.0, DoubleExponentialSizes(p_up=0.3, eta_up=20.0, eta_down=12.0))),
        5.5,
    ),
    "Kou, 6 a year": (
        constant(1.0, jumps=jumps(6.0, DoubleExponentialSizes(p_up=0.3, eta_up=10.0, eta_down=5.0))),
        5.0,
    ),
    "exponential falls": (constant(0.5, jumps=jumps(1.0, GeneralizedParetoFalls(threshold=0.1, scale=0.1))), 5.5),
    "Pareto falls": (
        constant(0.8, jumps=jumps(0.25, GeneralizedParetoFalls(threshold=0.22, scale=0.08, shape=0.2))),
        5.0,
    ),
    "Pareto falls, 2 a year": (
        constant(0.7, jumps=jumps(2.0, GeneralizedParetoFalls(threshold=0.2, scale=0.1, shape=0.3))),
        4.0,
    ),
    "Student-t": (constant(1.0, StudentT(dof=4.0)), 7.0),
}
SMALLEST = {"Student-t": 1e-8}


#: Some drops of the grid are rarer than 1e-12, where nothing is promised.
beyond_reach = pytest.mark.filterwarnings("ignore::pricing.errors.PrecisionWarning")


@pytest.fixture(scope="module", params=REACH)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def rare(name):
    """One weighted sample for all that is said of it: 100,000 paths, seed 42."""
    return simulate(REACH[name][0], settings=SimulationSettings(n_paths=100_000, seed=42, rare_drops=True))


@beyond_reach
def test_one_sample_resolves_every_drop(name, rare):
    curve = rare.exceedance(DROPS)
    seen = curve.value >= SMALLEST.get(name, 1e-12)
    relative = curve.standard_error[seen] / curve.value[seen] * math.sqrt(rare.settings.n_paths)
    assert seen.sum() >= 3
    assert relative.max() <= REACH[name][1], dict(zip(DROPS[seen].round(2), relative.round(1), strict=True))


def test_weights_have_mean_one_and_are_bounded(rare):
    weights = rare.weights
    assert abs(weights.mean() - 1.0) < 4.0 * weights.std() / math.sqrt(len(weights))
    assert weights.min() >= 0.0
    assert weights.max() <= 20.0  # one over the share of plain paths


def steps_of(deviation):
    return normal_steps(volatility=deviation / HOURLY, log_drift=0.0, step_years=1.0 / STEPS_A_YEAR)


def assert_agrees(estimate, exact):
    z = (estimate.value - exact) / estimate.standard_error
    assert abs(z) < 4.0, f"{estimate} against {exact}: z = {z:.1f}"


@pytest.mark.parametrize("threshold", [4.0, 5.0, 6.0, 7.0, 7.5])
def test_deep_drops_agree_with_exact_recursions(threshold):
    """Normal steps, 24 of them: probabilities from 1e-2 down to 1e-12."""
    n_steps, deviation = 24, 0.02
    law = steps_of(deviation)
    surface = simulate(
        constant(deviation / HOURLY),
        windows=("1h", "2h"),
        terms=("24h",),
        references=(Reference.ROLLING_HIGH, Reference.RUNNING_HIGH, Reference.INCEPTION),
        settings=RARE,
    )
    exact = {
        "one step": (threshold, one_step_window_probability, {"window": "1h"}),
        "two steps": (1.4 * threshold, two_step_window_probability, {"window": "2h"}),
        "drawdown": (5.5 * threshold - 8.0, discrete_drawdown_probability, {"reference": Reference.RUNNING_HIGH}),
        "touch": (4.9 * threshold - 8.0, discrete_touch_probability, {"reference": Reference.INCEPTION}),
    }
    for name, (deviations, probability, signal) in exact.items():
        drop = -math.expm1(-deviations * deviation)
        value = probability(drop=drop, steps=law, n_steps=n_steps)
        assert value > 1e-13, name
        assert_agrees(surface.exceedance(drop, term="24h", **signal), value)


@pytest.mark.parametrize("row", rows("garch11_short_horizon_exact"))
def test_garch_agrees_with_nested_quadrature(row):
    law = Garch(omega=row["omega"], alpha=row["alpha"], beta=row["beta"], initial_variance=row["sigma1"] ** 2)
    model = PriceModel(volatility=law, innovations=StudentT(dof=row["t_df"]) if row["t_df"] else Normal())
    surface = simulate(
        model,
        windows=("1h", "2h"),
        terms=("3h",),
        references=tuple(Reference),
        settings=SimulationSettings(n_paths=200_000, seed=42, rare_drops=True),
    )
    for column, signal in {
        "p_touch_3step": {"reference": Reference.INCEPTION},
        "p_gap1_3step": {"reference": Reference.LAGGED, "window": "1h"},
        "p_window2_3step": {"window": "2h"},
        "p_mdd_3step": {"reference": Reference.RUNNING_HIGH},
    }.items():
        if row[column] > 1e-5:
            assert_agrees(surface.exceedance(row["drop"], term="3h", **signal), row[column])


@beyond_reach
def test_rare_and_plain_samples_agree_where_both_see(name, rare):
    plain = simulate(REACH[name][0], settings=SimulationSettings(n_paths=100_000, seed=43))
    compared = 0
    for drop in DROPS:
        seen, weighted = plain.exceedance(float(drop)), rare.exceedance(float(drop))
        if 2e-4 < seen.value < 1.0 - 2e-4:
            error = math.hypot(seen.standard_error, weighted.standard_error)
            assert abs(seen.value - weighted.value) < 4.0 * error, drop
            compared += 1
    assert compared >= 1


@pytest.mark.parametrize("innovations", [Normal(), StudentT(dof=5.0), RESIDUALS], ids=["normal", "t", "bootstrapped"])
def test_garch_gains_in_the_tail_and_never_loses_a_third(innovations):
    model = PriceModel(volatility=GJR, innovations=innovations)
    plain = simulate(model, settings=SimulationSettings(n_paths=400_000, seed=44, n_threads=2)).sample().drops
    surface = simulate(model, settings=SimulationSettings(n_paths=400_000, seed=45, n_threads=2, rare_drops=True))
    for probability, gain in ((0.5, 0.75), (0.1, 0.9), (1e-2, 1.3), (1e-3, 2.5), (1e-4, 10.0)):
        estimate = surface.exceedance(float(plain[int(400_000 * probability)]))
        seen = math.hypot(estimate.standard_error, math.sqrt(probability / 400_000))
        assert abs(estimate.value - probability) < 4.0 * seen, f"at {probability}: {estimate}"
        variance = estimate.standard_error**2 * surface.settings.n_paths
        ratio = estimate.value * (1.0 - estimate.value) / variance
        assert ratio >= gain, f"at {probability}: {ratio:.1f}"


@pytest.fixture(scope="module")
def small_surfaces():
    """400 surfaces of 2,000 paths each, as parts of one simulation."""
    settings = SimulationSettings(n_paths=800_000, seed=46, rare_drops=True)
    whole = simulate(constant(0.02 / HOURLY), windows=("2h",), terms=("24h",), settings=settings)
    small = replace(settings, n_paths=2_000)
    parts = zip(np.split(whole.worst_drops, 400, axis=1), np.split(whole.weights, 400), strict=True)
    return [replace(whole, settings=small, worst_drops=drops, weights=weights) for drops, weights in parts]


@pytest.mark.parametrize("threshold", [3.0, 4.8, 6.0], ids=["1e-2", "1e-4", "1e-6"])
def test_stated_intervals_cover_the_truth(small_surfaces, threshold):
    """400 surfaces; an interval of 95 % covers between 93 and 97 % (z < 1.9 at 400 draws)."""
    n_steps, deviation = 24, 0.02
    drop = -math.expm1(-1.15 * threshold * deviation)
    exact = two_step_window_probability(drop=drop, steps=steps_of(deviation), n_steps=n_steps)
    estimates = [surface.exceedance(drop, window="2h", term="24h") for surface in small_surfaces]
    covered = np.mean([abs(each.value - exact) <= 1.959964 * each.standard_error for each in estimates])
    assert 0.93 <= covered <= 0.97, f"{covered} at {exact:.1e}"


def test_shares_reach_the_smallest_possible_variance():
    """Disjoint shells of drops, a law on each: the smallest largest second moment has a closed form.

    Levels of probability P[k] and shells p[k] = P[k] - P[k + 1]: equal moments M need shares p[k]^2 / (P[k]^2 -
    P[k + 1]^2) / M, which add up to what the model leaves.
    """
    levels = np.geomspace(0.2, 1e-12, 24)
    shells = levels - np.append(levels[1:], 0.0)
    drops = np.linspace(0.1, 0.9, 24)
    exact = (shells**2 / (levels**2 - np.append(levels[1:], 0.0) ** 2)).sum()
    # Twenty paths per shell from even shares, and from the model where no event is; nothing here is random.
    n_laws, n_paths = 25, 25 * 20
    shares = np.full(n_laws, 1.0 / n_laws)
    shell_of_path = np.repeat(np.arange(-1, 24), 20)
    ratios = np.where(shell_of_path == np.arange(24)[:, None], 1.0 / shells[:, None], 0.0)
    ratios = np.concatenate([np.ones((1, n_paths)), ratios])
    drops_of_paths = np.append(drops, 0.0)[shell_of_path]
    found = best_shares(ratios, drops_of_paths[None, :], shares)
    assert found.sum() == pytest.approx(1.0)
    assert found[0] >= shares[0]
    moments = [((shells**2) / (found[0] * shells + found[1:]))[k:].sum() / levels[k] ** 2 for k in range(24)]
    assert exact / (1.0 - found[0]) * 0.95 < max(moments) < 1.15 * exact / (1.0 - found[0])


@pytest.mark.parametrize("eta", [5.0, 8.0, 12.0])
def test_a_further_jump_resolves_all_falls_evenly(eta):
    """Exponential falls: no law does better than 1 + log(1 / P) / 2 for falls of all probabilities down to P."""
    falls = jumps(12.0, DoubleExponentialSizes(p_up=0.0, eta_up=1.0, eta_down=eta))
    (law,) = jump_laws(model_arrays(constant(1.0, jumps=falls)))
    (component,) = further_jumps(law, (law,), n_steps=730)
    order = np.argsort(law.sizes)
    order = order[law.probabilities[order] > 0.0]
    model, drawn = law.probabilities[order], component.sizes[0][order]
    tail, moment = np.cumsum(model), np.cumsum(model**2 / drawn)
    deepest = max(math.exp(-DEEPEST_LOG_DROP * eta), SMALLEST_PROBABILITY)  # one jump is expected in 730 hours
    seen = (tail > deepest) & (tail < 0.5)
    relative = moment[seen] / tail[seen] ** 2
    least = 1.0 + 0.5 * math.log(1.0 / deepest)
    assert relative.max() < 1.2 * least
    assert component.sizes.sum() == pytest.approx(1.0)


def test_threads_and_company_of_paths_do_not_change_a_bit():
    model = REACH["Merton, alt_high"][0]
    expected = simulate(model, settings=RARE)
    for settings in (
        SimulationSettings(n_paths=20_000, seed=42, rare_drops=True, n_threads=3),
        SimulationSettings(n_paths=4_999, seed=42, rare_drops=True),
    ):
        surface = simulate(model, settings=settings)
        assert np.array_equal(surface.worst_drops, expected.worst_drops[:, : settings.n_paths])
        assert np.array_equal(surface.weights, expected.weights[: settings.n_paths])


def test_a_price_that_never_moves_stays_plain():
    assert simulate(constant(0.0), settings=RARE).weights is None


def test_an_estimate_that_hangs_on_one_path_says_so():
    surface = simulate(
        PriceModel(volatility=GJR, innovations=Normal()),
        settings=SimulationSettings(n_paths=300, seed=1, rare_drops=True),
    )
    with pytest.warns(PrecisionWarning, match="one of 300 paths carries .* raise n_paths"):
        surface.exceedance(DROPS)


def test_the_effective_size_is_that_of_the_weights():
    sample = simulate(constant(1.5), settings=RARE).sample()
    assert 1_000 < sample.effective_size < 20_000
    assert sample.effective_size == pytest.approx(sample.weights.sum() ** 2 / (sample.weights**2).sum())
