"""The report of a pool shows itself: as frames, as HTML and as a picture, with the same figures."""

from typing import get_args

import numpy as np
import pytest
from matplotlib.figure import Figure

from pool import (
    LARGE_OWN_SHARE,
    MAJORS,
    Dependence,
    JointSettings,
    PoolTerms,
    TokenRisk,
    compress,
    joint_scenarios,
    pool_report,
)
from pool.report import PoolTable
from pool.summaries import RETURN_CURVES
from pricing.errors import InvalidTermsError
from pricing.show.drawing import BAND
from tests.pool.synthetic import binary_book, uniform_surface

ASSETS = ("<b>A</b>", "B", "BTC")


@pytest.fixture(scope="module")
def report():
    surfaces = {asset: uniform_surface(1_000, seed) for seed, asset in enumerate(ASSETS)}
    tokens = dict.fromkeys(ASSETS, TokenRisk(centre=-1.9, crash_rate=0.0))
    dependence = Dependence(shocks=(0.0,), spread=0.2)
    scenarios = joint_scenarios(surfaces, dependence, tokens, settings=JointSettings(n_scenarios=40_000))
    return pool_report(compress(binary_book(ASSETS, drop=0.9)), scenarios, PoolTerms(capital=3.0, income=0.4))


def test_tokens_and_covers_add_up_to_the_pool(report):
    tokens, covers = report.to_frame(), report.to_frame("covers")
    assert list(tokens.index) == list(ASSETS)
    assert tokens["expected_loss"].sum() == pytest.approx(report.gross.expected.value)
    assert covers["expected_loss"].sum() == pytest.approx(0.3)  # three covers of limit 1, each with probability 0.1
    assert covers["tail_contribution"].sum() == pytest.approx(report.net.tail_value_at_risk.value)
    np.testing.assert_allclose(tokens["room"], tokens["capacity"] - tokens["limits"])


def test_the_class_of_every_token_is_shown(report):
    tokens = report.to_frame()
    assert tokens["group"].fillna("none").tolist() == ["none", "none", MAJORS]
    assert tokens["own_share"].tolist() == [1.0, 1.0, LARGE_OWN_SHARE]
    text = report._repr_html_()
    assert text.count(f"<td>{MAJORS}</td>") == 1
    assert text.count("<td>100\xa0%</td>") == 2


def test_estimates_stand_beside_their_errors(report):
    losses = report.to_frame("losses").set_index(["losses", "measure"])
    found = losses.loc[("gross", "tail_value_at_risk")]
    assert tuple(found) == (report.gross.tail_value_at_risk.value, report.gross.tail_value_at_risk.standard_error)
    capital = report.to_frame("capital").set_index("figure")
    assert tuple(capital.loc["ruin"]) == (report.ruin.value, report.ruin.standard_error)
    levels = report.to_frame("return_levels").set_index(["losses", "return_period"])
    for level in report.return_levels:
        assert levels.loc[("aggregate", level.return_period), "value"] == level.aggregate.value


def test_a_table_that_does_not_exist_is_refused(report):
    for table in get_args(PoolTable):
        assert len(report.to_frame(table))
    with pytest.raises(InvalidTermsError, match="table must be tokens, covers, losses, return_levels or capital"):
        report.to_frame("assets")


def test_the_html_escapes_names_and_has_all_tables(report):
    text = report._repr_html_()
    assert "&lt;b&gt;A&lt;/b&gt;" in text
    assert "<b>" not in text
    for caption in ("Losses of one period", "Capital", "Losses of a year before reinsurance", "3 of 3 tokens"):
        assert caption in text


def test_the_picture_has_a_curve_with_its_band_for_every_kind_of_loss(report):
    axes = report.plot(Figure().subplots())
    for line, band, name in zip(axes.lines, axes.collections, RETURN_CURVES, strict=True):
        estimates = [getattr(level, name) for level in report.return_levels]
        np.testing.assert_array_equal(line.get_ydata(), [each.value for each in estimates])
        highest = max(each.value + BAND * each.standard_error for each in estimates)
        assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(highest)
