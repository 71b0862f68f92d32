"""On every path T2 implies T3, T3 implies T4, T4 implies T5; so must their exact probabilities and bounds."""

from hypothesis import given
from hypothesis import strategies as st

import pricing.closed_form
from pricing.closed_form import (
    drawdown_probability,
    fixed_lag_probability,
    gap_probability,
    jump_only_lower_bound,
    kou_touch_probability,
    merton_window_probability,
    rolling_high_bounds,
    touch_probability,
)

SLACK = 1.0 + 1e-8


@given(
    st.floats(0.01, 0.9),
    st.floats(0.1, 4.0),
    st.floats(-5.0, 5.0),
    st.floats(1e-4, 0.05),
    st.integers(1, 4),
)
def test_events_are_ordered(drop, volatility, log_drift, window, n_windows):
    law = {"drop": drop, "volatility": volatility, "log_drift": log_drift}
    term = n_windows * window
    one_window = merton_window_probability(**law, window_years=window)
    calendar_gap = gap_probability(window_probability=one_window, n_windows=n_windows)
    fixed_lag = fixed_lag_probability(**law, window_years=window, term_years=term)
    rolling_high = rolling_high_bounds(**law, window_years=window, term_years=term)
    running_high = drawdown_probability(**law, term_years=term)
    touch = touch_probability(**law, term_years=term)
    assert 0.0 <= calendar_gap <= fixed_lag * SLACK + 1e-280
    assert fixed_lag <= rolling_high.upper * SLACK + 1e-280
    assert rolling_high.lower <= rolling_high.upper * SLACK
    assert rolling_high.upper <= running_high * SLACK <= SLACK**2
    assert touch <= running_high * SLACK + 1e-280


def test_events_differ_by_as_much_as_is_claimed():
    """300 % volatility, 50 % in 24 hours, 30 days."""
    law = {"drop": 0.5, "volatility": 3.0, "log_drift": -4.5}
    one_window = merton_window_probability(**law, window_years=1 / 365)
    assert round(gap_probability(window_probability=one_window, n_windows=30), 4) == 0.0002
    assert round(fixed_lag_probability(**law, window_years=1 / 365, term_years=30 / 365), 4) == 0.0042
    assert round(drawdown_probability(**law, term_years=30 / 365), 3) == 0.887


def test_jumps_add_to_the_touch_of_a_diffusion():
    law = {"drop": 0.3, "volatility": 0.8, "log_drift": 0.0, "term_years": 30 / 365}
    crash = {"jumps_per_year": 6.0, "p_up": 0.0, "eta_up": 10.0, "eta_down": 5.0}
    assert touch_probability(**law) < kou_touch_probability(**law, **crash)


def test_jump_only_bound_lies_below_a_diffusion_with_the_same_crashes():
    crash = {"drop": 0.3, "jumps_per_year": 2.0, "jump_mean": -0.35, "jump_stdev": 0.15, "term_years": 30 / 365}
    assert 0.07 < jump_only_lower_bound(**crash) < 0.08


def test_every_public_name_is_there_and_sorted_by_kind():
    names = pricing.closed_form.__all__
    assert len(set(names)) == len(names)
    assert all(hasattr(pricing.closed_form, name) for name in names)
    functions = [name for name in names if name[0].islower()]
    assert functions == sorted(functions)
    assert all(f"`{name}`" in pricing.closed_form.__doc__ for name in functions if name != "normal_steps")
