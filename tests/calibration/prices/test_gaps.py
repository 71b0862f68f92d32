from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration import calibrate
from calibration.prices.gaps import describe_gaps

START = pd.Timestamp("2024-01-01", tz="UTC")
HOUR = timedelta(hours=1)
CALM = {"law": "constant", "innovations": "normal"}


def test_a_complete_history_has_no_gaps():
    assert describe_gaps(pd.Series([1.0, 2.0], index=pd.date_range(START, periods=2, freq="1h")), HOUR) is None


@pytest.mark.parametrize(
    ("missing", "hour", "day"), [(4, "60.0%", "0.0%"), (23, "60.0%", "0.0%"), (24, "60.0%", "60.0%")]
)
def test_a_window_counts_the_falls_of_gaps_that_it_spans(missing, hour, day):
    index = pd.date_range(START, periods=50, freq="1h").delete(range(10, 10 + missing))
    closes = pd.Series(np.where(np.arange(len(index)) < 10, 1.0, 0.4), index=index)
    place, message = describe_gaps(closes, HOUR)
    assert place == 10
    assert message.endswith(f"that is not counted is {hour} in windows of 1h, {day} in windows of 24h")


def test_windows_shorter_than_a_bar_are_not_spoken_of():
    index = pd.date_range(START, periods=9, freq="24h").delete(4)
    message = describe_gaps(pd.Series(1.0, index=index), timedelta(days=1))[1]
    assert message.endswith("not counted is 0.0% in windows of 24h")


@settings(max_examples=10)
@given(missing=st.integers(1, 40))
def test_the_record_counts_a_fall_exactly_where_the_message_says(hourly_closes, missing):
    closes = hourly_closes.iloc[:4000].copy()
    closes.iloc[2000:] *= 0.4
    found = calibrate(closes.drop(closes.index[2000 - missing // 2 : 2000 - missing // 2 + missing]), **CALM)
    calm = calibrate(hourly_closes.iloc[:4000], **CALM)
    said = found.findings[0].message.rpartition(" is ")[2].split(", ")
    for place, text in enumerate(said):
        counted = found.crashes[place].crashes > calm.crashes[place].crashes
        assert counted == text.startswith("0.0%"), (missing, text)
