"""T3 against Shepp's determinant as tabulated, Monte Carlo on grids, and the laws it must obey."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from pricing.closed_form import OVERSHOOT, fixed_lag_probability, monitored_drop, slepian_exceedance
from pricing.errors import InvalidModelError, InvalidTermsError
from tests.reference_tables import rows

WINDOW_YEARS = {"1h": 1 / 8760, "24h": 1 / 365}


@pytest.mark.parametrize("row", rows("slepian_fixed_lag"), ids=lambda row: row["a"])
def test_exceedance_against_the_table(row):
    for windows, column in enumerate(("p_T0", "p_T1", "p_T2")):
        value = slepian_exceedance(threshold=row["a"], windows=windows)
        assert value == pytest.approx(row[column], abs=1e-13)
    three = slepian_exceedance(threshold=row["a"], windows=3)
    if not math.isnan(row["p_T3_quad26"]):
        assert three == pytest.approx(row["p_T3_quad26"], abs=1e-6)
    # The error of the extrapolation from two windows is itself known: at most 3e-4 near a = 1.
    assert three == pytest.approx(row["p_T3_extrap_F2^2/F1"], abs=4e-4)


@given(st.floats(-3.0, 8.0))
def test_exceedance_grows_with_the_horizon_and_stays_below_independence(threshold):
    """Slepian: positive correlation keeps the maximum below that of independent windows, and above one window."""
    exceedance = [slepian_exceedance(threshold=threshold, windows=windows) for windows in range(4)]
    assert exceedance == sorted(exceedance)
    increments = [later - earlier for earlier, later in pairwise(exceedance[1:])]
    assert increments[1] <= increments[0] + 1e-12


def test_exceedance_far_out_is_the_rate_of_upcrossings():
    """Far out the upcrossings are Poisson; per window there are a phi(a), the asymptotics of Shepp's own F(1)."""
    for threshold, tolerance in ((8.0, 2e-3), (12.0, 1e-6)):
        at_start, one, two, three = (slepian_exceedance(threshold=threshold, windows=k) for k in range(4))
        rate = threshold * norm.pdf(threshold)
        assert one - at_start == pytest.approx(rate, rel=0.05)
        assert two - one == pytest.approx(one - at_start, rel=tolerance + 0.02)
        assert three - two == pytest.approx(two - one, rel=tolerance)


@pytest.mark.parametrize("row", rows("rolling_bracket_gbm"))
def test_probability_against_the_table(row):
    volatility, days = row["sigma"], float(row["term"][:-1])
    law = {
        "drop": row["drop"],
        "volatility": volatility,
        "log_drift": -(volatility**2) / 2.0,
        "window_years": WINDOW_YEARS[row["window"]],
        "term_years": days / 365.0,
    }
    # The table takes 1 - F, so each of up to 168 windows may carry an absolute 1e-14.
    table = row["p_fixedlag_rolling_shepp_extrap"]
    assert fixed_lag_probability(**law, exact_windows=2) == pytest.approx(table, rel=1e-9, abs=1e-12)
    assert fixed_lag_probability(**law) == pytest.approx(table, rel=6e-4)


def discrete_rule(row, overshoots):
    threshold = row["a_threshold_in_sqrt_w_sd"] + overshoots * OVERSHOOT / math.sqrt(row["steps_per_window"])
    return slepian_exceedance(threshold=threshold, windows=int(row["horizon_windows"]) - 1)


@pytest.mark.parametrize("row", rows("fixedlag_discretisation_mc"))
def test_monitoring_on_a_grid_against_monte_carlo(row):
    """400 000 paths per row; the rule is asymptotic and slightly low, so 6 % and three standard errors are allowed."""
    columns = {
        "p_continuous_shepp": 0.0,
        "p_shift_1beta": 1.0,
        "p_shift_sqrt2beta": math.sqrt(2.0),
        "p_shift_2beta": 2.0,
    }
    for column, overshoots in columns.items():
        assert discrete_rule(row, overshoots) == pytest.approx(row[column], abs=6e-6)
    best = discrete_rule(row, math.sqrt(2.0))
    assert abs(best - row["p_discrete_mc"]) <= 0.06 * row["p_discrete_mc"] + 3.0 * row["mc_se"]


def test_the_shifted_drop_is_the_shifted_threshold():
    shifted = monitored_drop(drop=0.3, volatility=0.8, step_years=1 / 8760, event="fixed_lag")
    law = {"volatility": 0.8, "log_drift": 0.0, "window_years": 1 / 365, "term_years": 3 / 365}
    threshold = -math.log(0.7) / (0.8 / math.sqrt(365.0)) + math.sqrt(2.0) * OVERSHOOT / math.sqrt(24.0)
    assert fixed_lag_probability(drop=shifted, **law) == pytest.approx(
        slepian_exceedance(threshold=threshold, windows=2), rel=1e-9
    )


def test_whole_terms_are_exact_and_terms_between_lie_between():
    law = {"drop": 0.1, "volatility": 0.8, "log_drift": 0.1, "window_years": 0.01}
    threshold = (-math.log(0.9) + 0.001) / 0.08
    for windows in range(4):
        exact = slepian_exceedance(threshold=threshold, windows=windows)
        assert fixed_lag_probability(**law, term_years=0.01 * (windows + 1)) == pytest.approx(exact, rel=1e-9)
    ladder = [fixed_lag_probability(**law, term_years=0.01 * n) for n in (2.0, 2.4, 3.0, 3.5, 4.0, 4.5, 9.0, 100.0)]
    assert ladder == sorted(ladder)
    assert ladder[-1] <= 1.0


@given(st.floats(0.01, 0.9), st.floats(0.1, 4.0), st.floats(-5.0, 5.0), st.floats(2.0, 300.0))
def test_probability_is_one_everywhere(drop, volatility, log_drift, windows):
    law = {"volatility": volatility, "log_drift": log_drift, "window_years": 1 / 365, "term_years": windows / 365}
    value = fixed_lag_probability(drop=drop, **law)
    assert 0.0 <= value <= 1.0
    assert fixed_lag_probability(drop=min(1.1 * drop, 0.99), **law) <= value * (1.0 + 1e-9)


def test_limits():
    law = {"log_drift": 0.0, "window_years": 1 / 365, "term_years": 7 / 365}
    assert fixed_lag_probability(drop=0.3, volatility=1e-4, **law) == 0.0
    assert fixed_lag_probability(drop=0.3, volatility=200.0, **law) == pytest.approx(1.0, abs=1e-3)
    assert fixed_lag_probability(drop=0.3, volatility=0.8, **{**law, "log_drift": -1e4}) == 1.0


def test_bad_input_is_named():
    law = {"volatility": 0.8, "log_drift": 0.0, "window_years": 0.1, "term_years": 1.0}
    with pytest.raises(InvalidTermsError, match=r"drop must be between 0 and 1, got 20.0 \(a fraction"):
        fixed_lag_probability(drop=20.0, **law)
    with pytest.raises(InvalidTermsError, match="term_years must be one window or at least two"):
        fixed_lag_probability(drop=0.2, **{**law, "term_years": 0.15})
    with pytest.raises(InvalidTermsError, match="exact_windows must be 2 or 3"):
        fixed_lag_probability(drop=0.2, **law, exact_windows=4)
    with pytest.raises(InvalidTermsError, match="windows must be 0, 1, 2 or 3"):
        slepian_exceedance(threshold=1.0, windows=4)
    with pytest.raises(InvalidModelError, match="threshold must be finite"):
        slepian_exceedance(threshold=math.inf, windows=1)
