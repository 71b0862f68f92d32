"""Exact laws and rigorous bounds: they test the simulation, and they price a cover directly if they apply.

"The price falls by more than d" is one of five events. They are five products and differ in price by orders of
magnitude, so every function here belongs to exactly one of them.

T1, fixed barrier: the price touches a level fixed at inception.
    Geometric Brownian motion: `touch_probability`, `cash_at_hit`, `cash_at_expiry`, `down_in_put`,
    `down_in_put_spread`; `bridge_touch_probability` between two observations; `barrier_option` and `barrier_digital`
    for the whole European family in market terms. With jumps: `kou_touch_probability`, `kou_rise_probability`,
    `merton_touch_probability`. On a grid: `discrete_touch_probability`, `untouched_expectation`.
T2, calendar gap: the return over a calendar window, one of many that do not overlap.
    Any law: `gap_probability`, `every_gap_payout`, `first_gap_payout`. Normal returns and jumps:
    `merton_window_probability`, `merton_window_payout`. Short windows, in which only jumps cause gaps:
    `jump_gap_intensity`, `jump_gap_payout_intensity`, `jump_gap_probability`, `jump_gap_payout`.
T3, fixed lag: the return over exactly one window, at any time.
    Geometric Brownian motion: `fixed_lag_probability`, `slepian_exceedance`.
T4, rolling high: the drop from the highest price of the last window. The default product.
    No closed law beyond one window. Bounds: `rolling_high_bounds`, `window_bounds`, `jump_only_lower_bound`.
    Approximations: `ratio_extrapolation`, `haiman_extrapolation`, `jump_pair_probability`. On a grid, exact for windows
    of one and two steps: `one_step_window_probability`, `two_step_window_probability`.
T5, running high: the drop from the highest price since inception; T4 if the window is no shorter than the term.
    Geometric Brownian motion: `drawdown_probability`, `drawdown_survival`, `discounted_drawdown_probability`,
    `drawdown_transform`, `expected_drawdown_time`, `expected_maximum_log_drawdown`, `perpetual_insurance_rate`,
    `insurance_rate`, `cancellable_insurance_rate`, `cancellable_insurance_value`. On a grid:
    `discrete_drawdown_probability`.

On every path T2 implies T3, T3 implies T4, and T4 implies T5; T1 implies T5, but not T4.

Monitoring is continuous unless the name says discrete or counts steps. `monitored_drop` transfers a continuous formula
to a grid approximately. Drops are fractions, times are years of 365 days, volatility is per square root of a
year, and ``log_drift`` is the drift of the log price: ``rate - yield - volatility**2 / 2`` for a market price. With
jumps it is the drift between them.
"""

from pricing.closed_form.barrier_options import barrier_digital, barrier_option
from pricing.closed_form.calendar_gaps import (
    every_gap_payout,
    first_gap_payout,
    gap_probability,
    jump_gap_intensity,
    jump_gap_payout,
    jump_gap_payout_intensity,
    jump_gap_probability,
    merton_window_payout,
    merton_window_probability,
)
from pricing.closed_form.cancellable import cancellable_insurance_rate, cancellable_insurance_value
from pricing.closed_form.discrete_monitoring import (
    OVERSHOOT,
    StepLaw,
    discrete_drawdown_probability,
    discrete_touch_probability,
    monitored_drop,
    normal_steps,
    one_step_window_probability,
    two_step_window_probability,
    untouched_expectation,
)
from pricing.closed_form.drawdown import (
    discounted_drawdown_probability,
    drawdown_probability,
    drawdown_survival,
    drawdown_transform,
    expected_drawdown_time,
    expected_maximum_log_drawdown,
    insurance_rate,
    perpetual_insurance_rate,
)
from pricing.closed_form.fixed_barrier import (
    bridge_touch_probability,
    cash_at_expiry,
    cash_at_hit,
    down_in_put,
    down_in_put_spread,
    touch_probability,
)
from pricing.closed_form.fixed_lag import fixed_lag_probability, slepian_exceedance
from pricing.closed_form.kou import kou_rise_probability, kou_touch_probability
from pricing.closed_form.merton import merton_touch_probability
from pricing.closed_form.rolling_window import (
    Bounds,
    HaimanEstimate,
    haiman_extrapolation,
    jump_only_lower_bound,
    jump_pair_probability,
    ratio_extrapolation,
    rolling_high_bounds,
    window_bounds,
)

__all__ = [
    "OVERSHOOT",
    "Bounds",
    "HaimanEstimate",
    "StepLaw",
    "barrier_digital",
    "barrier_option",
    "bridge_touch_probability",
    "cancellable_insurance_rate",
    "cancellable_insurance_value",
    "cash_at_expiry",
    "cash_at_hit",
    "discounted_drawdown_probability",
    "discrete_drawdown_probability",
    "discrete_touch_probability",
    "down_in_put",
    "down_in_put_spread",
    "drawdown_probability",
    "drawdown_survival",
    "drawdown_transform",
    "every_gap_payout",
    "expected_drawdown_time",
    "expected_maximum_log_drawdown",
    "first_gap_payout",
    "fixed_lag_probability",
    "gap_probability",
    "haiman_extrapolation",
    "insurance_rate",
    "jump_gap_intensity",
    "jump_gap_payout",
    "jump_gap_payout_intensity",
    "jump_gap_probability",
    "jump_only_lower_bound",
    "jump_pair_probability",
    "kou_rise_probability",
    "kou_touch_probability",
    "merton_touch_probability",
    "merton_window_payout",
    "merton_window_probability",
    "monitored_drop",
    "normal_steps",
    "one_step_window_probability",
    "perpetual_insurance_rate",
    "ratio_extrapolation",
    "rolling_high_bounds",
    "slepian_exceedance",
    "touch_probability",
    "two_step_window_probability",
    "untouched_expectation",
    "window_bounds",
]
