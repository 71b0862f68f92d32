"""T2 against its table and against the laws that tie its payouts together."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from pricing.closed_form import (
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
from pricing.errors import InvalidModelError, InvalidTermsError
from tests.reference_tables import rows

WINDOW_YEARS = {"1h": 1 / 8760, "24h": 1 / 365}
CRASH = {"jumps_per_year": 24.0, "jump_mean": -0.1, "jump_stdev": 0.2}


@pytest.mark.parametrize("row", rows("rolling_bracket_gbm"))
def test_geometric_brownian_motion_against_the_table(row):
    window, term_days = WINDOW_YEARS[row["window"]], int(row["term"].removesuffix("d"))
    one_window = merton_window_probability(
        drop=row["drop"], volatility=row["sigma"], log_drift=-(row["sigma"] ** 2) / 2.0, window_years=window
    )
    n_windows = round(term_days / 365 / window)
    # Below 1e-8 the table itself carries rounding of about 1e-14.
    expected = pytest.approx(row["p_nonoverlap_gap"], rel=1e-9, abs=3e-14)
    assert gap_probability(window_probability=one_window, n_windows=n_windows) == expected


@pytest.mark.parametrize("row", rows("cliquet_gap_merton"), ids=lambda row: f"{row['set']}-{row['window']}")
def test_against_the_table(row):
    volatility, jumps, mean, stdev = row["sigma"], row["lambda"], row["jump_mean"], row["jump_sd"]
    source = {"drop": row["drop"], "jumps_per_year": jumps, "jump_mean": mean, "jump_stdev": stdev}
    log_drift = -(volatility**2) / 2.0 - jumps * math.expm1(mean + stdev**2 / 2.0)
    window = {"volatility": volatility, "log_drift": log_drift, "window_years": WINDOW_YEARS[row["window"]]}
    probability = merton_window_probability(**source, **window)
    payout = merton_window_payout(**source, **window)
    n_windows = int(row["n_windows"])
    first = first_gap_payout(window_payout=payout, window_probability=probability, n_windows=n_windows)
    jump_only = jump_gap_probability(gap_intensity=jump_gap_intensity(**source), term_years=30 / 365)
    assert probability == pytest.approx(row["p_one_window"], rel=1e-10)
    assert gap_probability(window_probability=probability, n_windows=n_windows) == pytest.approx(
        row["p_any_nonoverlap"], rel=1e-10
    )
    assert jump_only == pytest.approx(row["p_tankov_jump_only"], rel=1e-10)
    assert payout == pytest.approx(row["E_put_per_window"], rel=1e-10)
    assert first == pytest.approx(row["E_put_first_gap_only"], rel=1e-10)
    assert every_gap_payout(window_payout=payout, n_windows=n_windows) == pytest.approx(
        row["E_put_sum_all_windows"], rel=1e-10
    )


@given(st.floats(0.0, 1.0), st.integers(1, 60), st.floats(0.9, 1.0))
def test_first_gap_is_the_sum_over_the_window_that_gaps_first(probability, n_windows, discount):
    summed = sum(discount**k * (1.0 - probability) ** (k - 1) for k in range(1, n_windows + 1))
    first = first_gap_payout(
        window_payout=0.3, window_probability=probability, n_windows=n_windows, window_discount=discount
    )
    assert first == pytest.approx(0.3 * summed, rel=1e-9)


@given(st.floats(0.001, 0.9), st.floats(0.0, 100.0), st.floats(-0.5, 0.5), st.floats(0.0, 0.5))
def test_one_window_is_a_probability_and_its_payout_lies_below(drop, jumps, mean, stdev):
    law = {"volatility": 0.8, "log_drift": 0.1, "window_years": 1 / 365}
    source = {"drop": drop, "jumps_per_year": jumps, "jump_mean": mean, "jump_stdev": stdev}
    probability = merton_window_probability(**law, **source)
    assert 0.0 <= probability <= 1.0
    assert 0.0 <= merton_window_payout(**law, **source) <= (1.0 - drop) * probability


def test_payout_is_the_integral_of_the_probability_over_strikes():
    law = {"volatility": 0.8, "log_drift": 0.1, "window_years": 1 / 365, **CRASH}
    integral = quad(lambda strike: merton_window_probability(drop=1.0 - strike, **law), 1e-9, 0.7, epsabs=0.0)[0]
    assert merton_window_payout(drop=0.3, **law) == pytest.approx(integral, rel=1e-8)


def test_without_jumps_one_window_is_normal():
    probability = merton_window_probability(drop=0.2, volatility=0.8, log_drift=-0.3, window_years=0.01)
    assert probability == pytest.approx(norm.cdf((math.log(0.8) + 0.003) / 0.08), rel=1e-13)


def test_short_windows_tend_to_the_jump_only_limit():
    source = {"drop": 0.3, **CRASH}
    law = {"volatility": 0.6, "log_drift": 0.0}
    term, n_windows = 0.1, 1_000_000
    window = merton_window_probability(**source, **law, window_years=term / n_windows)
    limit = jump_gap_probability(gap_intensity=jump_gap_intensity(**source), term_years=term)
    assert gap_probability(window_probability=window, n_windows=n_windows) == pytest.approx(limit, rel=1e-4)


def test_jump_payouts_against_the_integrals_that_define_them():
    intensity = jump_gap_intensity(drop=0.3, **CRASH)
    put = quad(lambda j: max(0.7 - math.exp(j), 0.0) * norm.pdf(j, -0.1, 0.2), -3.0, math.log(0.7), epsabs=1e-15)[0]
    payout = jump_gap_payout_intensity(drop=0.3, **CRASH)
    assert payout == pytest.approx(24.0 * put, rel=1e-9)
    terms = {"payout_intensity": payout, "gap_intensity": intensity, "rate": 0.05, "term_years": 0.5}
    at_gap = quad(lambda t: payout * math.exp(-(0.05 + intensity) * t), 0.0, 0.5)[0]
    at_expiry = math.exp(-0.025) * quad(lambda t: payout * math.exp(-intensity * t), 0.0, 0.5)[0]
    assert jump_gap_payout(**terms) == pytest.approx(at_gap, rel=1e-12)
    assert jump_gap_payout(**terms, paid_at="expiry") == pytest.approx(at_expiry, rel=1e-12)
    assert jump_gap_payout(payout_intensity=2.0, gap_intensity=0.0, rate=0.0, term_years=0.5) == 1.0


def test_probability_grows_with_drop_volatility_and_windows():
    law = {"log_drift": 0.0, "window_years": 1 / 365}
    by_drop = [merton_window_probability(drop=drop, volatility=0.9, **law) for drop in np.linspace(0.01, 0.6, 8)]
    by_volatility = [merton_window_probability(drop=0.2, volatility=level, **law) for level in np.linspace(0.2, 4, 8)]
    by_windows = [gap_probability(window_probability=1e-3, n_windows=n) for n in (1, 2, 10, 1000)]
    assert by_drop == sorted(by_drop, reverse=True)
    assert by_volatility == sorted(by_volatility)
    assert by_windows == sorted(by_windows)


def test_bad_input_is_named():
    with pytest.raises(InvalidTermsError, match=r"drop must be between 0 and 1, got 20 \(a fraction"):
        merton_window_probability(drop=20, volatility=0.8, log_drift=0.0, window_years=0.1)
    with pytest.raises(InvalidTermsError, match="window_years must be positive"):
        merton_window_probability(drop=0.2, volatility=0.8, log_drift=0.0, window_years=0.0)
    with pytest.raises(InvalidModelError, match="jumps_per_year must be finite and not negative"):
        merton_window_payout(drop=0.2, volatility=0.8, log_drift=0.0, window_years=0.1, jumps_per_year=-1.0)
    with pytest.raises(InvalidTermsError, match="window_probability must be a probability"):
        gap_probability(window_probability=1.5, n_windows=3)
    with pytest.raises(InvalidTermsError, match="n_windows must be a whole number of at least 1, got 2.5"):
        gap_probability(window_probability=0.5, n_windows=2.5)
    with pytest.raises(InvalidTermsError, match="window_payout"):
        every_gap_payout(window_payout=-0.1, n_windows=3)
    with pytest.raises(InvalidTermsError, match="window_discount"):
        first_gap_payout(window_payout=0.1, window_probability=0.1, n_windows=3, window_discount=0.0)
    with pytest.raises(InvalidModelError, match="jump_stdev must be positive"):
        jump_gap_intensity(drop=0.2, jumps_per_year=2.0, jump_mean=-0.1, jump_stdev=0.0)
    with pytest.raises(InvalidTermsError, match="paid_at"):
        jump_gap_payout(payout_intensity=1.0, gap_intensity=1.0, rate=0.0, term_years=1.0, paid_at="noon")
