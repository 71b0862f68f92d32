import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calibration import FindingKind, Verdict, calibrate, check_closes, fit_market
from calibration.prices.splits import read_ratio, read_splits, split_columns
from pricing.errors import DataError, InsufficientDataError

CALM = {"law": "constant", "innovations": "normal"}
RATIOS = st.sampled_from([2.0, 3.0, 4.0, 8.0, 10.0, 100.0, 1000.0, 0.5, 0.25, 0.1, 0.01, 0.001, 1e-6])


def split_at(closes, row, ratio):
    """Return closes in the unit of their day: from a row on there are `ratio` new units per old one."""
    return closes.where(np.arange(len(closes)) < row, closes / ratio)


def find(found, kind):
    return [finding for finding in found.findings if finding.kind is kind]


# --- stated splits ----------------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(rows=st.lists(st.integers(1, 1999), min_size=1, max_size=3, unique=True), data=st.data())
def test_stated_splits_give_the_calibration_of_the_series_without(hourly_closes, rows, data):
    clean = hourly_closes.iloc[:2000]
    told, stated = clean, {}
    for row in rows:
        ratio = data.draw(RATIOS)
        told, stated[clean.index[row]] = split_at(told, row, ratio), ratio
    found, expected = calibrate(told, splits=stated, **CALM), calibrate(clean, **CALM)
    for one, other in zip(found.worst_months, expected.worst_months, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, rel=1e-9)
    assert [rate.per_year for rate in found.crashes] == pytest.approx([rate.per_year for rate in expected.crashes])
    assert len(find(found, FindingKind.SPLIT)) == len(rows)
    assert found.verdict == expected.verdict


@pytest.mark.parametrize(
    "splits",
    [
        {"2023-01-21T20:00Z": 4},
        {pd.Timestamp("2023-01-21T20:00Z"): "1:4"},
        pd.Series({"2023-01-21T20:00Z": 4.0}),
        pd.DataFrame({"time": ["2023-01-21T20:00Z"], "ratio": ["1:4"]}),
    ],
)
def test_splits_are_stated_in_several_forms(hourly_closes, splits):
    closes = hourly_closes.iloc[:1000]
    row = closes.index.get_loc(pd.Timestamp("2023-01-21T20:00Z"))
    checked = check_closes(split_at(closes, row, 4.0), splits=splits)
    np.testing.assert_allclose(checked.closes, closes / 4.0, rtol=1e-14)
    finding = find(checked, FindingKind.SPLIT)[0]
    assert (finding.row, finding.time) == (row, pd.Timestamp("2023-01-21T20:00Z"))
    assert f"{row} closes before it converted" in finding.message


@settings(max_examples=20)
@given(row=st.integers(1, 299), ratio=RATIOS)
def test_a_split_that_the_prices_do_not_show_is_refused(hourly_closes, row, ratio):
    closes = hourly_closes.iloc[:300]
    at = closes.index[row]
    with pytest.raises(DataError, match=rf"must change the price by a factor .* at row {row} .*adjusted already"):
        check_closes(closes, splits={at: ratio})
    with pytest.raises(DataError, match="the ratio turned round"):
        check_closes(split_at(closes, row, ratio), splits={at: 1.0 / ratio})


def test_a_split_outside_the_prices_is_named_and_not_applied(hourly_closes):
    closes = hourly_closes.iloc[:300]
    for time in ("2022-01-01T00:00Z", "2024-01-01T00:00Z"):
        checked = check_closes(closes, splits={time: 4})
        assert "not applied" in find(checked, FindingKind.SPLIT)[0].message
        np.testing.assert_array_equal(checked.closes, closes)


def test_a_stated_consolidation_is_no_break(hourly_closes):
    told = split_at(hourly_closes.iloc[:2000], 700, 1e-3)
    assert find(check_closes(told), FindingKind.REDENOMINATION)
    stated = check_closes(told, splits={told.index[700]: "1000:1"})
    assert not find(stated, FindingKind.REDENOMINATION)
    assert len(stated.closes) == 2000


@pytest.mark.parametrize(
    ("ratio", "value"), [(4, 4.0), ("4", 4.0), ("1:4", 4.0), ("1000:1", 1e-3), ("2 : 5", 2.5), (0.1, 0.1)]
)
def test_ratios_are_new_units_per_old_one(ratio, value):
    assert read_ratio(ratio) == pytest.approx(value)


@pytest.mark.parametrize("ratio", [0, -4, "x", "1:0", "0:1", "1:2:3", float("nan"), float("inf"), None, ""])
def test_other_ratios_are_refused(ratio):
    with pytest.raises(DataError, match="ratio of a split must be the number of new units per old one"):
        read_splits({"2024-01-01T00:00Z": ratio})


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"2024-01-01T00:00": 4}, "time of a split must have a time zone"),
        ({"soon": 4}, "time of a split must be a time"),
        ([4], "ratios by time, such as"),
        (pd.DataFrame({"when": [1]}), "columns time and ratio, got"),
        ({"2024-01-01T00:00Z": 4, "2024-01-01T01:00+01:00": 2}, "one ratio per time, got two for 2024-01-01"),
    ],
)
def test_other_splits_are_refused(splits, message):
    with pytest.raises(DataError, match=message):
        read_splits(splits)


# --- splits that nobody stated ----------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(row=st.integers(1, 1999), ratio=RATIOS)
def test_a_step_close_to_a_simple_ratio_is_named_with_row_and_factor_and_stays(hourly_closes, row, ratio):
    told = split_at(hourly_closes.iloc[:2000], row, ratio)
    checked = check_closes(told)
    assume(ratio >= 0.05)  # a rise beyond twentyfold is a break
    finding = find(checked, FindingKind.POSSIBLE_SPLIT)[0]
    move = told.iloc[row] / told.iloc[row - 1]
    assert (finding.row, finding.time) == (row, told.index[row])
    assert f"by a factor of {max(move, 1.0 / move):.4g}" in finding.message
    assert len(checked.closes) == 2000


def test_a_possible_split_is_a_warning_and_its_fall_counts(hourly_closes):
    told = split_at(hourly_closes.iloc[:3000], 2000, 4.0)
    found = calibrate(told, **CALM)
    assert Verdict.UNIT_DOUBTFUL in found.verdict
    assert found.diagnostics.worst_drop_1h > 0.74
    assert not find(calibrate(hourly_closes.iloc[:3000], **CALM), FindingKind.POSSIBLE_SPLIT)


@pytest.mark.parametrize("factor", [0.35, 0.6, 1.5, 2.5])
def test_other_steps_are_moves_of_the_market(hourly_closes, factor):
    assert not find(check_closes(split_at(hourly_closes.iloc[:500], 200, 1.0 / factor)), FindingKind.POSSIBLE_SPLIT)


# --- panels -----------------------------------------------------------------------------------------------------------


def test_columns_of_a_panel_are_converted(hourly_closes):
    panel = pd.DataFrame({"A": hourly_closes, "B": hourly_closes}).iloc[:500]
    panel.loc[panel.index[100:110], "B"] = np.nan
    told = panel.assign(B=split_at(panel["B"], 200, 4.0))
    converted = split_columns(told, {"B": {panel.index[200]: 4}})
    pd.testing.assert_frame_equal(converted, panel.assign(B=panel["B"] / 4.0))
    with pytest.raises(DataError, match="splits must be those of columns of the panel, got 'C'"):
        split_columns(panel, {"C": {panel.index[200]: 4}})


def test_the_market_is_fitted_in_one_unit(hourly_closes):
    panel = pd.DataFrame({"A": hourly_closes}).iloc[:1000]
    with pytest.raises(DataError, match="must change the price by a factor of about"):
        fit_market(panel, splits={"A": {panel.index[500]: 4}})
    with pytest.raises(InsufficientDataError):  # one token is no market, but its split was applied
        fit_market(split_columns(panel, None), splits={})


# --- real collapses ---------------------------------------------------------------------------------------------------


def test_real_collapses_stay(market_data):
    panel = pd.read_parquet(
        market_data / "panel" / "binance_spot_1h_close_2021_202506_dev.parquet", columns=["open_time", "LUNA", "FTT"]
    ).set_index("open_time")
    panel.index = (panel.index + pd.Timedelta("1h")).rename("close_time")
    for name, as_of, deepest in (("LUNA", "2022-05-13T01:00Z", 0.9), ("FTT", "2022-11-10T00:00Z", 0.7)):
        found = calibrate(panel[name], as_of=as_of, **CALM)
        assert found.diagnostics.worst_drop_24h > deepest
        assert Verdict.HISTORY_CUT not in found.verdict
