import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration import Verdict, calibrate, fit_volatility
from calibration.prices.standstills import find_standstills, without_standstills
from pricing.engine.simulation import simulate
from pricing.surface.settings import SimulationSettings

START = pd.Timestamp("2023-01-01", tz="UTC")


def with_outage(closes, at, length):
    """Return closes with `length` bars inserted that repeat the close at a position."""
    values = np.insert(closes.to_numpy(), at + 1, np.full(length, closes.iloc[at]))
    return pd.Series(values, index=pd.date_range(closes.index[0], periods=len(values), freq="1h"))


@pytest.mark.parametrize(("length", "freq", "counts"), [(12, "1h", True), (11, "1h", False), (600, "1min", False)])
def test_a_standstill_lasts_half_a_day_and_a_dozen_bars(length, freq, counts):
    values = [1.0, *[2.0] * (length + 1), 3.0]
    closes = pd.Series(values, index=pd.date_range(START, periods=len(values), freq=freq))
    starts, ends = find_standstills(closes)
    assert (starts.tolist(), ends.tolist()) == (([1], [1 + length]) if counts else ([], []))
    returns = np.log(closes).diff().dropna()
    assert len(without_standstills(returns, closes)) == len(returns) - length * counts


@settings(max_examples=8)
@given(at=st.integers(0, 1999), length=st.integers(12, 700))
def test_a_filled_outage_anywhere_leaves_the_shape_of_paths_as_it_is(hourly_closes, at, length):
    clean = hourly_closes.iloc[:2000]
    found = calibrate(with_outage(clean, at, length))
    assert found.volatility.parameters == calibrate(clean).volatility.parameters
    assert Verdict.STALE_PRICES in found.verdict
    assert Verdict.SHAPE_NOT_FITTED not in found.verdict


def test_a_premium_does_not_jump_in_the_night_whose_history_begins_with_a_filled_outage(hourly_closes):
    begin = 1500
    outage = with_outage(hourly_closes.iloc[:6500], begin, 99)
    probabilities = []
    for hours in (-23, 0, 13, 120):  # of the outage that are before the latest 4,320 returns
        model = calibrate(outage, as_of=outage.index[begin + 4320 + hours]).model
        surface = simulate(model, windows=("24h",), terms=("90d",), settings=SimulationSettings(n_paths=5_000, seed=1))
        probabilities.append(surface.exceedance(0.3, window="24h", term="90d").value)
    assert max(probabilities) < 1.15 * min(probabilities)


def test_bars_that_begin_with_a_shorter_standstill_are_fitted_too(hourly_closes):
    returns = np.log(hourly_closes).diff().dropna().iloc[:2000].copy()
    returns.iloc[:99] = 0.0
    fit = fit_volatility(returns, step=pd.Timedelta("1h").to_pytimedelta(), law="garch", innovations="student_t")
    assert 0.5 < fit.persistence < 1.0
