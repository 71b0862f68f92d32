"""Three windows against exact values, published figures and direct simulation of the whole term."""

import math
from datetime import timedelta

import pytest

from pricing import (
    ConstantVolatility,
    Garch,
    Jumps,
    Normal,
    NormalSizes,
    PriceModel,
    Reference,
    SimulationSettings,
    StudentT,
    exceedance_over_term,
    simulate,
    simulate_three_windows,
)
from pricing.closed_form import normal_steps, one_step_window_probability, two_step_window_probability
from pricing.errors import InvalidModelError, InvalidTermsError
from tests.reference_tables import rows

HOUR = timedelta(hours=1)
DEVIATION, HOURS_A_YEAR = 0.01, 8760
SETTINGS = SimulationSettings(n_paths=200_000, seed=8)
RARE = SimulationSettings(n_paths=50_000, seed=8, rare_drops=True)


def model_of(innovations=None):
    annual = DEVIATION * math.sqrt(HOURS_A_YEAR)
    return PriceModel(volatility=ConstantVolatility(annual=annual), innovations=innovations or Normal())


@pytest.mark.parametrize("row", rows("rolling_extrapolation_check"))
def test_agrees_with_published_direct_simulation(row):
    surface = simulate_three_windows(model_of(StudentT(dof=4.0) if row["steps"] == "t4" else None), settings=SETTINGS)
    drop = -math.expm1(-row["threshold_step_sd"] * DEVIATION)
    estimate = exceedance_over_term(surface, drop, term=int(row["n_windows"] * row["window_steps"]) * HOUR)
    assert abs(estimate.value - row["p_direct_mc"]) < 4.0 * math.hypot(estimate.standard_error, row["mc_se"])
    # The bounds are at estimated probabilities, whose error is that of the estimate itself.
    assert estimate.lower - 4.0 * estimate.standard_error < row["p_direct_mc"] + 4.0 * row["mc_se"]
    assert estimate.upper + 4.0 * estimate.standard_error > row["p_direct_mc"] - 4.0 * row["mc_se"]
    assert estimate.lower <= estimate.value <= estimate.upper


@pytest.mark.parametrize("deviations", [5.0, 6.0, 7.0])
@pytest.mark.parametrize(
    ("window", "probability"), [("1h", one_step_window_probability), ("2h", two_step_window_probability)]
)
def test_agrees_with_exact_recursions_over_a_month(deviations, window, probability):
    steps = normal_steps(volatility=DEVIATION * math.sqrt(HOURS_A_YEAR), log_drift=0.0, step_years=1 / HOURS_A_YEAR)
    drop = -math.expm1(-deviations * DEVIATION)
    exact = probability(drop=drop, steps=steps, n_steps=720)
    estimate = exceedance_over_term(simulate_three_windows(model_of(), window=window, settings=RARE), drop, term="30d")
    assert abs(estimate.value - exact) < 4.0 * estimate.standard_error + 1e-3 * exact


def test_agrees_with_the_whole_term_under_jumps():
    model = PriceModel(
        volatility=ConstantVolatility(annual=1.2),
        innovations=Normal(),
        jumps=(Jumps(per_year=24.0, sizes=NormalSizes(mean=-0.1, stdev=0.2)),),
    )
    short = exceedance_over_term(simulate_three_windows(model, settings=SETTINGS), 0.5, term="30d")
    long = simulate(model, settings=SimulationSettings(n_paths=100_000, seed=9)).exceedance(0.5)
    assert abs(short.value - long.value) < 4.0 * math.hypot(short.standard_error, long.standard_error)


def test_standard_error_agrees_with_the_scatter_over_seeds():
    # 200 seeds of 2,000 paths; the scatter of 200 values has relative error 1 / sqrt(400) = 5 %, z < 4.
    estimates = []
    for seed in range(200):
        settings = SimulationSettings(n_paths=2_000, seed=seed)
        surface = simulate_three_windows(model_of(), window="6h", settings=settings)
        estimates.append(exceedance_over_term(surface, -math.expm1(-0.07), term="30d"))
    mean = sum(one.value for one in estimates) / 200
    scatter = math.sqrt(sum((one.value - mean) ** 2 for one in estimates) / 199)
    stated = sum(one.standard_error for one in estimates) / 200
    assert abs(scatter / stated - 1.0) < 4.0 / math.sqrt(400)


@pytest.mark.parametrize("window", ["1h", "24h"])
def test_needs_fewer_steps_than_the_whole_term_where_drops_are_rare(window):
    """Relative variance times path-steps, at 6.5 deviations of the window, of which the whole term takes twice as many.

    The relative error of a variance is below 3 % on 50,000 paths, z < 4.
    """
    hours = {"1h": 1, "24h": 24}[window]
    drop = -math.expm1(-6.5 * DEVIATION * math.sqrt(hours))
    short = exceedance_over_term(simulate_three_windows(model_of(), window=window, settings=RARE), drop, term="30d")
    long = simulate(model_of(), windows=(window,), settings=RARE).exceedance(drop, window=window)
    cost = (short.standard_error / short.value) ** 2 * 3 * hours
    assert 2.0 * cost < (long.standard_error / long.value) ** 2 * 720


def test_dependent_steps_are_refused():
    garch = Garch(omega=1e-6, alpha=0.05, beta=0.9, initial_variance=1e-4)
    with pytest.raises(InvalidModelError, match="only if steps are independent"):
        simulate_three_windows(PriceModel(volatility=garch, innovations=Normal()))


def test_what_does_not_fit_is_named():
    with pytest.raises(InvalidTermsError, match="reference must be ROLLING_HIGH or LAGGED"):
        simulate_three_windows(model_of(), reference=Reference.INCEPTION)
    small = SimulationSettings(n_paths=100, seed=1)
    with pytest.raises(InvalidTermsError, match="term must be at least three windows, got 2d"):
        exceedance_over_term(simulate_three_windows(model_of(), settings=small), 0.1, term="2d")
    with pytest.raises(InvalidTermsError, match="use simulate_three_windows"):
        exceedance_over_term(simulate(model_of(), settings=small), 0.1, term="30d")
