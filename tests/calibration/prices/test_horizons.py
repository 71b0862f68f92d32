import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calibration.prices.horizons import CUT, CUT_HALF_LIFE, HALF_LIVES, TAIL_HALF_LIFE, running_squares

SIZES = st.one_of(st.just(0.0), st.just(math.nan), st.floats(1e-4, 0.5), st.floats(-0.5, -1e-4))
RETURNS = st.integers(1, 40).flatmap(lambda n: arrays(np.float64, (n, 2), elements=SIZES))
#: Bars a day: few, so that short histories see several half-lives.
PER_DAY = 2.0


def fat_returns(n_bars=3000, n_tokens=3, seed=3):
    """Student-t returns with a tenth missing."""
    rng = np.random.default_rng(seed)
    returns = 0.01 * rng.standard_t(3, (n_bars, n_tokens))
    returns[rng.random(returns.shape) < 0.1] = np.nan
    return returns


def after(returns, per_day=PER_DAY, **options):
    return running_squares(returns, np.array([len(returns) - 1]), per_day=per_day, **options)[0]


def decayed_mean(squares, days, per_day):
    """Mean squares by another library."""
    return pd.DataFrame(squares).ewm(halflife=days * per_day, adjust=True, ignore_na=False).mean().to_numpy()


def cut_squares(returns, per_day):
    """Cut bar by bar, as the definition says."""
    earlier = pd.DataFrame(decayed_mean(returns**2, CUT_HALF_LIFE, per_day)).shift(1).to_numpy()
    cut = returns**2
    for bar, token in np.ndindex(*returns.shape):
        if earlier[bar, token] > 0.0:
            cut[bar, token] = min(cut[bar, token], CUT**2 * earlier[bar, token])
    return cut


def annual(mean_squares, per_day=PER_DAY):
    return np.sqrt(mean_squares * per_day * 365.0)


@given(RETURNS)
def test_volatilities_are_decayed_means_of_cut_squares(returns):
    expected = [annual(decayed_mean(cut_squares(returns, PER_DAY), days, PER_DAY)[-1]) for days in HALF_LIVES]
    assert after(returns).volatilities() == pytest.approx(np.array(expected), rel=1e-9, nan_ok=True)


@given(RETURNS)
def test_tail_weight_compares_uncut_and_cut_squares(returns):
    with np.errstate(invalid="ignore", divide="ignore"):
        uncut, cut = (
            decayed_mean(squares, TAIL_HALF_LIFE, PER_DAY)[-1]
            for squares in (returns**2, cut_squares(returns, PER_DAY))
        )
        expected = 0.5 * np.log(uncut / cut)
        found = after(returns).tail_weight()
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)
    assert not (found < 0.0).any()


def test_a_long_hourly_history_agrees_with_the_other_library_too():
    returns = fat_returns()
    cut = cut_squares(returns, 24.0)
    expected = [annual(decayed_mean(cut, days, 24.0)[-1], 24.0) for days in HALF_LIVES]
    assert after(returns, 24.0).volatilities() == pytest.approx(np.array(expected), rel=1e-11)


@pytest.mark.parametrize("split", [1, 2, 719, 2999])
def test_going_on_equals_one_run(split):
    returns = fat_returns()
    whole = after(returns, 24.0)
    parts = after(returns[split:], 24.0, before=after(returns[:split], 24.0))
    assert parts.squares == pytest.approx(whole.squares, rel=1e-12)
    assert parts.weights == pytest.approx(whole.weights, rel=1e-12)


def test_bar_by_bar_equals_one_run():
    returns = fat_returns(n_bars=200)
    sums = after(returns[:1])
    for bar in range(1, len(returns)):
        sums = after(returns[bar : bar + 1], before=sums)
    assert sums.volatilities() == pytest.approx(after(returns).volatilities(), rel=1e-12)


def test_every_row_is_read_as_if_it_were_the_last():
    returns = fat_returns(n_bars=300)
    rows = np.array([0, 17, 299])
    for row, sums in zip(rows, running_squares(returns, rows, per_day=PER_DAY), strict=True):
        assert np.array_equal(sums.volatilities(), after(returns[: row + 1]).volatilities(), equal_nan=True)


def test_missing_returns_only_age_what_was_seen():
    returns = fat_returns(n_bars=300)
    gap = np.full((50, returns.shape[1]), np.nan)
    assert after(np.concatenate([returns, gap])).volatilities() == pytest.approx(after(returns).volatilities())


def test_a_token_never_seen_has_no_volatility():
    assert np.isnan(after(np.full((5, 1), np.nan)).volatilities()).all()


@pytest.mark.parametrize("multiple", [-3.999, 3.999])
def test_a_return_within_four_deviations_is_not_cut(multiple):
    returns = np.full((100, 1), 0.01)
    returns[-1] = multiple * 0.01
    assert after(returns).tail_weight()[0] == 0.0


@pytest.mark.parametrize("multiple", [-4.5, 4.5, -60.0])
def test_a_return_beyond_four_deviations_is_cut_to_four(multiple):
    n_bars = 100
    returns = np.full((n_bars, 1), 0.01)
    returns[-1] = multiple * 0.01
    decay = 0.5 ** (1.0 / (30.0 * PER_DAY))
    share = (1.0 - decay) / (1.0 - decay**n_bars)  # weight of the last bar among them
    uncut, cut = (1.0 + share * (square - 1.0) for square in (multiple**2, CUT**2))
    sums = after(returns)
    assert sums.volatilities()[HALF_LIVES.index(30.0), 0] == pytest.approx(annual(1e-4 * cut), rel=1e-12)
    assert sums.tail_weight()[0] == pytest.approx(0.5 * math.log(uncut / cut), rel=1e-12)


def test_without_an_earlier_deviation_nothing_is_cut():
    assert after(np.array([[0.5]])).tail_weight()[0] == 0.0
    assert after(np.array([[0.0], [0.0], [0.5]])).tail_weight()[0] == 0.0


@given(RETURNS, st.floats(0.01, 100.0))
def test_volatilities_scale_with_returns_and_tail_weights_do_not(returns, factor):
    with np.errstate(invalid="ignore", divide="ignore"):
        plain, scaled = after(returns), after(factor * returns)
        assert scaled.volatilities() == pytest.approx(factor * plain.volatilities(), rel=1e-9, nan_ok=True)
        assert scaled.tail_weight() == pytest.approx(plain.tail_weight(), abs=1e-9, nan_ok=True)


@given(RETURNS)
def test_the_sign_of_returns_does_not_matter(returns):
    assert np.array_equal(after(-returns).squares, after(returns).squares)
