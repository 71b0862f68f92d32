"""The recursions on a grid against tables, against each other, and against continuous monitoring."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm, t

from pricing.closed_form import (
    OVERSHOOT,
    StepLaw,
    barrier_option,
    discrete_drawdown_probability,
    discrete_touch_probability,
    drawdown_probability,
    monitored_drop,
    normal_steps,
    one_step_window_probability,
    touch_probability,
    two_step_window_probability,
    untouched_expectation,
)
from pricing.errors import InvalidModelError, InvalidTermsError
from tests.reference_tables import rows


def steps_of(row):
    volatility = row["sigma"]
    return normal_steps(
        volatility=volatility, log_drift=-(volatility**2) / 2.0, step_years=row["T_years"] / row["n_monitor"]
    )


def student_steps(stdev, dof=4.0):
    scale = stdev * math.sqrt((dof - 2.0) / dof)
    return StepLaw(
        density=lambda x: t.pdf(x, dof, scale=scale), cdf=lambda x: t.cdf(x, dof, scale=scale), mean=0.0, stdev=stdev
    )


UNIT_STEPS = normal_steps(volatility=1.0, log_drift=0.0, step_years=1.0)


@pytest.mark.parametrize("row", rows("discrete_one_touch_gbm"))
def test_touch_against_the_table(row):
    value = discrete_touch_probability(drop=row["drop"], steps=steps_of(row), n_steps=int(row["n_monitor"]))
    assert value == pytest.approx(row["p_discrete_exact"], abs=1e-10)
    shifted = monitored_drop(
        drop=row["drop"],
        volatility=row["sigma"],
        step_years=row["T_years"] / row["n_monitor"],
        event="fixed_barrier",
    )
    law = {"volatility": row["sigma"], "log_drift": -(row["sigma"] ** 2) / 2.0, "term_years": row["T_years"]}
    assert touch_probability(drop=shifted, **law) == pytest.approx(row["p_bgk"], abs=1e-10)


@pytest.mark.parametrize("row", rows("discrete_mdd_gbm"))
def test_drawdown_against_the_table(row):
    """The table sums survival, so its smallest rows are noise of 1e-10, even negative; here they are not."""
    value = discrete_drawdown_probability(drop=row["drop"], steps=steps_of(row), n_steps=int(row["n_monitor"]))
    assert 0.0 <= value <= 1.0
    assert value == pytest.approx(row["p_discrete_exact"], abs=1.1e-10)


@pytest.mark.parametrize("row", rows("rolling_windowmax_exact_gauss"))
def test_windows_against_the_table(row):
    steps = normal_steps(volatility=1.0, log_drift=row["step_mean_in_sd"], step_years=1.0)
    terms = {"drop": -math.expm1(-row["threshold_in_step_sd"]), "steps": steps, "n_steps": int(row["n_steps"])}
    assert one_step_window_probability(**terms) == pytest.approx(row["p_window1"], abs=1e-11)
    two = two_step_window_probability(**terms)
    assert two == pytest.approx(row["p_window2"], abs=1e-11)
    assert discrete_drawdown_probability(**terms) == pytest.approx(row["p_window_inf_mdd"], abs=1e-11)
    assert abs(two - row["mc_window2"]) <= 3.0 * row["mc_se"]  # 200 000 paths


@pytest.mark.parametrize("row", rows("bgk_down_out_call"), ids=lambda row: row["H"])
def test_down_out_call_against_the_table(row):
    spot, strike, barrier, rate, volatility, term = (row[name] for name in ("S", "K", "H", "r", "sigma", "T"))
    step_years, drop = term / row["m"], 1.0 - barrier / spot
    value = math.exp(-rate * term) * untouched_expectation(
        lambda x: np.maximum(spot * np.exp(x) - strike, 0.0),
        drop=drop,
        steps=normal_steps(volatility=volatility, log_drift=rate - volatility**2 / 2.0, step_years=step_years),
        n_steps=int(row["m"]),
        kinks=(math.log(strike / spot),),
    )
    assert value == pytest.approx(row["discrete_exact"], abs=6e-9)
    market = {"spot": spot, "strike": strike, "rate": rate, "dividend_yield": 0.0, "volatility": volatility}
    call = {"kind": "down_out", "option": "call", "term_years": term, **market}
    shifted = monitored_drop(drop=drop, volatility=volatility, step_years=step_years, event="fixed_barrier")
    assert barrier_option(barrier=barrier, **call) == pytest.approx(row["continuous"], abs=6e-9)
    assert barrier_option(barrier=spot * (1.0 - shifted), **call) == pytest.approx(row["bgk_corrected"], abs=6e-9)


def test_two_observations_against_the_bivariate_normal():
    covariance = [[1.0, 1.0], [1.0, 2.0]]
    untouched = multivariate_normal([0.0, 0.0], covariance).cdf([1.2, 1.2])
    drop = -math.expm1(-1.2)
    assert discrete_touch_probability(drop=drop, steps=UNIT_STEPS, n_steps=2) == pytest.approx(1 - untouched, rel=1e-9)
    # No drawdown in two steps: neither step falls by 1.2, nor do they together.
    two = two_step_window_probability(drop=drop, steps=UNIT_STEPS, n_steps=2)
    alone_second = multivariate_normal([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]).cdf([1.2, 1.2])
    assert two == pytest.approx(discrete_drawdown_probability(drop=drop, steps=UNIT_STEPS, n_steps=2), rel=1e-11)
    assert two >= 1.0 - min(untouched, alone_second)


def test_one_observation_is_the_law_of_the_step():
    for steps in (UNIT_STEPS, student_steps(1.0)):
        terms = {"drop": 0.9, "steps": steps, "n_steps": 1}
        once = float(steps.cdf(np.array([math.log(0.1)]))[0])
        assert discrete_touch_probability(**terms) == pytest.approx(once, rel=1e-14)
        assert discrete_drawdown_probability(**terms) == pytest.approx(once, rel=1e-14)
        assert one_step_window_probability(**terms) == pytest.approx(once, rel=1e-14)
        assert two_step_window_probability(**terms) == pytest.approx(once, rel=1e-12)


def test_untouched_and_touched_add_up():
    steps = normal_steps(volatility=0.9, log_drift=0.3, step_years=1 / 8760)
    terms = {"drop": 0.1, "steps": steps, "n_steps": 168}
    alive = untouched_expectation(np.ones_like, **terms)
    assert alive + discrete_touch_probability(**terms) == pytest.approx(1.0, abs=1e-12)


@given(st.floats(0.3, 8.0), st.integers(2, 40), st.floats(-0.3, 0.3), st.booleans())
def test_longer_windows_trigger_more_often(distance, n_steps, mean, heavy):
    steps = student_steps(1.0) if heavy else normal_steps(volatility=1.0, log_drift=mean, step_years=1.0)
    terms = {"drop": -math.expm1(-distance), "steps": steps, "n_steps": n_steps}
    one, two = one_step_window_probability(**terms), two_step_window_probability(**terms)
    high, touch = discrete_drawdown_probability(**terms), discrete_touch_probability(**terms)
    slack = 1.0 + 1e-8
    assert 0.0 <= one <= two * slack <= high * slack**2 <= slack**2
    assert touch <= high * slack


def test_a_grid_sees_less_than_continuous_monitoring():
    law = {"volatility": 0.9, "log_drift": 0.1}
    terms = {"drop": 0.1, "steps": normal_steps(**law, step_years=1 / 8760), "n_steps": 168}
    assert discrete_touch_probability(**terms) < touch_probability(drop=0.1, **law, term_years=168 / 8760)
    assert discrete_drawdown_probability(**terms) < drawdown_probability(drop=0.1, **law, term_years=168 / 8760)


def test_a_drawdown_continues_from_where_the_price_stands():
    """From depth y the next step triggers with the probability of a fall of h - y."""
    start = 1.0 - math.exp(-0.5)
    once = discrete_drawdown_probability(drop=1.0 - math.exp(-2.0), steps=UNIT_STEPS, n_steps=1, current_drawdown=start)
    assert once == pytest.approx(norm.cdf(-1.5), rel=1e-12)


def test_shift_counts_overshoots():
    law = {"drop": 0.3, "volatility": 0.8, "step_years": 1 / 8760}
    step = 0.8 / math.sqrt(8760.0)
    for event, overshoots in (("fixed_barrier", 1.0), ("fixed_lag", math.sqrt(2.0)), ("drawdown", 2.0)):
        moved = math.log(0.7) - math.log(1.0 - monitored_drop(**law, event=event))
        assert moved == pytest.approx(overshoots * OVERSHOOT * step, rel=1e-9)


def test_bad_input_is_named():
    with pytest.raises(InvalidTermsError, match=r"drop must be between 0 and 1, got 20 \(a fraction"):
        discrete_touch_probability(drop=20, steps=UNIT_STEPS, n_steps=3)
    with pytest.raises(InvalidTermsError, match="n_steps must be a whole number of at least 1, got 0"):
        discrete_drawdown_probability(drop=0.2, steps=UNIT_STEPS, n_steps=0)
    with pytest.raises(InvalidTermsError, match="event must be one of"):
        monitored_drop(drop=0.2, volatility=0.8, step_years=0.1, event="T9")
    with pytest.raises(InvalidTermsError, match="step_years"):
        normal_steps(volatility=0.8, log_drift=0.0, step_years=0.0)
    with pytest.raises(InvalidModelError, match="stdev must be positive"):
        StepLaw(density=norm.pdf, cdf=norm.cdf, mean=0.0, stdev=0.0)
