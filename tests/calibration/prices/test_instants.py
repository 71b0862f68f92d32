from datetime import UTC, date, datetime

import pandas as pd
import pytest

from calibration.prices.instants import read_instant
from pricing.errors import DataError, DataWarning


@pytest.mark.parametrize("time", ["2022-05-07T02:00+02:00", datetime(2022, 5, 7, tzinfo=UTC), "2022-05-07T00:00Z"])
def test_a_time_with_a_zone_is_taken_as_it_is(time):
    assert read_instant(time) == pd.Timestamp("2022-05-07T00:00Z")


@pytest.mark.parametrize("day", ["2022-05-07", "20220507", date(2022, 5, 7)])
def test_a_date_is_midnight_utc_with_a_warning(day):
    with pytest.warns(DataWarning, match=r"means 2022-05-07T00:00Z: the beginning of the day"):
        assert read_instant(day) == pd.Timestamp("2022-05-07T00:00Z")


@pytest.mark.parametrize("time", ["2022-05-07T00:00", datetime(2022, 5, 7), pd.NaT])
def test_a_time_of_day_needs_a_zone(time):
    with pytest.raises(DataError, match="as_of must have a time zone"):
        read_instant(time)


@pytest.mark.parametrize("time", ["soon", [], "2022-13-01"])
def test_other_values_are_refused(time):
    with pytest.raises(DataError, match=r"as_of must be a time such as '2024-01-31T00:00Z', got"):
        read_instant(time)
