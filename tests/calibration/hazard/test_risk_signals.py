import math

import numpy as np
import pandas as pd
import pytest

from calibration.hazard.risk_signals import RiskSignals, score_inflow
from pricing.errors import DataError, InsufficientDataError


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"unlock_share": 5.0}, r"unlock_share must not exceed 1, got 5\.0 \(a share of the float: 5 % is 0\.05"),
        ({"unlock_share": -0.1}, "unlock_share must not be negative"),
        ({"funding_percent": 10.95}, r"funding_percent must not exceed 5, .* in 8 hours, not in a year"),
        ({"exchange_inflow": 3.9e6}, "exchange_inflow must not exceed 1000, .*standard deviations: see score_inflow"),
        ({"open_interest_to_float": 40.0}, r"open_interest_to_float must not exceed 10, .*5 % is 0\.05"),
        ({"days_since_listing": -1.0}, "days_since_listing must not be negative"),
        ({"days_since_inflow": -1.0}, "days_since_inflow must not be negative"),
        ({"daily_volume": math.nan}, "daily_volume must be finite, got nan"),
        ({"daily_volume": math.inf}, "daily_volume must be finite"),
        ({"daily_volume": 0.0}, "daily_volume must be positive, got 0"),
        ({"depth_usd": 0.0, "price_usd": 1.0}, "depth_usd must be positive, got 0"),
        ({"depth_usd": 1.0}, "depth_usd and price_usd go together"),
        ({"price_usd": 1.0}, "depth_usd and price_usd go together"),
    ],
)
def test_wrong_figures_are_refused_with_the_likely_slip(fields, message):
    with pytest.raises(DataError, match=message):
        RiskSignals(**fields)


def test_signed_figures_may_be_negative():
    assert RiskSignals(exchange_inflow=-2.0, funding_percent=-0.5).funding_percent == -0.5


# --- inflow -----------------------------------------------------------------------------------------------------------

WEIGHT = 1.0 - 2.0 ** (-1.0 / 3.0)


def alternating(n=200):
    """Days of 9 and 11: mean 10, sample variance 90 / 89 over 90 days."""
    return pd.Series(np.where(np.arange(n) % 2 == 0, 9.0, 11.0))


@pytest.mark.parametrize("age", [0, 3, 6])
def test_a_wave_counts_half_after_three_days(age):
    quiet, wave = alternating(), alternating()
    wave.iloc[-1 - age] += 50.0
    step = math.sqrt(90.0 / 89.0) * math.sqrt(WEIGHT / (2.0 - WEIGHT))
    expected = WEIGHT * 50.0 * 0.5 ** (age / 3.0) / step
    assert score_inflow(wave) - score_inflow(quiet) == pytest.approx(expected, rel=1e-12)


def test_the_unit_of_inflow_does_not_matter():
    wave = alternating()
    wave.iloc[-1] = 40.0
    assert score_inflow(1e6 * wave + 3e5) == pytest.approx(score_inflow(wave), rel=1e-9)


def test_independent_days_have_a_standard_score():
    # 4,000 histories of 200 normal days, seed 3: mean 0 within z 4; the deviation is that of t with estimated moments,
    # 1 to within 4 % (89 degrees of freedom give 1.2 %, the estimated mean 2.4 % of variance over that of the score)
    days = np.random.default_rng(3).normal(size=(4000, 200))
    scores = np.array([score_inflow(pd.Series(history)) for history in days])
    assert abs(scores.mean()) < 4.0 * scores.std() / math.sqrt(4000)
    mean_of_usual = (1.0 / 90.0) * (2.0 - WEIGHT) / WEIGHT
    expected = math.sqrt((1.0 + mean_of_usual) * 89.0 / 87.0)
    assert scores.std() == pytest.approx(expected, abs=4.0 * expected / math.sqrt(2 * 4000))


def test_inflow_needs_a_history_that_varies():
    with pytest.raises(InsufficientDataError, match="must have 100 days, got 99"):
        score_inflow(alternating(99))
    with pytest.raises(DataError, match="must vary in 90 days, got 1 on each"):
        score_inflow(pd.Series(np.ones(100)))
    with pytest.raises(DataError, match="must be finite, got nan"):
        score_inflow(alternating().replace(9.0, np.nan))
