"""Cancellable drawdown insurance, against an optimal stopping problem solved on a grid, and by its laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_banded

from pricing.closed_form import perpetual_insurance_rate
from pricing.closed_form.cancellable import cancellable_insurance_rate, cancellable_insurance_value
from pricing.errors import InvalidModelError, InvalidTermsError, PrecisionError

TERMS = {"drop": 0.5, "volatility": 0.8, "log_drift": -0.3, "rate": 0.05, "current_drawdown": 0.3}


def value_on_a_grid(*, drop, volatility, log_drift, rate, fee, premium, current_drawdown, n_cells):
    """Walk the depth below the high on a grid, reflected at the high, and stop below the best of all levels."""
    distance = -math.log1p(-drop)
    cell = distance / n_cells
    duration = cell**2 / volatility**2
    deeper = 0.5 * (1.0 - log_drift * cell / volatility**2)
    keep = math.exp(-rate * duration)
    paid = premium * (1.0 - keep) / rate
    start = -math.log1p(-current_drawdown) / cell
    best = -math.inf
    for level in range(-1, math.ceil(start) + 1):
        matrix, right = np.zeros((3, n_cells + 1)), np.full(n_cells + 1, -paid)
        matrix[1] = 1.0
        matrix[0, 2:], matrix[2, :-2] = -keep * deeper, -keep * (1.0 - deeper)
        matrix[0, 1], matrix[2, n_cells - 1], right[-1] = -keep, 0.0, 1.0  # the high turns the walk; the drop ends it
        for stopped in range(level + 1):
            right[stopped] = -fee
            matrix[0, stopped + 1] = 0.0
            if stopped:
                matrix[2, stopped - 1] = 0.0
        values = solve_banded((1, 1), matrix, right)
        best = max(best, float(np.interp(start, np.arange(n_cells + 1), values)))
    return best


@pytest.mark.parametrize(
    ("changes", "fee", "premium"),
    [
        ({}, 0.05, 4.0),
        ({}, 0.05, 12.0),
        ({}, 0.3, 8.0),
        ({"log_drift": 0.6, "rate": 0.1}, 0.02, 3.0),
        ({"drop": 0.8, "current_drawdown": 0.6}, 0.1, 2.0),
        ({}, 5.0, 1.0),  # never worth leaving
    ],
)
def test_value_against_stopping_on_a_grid(changes, fee, premium):
    terms = {**TERMS, **changes, "fee": fee, "premium": premium}
    # The error of the grid falls with its cell; at 300 cells it is 2e-5 where leaving and staying are both in play.
    assert cancellable_insurance_value(**terms) == pytest.approx(value_on_a_grid(**terms, n_cells=300), abs=3e-5)


@given(
    drop=st.floats(0.1, 0.9),
    share=st.floats(0.05, 0.95),
    volatility=st.floats(0.2, 2.0),
    log_drift=st.floats(-1.0, 1.0),
    fee=st.floats(0.01, 1.0),
)
@settings(max_examples=25)
def test_the_right_to_leave_costs_more_the_less_it_costs_to_use(drop, share, volatility, log_drift, fee):
    terms = {
        "drop": drop,
        "volatility": volatility,
        "log_drift": log_drift,
        "rate": 0.05,
        "current_drawdown": share * drop,
    }
    committed = perpetual_insurance_rate(**terms)
    dear, cheap = (cancellable_insurance_rate(**terms, fee=amount) for amount in (2.0 * fee, fee))
    assert committed * (1.0 - 1e-9) <= dear <= cheap * (1.0 + 1e-9)
    assert abs(cancellable_insurance_value(**terms, fee=fee, premium=cheap)) < 1e-8


def test_at_the_high_there_is_nothing_to_recover():
    terms = {**TERMS, "current_drawdown": 0.0}
    assert cancellable_insurance_rate(**terms, fee=0.01) == perpetual_insurance_rate(**terms)
    near = {**TERMS, "current_drawdown": 1e-4}
    assert cancellable_insurance_rate(**near, fee=0.01) == pytest.approx(perpetual_insurance_rate(**terms), rel=1e-3)


def test_leaving_at_once_costs_the_fee():
    assert cancellable_insurance_value(**TERMS, fee=0.1, premium=1e4) == pytest.approx(-0.1, abs=1e-9)


def test_without_a_fee_in_sight_of_rounding_there_is_no_rate():
    with pytest.raises(PrecisionError, match="fee=1e-300 is too small"):
        cancellable_insurance_rate(**TERMS, fee=1e-300)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"fee": 0.0}, InvalidTermsError, "fee must be positive"),
        ({"rate": 0.0}, InvalidTermsError, "rate must be positive"),
        ({"drop": 50.0}, InvalidTermsError, "drop must be between 0 and 1"),
        ({"current_drawdown": 0.5}, InvalidTermsError, "current_drawdown must be"),
        ({"volatility": 0.0}, InvalidModelError, "volatility must be"),
    ],
)
def test_terms_name_what_is_wrong(changes, error, message):
    with pytest.raises(error, match=message):
        cancellable_insurance_rate(**{**TERMS, "fee": 0.1, **changes})
