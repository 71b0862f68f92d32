"""T4 over many windows: bounds and extrapolations against tables, direct simulation and each other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from pricing.closed_form import (
    discrete_drawdown_probability,
    drawdown_probability,
    haiman_extrapolation,
    jump_only_lower_bound,
    jump_pair_probability,
    normal_steps,
    one_step_window_probability,
    ratio_extrapolation,
    rolling_high_bounds,
    slepian_exceedance,
    two_step_window_probability,
    window_bounds,
)
from pricing.errors import InvalidTermsError
from tests.reference_tables import rows

WINDOW_YEARS = {"1h": 1 / 8760, "24h": 1 / 365}


def law_of(row):
    volatility = row["sigma"]
    return {"drop": row["drop"], "volatility": volatility, "log_drift": -(volatility**2) / 2.0}


@pytest.mark.parametrize("row", rows("rolling_bracket_gbm"))
def test_brownian_bounds_against_the_table(row):
    window, term = WINDOW_YEARS[row["window"]], float(row["term"][:-1]) / 365.0
    bounds = rolling_high_bounds(**law_of(row), window_years=window, term_years=term)
    # The table takes 1 - Q with an absolute rounding of 1e-15 per window.
    assert bounds.lower == pytest.approx(row["p_rolling_lower_closed"], rel=1e-9, abs=1e-12)
    # The table tries few horizons L; with all of them the bound may be up to 1 % tighter over 168 windows.
    assert 0.99 * row["p_rolling_upper_closed"] <= bounds.upper <= row["p_rolling_upper_closed"] * (1.0 + 1e-9)
    if row["window"] == "24h":
        assert bounds.upper == pytest.approx(row["p_rolling_upper_closed"], rel=4e-5)
    assert drawdown_probability(**law_of(row), term_years=term) == pytest.approx(row["p_mdd_full_term"], abs=1e-11)
    assert row["p_fixedlag_rolling_shepp_extrap"] <= bounds.upper <= row["p_mdd_full_term"] * (1.0 + 1e-9)


@pytest.mark.parametrize("row", rows("rolling_extrapolation_check"))
def test_extrapolation_against_direct_simulation(row):
    """The direct runs have 80 000 paths, the three-window run a million; four joint standard errors are allowed."""
    n_windows = int(row["n_windows"])
    few = {"two_windows": row["p_2win"], "three_windows": row["p_3win"], "n_windows": n_windows}
    bounds = window_bounds(probability=row["p_3win"], windows_covered=3, n_windows=n_windows)
    ratio, haiman = ratio_extrapolation(**few), haiman_extrapolation(**few)
    printed = 1e-5 + n_windows * 1e-6  # the table prints its inputs to six digits
    assert bounds.lower == pytest.approx(row["p_rigorous_lower_L3"], abs=printed)
    assert bounds.upper == pytest.approx(row["p_rigorous_upper_L3"], abs=printed)
    assert ratio == pytest.approx(row["p_ratio_extrap"], abs=printed)
    assert haiman.probability == pytest.approx(row["p_haiman_extrap"], abs=printed)
    assert abs(ratio - row["p_direct_mc"]) <= 4.0 * math.hypot(row["mc_se"], row["extrap_se"])
    assert bounds.lower - 4.0 * row["mc_se"] <= row["p_direct_mc"] <= bounds.upper + 4.0 * row["mc_se"]


@pytest.mark.parametrize("row", rows("rolling_windowmax_merton_mc"), ids=lambda row: f"{row['set']}-{row['window']}")
def test_merton_simulation_lies_where_it_must(row):
    """Eight million paths of three windows, printed to six decimals; direct runs to four joint standard errors."""
    n_windows = int(row["n_windows"])
    few = {"two_windows": row["p_2win"], "three_windows": row["p_3win"], "n_windows": n_windows}
    bounds = window_bounds(probability=row["p_3win"], windows_covered=3, n_windows=n_windows)
    printed = 1e-5 + n_windows * 1e-6
    assert bounds.lower == pytest.approx(row["rigorous_lower"], abs=printed)
    assert bounds.upper == pytest.approx(row["rigorous_upper"], abs=printed)
    value = ratio_extrapolation(**few)
    assert value == pytest.approx(row["p_term_extrapolated"], abs=printed)
    source = {"jumps_per_year": row["lambda"], "jump_mean": row["jump_mean"], "jump_stdev": row["jump_sd"]}
    jump_only = jump_only_lower_bound(drop=row["drop"], **source, term_years=7 / 365)
    assert jump_only == pytest.approx(row["jump_only_1-exp"], abs=6e-6)
    assert jump_only <= value + 4.0 * row["se"]
    if row["p_direct_mc"] is not None:
        assert abs(value - row["p_direct_mc"]) <= 4.0 * math.hypot(row["direct_se"], row["se"])


@pytest.mark.parametrize("row", rows("rolling_windowmax_continuous_est"), ids=lambda row: row["threshold_in_sqrt_w_sd"])
def test_continuous_estimates_lie_between_the_bounds(row):
    """Richardson from grids of 12 and 48 steps; four standard errors and the 5e-4 bias the table states."""
    threshold = row["threshold_in_sqrt_w_sd"]
    law = {"drop": -math.expm1(-threshold), "volatility": 1.0, "log_drift": 0.0}
    one = drawdown_probability(**law, term_years=1.0)
    assert one == pytest.approx(row["p_1window_series_exact"], abs=5e-6)
    slack = 4.0 * row["approx_se_3w"] + 5e-4
    for n_windows, column in ((2, "p_2w_richardson"), (3, "p_3w_richardson")):
        bounds = rolling_high_bounds(**law, window_years=1.0, term_years=n_windows)
        assert bounds.lower - slack <= row[column] <= bounds.upper + slack
        assert slepian_exceedance(threshold=threshold, windows=n_windows - 1) <= row[column] + slack
    three = window_bounds(probability=row["p_2w_richardson"], windows_covered=2, n_windows=3)
    assert three.lower - slack <= row["p_3w_richardson"] <= three.upper + slack


@pytest.mark.parametrize("distance", [1.5, 2.5, 4.0])
@pytest.mark.parametrize("n_steps", [6, 8, 24])
def test_bounds_and_extrapolation_hold_the_exact_law_of_two_step_windows(distance, n_steps):
    """In units of the window, terms of 4, 6 and n steps are 2, 3 and n / 2 windows."""
    steps = normal_steps(volatility=1.0, log_drift=-0.05, step_years=1.0)
    two, three, exact = (
        two_step_window_probability(drop=-math.expm1(-distance), steps=steps, n_steps=n) for n in (4, 6, n_steps)
    )
    for covered, probability in ((2, two), (3, three)):
        bounds = window_bounds(probability=probability, windows_covered=covered, n_windows=n_steps / 2)
        assert bounds.lower * (1.0 - 1e-12) <= exact <= bounds.upper * (1.0 + 1e-12)
    few = {"two_windows": two, "three_windows": three, "n_windows": n_steps / 2}
    haiman = haiman_extrapolation(**few)
    assert abs(haiman.probability - exact) <= haiman.error_bound
    assert ratio_extrapolation(**few) == pytest.approx(exact, rel=0.02)


def test_haiman_states_no_bound_outside_his_range():
    few = {"two_windows": 0.03, "three_windows": 0.045, "n_windows": 10}
    assert haiman_extrapolation(**few).error_bound == math.inf
    inside = haiman_extrapolation(two_windows=0.02, three_windows=0.03, n_windows=10)
    assert inside.error_bound == pytest.approx(3.3 * 9 * 0.02**2)


@given(st.floats(0.0, 0.5), st.floats(0.0, 1.0), st.floats(3.0, 1000.0))
def test_extrapolations_are_probabilities_that_start_at_three_windows(two_windows, share, n_windows):
    three_windows = two_windows * (1.0 + share) * (1.0 - 1e-12)
    few = {"two_windows": two_windows, "three_windows": max(three_windows, two_windows)}
    at_three, later = (ratio_extrapolation(**few, n_windows=n) for n in (3.0, n_windows))
    assert at_three == pytest.approx(few["three_windows"], rel=1e-12, abs=1e-15)
    assert 0.0 <= at_three <= later * (1.0 + 1e-12) <= 1.0 + 1e-12


@given(st.floats(0.0, 1.0), st.integers(2, 10), st.floats(1.0, 50.0))
def test_bounds_are_ordered(probability, covered, factor):
    bounds = window_bounds(probability=probability, windows_covered=covered, n_windows=covered * factor)
    assert 0.0 <= probability <= bounds.lower * (1.0 + 1e-12) + 1e-300
    assert bounds.lower <= bounds.upper <= 1.0


def test_bounds_are_exact_up_to_one_window():
    law = {"drop": 0.2, "volatility": 0.9, "log_drift": -0.3}
    bounds = rolling_high_bounds(**law, window_years=0.02, term_years=0.01)
    assert bounds.lower == bounds.upper == drawdown_probability(**law, term_years=0.01)


@pytest.mark.parametrize("row", rows("poisson_rolling_limit"), ids=lambda row: row["lambda"])
def test_compound_poisson_against_the_table(row):
    source = {"jumps_per_year": row["lambda"], "jump_mean": row["jump_mean"], "jump_stdev": row["jump_sd"]}
    terms = {"drop": -math.expm1(-row["h"]), **source, "term_years": row["T"]}
    single = jump_only_lower_bound(**terms)
    pair = jump_pair_probability(**terms, window_years=row["window"])
    assert single == pytest.approx(row["p_single_jump_1-exp(-lTq)"], rel=1e-7)
    # The pair term of the table is 2.2 % low (see the test below), which moves its sum by up to 0.5 %.
    assert pair == pytest.approx(row["p_with_pair_term"], rel=5e-3)
    assert abs(pair - row["p_mc"]) <= 3.0 * row["mc_se"]  # 60 000 paths
    assert single < pair


def test_pair_term_against_the_bivariate_normal():
    """P(J1 > -h, J2 > -h, J1 + J2 <= -h) by inclusion and exclusion."""
    distance, mean, stdev = -math.log(0.7), -0.05, 0.12
    together = norm.cdf((-distance - 2.0 * mean) / (stdev * math.sqrt(2.0)))
    first = multivariate_normal([mean, 2.0 * mean], [[stdev**2, stdev**2], [stdev**2, 2.0 * stdev**2]])
    alone = norm.cdf((-distance - mean) / stdev)
    pair = together - 2.0 * first.cdf([-distance, -distance]) + alone**2
    terms = {"jumps_per_year": 200.0, "jump_mean": mean, "jump_stdev": stdev, "drop": 0.3, "term_years": 0.08}
    value = jump_pair_probability(**terms, window_years=1e-4)
    exact = -math.expm1(-0.08 * (200.0 * alone + 200.0**2 * 1e-4 * pair))
    assert value == pytest.approx(exact, rel=1e-8)


def test_a_grid_of_one_window_bounds_itself():
    """T4 with the window as long as the term is T5, below the union of its steps with every longer window."""
    steps = normal_steps(volatility=1.0, log_drift=0.0, step_years=1.0)
    terms = {"drop": 0.9, "steps": steps, "n_steps": 12}
    assert one_step_window_probability(**terms) < two_step_window_probability(**terms)
    assert two_step_window_probability(**terms) < discrete_drawdown_probability(**terms)


def test_bad_input_is_named():
    with pytest.raises(InvalidTermsError, match="windows_covered must be a whole number of at least 2, got 1"):
        window_bounds(probability=0.1, windows_covered=1, n_windows=5)
    with pytest.raises(InvalidTermsError, match="n_windows must be at least windows_covered=3"):
        window_bounds(probability=0.1, windows_covered=3, n_windows=2)
    with pytest.raises(InvalidTermsError, match="probability must be a probability"):
        window_bounds(probability=-0.1, windows_covered=2, n_windows=5)
    with pytest.raises(InvalidTermsError, match="three_windows must be between two_windows"):
        ratio_extrapolation(two_windows=0.1, three_windows=0.05, n_windows=5)
    with pytest.raises(InvalidTermsError, match="n_windows must be at least 3"):
        haiman_extrapolation(two_windows=0.1, three_windows=0.15, n_windows=2)
    with pytest.raises(InvalidTermsError, match=r"drop must be between 0 and 1, got 30.0 \(a fraction"):
        rolling_high_bounds(drop=30.0, volatility=0.8, log_drift=0.0, window_years=0.1, term_years=1.0)
    with pytest.raises(InvalidTermsError, match="window_years"):
        jump_pair_probability(
            drop=0.3, jumps_per_year=2.0, jump_mean=0.0, jump_stdev=0.1, window_years=0.0, term_years=1.0
        )
