import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.prices.labels import judge_label

HOURS = pd.date_range("2025-01-01", periods=24, freq="h", tz="UTC")
CLOSES = pd.Series(np.linspace(1.0, 2.0, 24))


@given(order=st.permutations(range(24)), doubt=st.integers(0, 10))
def test_bars_that_continue_each_other_are_labelled_by_their_open_in_any_order(order, doubt):
    opens = CLOSES.shift(fill_value=1.0)
    opens.iloc[:doubt] += 0.001
    order = list(order)
    label, reason = judge_label(HOURS[order], opens.iloc[order], CLOSES.iloc[order])
    assert label == "open"
    assert "close of the bar before" in reason


def test_other_bars_are_taken_for_opens_because_the_opposite_would_look_ahead():
    label, reason = judge_label(HOURS, CLOSES + 0.01, CLOSES)
    assert label == "open"
    assert "unless stated otherwise" in reason


@pytest.mark.parametrize("instant", ["1ms", "1us", "1ns"])
def test_the_last_instant_of_a_bar_is_its_close(instant):
    times = HOURS.as_unit("ns") - pd.Timedelta(instant)
    assert judge_label(times, CLOSES.shift(fill_value=1.0), CLOSES)[0] == "close"
