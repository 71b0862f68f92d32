from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.panel import make_panel
from calibration import FindingKind, calibrate, check_closes, update
from calibration.market.panel import panel_grid
from calibration.prices.grid import SHARE, panel_times, to_grid, usual_spacing
from pricing.errors import DataError, DataWarning

START = pd.Timestamp("2023-01-01T01:00Z")
STEPS = [timedelta(minutes=1), timedelta(minutes=7), timedelta(hours=1), timedelta(hours=8), timedelta(days=1)]
CALM = {"law": "constant", "innovations": "normal"}


def jittered(closes, share, seed, *, only=1.0):
    """Return closes whose labels are up to a share of an hour early or late."""
    rng = np.random.default_rng(seed)
    seconds = rng.uniform(-share, share, len(closes)) * 3600.0 * (rng.random(len(closes)) < only)
    return closes.set_axis(closes.index + pd.to_timedelta(seconds, unit="s").round("us"))


def kinds(found):
    return [finding.kind for finding in found.findings]


# --- the length of a bar ----------------------------------------------------------------------------------------------


@given(
    step=st.sampled_from(STEPS),
    phase=st.floats(0.0, 1.0),
    jitter=st.floats(0.0, SHARE),
    missing=st.floats(0.0, 0.6),
    seed=st.integers(0, 2**32),
)
def test_the_length_of_a_bar_is_found_in_spite_of_jitter_and_gaps(step, phase, jitter, missing, seed):
    rng = np.random.default_rng(seed)
    labels = pd.date_range(START + phase * step, periods=400, freq=step)[rng.random(400) >= missing]
    late = rng.uniform(-jitter, jitter, len(labels)) * step.total_seconds()
    assert usual_spacing(labels + pd.to_timedelta(late, unit="s")) == step


def test_bars_of_an_odd_length_keep_it():
    labels = pd.date_range(START, periods=50, freq="1001s").delete(7)
    assert usual_spacing(labels) == timedelta(seconds=1001)


def test_a_collector_that_waits_a_little_longer_than_a_bar_is_snapped_until_it_has_drifted_too_far():
    waits = pd.to_timedelta(np.cumsum(np.full(2000, 3600.08)), unit="s")
    labels = pd.DatetimeIndex(pd.Timestamp("2023-01-01", tz="UTC") + waits)
    few = to_grid(labels[:2000], np.arange(2000), usual_spacing(labels))
    assert (np.diff(few.times) == np.timedelta64(1, "h")).all()
    far = labels.append(pd.date_range(labels[-1] + pd.Timedelta("1h240s"), periods=2, freq="1h"))
    with pytest.raises(DataError, match=r"label at row 2000 .* must be within 5% of a bar of 1h"):
        to_grid(far, np.arange(len(far)), usual_spacing(far))


# --- labels within reach of the grid ----------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", ["0s", "-1ms", "3s", "170s", "5min", "37min"])
def test_one_offset_of_all_labels_is_a_grid(hourly_closes, offset):
    closes = hourly_closes.iloc[:1500].shift(freq=pd.Timedelta(offset))
    checked = check_closes(closes)
    assert checked.findings == ()
    assert list(checked.closes.index) == list(closes.index)


@settings(max_examples=25)
@given(share=st.floats(1e-7, SHARE), seed=st.integers(0, 2**32), only=st.sampled_from([0.001, 0.3, 1.0]))
def test_labels_a_little_off_the_hour_give_the_calibration_of_those_on_it(hourly_closes, share, seed, only):
    clean = hourly_closes.iloc[:2000]
    off = jittered(clean, share, seed, only=only)
    found, expected = calibrate(off, **CALM), calibrate(clean, **CALM)
    assert found.model == expected.model
    assert found.worst_months == expected.worst_months
    assert found.crashes == expected.crashes
    assert kinds(found) == [FindingKind.OFF_GRID] * bool((off.index != clean.index).any())


@settings(max_examples=25)
@given(late=st.lists(st.integers(0, 9), min_size=1, max_size=9), seed=st.integers(0, 2**32))
def test_labels_that_are_only_late_do_not_shift_the_grid(hourly_closes, late, seed):
    clean = hourly_closes.iloc[:2000]
    seconds = np.random.default_rng(seed).choice(late, len(clean))
    found = calibrate(clean.set_axis(clean.index + pd.to_timedelta(seconds, unit="s")), **CALM)
    assert found.model == calibrate(clean, **CALM).model


def test_one_label_of_thousands_that_is_early_loses_no_crash(hourly_closes):
    closes = hourly_closes.iloc[:3000].copy()
    closes.iloc[1800] *= 0.4
    labels = closes.index.to_series()
    labels.iloc[1800] -= pd.Timedelta("3s")
    found = calibrate(closes.set_axis(pd.DatetimeIndex(labels)), **CALM)
    assert found.crashes == calibrate(closes, **CALM).crashes
    assert found.diagnostics.worst_drop_1h > 0.55
    finding = found.findings[0]
    assert (finding.kind, finding.row, finding.message) == (FindingKind.OFF_GRID, 1800, "1 labels, by up to 3 s")


def test_last_instants_written_in_two_ways_are_one_grid(hourly_closes):
    closes = hourly_closes.iloc[:2000]
    same = closes.shift(freq=pd.Timedelta("-1ms"))
    mixed = closes.set_axis(same.index[:900].append(closes.index[900:] - pd.Timedelta("1us")))
    found = calibrate(mixed, **CALM)
    assert found.model == calibrate(same, **CALM).model
    assert found.as_of.replace(microsecond=0) == same.index[-1].to_pydatetime().replace(microsecond=0)
    assert found.findings[0].message == "900 labels, by up to 0.000999 s"


@settings(max_examples=10)
@given(share=st.floats(1e-7, SHARE), seed=st.integers(0, 2**32))
def test_later_bars_go_to_the_grid_of_those_before(hourly_closes, share, seed):
    clean, off = hourly_closes.iloc[:1600], jittered(hourly_closes.iloc[:1600], share, seed)
    begun = calibrate(clean.iloc[:1500], **CALM)
    assert update(begun, off.iloc[1500:]).worst_months == update(begun, clean.iloc[1500:]).worst_months


# --- labels out of reach ----------------------------------------------------------------------------------------------


@given(
    row=st.integers(0, 299),
    share=st.floats(SHARE + 0.001, 0.499),
    sign=st.sampled_from([-1, 1]),
    jitter=st.floats(0.0, 0.02),
    seed=st.integers(0, 2**32),
)
def test_a_label_further_off_is_refused_with_its_row(hourly_closes, row, share, sign, jitter, seed):
    closes = hourly_closes.iloc[:300]
    labels = jittered(closes, jitter, seed).index.to_series()
    labels.iloc[row] = closes.index[row] + sign * (share + (jitter > 0) * 0.02) * timedelta(hours=1)
    if abs(labels.iloc[row] - closes.index[row]) < timedelta(minutes=30):
        with pytest.raises(DataError, match=rf"^label at row {row} \(.* must be within 5% of a bar of 1h") as caught:
            check_closes(closes.set_axis(pd.DatetimeIndex(labels)))
        assert "\n" not in str(caught.value)


def test_the_row_is_named_where_bars_change_their_phase(hourly_closes):
    closes = pd.concat([hourly_closes.iloc[:200], hourly_closes.iloc[200:300].shift(freq=timedelta(minutes=30))])
    with pytest.raises(DataError, match=r"label at row 200 .* got 1800 s .*, and 99 other labels are as far off"):
        check_closes(closes)


def test_two_closes_in_one_bar_are_never_merged_in_silence(hourly_closes):
    closes = hourly_closes.iloc[:300]
    late = pd.Series([closes.iloc[7]], index=[closes.index[7] + timedelta(seconds=2)])
    same = check_closes(pd.concat([closes, late]).sort_index())
    assert kinds(same) == [FindingKind.OFF_GRID, FindingKind.DUPLICATE]
    assert len(same.closes) == 300
    with pytest.raises(DataError, match=r"close at row 8 .* must agree with row 7 of the same bar"):
        check_closes(pd.concat([closes, 1.01 * late]).sort_index())


@pytest.mark.parametrize("apart", ["2s", "100ms", "170s"])
def test_two_collectors_in_one_series_are_refused_with_their_rows(hourly_closes, apart):
    closes = hourly_closes.iloc[:300]
    other = closes.mul(1.001).shift(freq=pd.Timedelta(apart))
    assert usual_spacing(closes.index.union(other.index)) == timedelta(hours=1)
    with pytest.raises(DataError, match=r"close at row 1 .* must agree with row 0 of the same bar"):
        check_closes(pd.concat([closes, other]).sort_index())


# --- panels -----------------------------------------------------------------------------------------------------------


def test_the_rows_of_a_panel_go_to_the_grid_with_a_warning(hourly_closes):
    panel = pd.DataFrame({"A": hourly_closes, "B": 2.0 * hourly_closes}).iloc[:800]
    off = panel.set_axis(jittered(panel["A"], 0.01, 1).index)
    with pytest.warns(DataWarning, match=r"off the grid of 1h, and taken to it: \d+ labels, by up to 3\d\.\d* s"):
        assert panel_grid(off, None).times.equals(panel_grid(panel, None).times)
    with pytest.warns(DataWarning, match="off the grid of 1h"):
        found = make_panel(off)
    assert found.step == timedelta(hours=1)
    assert list(found.closes.index) == list(panel.index)


def test_two_rows_of_a_panel_in_one_bar_are_refused():
    labels = pd.date_range(START, periods=30, freq="1h").insert(8, START + timedelta(hours=7, seconds=2))
    with (
        pytest.warns(DataWarning, match="off the grid"),
        pytest.raises(DataError, match=r"rows 7 and 8 must not lie in one bar of 1h"),
    ):
        panel_times(labels, timedelta(hours=1))
