"""A calibration and a concentration show themselves: as frames, as HTML and as pictures."""

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from calibration import calibrate, concentration, explain
from pricing.errors import InvalidTermsError

HOLDERS = pd.DataFrame(
    {"address": ["<b>whale</b>", "x", "cex"], "balance": [30.0, 10.0, 20.0], "label": ["", "", "exchange"]}
)


@pytest.fixture(scope="module")
def calibrated(hourly_closes):
    prices = hourly_closes.drop(hourly_closes.index[5000:5010])
    return calibrate(prices, holders=HOLDERS, supply=100.0)


def test_the_findings_are_a_frame(calibrated):
    frame = calibrated.to_frame()
    assert list(frame.columns) == ["kind", "time", "row", "message"]
    assert list(frame["message"]) == [each.message for each in calibrated.findings]
    assert "GAP" in set(frame["kind"])
    assert isinstance(frame["time"].dtype, pd.DatetimeTZDtype)


def test_the_worst_months_are_a_frame_of_windows_and_drops(calibrated):
    frame = calibrated.to_frame("worst_months")
    for month in calibrated.worst_months:
        rows = frame[frame["window"] == f"{month.window.total_seconds() / 3600:g}h"]
        assert tuple(rows["drop"]) == month.drops
        assert tuple(rows["probability"]) == month.probabilities
        assert tuple(rows["certain_probability"]) == month.certain_probabilities


def test_the_crashes_are_a_frame_whose_factors_multiply_to_the_rate(calibrated):
    frame = calibrated.to_frame("crashes")
    product = frame["market_rate"] * frame["credibility_factor"] * frame["hazard_factor"] * 365 / 30
    np.testing.assert_allclose(frame["per_year"], product)
    with pytest.raises(InvalidTermsError, match="table must be findings, worst_months or crashes, got 'drivers'"):
        calibrated.to_frame("drivers")


def test_the_html_has_figures_warnings_and_findings(calibrated):
    text = calibrated._repr_html_()
    for each in (*explain(calibrated.verdict), *(finding.message for finding in calibrated.findings)):
        assert each in text
    assert "8,750 closes of 1h" in text


def test_the_picture_has_a_curve_for_every_window_and_bands_to_the_certain_law(calibrated):
    axes = calibrated.plot(Figure().subplots())
    for line, band, month in zip(axes.lines, axes.collections, calibrated.worst_months, strict=True):
        np.testing.assert_allclose(line.get_ydata(), 100 * np.array(month.probabilities))
        ends = {*np.round(band.get_paths()[0].vertices[:, 1], 9)}
        assert set(np.round(100 * np.array(month.certain_probabilities), 9)) <= ends
    assert axes.get_ylabel() == "probability of at least that drop, %"


# --- concentration ----------------------------------------------------------------------------------------------------


def test_the_measures_are_a_frame_with_their_bounds():
    measured = concentration(HOLDERS, supply=100.0)
    frame = measured.to_frame()
    # 60 of 100 tokens are listed; a hidden owner of a tenth of the 20 pooled tokens has 2
    assert frame.loc["top1", "lower"] == pytest.approx(0.3)
    assert frame.loc["hhi", "lower"] == pytest.approx(0.3**2 + 0.1**2)
    for name, row in frame.iterrows():
        assert (row["lower"], row["upper"]) == (getattr(measured, name).lower, getattr(measured, name).upper)


def test_what_was_excluded_and_found_are_frames():
    measured = concentration(HOLDERS, supply=100.0)
    assert measured.to_frame("excluded").loc[0, ["address", "balance", "category"]].tolist() == [
        "cex",
        20.0,
        "exchange",
    ]
    assert list(measured.to_frame("findings")["kind"]) == ["LIST_CUT"]
    with pytest.raises(
        InvalidTermsError, match="table must be measures, control, excluded, clusters or findings, got 'holders'"
    ):
        measured.to_frame("holders")


def test_the_html_of_a_concentration_has_every_measure():
    text = concentration(HOLDERS)._repr_html_()
    for heading in ("HHI", "HHI under stress", "Top 10", "Nakamoto number", "Gini coefficient"):
        assert f">{heading}</th>" in text
    assert "shares are of the listed total" in text


@pytest.mark.parametrize("supply", [60.0, 100.0, 1e4])
def test_the_picture_of_a_concentration_lies_between_its_bounds_and_never_falls(supply):
    measured = concentration(HOLDERS, supply=supply)
    axes = measured.plot(Figure().subplots())
    (line, _half), (band,) = axes.lines, axes.collections
    counts, shares = line.get_data()
    assert counts[0] == 1
    assert (np.diff(shares) >= 0.0).all()
    assert shares[0] == pytest.approx(100 * measured.top1.upper)
    lowest = band.get_datalim(axes.transData).y0
    assert lowest == pytest.approx(100 * measured.top1.lower)
    assert math.isfinite(shares[-1])
    assert shares[-1] <= 100.0 + 1e-9
