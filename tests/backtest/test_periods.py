from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from backtest import Plan, find_starts, make_cells, make_panel
from backtest.periods import annual_volatility, can_be_quoted, count_quotable
from pricing.errors import InsufficientDataError, InvalidTermsError
from tests.backtest.conftest import DAYS, TOKENS, make_closes

HOUR = timedelta(hours=1)
CELLS = make_cells(drops=[0.2])


def test_starts_begin_after_ninety_days_and_end_with_a_whole_term(panel):
    starts = find_starts(panel, Plan(cells=CELLS))
    assert starts[0] == pd.Timestamp("2023-04-01T00:00Z")
    assert len(starts) == (DAYS - 90) // 30
    assert (np.diff(starts) == pd.Timedelta("30D")).all()
    assert starts[-1] + pd.Timedelta("30D") <= panel.closes.index[-1]


def test_a_first_start_can_be_given(panel):
    plan = Plan(cells=CELLS, first_start=datetime.fromisoformat("2023-05-02T00:00Z"))
    assert find_starts(panel, plan)[0] == pd.Timestamp("2023-05-02T00:00Z")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cells": ()}, "at least one event"),
        ({"warm_up": 0}, "warm_up must be at least 1"),
        ({"first_start": datetime(2023, 5, 2)}, "time zone"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(InvalidTermsError, match=message):
        Plan(**({"cells": CELLS} | changes))


def test_a_window_must_be_a_whole_number_of_bars(panel):
    with pytest.raises(InvalidTermsError, match="window must be a whole number of steps of 1h, got 90min"):
        find_starts(panel, Plan(cells=make_cells(windows=["90min"], drops=[0.2])))


def test_there_must_be_something_to_score(panel):
    with pytest.raises(InsufficientDataError, match="more than 5 starts"):
        find_starts(panel, Plan(cells=CELLS, warm_up=5))


def test_a_token_needs_1440_closes_after_the_beginning_of_the_ninety_days_and_up_to_the_start():
    times = pd.date_range("2023-01-01T00:00Z", periods=2161, freq="h")  # the first is 90 days before the last
    start = times[-1]
    history = pd.DataFrame(1.0, index=times, columns=["enough", "short", "too-early"])
    history.iloc[:721, 0] = np.nan
    history.iloc[:722, 1] = np.nan
    history.iloc[1:722, 2] = np.nan  # the close at the very beginning does not count
    assert can_be_quoted(history, start, HOUR).tolist() == [True, False, False]


def test_what_is_counted_is_what_is_quotable(panel):
    assert count_quotable(panel, find_starts(panel, Plan(cells=CELLS))) == 5 * TOKENS


def test_volatility_is_the_standard_deviation_of_one_bar_returns_per_year():
    returns = np.tile([0.01, -0.02, 0.04], 100)
    times = pd.date_range("2024-01-01T00:00Z", periods=301, freq="h")
    history = pd.DataFrame({"A": np.exp(np.append(0.0, np.cumsum(returns)))}, index=times)
    expected = np.std(returns, ddof=1) * np.sqrt(8760.0)
    assert annual_volatility(history, times[-1], HOUR) == pytest.approx([expected], rel=1e-12)


def test_a_return_across_an_outage_or_a_hole_is_no_one_bar_return():
    closes = make_closes(days=100, tokens=2)
    start = closes.index[-1]
    with_hole = closes.copy()
    with_hole.iloc[500:600, 0] = np.nan
    with_hole.iloc[600:, 0] *= 5.0
    kept = np.diff(np.log(with_hole["T0"].loc[start - pd.Timedelta("90D") + pd.Timedelta("1ns") :]))
    expected = np.nanstd(kept, ddof=1) * np.sqrt(8760.0)
    assert annual_volatility(with_hole, start, HOUR)[0] == pytest.approx(expected, rel=1e-12)
    outage = closes.copy()
    outage.iloc[600:] *= 5.0
    outage = outage.drop(outage.index[500:600])
    assert annual_volatility(outage, start, HOUR)[0] == pytest.approx(expected, rel=1e-12)


def test_a_token_without_returns_has_no_volatility():
    times = pd.date_range("2024-01-01T00:00Z", periods=5, freq="h")
    history = pd.DataFrame({"A": [1.0, np.nan, 2.0, np.nan, 3.0]}, index=times)
    assert np.isnan(annual_volatility(history, times[-1], HOUR)).all()


def test_a_panel_labelled_in_another_zone_has_the_same_starts():
    closes = make_closes()
    elsewhere = make_panel(closes.tz_convert("America/New_York"))
    assert find_starts(elsewhere, Plan(cells=CELLS)).equals(find_starts(make_panel(closes), Plan(cells=CELLS)))


def test_terms_that_overlap_are_for_a_surface_only():
    plan = Plan(cells=make_cells(drops=[0.2]), every=timedelta(days=29))
    with pytest.raises(InvalidTermsError, match="longest term 30d, got 29d"):
        plan.require_apart()
    Plan(cells=make_cells(drops=[0.2]), every=timedelta(days=30)).require_apart()
